// MCP 2026-07-28 through narrowgate, over every pair of transports: every guard holds as it does with a handshake.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport as Http } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio } from '@modelcontextprotocol/client/stdio';
import { bin, BULLETS, call, freePort, here, initialize, post, ready, reconfigure, run, serve, sleep, text, until, writeConfig } from './lib.mjs';

const VERSION = '2026-07-28';
const script = join(here, 'servers/stateless.mjs');
const profile = { mask_values: true, allowed_paths: ['dev/'], actions: ['list', 'meta', 'read', 'write'] };

async function startVault(t) {
  const port = await freePort();
  const p = run(t, [script, String(port)], { command: process.execPath });
  await until('the vault', () => p.err.includes('listening'));
  return { url: `http://127.0.0.1:${port}/mcp` };
}

async function place(t, down, up, { catalog = join(here, 'servers/stateless.yaml'), more = {} } = {}) {
  const upstream = up === 'http' ? await startVault(t) : { command: [process.execPath, script] };
  const config = { upstreams: { vault: { ...(catalog ? { catalog } : {}), ...upstream } }, profiles: { agent: { ...profile, ...more } }, default_profile: 'agent' };
  if (down === 'stdio') {
    const c = await writeConfig(t, config);
    return { args: ['stdio', '-c', c.file], c, vault: upstream };
  }
  const s = await serve(t, config);
  await ready(s);
  return { url: s.url, s, c: s, vault: upstream };
}

async function connect(t, where, setup) {
  const client = new Client({ name: 'agent', version: '1' }, { capabilities: { elicitation: {} }, versionNegotiation: { mode: { pin: VERSION } } });
  setup?.(client);
  await client.connect(where.url ? new Http(new URL(where.url)) : new Stdio({ command: bin, args: where.args, stderr: 'pipe' }));
  t.after(() => client.close());
  return client;
}

const seen = async (client) => JSON.parse(text(await call(client, 'seen')));

for (const down of ['http', 'stdio']) for (const up of ['http', 'stdio']) {
  test(`HTTP-07, RO-01, PATH-25, MASK-01: a working day on ${VERSION}, ${down} to ${up}`, async (t) => {
    const where = await place(t, down, up);
    const asked = [];
    const client = await connect(t, where, (c) => c.setRequestHandler('elicitation/create', ({ params }) => { asked.push(params.message); return { action: 'accept', content: { ok: true } }; }));
    assert.deepEqual((await client.listTools()).tools.map((x) => x.name).sort(), ['list_secrets', 'read_secret', 'seen', 'touch', 'wait', 'write_secret']);
    const progress = [];
    const listed = await client.callTool({ name: 'list_secrets', arguments: {} }, { onprogress: (p) => progress.push(p.progress) });
    assert.deepEqual(JSON.parse(text(listed)), { items: [{ path: 'dev/a' }, { path: 'dev/b' }], total: 2 });
    assert.deepEqual(progress, [1, 2]);
    assert.deepEqual(JSON.parse(text(await call(client, 'read_secret', { path: 'dev/a', region: 'zürich' }))), { path: 'dev/a', value: BULLETS });
    const refused = await call(client, 'read_secret', { path: 'prod/c' });
    assert.equal(refused.isError, true);
    assert.match(text(refused), /allowed-paths/);
    assert.equal(text(await call(client, 'write_secret', { path: 'dev/b', value: 'x' })), 'written dev/b');
    assert.deepEqual(asked, ['Write dev/b?']);
    const resources = await client.listResources();
    assert.deepEqual(resources.resources.map((r) => r.uri), ['vault://kv/dev/a', 'vault://kv/dev/b']);
    assert.equal(resources.cacheScope, 'private');
    assert.equal((await client.readResource({ uri: 'vault://kv/dev/a' })).contents[0].text, BULLETS);
    await assert.rejects(client.readResource({ uri: 'vault://kv/prod/c' }), (e) => e.code === -32602 && /not found/i.test(e.message));
    const s = await seen(client);
    assert.ok(s.calls.every(([, args]) => args.path !== 'prod/c'));
    if (up === 'http') {
      const read = s.headers.filter((h) => h['mcp-name'] === 'read_secret');
      assert.equal(read.length, 1);
      assert.deepEqual([read[0]['mcp-protocol-version'], read[0]['mcp-method'], read[0]['mcp-param-region']], [VERSION, 'tools/call', '=?base64?esO8cmljaA==?=']);
    }
  });

  test(`PATH-20: subscriptions on ${VERSION}, ${down} to ${up}: what is outside is left out`, async (t) => {
    const where = await place(t, down, up);
    const heard = [];
    const client = await connect(t, where, (c) => c.setNotificationHandler('notifications/resources/updated', (n) => heard.push(n.params.uri)));
    const sub = await client.listen({ resourceSubscriptions: ['vault://kv/dev/a', 'vault://kv/prod/c'] });
    await call(client, 'touch', { path: 'dev/a' });
    await until('the update', () => heard.length > 0);
    assert.equal((await call(client, 'touch', { path: 'prod/c' })).isError, true);
    assert.deepEqual([...new Set(heard)], ['vault://kv/dev/a']);
    await sub.close();
    assert.equal(text(await call(client, 'touch', { path: 'dev/b' })), 'touched');
  });

  test(`a cancel on ${VERSION} reaches the vault, ${down} to ${up}`, async (t) => {
    const client = await connect(t, await place(t, down, up));
    const stop = new AbortController();
    const waiting = client.callTool({ name: 'wait', arguments: { ms: 20000 } }, { signal: stop.signal });
    await until('the call', async () => (await seen(client)).calls.some(([name]) => name === 'wait'));
    stop.abort();
    await assert.rejects(waiting);
    await until('the cancel', async () => (await seen(client)).cancelled === 1);
  });
}

