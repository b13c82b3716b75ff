// A vault that is down, slow, speaks garbage, loses sessions, redirects, dies half-way: each is a clear answer, nothing
// hangs, and no call whose bytes may have left is sent twice.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initialize, post, scratch, serve, sleep, until } from './lib.mjs';

const CATALOG = 'catalog: t\ntools:\n  read: {do: read, path: "{path}", out: {as: json, values: ["$.value"]}}\n';
const CALL = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'read', arguments: { path: 'a/b' } } };
const good = (res, message, extra = {}) => res.writeHead(200, { 'content-type': 'application/json', ...extra }).end(JSON.stringify(message));
const hello = (name = 't') => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name, version: '1' } });

// A vault by hand: answers initialize, hands everything else to `on`, keeps what came.
async function vault(t, on, options = {}) {
  const seen = [];
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      const m = body ? JSON.parse(body) : undefined;
      seen.push({ method: req.method, headers: req.headers, m });
      if (m?.method === 'initialize') return void good(res, { jsonrpc: '2.0', id: m.id, result: hello(options.name) }, options.session ? { 'mcp-session-id': options.session } : {});
      if (m && m.id === undefined) return void res.writeHead(202).end();
      on(req, res, m);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, seen, server };
}

async function before(t, url, upstream = {}) {
  const dir = scratch(t);
  writeFileSync(join(dir, 't.yaml'), CATALOG);
  return serve(t, { upstreams: { vault: { catalog: './t.yaml', url, timeout: '1s', ...upstream } } }, { dir });
}

const calls = (v) => v.seen.filter((s) => s.m?.method === 'tools/call').length;

async function fails(t, on, { status = 502, like, options, upstream } = {}) {
  const v = await vault(t, on, options);
  const s = await before(t, v.url, upstream);
  const r = await post(s.url, CALL);
  assert.equal(r.status, status, r.body);
  assert.equal(r.json.id, 7);
  assert.equal(r.json.error.code, -32603);
  if (like) assert.match(r.json.error.message, like);
  assert.ok(!r.body.includes('sekrit'), 'nothing of the vault\'s answer is shown');
  assert.equal(calls(v), 1, 'sent once');
  return { v, s, r };
}

