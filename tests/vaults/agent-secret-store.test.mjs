// Agent Secret Store's own server (npm, unmodified), on stdio and on HTTP+SSE, with a backend of ours behind it: a working day of an
// agent under several profiles. What the agent could see is looked at, and what reached the backend.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BULLETS, call, connect, freePort, ready, run, serve, text, until } from '../scenario/lib.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'node_modules/@agentsecretstore/mcp/bin/run.js');
const VALUE = 'ass-value-3e81', TOKEN = 'ass-token-77d0', APPROVAL = '6f9c1f0e-1111-4222-8333-944445555666';

async function backend(t) {
  const seen = [];
  const secrets = { 'production/openai/KEY': 'standard', 'production/openai/ROOT': 'critical', 'staging/db/PASSWORD': 'standard' };
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      const json = (status, value) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      const path = req.url.split('/').slice(2).map(decodeURIComponent), what = `${req.method} ${path.join('|')}`;
      seen.push(body ? [what, JSON.parse(body)] : [what]);
      if (req.headers.authorization === undefined) return void json(401, { detail: 'no key' });
      if (path[0] === 'tokens') {
        const critical = JSON.parse(body).scopes.some((s) => s.includes('ROOT'));
        return void json(200, critical ? { requires_approval: true, approval_id: APPROVAL } : { token: TOKEN });
      }
      if (path[0] === 'namespaces') return void json(200, { namespaces: ['production/openai', 'staging/db'], total: 2 });
      if (path[0] === 'approvals') return void json(200, { status: 'pending', resolved_at: null, expires_at: '2027-01-01' });
      const [, namespace, key] = path;
      if (req.method === 'PUT') return void json(200, { namespace, key, version: 2 });
      const items = Object.keys(secrets).filter((s) => s.startsWith(`${namespace}/`)).map((s) => ({ namespace, key: s.split('/').at(-1), secret_type: 'api_key' }));
      if (!key) return void json(200, { namespace, items, total: items.length });
      if (!secrets[`${namespace}/${key}`]) return void json(404, { detail: `Secret ${namespace}/${key} not found` });
      json(200, { value: VALUE, secret_type: 'api_key', access_tier: secrets[`${namespace}/${key}`], metadata: {}, version: 1 });
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

async function place(t, up, profile) {
  const b = await backend(t);
  const env = { ASS_AGENT_KEY: 'ass_key-of-the-test', ASS_API_URL: b.url };
  let upstream = { command: [process.execPath, script], env: { ASS_AGENT_KEY: '${ASS_AGENT_KEY}', ASS_API_URL: b.url } }, vault;
  if (up === 'sse') {
    const port = await freePort();
    vault = run(t, [script, '--transport', 'sse'], { command: process.execPath, env: { ...env, PORT: String(port) } });
    await until('the vault', () => vault.err.includes('listening'));
    upstream = { url: `http://127.0.0.1:${port}/sse`, transport: 'sse' };
  }
  const s = await serve(t, { upstreams: { vault: { catalog: 'agent-secret-store', ...upstream } }, profiles: { agent: profile }, default_profile: 'agent' }, { env });
  await ready(s);
  t.after(() => assert.ok(![VALUE, TOKEN, 'ass_key'].some((x) => (s.p.err + s.p.out).includes(x)), 'a secret in the log'));
  return { s, seen: b.seen, vault, client: await connect(t, 1, s) };
}

const json = async (client, name, args) => JSON.parse(text(await call(client, name, args)));
const rule = (r) => r._meta['narrowgate.dev/refusal'].rule;
const secret = { namespace: 'production/openai', key: 'KEY' };

for (const up of ['stdio', 'sse']) {
  test(`observer (${up}): everything is seen but values; nothing is changed`, async (t) => {
    const { client, seen } = await place(t, up, { extends: 'observer' });
    assert.ok(!(await client.listTools()).tools.some((x) => /^(set|delete|rotate)_/.test(x.name)));
    assert.deepEqual(await json(client, 'list_namespaces', {}), { namespaces: ['production/openai', 'staging/db'], total: 2 });
    assert.deepEqual((await json(client, 'list_secrets', { namespace: 'production/openai' })).items.map((x) => x.key), ['KEY', 'ROOT']);
    const read = await json(client, 'get_secret', secret);
    assert.equal(read.value, BULLETS);
    assert.equal(read.version, 1);
    for (const name of ['set_secret', 'delete_secret', 'rotate_secret'])
      assert.match(rule(await call(client, name, { ...secret, ...(name === 'set_secret' ? { value: 'x' } : {}) })), /read-only|actions/);
    assert.match(rule(await call(client, 'request_token', { scopes: ['secrets:write:production/*'] })), /read-only|actions/);
    assert.ok(!seen.some(([what]) => what.startsWith('PUT')));
  });

  test(`reader (${up}): values are read; a secret that does not exist is the vault's own error`, async (t) => {
    const { client } = await place(t, up, { extends: 'reader' });
    assert.equal((await json(client, 'get_secret', secret)).value, VALUE);
    await assert.rejects(call(client, 'get_secret', { namespace: 'production/openai', key: 'GONE' }), /not found/);
    assert.match(rule(await call(client, 'set_secret', { ...secret, value: 'x' })), /read-only|actions/);
  });

  test(`one namespace only (${up}): lists are cut, scopes are judged as paths, nothing outside reaches the vault`, async (t) => {
    const { client, seen } = await place(t, up, { allowed_paths: ['production/'] });
    assert.deepEqual(await json(client, 'list_namespaces', {}), { namespaces: ['production/openai'], total: 1 });
    assert.equal(rule(await call(client, 'get_secret', { namespace: 'staging/db', key: 'PASSWORD' })), 'allowed-paths');
    assert.equal(rule(await call(client, 'request_token', { scopes: ['secrets:read:production/*', 'secrets:read:staging/*'] })), 'allowed-paths');
    assert.equal(rule(await call(client, 'list_secrets', { namespace: 'staging/db' })), 'allowed-paths');
    assert.equal((await json(client, 'set_secret', { ...secret, value: 'new' })).version, 2);
    assert.equal((await json(client, 'request_token', { scopes: ['secrets:read:production/*'] })).token, TOKEN);
    assert.ok(!JSON.stringify(seen).includes('staging'), 'nothing outside was asked for');
  });

  test(`approvals and what a person must do (${up})`, async (t) => {
    const { client } = await place(t, up, { allowed_paths: ['production/'] });
    await assert.rejects(call(client, 'get_secret', { namespace: 'production/openai', key: 'ROOT' }), new RegExp(`Approval ID: ${APPROVAL}`));
    assert.equal((await json(client, 'get_approval_status', { approval_id: APPROVAL })).status, 'pending');
    assert.match(rule(await call(client, 'get_approval_status', { approval_id: APPROVAL.replace('6', '7') })), /handle/);
    assert.equal((await json(client, 'delete_secret', secret)).requires_human_auth, true);
    assert.equal((await json(client, 'rotate_secret', secret)).requires_human_auth, true);
  });
}

test('a token for the REST API is a value: masked', async (t) => {
  const { client } = await place(t, 'stdio', { mask_values: true });
  assert.equal((await json(client, 'request_token', { scopes: ['secrets:read:production/*'] })).token, BULLETS);
});

test('HTTP-17: a second stream would bring this server down: three agents share one', async (t) => {
  const { s, client, vault } = await place(t, 'sse', { mask_values: true });
  const clients = [client, await connect(t, 2, s), await connect(t, 1, s)];
  const got = await Promise.all(clients.flatMap((c) => Array.from({ length: 5 }, () => json(c, 'get_secret', secret))));
  assert.ok(got.length === 15 && got.every((r) => r.value === BULLETS));
  assert.equal(vault.code, null, 'it lives');
});
