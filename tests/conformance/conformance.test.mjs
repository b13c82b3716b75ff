// The official conformance suite through narrowgate: what passes directly must pass through. One test a scenario.
// known.json names the scenarios that cannot pass yet, each with its reason; one that starts passing must leave the list.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { here, startGate, startServer } from './gate.mjs';
import { clientScenario, faults, lost, serverScenario, serverScenarios } from './suite.mjs';

const known = JSON.parse(readFileSync(join(here, 'known.json'), 'utf8'));
// How many scenarios the suite has for a server of each revision. One of the fifty of 2026-07-28 has no check yet.
const SERVER = { '2025-03-26': 1, '2025-06-18': 27, '2025-11-25': 33, '2026-07-28': 50 };
const CLIENT = {
  '2025-06-18': ['initialize', 'tools_call'],
  '2025-11-25': ['initialize', 'tools_call', 'elicitation-sep1034-client-defaults', 'sse-retry', 'json-schema-2020-12-preservation'],
  '2026-07-28': ['tools_call', 'request-metadata', 'sep-2322-client-request-state', 'http-standard-headers', 'http-custom-headers',
    'http-invalid-tool-headers', 'json-schema-ref-no-deref', 'json-schema-2020-12-preservation'],
};

// { label, direct, through }: what is wrong with a scenario, directly and through narrowgate, as lines. One that fails is run once
// more, alone: the suite gives some answers half a second only, and this machine may be busy.
async function verdict(label, checks, through, againDirect, againThrough) {
  if (faults(checks).length) checks = await againDirect();
  const found = (c) => [...faults(c), ...lost(checks, c)];
  if (found(through).length && !known[label]) through = await againThrough();
  return { label, direct: faults(checks), through: found(through) };
}

async function serverRun(version) {
  const server = await startServer(version === '2026-07-28' ? 'modern' : 'legacy');
  const gate = await startGate(server.url);
  const [direct, through] = await Promise.all([serverScenarios(server.url, version), serverScenarios(gate.url, version)]);
  const verdicts = [];
  for (const [name, checks] of direct)
    verdicts.push(await verdict(`${version} server ${name}`, checks, through.get(name),
      () => serverScenario(server.url, version, name), () => serverScenario(gate.url, version, name)));
  await gate.stop();
  await server.stop();
  return verdicts;
}

async function clientRun(version, name) {
  const run = (how) => clientScenario(how, version, name);
  return [await verdict(`${version} client ${name}`, await run('direct'), await run('through'), () => run('direct'), () => run('through'))];
}

// Two at a time.
const jobs = [...Object.keys(SERVER).reverse().map((v) => () => serverRun(v)),
  ...Object.entries(CLIENT).flatMap(([v, names]) => names.map((n) => () => clientRun(v, n)))];
const verdicts = [];
await Promise.all([1, 2].map(async () => { for (let job; (job = jobs.shift());) verdicts.push(...await job()); }));

for (const { label, direct, through } of verdicts.sort((a, b) => (a.label < b.label ? -1 : 1))) {
  test(label, () => {
    assert.deepEqual(direct, [], `${label} fails without narrowgate`);
    if (known[label]) assert.ok(through.length, `${label} passes now: take it out of known.json`);
    else assert.deepEqual(through, [], `${label} passes directly, but not through`);
  });
}

test('every scenario ran, and known.json names only those that exist', () => {
  const labels = verdicts.map((v) => v.label);
  for (const [version, count] of Object.entries(SERVER)) assert.equal(labels.filter((l) => l.startsWith(`${version} server `)).length, count, version);
  assert.deepEqual(Object.keys(known).filter((k) => !labels.includes(k)), []);
  for (const reason of Object.values(known)) assert.ok(reason.length > 20, 'a reason says what is missing');
});