for (const up of ['http', 'stdio'])
  test(`OPS-12: subscriptions end when narrowgate does, before a vault on ${up}`, async (t) => {
    const where = await place(t, 'http', up);
    const client = await connect(t, where);
    await client.listen({ toolsListChanged: true });
    const began = Date.now();
    assert.equal(await where.s.p.stop(), 0);
    assert.ok(Date.now() - began < 4000, 'the drain period of 5 s was waited for');
  });

for (const down of ['http', 'stdio']) for (const up of ['http', 'stdio'])
  test(`a reload: who wants to hear of lists is told that they changed, ${down} to ${up}`, async (t) => {
    const where = await place(t, down, up);
    const heard = { tools: 0, resources: 0 };
    const [wants, other] = await Promise.all([0, 1].map(() => connect(t, where, (c) => {
      c.setNotificationHandler('notifications/tools/list_changed', () => { heard.tools++; });
      c.setNotificationHandler('notifications/resources/list_changed', () => { heard.resources++; });
    })));
    await wants.listen({ toolsListChanged: true });
    await call(other, 'read_secret', { path: 'dev/a' });
    reconfigure(where.c, { profiles: { agent: { ...profile, read_only: true } } });
    await until('the news', () => heard.tools > 0);
    assert.ok(!(await wants.listTools()).tools.some((x) => x.name === 'write_secret'));
    await sleep(100);
    assert.deepEqual(heard, { tools: 1, resources: 0 });
  });

test('HTTP-17: agents that share a pipe get their own answers, progress and subscriptions', async (t) => {
  const where = await place(t, 'http', 'stdio');
  const heard = [[], []];
  const clients = await Promise.all([0, 1].map((i) => connect(t, where, (c) => c.setNotificationHandler('notifications/resources/updated', (n) => heard[i].push(n.params.uri)))));
  await clients[0].listen({ resourceSubscriptions: ['vault://kv/dev/a'] });
  await clients[1].listen({ resourceSubscriptions: ['vault://kv/dev/b'] });
  await Promise.all(clients.flatMap((c, i) => Array.from({ length: 10 }, async (_, n) => {
    const path = (i + n) % 2 ? 'dev/a' : 'dev/b';
    const progress = [];
    assert.deepEqual(JSON.parse(text(await call(c, 'read_secret', { path }))), { path, value: BULLETS });
    const r = await c.callTool({ name: 'list_secrets', arguments: { prefix: path } }, { onprogress: (p) => progress.push(p.progress) });
    assert.deepEqual(JSON.parse(text(r)).items, [{ path }]);
    assert.deepEqual(progress, [1, 2]);
  })));
  await call(clients[0], 'touch', { path: 'dev/b' });
  await call(clients[1], 'touch', { path: 'dev/a' });
  await until('both updates', () => heard[0].length && heard[1].length);
  await sleep(200);
  assert.deepEqual(heard.map((h) => [...new Set(h)]), [['vault://kv/dev/a'], ['vault://kv/dev/b']]);
});

// By hand.
const meta = { 'io.modelcontextprotocol/protocolVersion': VERSION, 'io.modelcontextprotocol/clientCapabilities': {} };
const ask = (id, method, params = {}, m = meta) => ({ jsonrpc: '2.0', id, method, params: { ...params, _meta: m } });
const head = (method, name, more = {}) => ({ 'mcp-protocol-version': VERSION, 'mcp-method': method, ...(name ? { 'mcp-name': name } : {}), ...more });

