// Streams that the vault closes, or that break, are taken up again where they were (MCP "Resumability and Redelivery"), by agents
// with a session, and by narrowgate itself for those without. Every event is judged as the answer to the call it belongs to.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { BULLETS, call, connect, here, initialize, post, run, scratch, serve, sleep, text, until, writeConfig } from './lib.mjs';

const VALUE = 'resumed-value-5c1d';
const catalog = 'demo';

// A vault with sessions and event ids. Each call's stream is primed, then closed; its answer comes on the stream that takes it up.
async function vault(t, { prime = 'id: e1\nretry: 50\ndata: \n\n', session = true, answers = true, hold = false } = {}) {
  const seen = { gets: [], calls: 0, closed: 0, open: [] };
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      const stream = () => { res.writeHead(200, { 'content-type': 'text/event-stream' }); res.flushHeaders(); res.on('close', () => { seen.closed++; }); seen.open.push(res); };
      if (req.method === 'GET') {
        const after = req.headers['last-event-id'];
        seen.gets.push(after);
        stream();
        if (after === undefined || after.startsWith('g')) return void res.write(`id: g${seen.gets.length}\ndata: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n`);
        const id = JSON.stringify(seen.last);
        if (answers) res.write(`event: message\nid: e2\ndata: {"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"{\\"path\\":\\"integrations/a\\",\\"value\\":\\"${VALUE}\\"}"}]}}\n\n`);
        if (!answers) res.write('id: e2\ndata: \n\n');
        return void res.end();
      }
      if (req.method !== 'POST') return void res.writeHead(200).end();
      const m = JSON.parse(body);
      const good = (result) => res.writeHead(200, { 'content-type': 'application/json', ...(session && m.method === 'initialize' ? { 'mcp-session-id': `vault-${Math.random()}` } : {}) })
        .end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }));
      if (m.method === 'initialize') return void good({ protocolVersion: m.params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'narrowgate-demo-vault', version: '1' } });
      if (m.id === undefined) return void res.writeHead(202).end();
      if (m.method === 'tools/list') return void good({ tools: [{ name: 'read_secret', inputSchema: { type: 'object', properties: { path: { type: 'string' } } } }] });
      seen.calls++;
      seen.last = m.id;
      stream();
      res.write(prime);
      if (typeof hold === 'function' ? !hold(seen.calls) : !hold) res.end();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, seen };
}

const masked = { extends: 'open', mask_values: true };
const before = (t, v, profile = masked) => serve(t, { upstreams: { vault: { catalog, url: v.url } }, profiles: { here: profile }, default_profile: 'here' });
const read = (id = 1) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'read_secret', arguments: { path: 'integrations/a' } } });

async function session(url) {
  const r = await post(url, initialize());
  const id = r.headers.get('mcp-session-id');
  const headers = { 'mcp-protocol-version': '2025-11-25', ...(id ? { 'mcp-session-id': id } : {}) };
  await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers);
  return headers;
}

// The events of a text: [{ id, retry, data }].
const events = (body) => body.split('\n\n').filter((e) => e && !e.startsWith(':')).map((e) => Object.fromEntries(e.split('\n').map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).replace(/^ /, '')])));
async function get(url, headers, lastEventId) {
  const r = await fetch(url, { headers: { accept: 'text/event-stream', ...headers, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) } });
  return { status: r.status, body: await r.text() };
}

test('priming, ids and retry stand on the same events, and the answer on the next stream is masked as the call\'s', async (t) => {
  const v = await vault(t);
  const s = await before(t, v);
  const headers = await session(s.url);
  const first = await post(s.url, read(), headers);
  const [prime, ...more] = events(first.body);
  assert.deepEqual(more, []);
  assert.equal(prime.data, '');
  assert.equal(prime.retry, '50');
  assert.match(prime.id, /^[0-9a-f]{56,}$/, 'an id of ours, which says nothing of the vault\'s');

  const second = await get(s.url, headers, prime.id);
  assert.equal(second.status, 200);
  assert.deepEqual(v.seen.gets, ['e1'], 'the vault\'s own id goes up');
  const [answer] = events(second.body);
  assert.equal(JSON.parse(answer.data).id, 1);
  assert.match(answer.id, /^[0-9a-f]{56,}$/);
  assert.notEqual(answer.id, prime.id);
  assert.ok(!second.body.includes(VALUE) && second.body.includes(BULLETS), 'masked by the rule of the call');
  assert.equal(v.seen.calls, 1, 'nothing is sent again');

  // The answer was lost on its way: the same stream once more.
  const third = await get(s.url, headers, prime.id);
  assert.ok(third.body.includes(BULLETS) && !third.body.includes(VALUE));
});

