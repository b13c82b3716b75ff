// 1Claw, simulated from its documentation, on Streamable HTTP (agent token, vault id in a header) and on stdio: working days of an agent
// through narrowgate. What the agent could see is looked at, and what reached the vault.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { BULLETS, call, connect, freePort, ready, run, scratch, serve, sleep, text, until } from '../scenario/lib.mjs';
import { auditFile, day, everyTool, records, watch } from './simulators/day.mjs';
import { TOOLS, VALUES } from './simulators/oneclaw.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'simulators/oneclaw.mjs');
const KEY = 'ocv_key-of-the-test-4d', values = Object.values(VALUES), VAULT = 'v-acme';
const env = { AGENT_ID: 'agent-7', API_KEY: KEY, VAULT_ID: VAULT };

async function simulator(t) {
  const port = await freePort(), file = join(scratch(t), 'record.jsonl');
  const p = run(t, [script], { command: process.execPath, env: { ...env, PORT: String(port), RECORD: file } });
  await until('the vault', () => p.err.includes('vault at'));
  return { at: `http://127.0.0.1:${port}`, file };
}

const logs = (client) => {
  client.logs = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, (n) => { client.logs.push(n.params.data); });
};

async function place(t, up, profile) {
  const audit = auditFile();
  let upstream, direct, file;
  if (up === 'http') {
    const [sim, twin] = [await simulator(t), await simulator(t)];
    file = sim.file;
    upstream = { url: `${sim.at}/mcp`, headers: { 'X-Vault-ID': '${VAULT_ID}' }, credential: { agent_token: { url: `${sim.at}/v1/auth/agent-token`, agent_id: 'agent-7', api_key: { env: 'ONECLAW_KEY' } } } };
    direct = await connect(t, 1, { url: `${twin.at}/mcp` }, { headers: { Authorization: 'Bearer oc-jwt-1', 'X-Vault-ID': VAULT } });
  } else {
    file = join(scratch(t), 'record.jsonl');
    upstream = { command: [process.execPath, script], env: { ...env, API_KEY: '${ONECLAW_KEY}', RECORD: file } };
    direct = await connect(t, 1, { command: process.execPath, args: [script], env });
  }
  const s = await serve(t, { upstreams: { vault: { catalog: '1claw', ...upstream } }, profiles: { agent: profile }, default_profile: 'agent', audit: { file: audit } }, { env: { ONECLAW_KEY: KEY, VAULT_ID: VAULT } });
  await ready(s);
  watch(t, s, audit, [...values, KEY, 'oc-jwt-']);
  return { s, file, values, direct, client: await connect(t, 1, s, { setup: logs }) };
}

const path = 'integrations/stripe';
const uuid = '00000000-0000-4000-8000-000000000001', infra = '00000000-0000-4000-8000-000000000004';
const tx = { to: '0xabc', value: '1', chain: 'base' };

// One row a tool: arguments, then what reader, observer and rotator make of it.
const RO = /read-only/, ACT = /actions/;
const rows = [
  ['list_secrets', {}, 'pass', 'pass', 'pass'],
  ['describe_secret', { path }, 'pass', 'pass', 'pass'],
  ['get_secret', { path }, 'pass', 'masked', 'masked'],
  ['get_env_bundle', { path: 'integrations/env' }, 'pass', 'masked', 'masked'],
  ['resolve_env', { environment: 'prod' }, 'pass', 'masked', 'masked'],
  ['list_versions', { path }, 'pass', 'pass', 'pass'],
  ['list_vaults', {}, 'pass', 'pass', 'pass'],
  ['inspect_content', { content: 'a harmless text', context: 'output' }, 'pass', 'pass', 'pass'],
  ['simulate_transaction', tx, 'pass', 'pass', 'pass'],
  ['get_approval_status', { approval_id: 'ap-1' }, 'pass', 'pass', 'pass'],
  ['check_secret_request', { request_id: 'rq-1' }, 'pass', 'pass', 'pass'],
  ['rotate_and_store', { path, value: 'a-new-value-17' }, RO, RO, 'pass'],
  ['rotate_generate', { path }, RO, RO, 'pass'],
  ['put_secret', { path, value: 'another-value-18' }, RO, RO, ACT],
  ['delete_secret', { path }, RO, RO, ACT],
  ['create_vault', { name: 'x' }, RO, RO, ACT],
  ['grant_access', { vault_id: VAULT, principal_type: 'agent', principal_id: 'a' }, RO, RO, ACT],
  ['share_secret', { secret_id: uuid, recipient_type: 'anyone_with_link' }, RO, RO, ACT],
  ['submit_transaction', tx, RO, RO, ACT],
  ['request_approval', { reason: 'x' }, RO, RO, ACT],
  ['request_secret', { suggested_path: 'integrations/new' }, RO, RO, ACT],
  ['execute_http', { binding: 'b', method: 'GET', url: 'https://api.example.com/x' }, RO, RO, ACT],
  ['proxy_request', { secret_name: 'b', method: 'GET', url: 'https://api.example.com/x' }, RO, RO, ACT],
];

