// Conversations with the vault: a child that dies and comes back, and the one connection that a server may stand.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { join } from 'node:path';
import { bin, call, connect, freePort, here, initialize, post, ready, run, scratch, serve, sleep, text, until, writeConfig } from './lib.mjs';

const script = join(here, 'servers/both-ways.mjs');
const node = process.execPath;

function children(pid) {
  return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).trim().split(/\s+/).filter(Boolean).map(Number);
}

for (const down of ['stdio', 'http'])
  test(`a child that dies: the call in flight fails, the next one works (${down})`, async (t) => {
    const config = { upstreams: { vault: { catalog: join(here, 'servers/both-ways.yaml'), command: [node, script] } } };
    let client, pid;
    if (down === 'http') {
      const s = await serve(t, config);
      await ready(s);
      client = await connect(t, 1, s);
      pid = s.p.child.pid;
    } else {
      client = await connect(t, 1, { args: ['stdio', '-c', (await writeConfig(t, config)).file] });
      pid = client.transport.pid;
    }
    assert.equal(text(await call(client, 'echo', { text: 'before' })), 'before');
    const waiting = call(client, 'wait', { ms: 5000 });
    const failed = assert.rejects(waiting, /-32603|502|ended|broke/);
    await sleep(200);
    process.kill(children(pid)[0], 'SIGKILL');
    await failed;
    assert.equal(text(await call(client, 'echo', { text: 'after' })), 'after');
  });

// A catalog that says `connections: 1`, before a server that counts who connects.
async function shared(t, up) {
  const dir = scratch(t);
  const starts = join(dir, 'starts');
  writeFileSync(join(dir, 'one.yaml'), readFileSync(join(here, 'servers/both-ways.yaml'), 'utf8').replace('catalog: both-ways', 'catalog: both-ways\nconnections: 1'));
  writeFileSync(starts, '');
  let upstream = { command: ['/bin/sh', '-c', `echo start >> ${starts}; exec ${node} ${script}`] };
  if (up !== 'stdio') {
    const port = await freePort();
    const p = run(t, [script, String(port), ...(up === 'sse' ? ['sse'] : [])], { command: node });
    await until('the server', () => p.err.includes('listening'));
    upstream = up === 'sse' ? { url: `http://127.0.0.1:${port}/sse`, transport: 'sse' } : { url: `http://127.0.0.1:${port}/mcp` };
  }
  const s = await serve(t, { upstreams: { vault: { catalog: './one.yaml', ...upstream } } }, { dir });
  await ready(s);
  return { s, starts: () => readFileSync(starts, 'utf8').trim().split('\n').length };
}

for (const up of ['stdio', 'http', 'sse'])
  test(`HTTP-17: connections: 1 (${up}): one conversation, ids, progress and cancels kept apart`, async (t) => {
    const { s, starts } = await shared(t, up);
    const clients = [];
    for (let i = 0; i < 4; i++) clients.push(await connect(t, i % 2 + 1, s));
    const seen = clients.map(() => []);
    const counted = clients.map((c, i) => {
      const args = [{ name: 'count_to', arguments: { n: i + 2, pause_ms: 20 } }];
      const options = { onprogress: (p) => seen[i].push(p.progress) };
      return i % 2 ? c.callTool(...args, options) : c.callTool(...args, undefined, options);
    });
    const echoes = clients.flatMap((c, i) => Array.from({ length: 15 }, async (_, k) => assert.equal(text(await call(c, 'echo', { text: `${i}/${k}` })), `${i}/${k}`)));
    await Promise.all(echoes);
    for (const [i, r] of (await Promise.all(counted)).entries()) assert.equal(text(r), `counted to ${i + 2}`);
    for (const [i, progress] of seen.entries()) assert.deepEqual(progress, Array.from({ length: i + 2 }, (_, k) => k + 1));

    const stop = new AbortController();
    const waiting = clients[0].callTool({ name: 'wait', arguments: { ms: 1500 } }, undefined, { signal: stop.signal });
    const others = call(clients[2], 'wait', { ms: 600 });
    await sleep(150);
    stop.abort('enough');
    await assert.rejects(waiting);
    assert.equal(text(await others), 'waited', 'another client\'s call is not cancelled');
    if (up === 'stdio') assert.equal(starts(), 1, 'started once');
    await clients[0].close();
    assert.equal(text(await call(clients[1], 'echo', { text: 'still here' })), 'still here');
  });

