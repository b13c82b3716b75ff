// A working day with ScaiVault: every documented tool under each profile, over stdio and HTTP; what the agent saw, and what reached the vault.
// The vault is a simulator (simulators/scaivault.mjs); what is expected comes from what a tool does, as documented.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BULLETS, call, connect, freePort, ready, run, scratch, serve, until } from '../scenario/lib.mjs';
import { TOOLS, VALUES } from './simulators/scaivault.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'simulators/scaivault.mjs');
const TOKEN = 'scai_live_token-of-the-test';
const catalog = 'scaivault';
const IN = 'integrations/stripe/api-key', OUT = 'infra/db/primary/credentials';

// [tool, what it does, arguments, under the lock]. Does: view; value (shows what is stored); rotate; fresh (makes and shows a credential); change.
// Under the lock (path and tenant, nothing else narrowed): yes; no: it changes or reaches what no path of the call names, so it acts on the whole
// vault. A preview is made of nothing stored and kept nowhere.
const ROWS = [
  ['read_secret', 'value', { path: IN }, 'yes'],
  ['write_secret', 'change', { path: IN, data: { api_key: 'new-value-of-the-day-1' } }, 'yes'],
  ['delete_secret', 'change', { path: IN }, 'yes'],
  ['list_secrets', 'view', { prefix: 'integrations/' }, 'yes'],
  ['get_secret_versions', 'value', { path: IN }, 'yes'],
  ['rotate_secret', 'rotate', { path: IN, generate: true }, 'yes'],
  ['check_expiration', 'view', { within_days: 30 }, 'yes'],
  ['list_secret_policies', 'view', {}, 'yes'],
  ['get_secret_policy', 'view', { policy_id: 'sp_1' }, 'yes'],
  ['create_secret_policy', 'change', { name: 'p', policy_type: 'password' }, 'no'],
  ['generate_secret_preview', 'fresh', { policy_id: 'sp_1', count: 1 }, 'yes'],
  ['get_policy_types', 'view', {}, 'yes'],
  ['list_policies', 'view', {}, 'yes'],
  ['get_policy', 'view', { policy_id: 'pol_1' }, 'yes'],
  ['create_policy', 'change', { name: 'p', rules: [{ path_pattern: 'integrations/**' }] }, 'yes'],
  ['test_policy', 'view', { identity_id: 'sa_1', path: IN, action: 'read' }, 'yes'],
  ['list_rotation_policies', 'view', {}, 'yes'],
  ['create_rotation_policy', 'change', { name: 'r', interval: '30d', path_patterns: ['integrations/*'] }, 'yes'],
  ['get_secrets_due_rotation', 'view', { within_days: 30 }, 'yes'],
  ['list_service_accounts', 'view', {}, 'yes'],
  ['get_service_account', 'view', { service_account_id: 'sa_1' }, 'yes'],
  ['create_service_account', 'change', { name: 'n', scopes: ['secrets:read:infra/*'] }, 'no'],
  ['update_service_account', 'change', { service_account_id: 'sa_1', scopes: ['secrets:read:infra/*'] }, 'no'],
  ['delete_service_account', 'change', { service_account_id: 'sa_1' }, 'no'],
  ['create_api_key', 'fresh', { service_account_id: 'sa_1', name: 'k', scopes: ['secrets:write:infra/*'] }, 'no'],
  ['list_api_keys', 'view', { service_account_id: 'sa_1' }, 'yes'],
  ['delete_api_key', 'change', { key_id: 'key_1' }, 'no'],
  ['list_cas', 'view', {}, 'yes'],
  ['get_ca', 'view', { ca_id: 'ca_1' }, 'yes'],
  ['create_root_ca', 'change', { common_name: 'Acme Root' }, 'no'],
  ['list_certificates', 'view', { ca_id: 'ca_1' }, 'yes'],
  ['get_certificate', 'view', { certificate_id: 'crt_1' }, 'yes'],
  ['issue_certificate', 'fresh', { ca_id: 'ca_1', common_name: 'a.acme.test', store_path: 'integrations/certs/a' }, 'yes'],
  ['revoke_certificate', 'change', { certificate_id: 'crt_1', reason: 'superseded' }, 'no'],
  ['validate_certificate', 'view', { cert_pem: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----' }, 'yes'],
  ['check_expiring_certs', 'view', { within_days: 30 }, 'yes'],
  ['list_acme_accounts', 'view', {}, 'yes'],
  ['create_acme_account', 'change', { email: 'ops@acme.test', directory_url: 'https://acme.test/dir' }, 'no'],
  ['list_acme_orders', 'view', { account_id: 'acc_1' }, 'yes'],
  ['create_acme_order', 'change', { account_id: 'acc_1', domains: ['a.acme.test'] }, 'no'],
  ['complete_acme_challenge', 'change', { order_id: 'ord_1', domain: 'a.acme.test' }, 'no'],
  ['request_certificate', 'fresh', { domains: ['a.acme.test'], account_id: 'acc_1', store_path: 'integrations/certs/b' }, 'yes'],
  ['list_dynamic_engines', 'view', {}, 'yes'],
  ['get_dynamic_engine', 'view', { engine: 'postgres-app' }, 'yes'],
  ['create_dynamic_engine', 'change', { name: 'e', type: 'postgres', config: { root_credentials_path: 'integrations/pg/root' } }, 'yes'],
  ['list_dynamic_roles', 'view', { engine: 'postgres-app' }, 'yes'],
  ['create_dynamic_role', 'change', { engine: 'postgres-app', name: 'r' }, 'no'],
  ['generate_credentials', 'fresh', { engine: 'postgres-app', role: 'readonly', ttl: '1h' }, 'no'],
  ['list_leases', 'view', { engine: 'postgres-app' }, 'yes'],
  ['renew_lease', 'change', { lease_id: 'lease_other' }, 'no'],
  ['revoke_lease', 'change', { lease_id: 'lease_other' }, 'no'],
  ['check_expiring_leases', 'view', { within_minutes: 30 }, 'yes'],
  ['list_federation_backends', 'view', {}, 'yes'],
  ['get_federation_backend', 'view', { backend_id: 'fb_1' }, 'yes'],
  ['create_federation_backend', 'change', { name: 'b', type: 'hashicorp', config: { auth_config_path: 'integrations/hashi' } }, 'yes'],
  ['test_federation_backend', 'view', { backend_id: 'fb_1' }, 'yes'],
  ['sync_federation_backend', 'change', { backend_id: 'fb_1' }, 'no'],
  ['proxy_read', 'value', { backend_id: 'fb_1', path: 'secret/data/x' }, 'no'],
  ['list_subscriptions', 'view', {}, 'yes'],
  ['get_subscription', 'view', { subscription_id: 'sub_1', include_events: true }, 'yes'],
  ['create_subscription', 'change', { name: 's', path_patterns: ['integrations/**'], delivery: { url: 'https://hooks.acme.test/x' } }, 'yes'],
  ['delete_subscription', 'change', { subscription_id: 'sub_1' }, 'no'],
  ['list_event_types', 'view', {}, 'yes'],
  ['query_audit', 'view', { start: '2026-06-01T14:30:00Z' }, 'yes'],
  ['audit_summary', 'view', {}, 'yes'],
  ['secret_audit_trail', 'view', { path: IN }, 'yes'],
  ['find_unauthorized_access', 'view', { window_hours: 24 }, 'yes'],
].map(([tool, does, args, lock]) => ({ name: `scaivault_${tool}`, does, args, lock }));

// Masked is every value a result holds, be it a stored secret's, a signing secret or an engine's own password.
const PROFILES = {
  reader: { profile: { extends: 'reader' }, passes: (r) => ['view', 'value'].includes(r.does), masks: false },
  observer: { profile: { extends: 'observer' }, passes: (r) => ['view', 'value'].includes(r.does), masks: true },
  rotator: { profile: { extends: 'rotator' }, passes: (r) => ['view', 'value', 'rotate'].includes(r.does), masks: true },
  locked: { profile: { allowed_paths: ['integrations/'], tenant: 'tnt_acme' }, passes: (r) => r.lock === 'yes', masks: false, locks: true },
};

const WIRES = ['stdio', 'http'];
const env = (record) => ({ SCAIVAULT_TOKEN: '${SCAIVAULT_TOKEN}', SIM_RECORD: record });

async function upstream(t, wire, record) {
  if (wire === 'stdio') return { catalog, command: [process.execPath, script], env: env(record) };
  const port = await freePort();
  const p = run(t, [script], { command: process.execPath, env: { MCP_TRANSPORT: 'http', PORT: String(port), SCAIVAULT_TOKEN: TOKEN, SIM_RECORD: record } });
  await until('the simulator', () => p.err.includes('listening'));
  return { catalog, url: `http://127.0.0.1:${port}/mcp`, transport: 'streamable-http', credential: { bearer: { env: 'VAULT_BEARER' } } };
}

// An agent before narrowgate before the vault. No value may be in narrowgate's log or audit when the day is over.
async function place(t, wire, profile) {
  const dir = scratch(t), record = join(dir, 'record.jsonl'), audit = join(dir, 'audit.jsonl');
  const s = await serve(t, { upstreams: { vault: await upstream(t, wire, record) }, profiles: { agent: profile }, default_profile: 'agent', audit: { file: audit } },
    { env: { SCAIVAULT_TOKEN: TOKEN, VAULT_BEARER: TOKEN }, dir });
  await ready(s);
  const client = await connect(t, 1, s);
  const reached = () => (existsSync(record) ? readFileSync(record, 'utf8').trim().split('\n').map((l) => JSON.parse(l)) : []);
  const silent = () => {
    assert.ok(existsSync(audit) && readFileSync(audit, 'utf8').includes('"verdict"'), 'the audit is written');
    const said = s.p.err + s.p.out + readFileSync(audit, 'utf8');
    for (const v of [...Object.values(VALUES), TOKEN, 'new-value-of-the-day-1']) assert.ok(!said.includes(v), 'a value in the log or the audit');
  };
  return { client, reached, silent };
}

const direct = (t, record) => connect(t, 1, { command: process.execPath, args: [script], env: { SIM_RECORD: record } });
const refusal = (r) => r._meta?.['narrowgate.dev/refusal'];
const holds = (r) => Object.values(VALUES).filter((v) => JSON.stringify(r).includes(v));

test('the rows are the documented tools, each once', () => {
  assert.equal(ROWS.length, 67);
  assert.deepEqual(ROWS.map((r) => r.name).sort(), Object.keys(TOOLS).sort());
});

describe('every tool', { concurrency: 4 }, () => {
  for (const wire of WIRES) for (const [name, p] of Object.entries(PROFILES)) {
    test(`every tool under ${name}, over ${wire}`, async (t) => {
      const plain = await direct(t, join(scratch(t), 'direct.jsonl'));
      const { client, reached, silent } = await place(t, wire, p.profile);
      const wrong = [];
      for (const row of ROWS) {
        const before = reached().length, got = await call(client, row.name, row.args), came = reached().slice(before);
        const say = (what) => wrong.push(`${row.name}: ${what}: ${JSON.stringify(got).slice(0, 400)}`);
        if (!p.passes(row)) {
          if (!refusal(got)?.guard) say('not refused');
          if (came.length) say('refused, but it reached the vault');
          continue;
        }
        if (refusal(got)) { say('refused'); continue; }
        const expected = p.locks && 'tenant_id' in TOOLS[row.name].properties ? { ...row.args, tenant_id: 'tnt_acme' } : row.args;
        try { assert.deepEqual(came.map((c) => c.params), [{ name: row.name, arguments: expected }]); } catch { say(`reached the vault as ${JSON.stringify(came)}`); }
        const bare = await call(plain, row.name, row.args), secrets = holds(bare).length > 0;
        if (p.masks && holds(got).length) say('a value came through');
        if (p.masks && secrets && !JSON.stringify(got).includes(BULLETS)) say('no marker');
        if (!p.locks && !(p.masks && secrets)) try { assert.deepEqual(got, bare); } catch { say('changed on the way'); }
        if (p.locks && (/infra\/|tnt_globex/.test(JSON.stringify(got)) || holds(got).some((v) => [VALUES.globex, VALUES.primary].includes(v)))) say('what lies elsewhere is seen');
        if (p.locks && !/infra\/|tnt_globex/.test(JSON.stringify(bare))) try { assert.deepEqual(got, bare); } catch { say('changed on the way'); }
      }
      assert.deepEqual(wrong, []);
      const listed = (await client.listTools()).tools.map((x) => x.name);
      for (const row of ROWS.filter((r) => !p.locks && r.does === 'change')) assert.ok(!listed.includes(row.name), `${row.name} is offered`);
      silent();
    });
  }
});

test('the awkward things, under a path and a tenant', async (t) => {
  const { client, reached, silent } = await place(t, 'stdio', PROFILES.locked.profile);
  const no = async (tool, args) => assert.ok(refusal(await call(client, `scaivault_${tool}`, args)), `${tool} ${JSON.stringify(args)}`);
  const json = async (tool, args = {}) => (await call(client, `scaivault_${tool}`, args)).structuredContent;
  // Of two tenants, one; of two prefixes, one.
  assert.deepEqual((await json('list_secrets')).items.map((x) => [x.path, x.tenant_id]), [[IN, 'tnt_acme'], ['integrations/salesforce/oauth', 'tnt_acme']]);
  assert.deepEqual((await json('audit_summary')).by_path, { [IN]: 3 });
  assert.deepEqual((await json('query_audit')).entries.map((x) => x.id), ['ae_1']);
  assert.deepEqual((await json('list_federation_backends')).items.map((x) => x.id), ['fb_1']);
  assert.deepEqual((await json('list_dynamic_engines')).items.map((x) => x.name), ['postgres-app']);
  assert.deepEqual((await json('list_subscriptions')).items.map((x) => x.id), ['sub_1']);
  // A policy stays, without the patterns that lie outside.
  assert.deepEqual((await json('list_policies')).items.map((x) => x.rules.map((r) => r.path_pattern)), [['integrations/**'], []]);
  assert.deepEqual((await json('list_rotation_policies')).items.map((x) => x.path_patterns), [['integrations/**'], []]);
  assert.deepEqual((await json('get_subscription', { subscription_id: 'sub_1', include_events: true })).events.map((x) => x.id), ['ev_1']);
  assert.equal((await json('read_secret', { path: 'integrations/salesforce/oauth' })).data.oauth.refresh_token, VALUES.salesforce);
  const marked = reached().length;
  await no('read_secret', { path: OUT });
  await no('read_secret', { path: IN, tenant_id: 'tnt_globex' });
  await no('read_secret', { path: IN, partner_id: 'ptn_main', tenant_id: 'tnt_globex' });
  await no('proxy_read', { backend_id: 'fb_1', path: 'integrations/hashi/x' });
  await no('create_dynamic_engine', { name: 'e', type: 'postgres', config: { root_credentials_path: 'infra/pg/root' } });
  await no('create_dynamic_engine', { name: 'e', type: 'postgres', config: { connection: { tls: { key_path: 'infra/pg/key' } } } });
  await no('create_federation_backend', { name: 'b', type: 'hashicorp', config: { auth_config_path: 'infra/hashi' } });
  await no('create_federation_backend', { name: 'b', type: 'hashicorp', config: {}, path_mapping: { 'infra/*': 'secret/data/*' } });
  await no('create_subscription', { name: 's', path_patterns: ['infra/**'], delivery: { url: 'https://elsewhere.test' } });
  // A value that was read does not leave by an address that events are delivered to.
  await no('create_subscription', { name: 's', path_patterns: ['integrations/**'], delivery: { url: `https://elsewhere.test/?t=${VALUES.salesforce}` } });
  await no('issue_certificate', { ca_id: 'ca_1', common_name: 'a', store_path: 'infra/certs/a' });
  const uri = (tenant, path) => ({ uri: `scaivault://secrets/${tenant}/${path}` });
  await assert.rejects(client.readResource(uri('tnt_globex', IN)));
  await assert.rejects(client.readResource(uri('tnt_acme', OUT)));
  await assert.rejects(client.getPrompt({ name: 'audit-investigation', arguments: { path: OUT } }));
  await assert.rejects(client.getPrompt({ name: 'migrate-from-env', arguments: { env: 'A=b', prefix: 'infra/' } }));
  assert.equal(reached().length, marked, 'none of these reached the vault');
  assert.ok((await client.readResource(uri('tnt_acme', IN))).contents[0].text.includes(VALUES.stripe));
  const shown = (await client.listResources()).resources.map((x) => x.uri);
  assert.deepEqual(shown, [uri('tnt_acme', IN).uri, uri('tnt_acme', 'integrations/salesforce/oauth').uri]);
  assert.match((await client.getPrompt({ name: 'audit-investigation', arguments: { path: IN } })).messages[0].content.text, /stripe/);
  silent();
});

test('observer: resources are masked, and no .env goes in', async (t) => {
  const { client, reached, silent } = await place(t, 'http', { extends: 'observer' });
  const { text } = (await client.readResource({ uri: `scaivault://secrets/tnt_acme/${IN}` })).contents[0];
  assert.equal(JSON.parse(text).data.api_key, BULLETS);
  assert.ok((await client.listResourceTemplates()).resourceTemplates.some((x) => x.uriTemplate === 'scaivault://secrets/{tenant}/{path}'));
  await assert.rejects(client.getPrompt({ name: 'migrate-from-env', arguments: { env: 'A=of-the-env-file-77', prefix: 'integrations/' } }));
  assert.ok(!JSON.stringify(reached()).includes('of-the-env-file-77'));
  silent();
});

test('the drop-in of an editor: the agent and the vault both on pipes', async (t) => {
  const record = join(scratch(t), 'record.jsonl');
  const client = await connect(t, 1, { args: ['stdio', '--profile', 'observer', '--allow', 'integrations/', '--tenant', 'tnt_acme', '--', process.execPath, script],
    env: { SIM_RECORD: record } });
  const seen = (await call(client, 'scaivault_read_secret', { path: IN })).structuredContent;
  assert.deepEqual([seen.path, seen.tenant_id, seen.data], [IN, 'tnt_acme', { api_key: BULLETS }]);
  assert.ok(refusal(await call(client, 'scaivault_read_secret', { path: OUT })));
  assert.ok(refusal(await call(client, 'scaivault_write_secret', { path: IN, data: { api_key: 'x' } })));
  const reached = readFileSync(record, 'utf8').trim().split('\n').map((l) => JSON.parse(l).params);
  assert.deepEqual(reached, [{ name: 'scaivault_read_secret', arguments: { path: IN, tenant_id: 'tnt_acme' } }]);
  assert.deepEqual(holds(client.childLog()), []);
});