test('a long answer keeps its own id, whatever comes behind it', async (t) => {
  const long = 'x'.repeat(1 << 20);
  const event = (id, json) => `id: ${id}\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...json })}\n\n`;
  const v = await vault(t, { prime: event('n1', { method: 'notifications/message', params: { level: 'info', data: long } }) + 'id: p2\ndata: \n\n' +
    event('a3', { id: 5, result: { content: [{ type: 'text', text: long }] } }) });
  const s = await before(t, v, { extends: 'open' });
  const headers = await session(s.url);
  const got = events((await post(s.url, read(5), headers)).body);
  assert.deepEqual(got.map((e) => [e.data.length > 1000, e.id.length > 50]), [[true, true], [false, true], [true, true]]);
  for (const [i, id] of ['n1', 'p2', 'a3'].entries()) {
    await get(s.url, headers, got[i].id);
    assert.equal(v.seen.gets.at(-1), id);
  }
});

test('ids of another session, another stream, made up or changed are refused, and the vault hears nothing (HTTP-19)', async (t) => {
  const v = await vault(t);
  const s = await before(t, v);
  const [mine, other] = [await session(s.url), await session(s.url)];
  const { id } = events((await post(s.url, read(), mine)).body)[0];
  for (const [headers, bad] of [[other, id], [mine, 'e1'], [mine, `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`], [mine, id.slice(2)], [mine, 'x'.repeat(9000)]]) {
    const r = await get(s.url, headers, bad);
    assert.equal(r.status, 400, bad.slice(0, 20));
    assert.match(r.body, /Last-Event-ID/);
    assert.ok(!r.body.includes(id));
  }
  assert.deepEqual(v.seen.gets, []);
  assert.equal((await get(s.url, mine, id)).status, 200, 'still good where it was given out');
});

test('an agent that goes in the middle of a stream may come back for it', async (t) => {
  const v = await vault(t, { hold: true });
  const s = await before(t, v);
  const headers = await session(s.url);
  const abort = new AbortController();
  const r = await fetch(s.url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, body: JSON.stringify(read(7)), signal: abort.signal });
  const { id } = events(new TextDecoder().decode((await r.body.getReader().read()).value))[0];
  abort.abort();
  await until('the vault sees the connection end', () => v.seen.closed === 1);
  const again = await get(s.url, headers, id);
  assert.equal(JSON.parse(events(again.body)[0].data).id, 7);
  assert.ok(again.body.includes(BULLETS) && !again.body.includes(VALUE));
});

test('a stream that is still open goes on with whoever comes back', async (t) => {
  const v = await vault(t, { hold: true });
  const s = await before(t, v);
  const headers = await session(s.url);
  const r = await fetch(s.url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, body: JSON.stringify(read(8)) });
  const reader = r.body.getReader();
  const { id } = events(new TextDecoder().decode((await reader.read()).value))[0];
  const again = await get(s.url, headers, id);
  assert.equal(JSON.parse(events(again.body)[0].data).id, 8);
  assert.equal((await reader.read()).done, true, 'the old one ends');
});

test('of many broken streams the oldest are given up, never the one that is being taken up', async (t) => {
  const v = await vault(t, { hold: (n) => n === 1 });
  const s = await before(t, v);
  const headers = await session(s.url);
  const r = await fetch(s.url, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers }, body: JSON.stringify(read(100)) });
  const first = events(new TextDecoder().decode((await r.body.getReader().read()).value))[0].id;
  const ids = [];
  for (let i = 0; i < 17; i++) ids.push(events((await post(s.url, read(i), headers)).body)[0].id);
  assert.equal((await get(s.url, headers, ids[0])).status, 400, 'the oldest is gone');
  v.seen.last = 100;
  const again = await get(s.url, headers, first);
  assert.equal(JSON.parse(events(again.body)[0].data).id, 100);
  v.seen.last = 16;
  assert.equal(JSON.parse(events((await get(s.url, headers, ids[16])).body)[0].data).id, 16);
});