test('HTTP-04, HTTP-05, HTTP-06, HTTP-07: headers and bodies that disagree, and nothing of them reaches the vault', async (t) => {
  const where = await place(t, 'http', 'http');
  const read = ask(7, 'tools/call', { name: 'read_secret', arguments: { path: 'dev/a', region: 'eu' } });
  const region = { 'mcp-param-region': 'eu' };
  const cases = [
    [read, head('tools/list', 'read_secret', region), 400, -32020], [read, head('tools/call', 'write_secret', region), 400, -32020],
    [read, { ...head('tools/call', 'read_secret', region), 'mcp-method': '' }, 400, -32020], [read, head('tools/call', undefined, region), 400, -32020],
    [read, head('tools/call', '=?base64?cmVhZF9zZWNyZXQ?=', region), 400, -32020], [read, head('tools/call', 'read_secret'), 400, -32020],
    [read, head('tools/call', 'read_secret', { 'mcp-param-region': 'us' }), 400, -32020],
    [read, { ...head('tools/call', 'read_secret', region), 'mcp-protocol-version': '2025-11-25' }, 400, -32020],
    [read, { ...head('tools/call', 'read_secret', region), 'mcp-protocol-version': '2099-01-01' }, 400, -32020],
    [ask(7, 'tools/list', {}, { ...meta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }), { ...head('tools/list'), 'mcp-protocol-version': '2099-01-01' }, 400, -32022],
    [ask(7, 'tools/list', {}, { 'io.modelcontextprotocol/protocolVersion': VERSION }), head('tools/list'), 400, -32602],
    [{ jsonrpc: '2.0', id: 7, method: 'tools/list' }, head('tools/list'), 400, -32602],
    [{ jsonrpc: '2.0', id: 7, method: 'tools/list' }, { 'mcp-protocol-version': '2099-01-01' }, 400, -32022],
    [initialize(7, VERSION), head('initialize'), 400, -32602],
    [ask(7, 'nobody/knows'), head('nobody/knows'), 404, -32601], [ask(7, 'ping'), head('ping'), 404, -32601], [ask(7, 'initialize'), head('initialize'), 404, -32601],
  ];
  for (const [body, headers, status, code] of cases) {
    const r = await post(where.url, body, headers);
    assert.deepEqual([r.status, r.json?.error?.code, r.json?.id], [status, code, 7], `${JSON.stringify(headers)} ${JSON.stringify(body)}: ${r.body}`);
  }
  assert.equal((await post(where.url, [read], head('tools/call', 'read_secret', region))).status, 400);
  assert.equal((await post(where.url, { jsonrpc: '2.0', id: 1, result: {} }, { 'mcp-protocol-version': VERSION })).status, 400);
  for (const method of ['GET', 'DELETE']) {
    const r = await fetch(where.url, { method, headers: { accept: 'text/event-stream', 'mcp-protocol-version': VERSION } });
    assert.deepEqual([r.status, r.headers.get('allow')], [405, 'POST']);
  }
  const good = await post(where.url, read, { ...head('tools/call', 'read_secret', region), 'mcp-session-id': 'whatever', authorization: 'Bearer of-the-agent', 'x-tenant-id': 'globex' });
  assert.equal(good.status, 200);
  assert.equal(good.headers.get('mcp-session-id'), null);
  assert.ok(good.body.includes(BULLETS) && !good.body.includes('stateless-value'));
  const s = JSON.parse((await post(where.url, ask(8, 'tools/call', { name: 'seen', arguments: {} }), head('tools/call', 'seen'))).json.result.content[0].text);
  assert.deepEqual(s.calls.map(([name]) => name), ['read_secret', 'seen']);
  assert.ok(s.headers.every((h) => !h.authorization && !h['x-tenant-id'] && !h['mcp-session-id']));
});

test('with no catalog named, the vault is asked who it is before the first call', async (t) => {
  const where = await place(t, 'http', 'http', { catalog: null, more: { allowed_paths: ['dev/'] } });
  const r = await post(where.url, ask(1, 'tools/call', { name: 'read_secret', arguments: { path: 'dev/a' } }), head('tools/call', 'read_secret'));
  assert.equal(r.status, 200);
  assert.ok(r.body.includes(BULLETS) && !r.body.includes('stateless-value'), r.body);
  assert.match(where.s.p.err, /calls itself "stateless-vault"/);
});

test('a client of both kinds before a vault with a handshake falls back to it', async (t) => {
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', command: [bin, 'demo-vault'] } }, profiles: { agent: { extends: 'observer' } }, default_profile: 'agent' });
  await ready(s);
  const client = new Client({ name: 'agent', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new Http(new URL(s.url)));
  t.after(() => client.close());
  assert.ok((await client.listTools()).tools.some((x) => x.name === 'read_secret'));
});
