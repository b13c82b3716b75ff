// Vaults that speak HTTP+SSE (2024-11-05): what their stream may say, how it ends and heals, and who finds out that they do.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { BULLETS, call, connect, demoVault, here, leaks, post, initialize, ready, scratch, serve, sleep, text, until } from './lib.mjs';

const KEY = 'session-key-8f2c';
const VALUE = 'streamed-value-41aa';

// A vault by hand. `endpoint(port)`: what its first events are; `on` may take a message over; `get` a GET.
async function vault(t, { endpoint, on, get } = {}) {
  const seen = { gets: 0, posts: [], streams: [], headers: [] };
  const server = createServer((req, res) => {
    const { port } = server.address();
    seen.headers.push(req.headers);
    if (req.method === 'GET') {
      seen.gets++;
      if (get?.(req, res, seen)) return;
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      seen.streams.push(res);
      return void res.write(endpoint ? endpoint(port, seen) : `event: endpoint\ndata: /messages?sessionId=${KEY}\n\n`);
    }
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      if (req.url !== `/messages?sessionId=${KEY}`) return void res.writeHead(404).end();
      const m = JSON.parse(body);
      seen.posts.push(m);
      const say = (result) => seen.streams.at(-1).write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: m.id, result })}\n\n`);
      if (on?.(m, say, res, seen)) return;
      res.writeHead(202).end('Accepted');
      if (m.method === 'initialize') say({ protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo: { name: 'narrowgate-demo-vault', version: '1' } });
      if (m.method === 'tools/list') say({ tools: [{ name: 'read_secret', inputSchema: { type: 'object', properties: { path: { type: 'string' } } } }] });
      if (m.method === 'tools/call') say({ content: [{ type: 'text', text: JSON.stringify({ path: m.params.arguments.path, value: VALUE }) }] });
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}/sse`, seen, server };
}

async function before(t, v, { transport = 'sse', ...more } = {}) {
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: v.url, transport, ...more } },
    profiles: { p: { mask_values: true, allowed_paths: ['integrations/'] } }, default_profile: 'p' });
  await ready(s);
  return s;
}

const hello = (s) => post(s.url, initialize(1, '2024-11-05'));

test('the main job before the demo vault on /sse: read, masked, refused', async (t) => {
  const demo = await demoVault(t);
  for (const transport of ['sse', 'auto']) {
    const s = await before(t, { url: demo.url.replace(/mcp$/, 'sse') }, { transport });
    const client = await connect(t, 1, s);
    const read = await call(client, 'read_secret', { path: 'integrations/stripe/api-key' });
    assert.equal(JSON.parse(text(read)).value, BULLETS);
    assert.equal((await call(client, 'read_secret', { path: 'infra/db/primary/credentials' })).isError, true);
    assert.deepEqual(leaks(JSON.stringify(read) + s.p.err), []);
    if (transport === 'auto') await until('it says what it found', () => /vault speaks HTTP\+SSE/.test(s.p.err));
  }
});

test('the key of the vault\'s stream stands in no log, the credential goes with every request, a refused call does not', async (t) => {
  const v = await vault(t);
  const file = join(scratch(t), 'token');
  writeFileSync(file, 'vault-token-77\n');
  const s = await before(t, v, { credential: { bearer: { file } } });
  const client = await connect(t, 1, s);
  assert.equal(JSON.parse(text(await call(client, 'read_secret', { path: 'integrations/a' }))).value, BULLETS);
  assert.equal((await call(client, 'read_secret', { path: 'infra/a' })).isError, true);
  assert.equal(v.seen.posts.filter((m) => m.method === 'tools/call').length, 1);
  assert.ok(v.seen.headers.every((h) => h.authorization === 'Bearer vault-token-77'));
  assert.ok(!(s.p.err + s.p.out).includes(KEY) && !s.p.err.includes('vault-token'));
});