for (const up of ['http', 'stdio'])
  for (const [i, profile] of ['reader', 'observer', 'rotator'].entries())
    test(`${profile} (${up}): each tool`, async (t) => {
      const place_ = await place(t, up, { extends: profile }), table = rows.map((r) => [r[0], r[1], r[2 + i]]);
      everyTool(TOOLS, table);
      await day(place_, table);
      const offered = (await place_.client.listTools()).tools.map((x) => x.name).sort();
      assert.deepEqual(offered, table.filter((r) => !(r[2] instanceof RegExp)).map((r) => r[0]).sort());
    });

const LOCKED = { allowed_paths: ['integrations/'], tenant: VAULT };
test('paths and tenant: each tool', async (t) => {
  const place_ = await place(t, 'http', LOCKED);
  const cut = (got, there) => assert.equal(text(got), text(there).replace('Found 4', 'Found 3').replace(/- infra[^\n]*$/, ''));
  const ours = (got, there) => assert.equal(text(got), text(there).replace('Found 2', 'Found 1').replace(/- Other[^\n]*$/, ''));
  const table = [
    ['share_secret', { secret_id: uuid, recipient_type: 'anyone_with_link' }, /handle/],
    ['list_secrets', {}, cut],
    ['list_secrets', { prefix: 'infra/' }, /allowed-paths/],
    ['describe_secret', { path }, 'pass'],
    ['describe_secret', { path: 'infra/db' }, /allowed-paths/],
    ['share_secret', { secret_id: uuid, recipient_type: 'anyone_with_link' }, 'pass'],
    ['share_secret', { secret_id: infra, recipient_type: 'anyone_with_link' }, /handle/],
    ['get_secret', { path }, 'pass'],
    ['get_secret', { path: 'infra/db' }, /allowed-paths/],
    ['get_env_bundle', { path: 'integrations/env' }, 'pass'],
    ['get_env_bundle', { path: 'infra/db' }, /allowed-paths/],
    ['resolve_env', { environment: 'prod' }, /path/],
    ['list_versions', { path }, 'pass'],
    ['list_versions', { path: 'infra/db' }, /allowed-paths/],
    ['put_secret', { path: 'integrations/new', value: 'a-new-value-17' }, 'pass'],
    ['put_secret', { path: 'infra/new', value: 'a-new-value-17' }, /allowed-paths/],
    ['rotate_and_store', { path, value: 'a-new-value-19' }, 'pass'],
    ['rotate_and_store', { path: 'infra/db', value: 'a-new-value-19' }, /allowed-paths/],
    ['rotate_generate', { path }, 'pass'],
    ['rotate_generate', { path: 'infra/db' }, /allowed-paths/],
    ['delete_secret', { path: 'integrations/new' }, 'pass'],
    ['delete_secret', { path: 'infra/db' }, /allowed-paths/],
    ['list_vaults', {}, ours],
    ['create_vault', { name: 'x' }, /path|tenant/],
    ['grant_access', { vault_id: VAULT, principal_type: 'agent', principal_id: 'a' }, /allowed-paths/],
    ['grant_access', { vault_id: 'v-other', principal_type: 'agent', principal_id: 'a', secret_path_pattern: 'integrations/**' }, /tenant/],
    ['grant_access', { vault_id: VAULT, principal_type: 'agent', principal_id: 'a', secret_path_pattern: 'integrations/**' }, 'pass'],
    ['inspect_content', { content: 'a harmless text', context: 'input' }, 'pass'],
    ['simulate_transaction', { ...tx, signing_key_path: 'infra/db' }, /allowed-paths/],
    ['submit_transaction', { ...tx, signing_key_path: 'integrations/stripe' }, 'pass'],
    ['get_approval_status', { approval_id: 'ap-9' }, /handle/],
    ['request_approval', { reason: 'x' }, 'pass'],
    ['get_approval_status', { approval_id: 'ap-1' }, 'pass'],
    ['check_secret_request', { request_id: 'rq-1' }, /handle/],
    ['request_secret', { suggested_path: 'infra/new' }, /allowed-paths/],
    ['request_secret', { suggested_path: 'integrations/new' }, 'pass'],
    ['check_secret_request', { request_id: 'rq-1' }, 'pass'],
    ['execute_http', { binding: 'b', method: 'GET', url: 'https://api.example.com/x' }, /path/],
    ['proxy_request', { secret_name: 'b', method: 'GET', url: 'https://api.example.com/x' }, /path/],
  ];
  everyTool(TOOLS, table);
  await day(place_, table);
  const headers = records(place_.file).filter((r) => 'vault' in r);
  assert.ok(headers.length > 0 && headers.every((r) => r.vault === VAULT), 'the vault\'s id on every request');
});

