// GhostStack Vault, simulated from its guide: working days of an agent through narrowgate. What the agent could see is looked at, and
// what reached the vault.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BULLETS, call, connect, freePort, ready, run, scratch, serve, text, until } from '../scenario/lib.mjs';
import { auditFile, calls, day, everyTool, rule, watch } from './simulators/day.mjs';
import { TOOLS, VALUES } from './simulators/ghoststack.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'simulators/ghoststack.mjs');
const TOKEN = 'gs-token-of-the-test-5b', values = Object.values(VALUES);
const bearer = { Authorization: `Bearer ${TOKEN}` };

async function simulator(t) {
  const port = await freePort(), file = join(scratch(t), 'record.jsonl');
  const p = run(t, [script], { command: process.execPath, env: { PORT: String(port), TOKEN, RECORD: file } });
  await until('the vault', () => p.err.includes('vault at'));
  return { url: `http://127.0.0.1:${port}/api/mcp`, file };
}

async function place(t, profile) {
  const [sim, twin] = [await simulator(t), await simulator(t)], audit = auditFile();
  const s = await serve(t, { upstreams: { vault: { catalog: 'ghoststack', url: sim.url, credential: { bearer: { env: 'GS_TOKEN' } } } },
    profiles: { agent: profile }, default_profile: 'agent', audit: { file: audit } }, { env: { GS_TOKEN: TOKEN } });
  await ready(s);
  watch(t, s, audit, [...values, TOKEN]);
  return { s, file: sim.file, values, url: sim.url, client: await connect(t, 1, s), direct: await connect(t, 1, { url: twin.url }, { headers: bearer }) };
}

const json = async (client, name, args) => JSON.parse(text(await call(client, `vault.${name}`, args)));
const lease = async (client, key) => (await json(client, 'lease_credential', { key })).leaseHandle;
// The simulator's handles follow from their order; so a table can name them.
async function handles(t, n) {
  const sim = await simulator(t), client = await connect(t, 1, { url: sim.url }, { headers: bearer }), all = [];
  for (let i = 0; i < n; i++) all.push(await lease(client, 'db-password'));
  return all;
}

const stripe = { key: 'stripe-api-key' }, infra = { key: 'db-password' };
// All but rotation, which profiles differ about. `seen`: what becomes of a value, `peek`: of metadata with a preview.
const rows = (h, seen, peek, rotated) => [
  ['vault.list_credentials', { folderPath: 'stripe' }, 'pass'],
  ['vault.list_credentials', {}, 'pass'],
  ['vault.search_credentials', { query: 'db', type: 'password' }, 'pass'],
  ['vault.get_credential_metadata', stripe, peek],
  ['vault.lease_credential', { ...stripe, purpose: 'charges', ttl: 900 }, 'pass'],
  ['vault.read_credential', { leaseHandle: h[0] }, seen],
  ['vault.lease_credential', infra, 'pass'],
  ['vault.read_credential', { leaseHandle: `vault:lease:${h[1]}` }, seen],
  ['vault.rotate_credential', stripe, rotated],
];
const hidden = (got, there) => {
  const direct = JSON.parse(text(there));
  assert.deepEqual(JSON.parse(text(got)), { ...direct, preview: BULLETS });
  assert.deepEqual(got.structuredContent, { ...direct, preview: BULLETS });
};

for (const [profile, seen, peek, rotated] of [['reader', 'pass', 'pass', /read-only/], ['observer', 'masked', hidden, /read-only/], ['rotator', 'masked', hidden, 'pass']])
  test(`${profile}: each tool`, async (t) => {
    const place_ = await place(t, { extends: profile }), table = rows(await handles(t, 2), seen, peek, rotated);
    everyTool(TOOLS, table);
    await day(place_, table);
    const offered = (await place_.client.listTools()).tools.map((x) => x.name);
    assert.deepEqual(offered.sort(), Object.keys(TOOLS).filter((n) => rotated === 'pass' || n !== 'vault.rotate_credential').sort());
  });

