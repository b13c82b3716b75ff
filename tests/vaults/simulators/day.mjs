// A working day through narrowgate: a table of calls, each with what becomes of it, and a second simulator of the same kind that is asked
// directly what passes, in the same order.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BULLETS, call } from '../../scenario/lib.mjs';

export const rule = (r) => r._meta?.['narrowgate.dev/refusal']?.rule;
export const records = (file) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l)) : []);
export const calls = (file) => records(file).filter((r) => r.tool).map((r) => [r.tool, r.args]);

// No value, token or key in what narrowgate wrote; checked when the test ends and narrowgate has. The audit's folder goes with it.
export function watch(t, s, audit, secrets) {
  t.after(() => {
    const lines = readFileSync(audit, 'utf8'), written = s.p.err + s.p.out + lines;
    rmSync(dirname(audit), { recursive: true });
    assert.ok(lines.includes('"profile":'), 'the audit tells of calls');
    for (const secret of secrets) assert.ok(!written.includes(secret), 'a secret in the log or the audit');
  });
}

export const auditFile = () => join(mkdtempSync(join(tmpdir(), 'narrowgate-')), 'audit.jsonl');

const masked = (result, values) => JSON.parse(values.reduce((text, v) => text.replaceAll(v, BULLETS), JSON.stringify(result)));

// rows: [tool, arguments, what]; what: 'pass' (equal to the direct answer), 'masked' (equal but for the values, which are there),
// a RegExp (refused by a rule of that name), or a function of (answer, direct answer).
export async function day({ client, direct, file, values }, rows) {
  const passed = [];
  for (const [tool, args, what] of rows) {
    const got = await call(client, tool, args), label = `${tool} ${JSON.stringify(args)}: ${JSON.stringify(got)}`;
    if (what instanceof RegExp) {
      assert.ok(got.isError && what.test(rule(got) ?? ''), label);
      continue;
    }
    passed.push([tool, args]);
    const there = await call(direct, tool, args);
    assert.equal(rule(got), undefined, label);
    if (what === 'pass') assert.deepEqual(got, there, label);
    else if (what === 'masked') {
      assert.notDeepEqual(masked(there, values), there, `${label}: nothing to mask`);
      assert.deepEqual(got, masked(there, values), label);
    } else what(got, there);
  }
  assert.deepEqual(calls(file), passed, 'what reached the vault');
}

export function everyTool(tools, rows) {
  assert.deepEqual(Object.keys(tools).filter((name) => !rows.some(([tool]) => tool === name)), [], 'tools without a row');
}