test('the standing stream is taken up too, and the old one ends', async (t) => {
  const v = await vault(t);
  const s = await before(t, v);
  const headers = await session(s.url);
  const open = (last) => fetch(s.url, { headers: { accept: 'text/event-stream', ...headers, ...(last ? { 'last-event-id': last } : {}) } });
  const first = (await open()).body.getReader();
  const [event] = events(new TextDecoder().decode((await first.read()).value));
  assert.equal(JSON.parse(event.data).method, 'notifications/tools/list_changed');
  const second = (await open(event.id)).body.getReader();
  assert.ok(events(new TextDecoder().decode((await second.read()).value))[0].id);
  assert.deepEqual(v.seen.gets, [undefined, 'g1']);
  assert.equal((await first.read()).done, true);
  await second.cancel();
});

test('after a reload with other rules, what was parked is not to be had', async (t) => {
  const v = await vault(t);
  const s = await before(t, v, { extends: 'open' });
  const headers = await session(s.url);
  const { id } = events((await post(s.url, read(), headers)).body)[0];
  const { writeFileSync } = await import('node:fs');
  writeFileSync(s.file, JSON.stringify({ ...s.whole, profiles: { here: masked } }));
  s.p.child.kill('SIGHUP');
  await until('the reload', () => /reload/.test(s.p.err));
  await sleep(200);
  const r = await get(s.url, headers, id);
  assert.equal(r.status, 400);
  assert.ok(!r.body.includes(VALUE));
});

for (const [who, how] of [['on stdio', 'stdio'], ['without a session', 'stateless']]) {
  test(`for an agent ${who} narrowgate takes the stream up itself`, async (t) => {
    const v = await vault(t, { session: how !== 'stateless' });
    const config = { upstreams: { vault: { catalog, url: v.url } }, profiles: { here: masked }, default_profile: 'here' };
    if (how === 'stdio') {
      const { file } = await writeConfig(t, config);
      const client = await connect(t, 1, { args: ['stdio', '-c', file] });
      const r = await call(client, 'read_secret', { path: 'integrations/a' });
      assert.ok(text(r).includes(BULLETS) && !text(r).includes(VALUE));
    } else {
      const s = await serve(t, config);
      const headers = await session(s.url);
      const r = await post(s.url, read(3), headers);
      assert.ok(r.body.includes(BULLETS) && !r.body.includes(VALUE));
      assert.ok(!/^id:/m.test(r.body), 'nobody could bring the id back');
    }
    assert.ok(v.seen.gets.includes('e1'));
    assert.equal(v.seen.calls, 1);
  });
}

for (const shared of [false, true]) test(`${shared ? 'the one ear of a shared connection' : 'the ear of an agent on stdio'} goes on behind what it has heard, when the vault says`, async (t) => {
  const at = [];
  const server = createServer((req, res) => {
    if (req.method === 'GET') {
      at.push([req.headers['last-event-id'], Date.now()]);
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      return void res.end(`id: g${at.length}\nretry: 900\ndata: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n`);
    }
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      const m = JSON.parse(body || '{}');
      if (m.id === undefined) return void res.writeHead(202).end();
      res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'v' }).end(JSON.stringify({ jsonrpc: '2.0', id: m.id,
        result: { protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } }, serverInfo: { name: 'narrowgate-demo-vault', version: '1' } } }));
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const dir = scratch(t), one = join(dir, 'one.yaml');
  writeFileSync(one, readFileSync(join(here, '../../policy/catalogs/demo.yaml'), 'utf8').replace(/^catalog: demo$/m, 'catalog: demo\nconnections: 1'));
  const { file } = await writeConfig(t, { upstreams: { vault: { catalog: shared ? one : catalog, url: `http://127.0.0.1:${server.address().port}/mcp` } }, profiles: { here: masked }, default_profile: 'here' }, dir);
  await connect(t, 1, { args: ['stdio', '-c', file] });
  await until('three streams', () => at.length >= 3);
  assert.deepEqual(at.slice(0, 3).map(([id]) => id), [undefined, 'g1', 'g2']);
  for (const i of [1, 2]) assert.ok(at[i][1] - at[i - 1][1] >= 890 && at[i][1] - at[i - 1][1] < 4000, `${at[i][1] - at[i - 1][1]} ms`);
});

test('a vault that never answers is given up, not asked for ever', async (t) => {
  const v = await vault(t, { session: false, answers: false, prime: 'id: e1\nretry: 1\ndata: \n\n' });
  const s = await serve(t, { upstreams: { vault: { catalog, url: v.url } }, profiles: { here: masked }, default_profile: 'here' });
  const r = await post(s.url, read(4), await session(s.url));
  assert.match(r.body, /ended its answer without a result/);
  assert.ok(v.seen.gets.length >= 2 && v.seen.gets.length <= 10, `${v.seen.gets.length} attempts`);
});