test('PATH-24: one folder: each tool; the chain from lease over key to folder', async (t) => {
  const place_ = await place(t, { allowed_paths: ['stripe/'] }), [h] = await handles(t, 1);
  const cut = (got, there) => {
    const items = JSON.parse(text(there)).items.filter((x) => x.folderPath === 'stripe');
    assert.deepEqual(JSON.parse(text(got)).items, items);
    assert.deepEqual(got.structuredContent.items, items);
    assert.ok(!JSON.stringify(got).includes('db-password'));
  };
  const table = [
    ['vault.lease_credential', stripe, /handle/], // its folder is not known yet
    ['vault.list_credentials', { folderPath: 'infra' }, /allowed-paths/],
    ['vault.list_credentials', { folderPath: 'stripe' }, 'pass'],
    ['vault.list_credentials', {}, cut],
    ['vault.search_credentials', { tag: 'prod' }, cut],
    ['vault.get_credential_metadata', stripe, 'pass'],
    ['vault.get_credential_metadata', infra, /allowed-paths/],
    ['vault.get_credential_metadata', { key: 'infra/db-password' }, /allowed-paths/],
    ['vault.lease_credential', infra, /allowed-paths/],
    ['vault.lease_credential', { key: 'STRIPE-API-KEY' }, /handle/], // keys are case-sensitive
    ['vault.read_credential', { leaseHandle: h }, /handle/], // never given out
    ['vault.lease_credential', stripe, 'pass'],
    ['vault.read_credential', { leaseHandle: h }, 'pass'],
    ['vault.read_credential', { leaseHandle: h }, /handle/], // used up
    ['vault.rotate_credential', infra, /allowed-paths/],
    ['vault.rotate_credential', stripe, 'pass'],
  ];
  everyTool(TOOLS, table);
  await day(place_, table);
});

test('PATH-24: a lease from elsewhere is refused, also where it stands in another tool\'s argument', async (t) => {
  const { client, file, url } = await place(t, { allowed_paths: ['stripe/'] });
  const foreign = await lease(await connect(t, 1, { url }, { headers: bearer }), 'db-password'); // a lease of another agent's, at the same vault
  await call(client, 'vault.list_credentials', { folderPath: 'stripe' });
  const before = calls(file).length;
  for (const leaseHandle of [foreign, `vault:lease:${foreign}`]) assert.match(rule(await call(client, 'vault.read_credential', { leaseHandle })), /handle/);
  for (const [tool, args] of [['vault.get_credential_metadata', { key: `vault:lease:${foreign}` }], ['vault.rotate_credential', { key: `vault:lease:${foreign}` }],
    ['vault.lease_credential', { ...stripe, purpose: `vault:lease:${foreign}` }], ['vault.search_credentials', { query: `vault:lease:${foreign}` }]])
    assert.match(rule(await call(client, tool, args)) ?? `passed: ${tool}`, /handle|path/);
  assert.equal(calls(file).length, before, 'nothing reached the vault');
});

test('MASK-23: a reference shows neither the end of the value nor its length; the reference itself stays', async (t) => {
  const { client } = await place(t, { extends: 'observer' });
  const leaseHandle = await lease(client, 'stripe-api-key');
  const r = await call(client, 'vault.read_credential', { leaseHandle, responseFormat: 'reference' });
  const expected = { credentialReference: { ref: `vault:lease:${leaseHandle}`, preview: BULLETS, metadata: { format: 'api_key', length: 0 } } };
  assert.deepEqual(JSON.parse(text(r)), expected);
  assert.deepEqual(r.structuredContent, expected);
});

test('the vault takes its own token alone', async (t) => {
  const sim = await simulator(t);
  await assert.rejects(connect(t, 1, { url: sim.url }, { headers: { Authorization: 'Bearer other' } }));
});