test('demo vault: each session of HTTP clients has a child of its own, gone with the session', async (t) => {
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', command: [bin, 'demo-vault'] } } });
  await ready(s);
  const a = await connect(t, 1, s);
  const b = await connect(t, 1, s);
  await Promise.all([call(a, 'list_tenants'), call(b, 'list_tenants')]);
  assert.equal(children(s.p.child.pid).length, 2);
  await a.transport.terminateSession();
  await until('one child is gone', () => children(s.p.child.pid).length === 1);
});

// A vault without sessions: all that tells two agents apart is which connection an answer comes on.
test('HTTP-17: one id, many clients at once, a vault without sessions', async (t) => {
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', async () => {
      const m = JSON.parse(body);
      if (m.id === undefined) return void res.writeHead(202).end();
      if (m.method === 'tools/call') await sleep(Math.random() * 100);
      const result = m.method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } }
        : { content: [{ type: 'text', text: m.params.arguments.text }] };
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }));
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const s = await serve(t, { upstreams: { vault: { catalog: join(here, 'servers/both-ways.yaml'), url: `http://127.0.0.1:${server.address().port}/mcp` } }, profiles: { p: { extends: 'open' } }, default_profile: 'p' });
  await post(s.url, initialize());
  await Promise.all(Array.from({ length: 60 }, async (_, i) => {
    const r = await post(s.url, { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', arguments: { text: `mine-${i}` } } }, { 'mcp-protocol-version': '2025-11-25' });
    assert.deepEqual([r.status, r.json?.id, r.json?.result?.content[0].text], [200, 7, `mine-${i}`]);
  }));
});

test('HTTP-19: event ids are our own, and another session\'s Last-Event-ID goes nowhere', async (t) => {
  const seen = [];
  let event = 0;
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      seen.push(req.headers);
      const m = body ? JSON.parse(body) : {};
      const say = (o) => res.write(`id: ${++event}\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...o })}\n\n`);
      if (m.method === 'initialize') res.setHeader('mcp-session-id', `s${seen.length}`);
      if (req.method === 'POST' && m.id === undefined) return void res.writeHead(202).end();
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      if (req.method === 'GET') return void say({ method: 'notifications/tools/list_changed' });
      say({ id: m.id, result: m.method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } }, serverInfo: { name: 'x', version: '1' } } : { content: [] } });
      res.end();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const s = await serve(t, { upstreams: { vault: { catalog: join(here, 'servers/both-ways.yaml'), url: `http://127.0.0.1:${server.address().port}/mcp` } } });
  const [ids, events] = [[], []];
  for (let i = 0; i < 2; i++) {
    const r = await post(s.url, initialize());
    ids.push(r.headers.get('mcp-session-id'));
    events.push(/^id: (.*)$/m.exec(r.body)[1]);
    assert.ok(r.body.includes('data:') && events[i].length > 50, r.body);
  }
  const resume = (last) => fetch(s.url, { headers: { accept: 'text/event-stream', 'mcp-session-id': ids[1], 'mcp-protocol-version': '2025-11-25', 'last-event-id': last } });
  for (const last of ['1', events[0]]) assert.equal((await resume(last)).status, 400);
  assert.equal(seen.length, 2, 'the vault has heard of the two introductions only');
  assert.ok(seen.every((h) => h['last-event-id'] === undefined));
});