test('PATH-25: the resource of paths and the local server\'s list are cut', async (t) => {
  for (const up of ['http', 'stdio']) {
    const { client } = await place(t, up, { allowed_paths: ['integrations/'] });
    const { contents: [{ text: paths }] } = await client.readResource({ uri: 'vault://secrets' });
    assert.deepEqual(JSON.parse(paths), ['integrations/stripe', 'integrations/hook', 'integrations/env']);
    if (up === 'stdio') assert.deepEqual(JSON.parse(text(await call(client, 'list_secrets'))).map((x) => x.path), JSON.parse(paths));
  }
});

test('PATH-25 MASK-14: log lines: inside they pass, outside they do not, and while a masked value is under way they wait', async (t) => {
  const free = await place(t, 'http', { extends: 'reader' });
  await call(free.client, 'get_secret', { path });
  await call(free.client, 'list_secrets');
  await until('both lines', () => free.client.logs.length === 2);
  assert.deepEqual(free.client.logs, [`secret accessed: ${path}`, 'secret accessed: infra/db']);
  const cut = await place(t, 'http', { allowed_paths: ['integrations/'] });
  await call(cut.client, 'list_secrets');
  await call(cut.client, 'get_secret', { path });
  await until('one line', () => cut.client.logs.length > 0);
  assert.deepEqual(cut.client.logs, [`secret accessed: ${path}`]);
  const masked = await place(t, 'http', { extends: 'observer' });
  await call(masked.client, 'get_secret', { path });
  await sleep(200);
  assert.deepEqual(masked.client.logs, []);
});

test('MASK-17: every field of a bundle is a value, its names stay', async (t) => {
  const { client } = await place(t, 'http', { extends: 'observer' });
  assert.deepEqual(JSON.parse(text(await call(client, 'get_env_bundle', { path: 'integrations/env' }))), { DATABASE_URL: BULLETS, MODE: BULLETS });
});

test('a lock that the configured vault id contradicts is an error at start', async (t) => {
  const vault = { catalog: '1claw', url: 'http://127.0.0.1:1/mcp', headers: { 'X-Vault-ID': VAULT } };
  await assert.rejects(serve(t, { upstreams: { vault }, profiles: { agent: { tenant: 'v-other' } }, default_profile: 'agent' }),
    /`X-Vault-ID` is sent as `v-acme`, but agent `default` is locked to tenant `v-other`/);
});
