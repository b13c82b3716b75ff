// Several messages in one array, where the revision has it (2025-03-26): each is judged and sent alone.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { BULLETS, initialize, post, run, serve, until, writeConfig } from './lib.mjs';

const VALUE = 'batched-value-81e0';

// A vault that answers `slow_*` as a stream with progress before, everything else as JSON; it never gets an array.
async function vault(t, session = { 'mcp-session-id': 'v1' }) {
  const seen = [];
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      if (req.method !== 'POST') return void res.writeHead(405).end();
      const m = JSON.parse(body);
      seen.push(m);
      if (m.method === 'initialize') {
        return void res.writeHead(200, { 'content-type': 'application/json', ...session }).end(JSON.stringify({
          jsonrpc: '2.0', id: m.id, result: { protocolVersion: m.params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'narrowgate-demo-vault', version: '1' } } }));
      }
      if (m.id === undefined || m.method === undefined) return void res.writeHead(202).end();
      const result = m.method === 'ping' ? {} : { content: [{ type: 'text', text: JSON.stringify({ path: m.params.arguments.path, value: VALUE }) }] };
      const json = JSON.stringify({ jsonrpc: '2.0', id: m.id, result });
      if (m.params?.arguments?.path !== 'integrations/slow') return void res.writeHead(200, { 'content-type': 'application/json' }).end(json);
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":1}}\n\n`);
      setTimeout(() => res.end(`data: ${json}\n\n`), 100);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, seen };
}

const config = (v) => ({ upstreams: { vault: { catalog: 'demo', url: v.url } },
  profiles: { here: { extends: 'open', mask_values: true, allowed_paths: ['integrations/'] } }, default_profile: 'here' });
const read = (id, path = 'integrations/a', more = {}) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'read_secret', arguments: { path }, ...more } });
const ping = (id) => ({ jsonrpc: '2.0', id, method: 'ping' });
const note = { jsonrpc: '2.0', method: 'notifications/roots/list_changed' };

async function begin(t, version = '2025-03-26') {
  const v = await vault(t);
  const s = await serve(t, config(v));
  const r = await post(s.url, initialize(0, version));
  const headers = { 'mcp-session-id': r.headers.get('mcp-session-id') };
  await post(s.url, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers);
  v.seen.length = 0;
  return { v, s, headers, send: (batch) => post(s.url, batch, headers) };
}

test('each message of a batch is judged and sent alone, and the answers come back in one array', async (t) => {
  const { v, send } = await begin(t);
  const r = await send([ping(1), read('two'), read(3, 'infra/db'), note, read(4, 'integrations/../infra/db')]);
  assert.equal(r.status, 200);
  assert.match(r.headers.get('content-type'), /application\/json/);
  const by = new Map(r.json.map((a) => [a.id, a]));
  assert.deepEqual([...by.keys()].sort(), [1, 3, 4, 'two'].sort());
  assert.deepEqual(by.get(1).result, {});
  assert.ok(by.get('two').result.content[0].text.includes(BULLETS));
  for (const id of [3, 4]) assert.equal(by.get(id).result.isError, true);
  assert.ok(!r.body.includes(VALUE));
  assert.deepEqual(v.seen.map((m) => m.id ?? m.method).sort(), [1, 'notifications/roots/list_changed', 'two'].sort(), 'what was refused went nowhere');
});

test('where one answer is a stream, all come as its events', async (t) => {
  const { send } = await begin(t);
  const r = await send([ping(1), read(2, 'integrations/slow', { _meta: { progressToken: 'p' } }), ping(3)]);
  assert.match(r.headers.get('content-type'), /text\/event-stream/);
  const messages = r.body.split('\n\n').filter(Boolean).flatMap((e) => JSON.parse(/^data: (.*)$/m.exec(e)[1]));
  assert.deepEqual(messages.filter((m) => 'id' in m).map((m) => m.id).sort(), [1, 2, 3]);
  assert.ok(messages.findIndex((m) => m.method === 'notifications/progress') < messages.findIndex((m) => m.id === 2));
  assert.ok(!r.body.includes(VALUE));
});