test('HTTP-12: not JSON', (t) => fails(t, (q, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"sekrit":')));
test('HTTP-12: another id', (t) => fails(t, (q, res) => good(res, { jsonrpc: '2.0', id: 8, result: { content: [] } })));
test('HTTP-12: HTML with 200', (t) => fails(t, (q, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<p>sekrit')));
test('HTTP-12: duplicate members in the answer (JSON-01)', (t) => fails(t, (q, res) =>
  res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":7,"result":{"content":[],"content":[]}}')));
test('MASK-12: a compressed answer', (t) => fails(t, (q, res) => good(res, { jsonrpc: '2.0', id: 7, result: {} }, { 'content-encoding': 'gzip' })));
test('500 with a body', (t) => fails(t, (q, res) => res.writeHead(500).end('sekrit stack trace')));
test('HTTP-14: 401 that echoes the token', (t) => fails(t, (q, res) => res.writeHead(401, { 'www-authenticate': 'Bearer sekrit' }).end('sekrit')));
test('HTTP-10: a redirect is not followed', async (t) => {
  const other = await vault(t, (q, res) => good(res, { jsonrpc: '2.0', id: 7, result: {} }));
  await fails(t, (q, res) => res.writeHead(307, { location: other.url }).end());
  assert.equal(other.seen.length, 0);
});
test('closes half-way through the body', (t) => fails(t, (q, res) => {
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
  res.write('{"jsonrpc":"2.0",');
  setTimeout(() => res.destroy(), 50);
}));
test('closes without a word', (t) => fails(t, (q, res) => res.destroy()));
test('an SSE stream that ends without the answer', async (t) => {
  const v = await vault(t, (q, res) => res.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n'));
  const s = await before(t, v.url);
  const r = await post(s.url, CALL);
  assert.equal(r.status, 200, 'the stream had begun');
  const answer = JSON.parse(r.body.match(/^data: (.*)$/m)[1]);
  assert.deepEqual([answer.id, answer.error.code], [7, -32603]);
  assert.equal(calls(v), 1);
});
test('slow: the deadline', async (t) => {
  const { v } = await fails(t, () => {}, { status: 504, like: /in time/ });
  await until('the vault hears of it', () => v.seen.some((s) => s.m?.method === 'notifications/cancelled' && s.m.params.requestId === 7));
});
test('over max_message', (t) => fails(t, (q, res) => good(res, { jsonrpc: '2.0', id: 7, result: { content: [{ type: 'text', text: 'x'.repeat(70000) }] } }), { upstream: { max_message: '64KiB' } }));

test('down: nothing is listening, then it is back', async (t) => {
  const v = await vault(t, (q, res) => good(res, { jsonrpc: '2.0', id: 7, result: { content: [{ type: 'text', text: '{"path":"a/b","value":"v"}' }] } }));
  const { port } = v.server.address();
  const s = await before(t, v.url);
  assert.equal((await post(s.url, CALL)).status, 200);
  v.server.closeAllConnections();
  await new Promise((done) => v.server.close(done));
  const down = await post(s.url, CALL);
  assert.equal(down.status, 503, down.body);
  assert.equal(down.json.error.code, -32603);
  await new Promise((done) => v.server.listen(port, '127.0.0.1', done));
  assert.equal((await post(s.url, CALL)).status, 200);
  assert.equal(calls(v), 2);
});

test('404 to a session: that call fails and is not sent again; the next one works, introduced to the vault anew', async (t) => {
  let lost = false;
  const options = { session: 'up-1' };
  const v = await vault(t, (q, res, m) => {
    if (lost && q.headers['mcp-session-id'] === 'up-1') return void res.writeHead(404).end();
    good(res, { jsonrpc: '2.0', id: m.id, result: { content: [] } });
  }, options);
  const s = await before(t, v.url);
  const session = (await post(s.url, initialize())).headers.get('mcp-session-id');
  assert.match(session, /^[0-9a-f]{32}$/);
  assert.notEqual(session, 'up-1');
  assert.equal((await post(s.url, CALL, { 'mcp-session-id': session })).status, 200);
  lost = true;
  options.session = 'up-2';
  const r = await post(s.url, CALL, { 'mcp-session-id': session });
  assert.deepEqual([r.status, r.json.error.code], [502, -32603]);
  assert.equal(calls(v), 2);
  assert.equal((await post(s.url, CALL, { 'mcp-session-id': session })).status, 200);
  assert.equal(calls(v), 3);
  const hellos = v.seen.filter((x) => x.m?.method === 'initialize');
  assert.equal(hellos.length, 2);
  assert.deepEqual(hellos[1].m.params, hellos[0].m.params);
  assert.equal(v.seen.at(-1).headers['mcp-session-id'], 'up-2');
});

test('HTTP-03: session ids are ours, required once the vault gives them, never before', async (t) => {
  const answer = (q, res, m) => (m ? good(res, { jsonrpc: '2.0', id: m.id, result: { content: [] } }) : res.writeHead(204).end());
  const giving = await before(t, (await vault(t, answer, { session: 'up-1' })).url);
  const session = (await post(giving.url, initialize())).headers.get('mcp-session-id');
  assert.equal((await post(giving.url, CALL)).status, 400);
  assert.equal((await post(giving.url, CALL, { 'mcp-session-id': 'up-1' })).status, 404);
  assert.equal((await post(giving.url, CALL, { 'mcp-session-id': 'f'.repeat(32) })).status, 404);
  assert.equal((await fetch(giving.url, { method: 'DELETE', headers: { 'mcp-session-id': session } })).status, 200);
  assert.equal((await post(giving.url, CALL, { 'mcp-session-id': session })).status, 404);

  const plain = await before(t, (await vault(t, answer)).url);
  const hi = await post(plain.url, initialize());
  assert.equal(hi.status, 200);
  assert.equal(hi.headers.get('mcp-session-id'), null);
  assert.equal((await post(plain.url, CALL)).status, 200);
});

test('HTTP-06: the agent\'s credentials and vault headers stay, ours go up', async (t) => {
  const v = await vault(t, (q, res, m) => good(res, { jsonrpc: '2.0', id: m.id, result: { content: [] } }));
  const dir = scratch(t);
  writeFileSync(join(dir, 'token'), ' the-vaults-token\n');
  writeFileSync(join(dir, 't.yaml'), CATALOG);
  const s = await serve(t, { upstreams: { vault: {
    catalog: './t.yaml', url: v.url, headers: { 'X-Vault-ID': 'vault-1' }, credential: { bearer: { file: join(dir, 'token') } } } } }, { dir });
  const r = await post(s.url, CALL, { authorization: 'Bearer agents-own', cookie: 'a=b', 'x-vault-id': 'evil', 'x-agent-key': 'k', 'x-forwarded-for': '1.2.3.4', 'proxy-authorization': 'Basic x' });
  assert.equal(r.status, 200);
  const { headers } = v.seen.find((x) => x.m?.method === 'tools/call');
  assert.equal(headers.authorization, 'Bearer the-vaults-token');
  assert.equal(headers['x-vault-id'], 'vault-1');
  for (const name of ['cookie', 'x-agent-key', 'x-forwarded-for', 'proxy-authorization']) assert.equal(headers[name], undefined, name);
  assert.ok(!`${r.body}${s.p.err}`.includes('the-vaults-token'), 'the credential is in no answer and no log');

  writeFileSync(join(dir, 'token'), 'the-second-token');
  await until('the new token goes up', async () => {
    await post(s.url, CALL);
    return v.seen.at(-1).headers.authorization === 'Bearer the-second-token';
  });
  writeFileSync(join(dir, 'token'), '');
  await until('an empty token file: refused', async () => (await post(s.url, CALL)).status === 503);
  assert.equal((await fetch(`${s.admin}/readyz`)).status, 503);
});

test('HTTP-11: the vault\'s headers stay behind', async (t) => {
  const v = await vault(t, (q, res, m) => good(res, { jsonrpc: '2.0', id: m.id, result: { content: [] } }, { 'set-cookie': 'x=1', link: '<a>', 'access-control-allow-origin': '*', refresh: '1' }));
  const s = await before(t, v.url);
  const r = await post(s.url, CALL);
  for (const name of ['set-cookie', 'link', 'access-control-allow-origin', 'refresh']) assert.equal(r.headers.get(name), null, name);
});

test('JSON-16: an answer to a request that was never made', async (t) => {
  const v = await vault(t, (q, res, m) => good(res, { jsonrpc: '2.0', id: m.id, result: { content: [] } }));
  const s = await before(t, v.url);
  const r = await post(s.url, { jsonrpc: '2.0', id: 3, result: { action: 'accept' } });
  assert.equal(r.status, 400);
  assert.equal(v.seen.length, 0);
});

test('what the vault asks on the stream of our own tools/list is answered: a ping, and a no to all else', async (t) => {
  const answers = new Map();
  let list;
  const v = await vault(t, (q, res, m) => {
    if (m?.method === 'tools/list') {
      list = { res, id: m.id };
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`data: {"jsonrpc":"2.0","id":"v1","method":"ping"}\n\ndata: {"jsonrpc":"2.0","id":2,"method":"roots/list"}\n\n`);
    } else if (m && !m.method) {
      answers.set(m.id, m);
      res.writeHead(202).end();
      if (answers.size === 2) list.res.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: list.id, result: { tools: [{ name: 'read', inputSchema: { properties: { path: {}, extra: {} } } }] } })}\n\n`);
    } else good(res, { jsonrpc: '2.0', id: m.id, result: { content: [] } });
  });
  const dir = scratch(t);
  writeFileSync(join(dir, 't.yaml'), CATALOG);
  const s = await serve(t, { upstreams: { vault: { catalog: './t.yaml', url: v.url, timeout: '3s' } }, profiles: { p: { allowed_paths: ['a/'] } }, default_profile: 'p' }, { dir });
  const r = await post(s.url, { ...CALL, params: { name: 'read', arguments: { path: 'a/b', extra: 'x' } } });
  assert.equal(r.status, 200, r.body);
  assert.ok(!r.json.result.isError, r.body);
  assert.deepEqual(answers.get('v1').result, {});
  assert.equal(answers.get(2).error.code, -32601);
});

test('TEN-08: a tenant that goes in a header, and a catalog that only the vault named: refused, not sent to the vault\'s default', async (t) => {
  const v = await vault(t, (q, res, m) => good(res, { jsonrpc: '2.0', id: m.id, result: { content: [] } }), { name: '@1claw/mcp' });
  const list = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'list_vaults', arguments: {} } };
  const asks = async (upstream) => {
    const s = await serve(t, { upstreams: { vault: { url: v.url, ...upstream } }, profiles: { p: { tenant: 'v1' } }, default_profile: 'p' });
    assert.equal((await post(s.url, initialize())).status, 200);
    return post(s.url, list, { 'mcp-protocol-version': '2025-11-25' });
  };
  const r = await asks({});
  assert.equal(r.status, 503, r.body);
  assert.match(r.json.error.message, /catalog/);
  assert.equal(calls(v), 0);
  assert.equal((await asks({ headers: { 'X-Vault-ID': 'v1' } })).status, 200);
  assert.equal((await asks({ catalog: '1claw' })).status, 200);
  assert.equal(calls(v), 2);
  assert.ok(v.seen.filter((s) => s.m?.method === 'tools/call').every((s) => s.headers['x-vault-id'] === 'v1'));
});

// scaivault_proxy_read reaches what no argument names; under `generic` its `path` would count.
test('a catalog that the vault\'s name chooses: no call is judged by another before the vault has said who it is', async (t) => {
  const v = await vault(t, (q, res, m) => good(res, { jsonrpc: '2.0', id: m.id, result: { content: [] } }), { name: 'scaivault' });
  const s = await serve(t, { upstreams: { vault: { url: v.url } }, profiles: { p: { allowed_paths: ['a/'] } }, default_profile: 'p' });
  const read = { ...CALL, params: { name: 'scaivault_proxy_read', arguments: { path: 'a/b' } } };
  const early = await post(s.url, read);
  assert.equal(early.status, 400, early.body);
  assert.match(early.json.error.message, /initialize first/);
  assert.equal((await post(s.url, initialize())).status, 200);
  assert.match((await post(s.url, read, { 'mcp-protocol-version': '2025-11-25' })).body, /path-missing/);
  assert.equal(calls(v), 0);
});

test('HTTP-20: addresses that the vault gives are not followed, fetched or run', async (t) => {
  let visits = 0;
  const trap = createServer((q, res) => { visits++; res.end(); });
  await new Promise((done) => trap.listen(0, '127.0.0.1', done));
  t.after(() => { trap.closeAllConnections(); trap.close(); });
  const there = `http://127.0.0.1:${trap.address().port}/x`;
  const answers = [
    (res) => res.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${there}", authorization_uri="${there}"`, link: `<${there}>; rel=preload`, refresh: `0;url=${there}` }).end(JSON.stringify({ authorization_endpoint: there })),
    (res) => res.writeHead(307, { location: there }).end(),
    (res) => res.writeHead(403, { 'www-authenticate': `Bearer error="insufficient_scope", resource_metadata="${there}"` }).end(),
    (res, m) => good(res, { jsonrpc: '2.0', id: m.id, error: { code: -32042, message: 'visit', data: { elicitations: [{ mode: 'url', url: there, elicitationId: '1', message: 'x' }] } } }, { location: there, link: `<${there}>` }),
    (res, m) => good(res, { jsonrpc: '2.0', id: m.id, result: { content: [{ type: 'resource_link', uri: there, name: 'x', icons: [{ src: there }] }], _meta: { authorization_endpoint: there } } }),
  ];
  let n = 0;
  const v = await vault(t, (q, res, m) => answers[n++](res, m));
  const s = await before(t, v.url);
  for (const _ of answers) await post(s.url, CALL);
  assert.equal(n, answers.length);
  await sleep(200);
  assert.equal(visits, 0);
  await fetch(there);
  assert.equal(visits, 1, 'it would have been seen');
});
