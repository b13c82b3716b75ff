// Backpressure: an agent that does not read holds the vault back, and narrowgate keeps next to nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect as dial } from 'node:net';
import { test } from 'node:test';
import { join } from 'node:path';
import { scratch, serve, sleep, until } from './lib.mjs';

const MESSAGES = 800;
const FILL = 'x'.repeat(64 * 1024);

// Over HTTP+SSE the messages come on the one stream, whoever asked.
async function talkative(t, sse) {
  const state = { written: 0 };
  let stream;
  const server = createServer((req, res) => {
    if (sse && req.method === 'GET') {
      stream = res.writeHead(200, { 'content-type': 'text/event-stream' });
      return void res.write('event: endpoint\ndata: /mcp?sessionId=1\n\n');
    }
    req.resume().on('end', async () => {
      const out = sse ? stream : res.writeHead(200, { 'content-type': 'text/event-stream' });
      if (sse) res.writeHead(202).end();
      const closed = once(out, 'close');
      for (let i = 0; i < MESSAGES && !out.destroyed; i++) {
        const m = { jsonrpc: '2.0', ...(sse ? { method: 'notifications/progress', params: { progressToken: 't', progress: i, message: FILL } }
          : { method: 'notifications/message', params: { level: 'info', data: { i, fill: FILL } } }) };
        state.written += FILL.length;
        if (!out.write(`data: ${JSON.stringify(m)}\n\n`)) await Promise.race([once(out, 'drain'), closed]);
      }
      out.write('data: {"jsonrpc":"2.0","id":7,"result":{"content":[]}}\n\n');
      if (!sse) out.end();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, state };
}

const rssKb = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);

for (const transport of ['streamable-http', 'sse']) test(`HTTP-15: 50 MB to an agent that stops reading, then reads on: bounded, whole, in order (${transport})`, async (t) => {
  const v = await talkative(t, transport === 'sse');
  const dir = scratch(t);
  writeFileSync(join(dir, 't.yaml'), 'catalog: t\ntools:\n  read: {do: list}\n');
  const s = await serve(t, { upstreams: { vault: { catalog: './t.yaml', url: v.url, transport } }, profiles: { p: { unknown_tools: 'deny' } }, default_profile: 'p' },
    { dir, env: { ASAN_OPTIONS: 'quarantine_size_mb=1:thread_local_quarantine_size_kb=64' } }); // what was freed must not count
  const before = rssKb(s.p.child.pid);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'read', arguments: {}, _meta: { progressToken: 't' } } });
  const socket = dial(s.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(`POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  let got = '';
  let read = 0;
  let next = 0;
  socket.pause();
  let stuck = -1;
  await until('the vault is held back', async () => {
    const was = v.state.written;
    await sleep(1000);
    stuck = was > 0 && v.state.written === was ? was : -1;
    return stuck >= 0;
  });
  assert.ok(stuck < MESSAGES * FILL.length / 2, `${stuck} bytes were taken from the vault`);
  const grown = rssKb(s.p.child.pid) - before;
  assert.ok(grown < 24 * 1024, `narrowgate grew by ${grown} KB`);
  socket.on('data', (d) => {
    read += d.length;
    got += d.toString('latin1');
    for (let m; (m = got.match(/"(?:progress|data)":(?:\{"i":)?(\d+),/)); got = got.slice(m.index + m[0].length)) assert.equal(Number(m[1]), next++);
    if (got.length > 4096 && !got.includes('"result"')) got = got.slice(-4096);
  });
  socket.resume();
  await until('the answer', () => got.includes('"result"'), 60000).catch((e) => { throw new Error(`${e.message}: ${next} of ${MESSAGES} messages, ${read} bytes read, ${v.state.written} written`); });
  assert.equal(next, MESSAGES);
  assert.ok(read > MESSAGES * FILL.length);
});