for (const [what, endpoint, words] of [
  ['another host', () => 'event: endpoint\ndata: http://vault.example/messages?sessionId=1\n\n', /another origin/],
  ['another port', () => 'event: endpoint\ndata: http://127.0.0.1:1/messages\n\n', /another origin/],
  ['another scheme', (port) => `event: endpoint\ndata: https://127.0.0.1:${port}/messages\n\n`, /another origin/],
  ['a host without a scheme', () => 'event: endpoint\ndata: //vault.example/messages\n\n', /another origin/],
  ['a user', (port) => `event: endpoint\ndata: http://a:b@127.0.0.1:${port}/messages\n\n`, /no URI reference|a user/],
  ['a fragment', () => 'event: endpoint\ndata: /messages#x\n\n', /fragment/],
  ['a backslash', () => 'event: endpoint\ndata: /\\vault.example/messages\n\n', /no URI reference/],
  ['a space', () => 'event: endpoint\ndata: /messages HTTP/1.1\n\n', /no URI reference/],
  ['two lines', () => 'event: endpoint\ndata: /messages\ndata: X-Evil: 1\n\n', /no URI reference/],
  ['a script', () => 'event: endpoint\ndata: javascript:alert(1)\n\n', /no URI reference|another origin/],
  ['far too much', () => `event: endpoint\ndata: /${'m'.repeat(5000)}\n\n`, /no URI reference/],
  ['a message before it', () => 'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\n', /before its endpoint/],
]) test(`HTTP-10: an endpoint event with ${what} is refused, nothing is sent there`, async (t) => {
  const v = await vault(t, { endpoint });
  const s = await before(t, v);
  const r = await hello(s);
  assert.equal(r.status, 502);
  assert.match(r.json.error.message, /not MCP/);
  assert.match(s.p.err, words);
  assert.deepEqual(v.seen.posts, []);
  assert.ok(!s.p.err.includes('vault.example'), 'the reference itself is not logged');
});

test('a second endpoint event ends the conversation: messages never go to a place that changes', async (t) => {
  const v = await vault(t, { on: (m, say, res, seen) => {
    if (m.method !== 'tools/call') return false;
    res.writeHead(202).end();
    seen.streams.at(-1).write(`event: endpoint\ndata: /messages?sessionId=other\n\n`);
    return true;
  } });
  const s = await before(t, v);
  const client = await connect(t, 1, s);
  await assert.rejects(call(client, 'read_secret', { path: 'integrations/a' }), /not MCP/);
  assert.match(s.p.err, /a second endpoint event/);
});

for (const [what, get, status, words] of [
  ['a redirect', (req, res) => res.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(), 502, /redirect/],
  ['401', (req, res) => res.writeHead(401).end(), 502, /did not accept/],
  ['503', (req, res) => res.writeHead(503).end('busy'), 502, /HTTP error/],
  ['405', (req, res) => res.writeHead(405).end(), 502, /HTTP error/],
  ['JSON', (req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{}'), 502, /not MCP/],
  ['a compressed stream', (req, res) => res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }).end('x'), 502, /not MCP/],
  ['the end of the stream', (req, res) => res.writeHead(200, { 'content-type': 'text/event-stream' }).end(), 503, /cannot be reached/],
]) test(`HTTP-16: a vault that answers the GET with ${what}: a clear error, at once`, async (t) => {
  const v = await vault(t, { get });
  const s = await before(t, v);
  const from = Date.now();
  const r = await hello(s);
  assert.equal(r.status, status);
  assert.match(r.json.error.message, words);
  assert.ok(Date.now() - from < 5000);
  assert.deepEqual(v.seen.posts, []);
});

test('a POST that fails is told to its call, and not sent again', async (t) => {
  let calls = 0;
  const v = await vault(t, { on: (m, say, res) => m.method === 'tools/call' && (++calls, res.writeHead(500).end('no'), true) });
  const s = await before(t, v);
  const client = await connect(t, 1, s);
  await assert.rejects(call(client, 'read_secret', { path: 'integrations/a' }), /HTTP error/);
  assert.equal(calls, 1);
});

for (const how of ['the stream is cut', 'the key is forgotten'])
  test(`HTTP-03: ${how}: what was in flight fails, is never sent again, and the next call works`, async (t) => {
    let bad = true;
    const v = await vault(t, { on: (m, say, res, seen) => {
      if (m.method !== 'tools/call' || !bad) return false;
      bad = false;
      if (how === 'the stream is cut') { res.writeHead(202).end(); seen.streams.at(-1).destroy(); } else res.writeHead(404).end();
      return true;
    } });
    const s = await before(t, v);
    const client = await connect(t, 1, s);
    await assert.rejects(call(client, 'read_secret', { path: 'integrations/a' }), /broke|ended the (session|conversation)/);
    assert.equal(JSON.parse(text(await call(client, 'read_secret', { path: 'integrations/b' }))).value, BULLETS);
    assert.deepEqual(v.seen.posts.filter((m) => m.method === 'tools/call').map((m) => m.params.arguments.path), ['integrations/a', 'integrations/b']);
    assert.equal(v.seen.posts.filter((m) => m.method === 'initialize').length, 2);
    assert.equal(v.seen.gets, 2);
  });