test('a batch without requests is accepted without an answer', async (t) => {
  const { v, send } = await begin(t);
  const r = await send([note, note]);
  assert.deepEqual([r.status, r.body], [202, '']);
  await until('both', () => v.seen.length === 2);
});

test('what is no batch is refused whole, and nothing of it is sent', async (t) => {
  const { v, send } = await begin(t);
  for (const bad of ['[]', '[1]', '[{}]', '[[]]', `[${JSON.stringify(ping(1))}, 5]`, `[${JSON.stringify(ping(1))}`,
    `[${JSON.stringify(ping(1))},{"jsonrpc":"2.0","id":2,"id":3,"method":"ping"}]`, JSON.stringify([initialize(1)]),
    JSON.stringify([ping(1), { jsonrpc: '2.0', id: 5, result: {} }]), JSON.stringify(Array(65).fill(note))]) {
    const r = await send(bad);
    assert.equal(r.status, 400, bad.slice(0, 60));
    assert.ok(r.json.error.message.length > 0);
  }
  assert.deepEqual(v.seen, []);
});

test('revisions that have no batches refuse them', async (t) => {
  for (const version of ['2025-06-18', '2025-11-25']) {
    const { v, send } = await begin(t, version);
    const r = await send([ping(1)]);
    assert.equal(r.status, 400);
    assert.match(r.json.error.message, /batches are not part/);
    assert.deepEqual(v.seen, []);
  }
});

test('a batch without a session where one is due, or with a foreign one, is refused as a single message is', async (t) => {
  const { s, v } = await begin(t);
  assert.equal((await post(s.url, [ping(1)])).status, 400);
  assert.equal((await post(s.url, [ping(1)], { 'mcp-session-id': 'f'.repeat(32) })).status, 404);
  assert.deepEqual(v.seen, []);
});

test('without sessions, what the vault last agreed to decides', async (t) => {
  const v = await vault(t, {});
  const s = await serve(t, config(v));
  assert.equal((await post(s.url, [ping(1)])).status, 400, 'nothing was agreed yet');
  await post(s.url, initialize(0, '2025-11-25'));
  assert.equal((await post(s.url, [ping(1)])).status, 400);
  await post(s.url, initialize(0, '2025-03-26'));
  assert.deepEqual((await post(s.url, [ping(1)])).json.map((a) => a.id), [1]);
  assert.equal((await post(s.url, [ping(1)], { 'mcp-protocol-version': '2025-06-18' })).status, 400, 'the header says otherwise');
});

test('an agent that goes takes its whole batch along, and narrowgate goes on', async (t) => {
  const { s, send, headers } = await begin(t);
  for (let i = 0; i < 5; i++) {
    const abort = new AbortController();
    const gone = fetch(s.url, { method: 'POST', signal: abort.signal, headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify([read(`${i}a`, 'integrations/slow'), read(`${i}b`, 'integrations/slow'), ping(`${i}c`)]) }).catch(() => {});
    setTimeout(() => abort.abort(), 20 * i);
    await gone;
  }
  assert.equal((await send([ping('last')])).json[0].id, 'last');
});

test('on stdio the answers are one line', async (t) => {
  const v = await vault(t);
  const { file } = await writeConfig(t, config(v));
  const p = run(t, ['stdio', '-c', file], { input: null });
  const say = (m) => p.child.stdin.write(`${JSON.stringify(m)}\n`);
  const lines = () => p.out.split('\n').filter(Boolean).map((l) => JSON.parse(l));
  say(initialize(0, '2025-03-26'));
  await until('the introduction', () => lines().length === 1);
  say([ping(1), read(2, 'integrations/slow', { _meta: { progressToken: 'p' } }), note]);
  await until('the answers', () => lines().some(Array.isArray));
  assert.deepEqual(lines().find(Array.isArray).map((a) => a.id).sort(), [1, 2]);
  assert.equal(lines()[1].method, 'notifications/progress', 'what comes before is a line of its own');
  p.child.stdin.end();
  assert.equal(await p.exited, 0);
  assert.ok(!p.out.includes(VALUE));
});
