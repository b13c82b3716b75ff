// The table names every guard there is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { file, guardsOfSource } from './play.mjs';
import { readTable } from './table.mjs';

test('every guard of guards/list.h has rows that it refuses or rewrites, and rows that it lets pass', () => {
  const cases = [false, true].flatMap((stateless) => readTable(file, stateless).cases);
  const rows = cases.flatMap((c) => c.steps.flatMap((s) => s.guards.map((g) => ({ ...g, policy: c.policy, step: s }))));
  const guards = guardsOfSource();
  assert.ok(guards.length > 0);
  for (const g of guards) {
    const own = rows.filter((r) => r.name === g.name);
    if (g.request) assert.ok(own.some((r) => r.of === 'call' && r.step.verdict?.startsWith('deny ')), `no row where ${g.name} refuses a call`);
    if (g.response) assert.ok(own.some((r) => r.of === 'answer' && r.step.expect && !/^(deny|pass)\b/.test(r.step.expect)), `no row where ${g.name} rewrites an answer`);
    assert.ok(rows.some((r) => r.name === 'none' && own.some((o) => o.policy === r.policy)), `no row that ${g.name} lets pass`);
  }
  const named = new Set(rows.map((r) => r.name));
  assert.deepEqual([...named].filter((n) => n !== 'none' && !guards.some((g) => g.name === n)), [], 'guards that guards/list.h does not have');
});