test('HTTP-17: connections: 1: four agents on one stream, each its own answers; the vault sees one GET', async (t) => {
  const v = await vault(t, { on: (m, say, res) => {
    if (m.method !== 'tools/call') return false;
    res.writeHead(202).end();
    setTimeout(() => say({ content: [{ type: 'text', text: JSON.stringify({ path: m.params.arguments.path, value: VALUE }) }] }), Math.random() * 30);
    return true;
  } });
  const dir = scratch(t), one = join(dir, 'one.yaml');
  writeFileSync(one, readFileSync(join(here, '../../policy/catalogs/demo.yaml'), 'utf8').replace(/^catalog: demo$/m, 'catalog: demo\nconnections: 1'));
  const s = await before(t, v, { catalog: one });
  const clients = await Promise.all([1, 2, 1, 2].map((sdk) => connect(t, sdk, s)));
  await Promise.all(clients.flatMap((c, i) => Array.from({ length: 10 }, async (_, k) => {
    const path = `integrations/${i}/${k}`;
    assert.deepEqual(JSON.parse(text(await call(c, 'read_secret', { path }))), { path, value: BULLETS });
  })));
  assert.equal(v.seen.gets, 1);
  assert.equal(v.seen.posts.filter((m) => m.method === 'initialize').length, 1);
});

test('auto: what is found is remembered, nothing but initialize is sent twice, and a vault that changes is found anew', async (t) => {
  let speaks = 'sse';
  const http = [];
  const v = await vault(t, { get: (req, res) => speaks === 'http' && !res.writeHead(405).end('') === false });
  const old = v.server.listeners('request')[0];
  v.server.removeAllListeners('request');
  v.server.on('request', (req, res) => {
    if (req.method !== 'POST' || req.url !== '/sse') return old(req, res);
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      const m = JSON.parse(body);
      http.push(m.method);
      if (speaks === 'sse') return void res.writeHead(405).end('no');
      if (m.id === undefined) return void res.writeHead(202).end();
      const result = m.method === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'narrowgate-demo-vault', version: '1' } }
        : { content: [{ type: 'text', text: JSON.stringify({ path: 'integrations/a', value: VALUE }) }] };
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }));
    });
  });
  const s = await before(t, v, { transport: 'auto' });
  for (let i = 0; i < 3; i++) {
    const client = await connect(t, 1, s);
    assert.equal(JSON.parse(text(await call(client, 'read_secret', { path: 'integrations/a' }))).value, BULLETS);
    await client.close();
  }
  assert.deepEqual(http, ['initialize'], 'asked once');
  speaks = 'http';
  const client = await connect(t, 1, s);
  assert.equal(JSON.parse(text(await call(client, 'read_secret', { path: 'integrations/a' }))).value, BULLETS);
  assert.match(s.p.err, /speaks HTTP\+SSE[\s\S]*speaks Streamable HTTP/);
});

test('auto before what is no MCP server at all: the error of the first attempt, and no more', async (t) => {
  const server = createServer((req, res) => res.writeHead(404).end('not here'));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  const s = await before(t, { url: `http://127.0.0.1:${server.address().port}/mcp` }, { transport: 'auto' });
  const r = await hello(s);
  assert.equal(r.status, 502);
  assert.match(r.json.error.message, /HTTP error/);
});

test('a vault that is away: calls fail at once, each attempt waits longer, and it is found when it is back', async (t) => {
  const v = await vault(t);
  const s = await before(t, v);
  const client = await connect(t, 1, s);
  const { port } = v.server.address();
  v.server.closeAllConnections();
  await new Promise((done) => v.server.close(done));
  await assert.rejects(call(client, 'read_secret', { path: 'integrations/a' }));
  v.server.listen(port, '127.0.0.1');
  await until('it is back', async () => (await call(client, 'read_secret', { path: 'integrations/a' }).catch(() => null)) !== null);
});
