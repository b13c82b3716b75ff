// A message of several megabytes is worked through in slices: what is small goes on beside it, and nothing is lost or let through
// when somebody leaves in the middle.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as dial } from 'node:net';
import { test } from 'node:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BULLETS, post, scratch, serve, until } from './lib.mjs';

const ROWS = 12000;
const SECRET = 'hunter2-of-row-';
const rows = Array.from({ length: ROWS }, (_, i) => ({ path: i % 2 ? `dev/app/${i}` : `prod/app/${i}`, value: `${SECRET}${i}`,
  note: 'a row like every other, "quoted"\n' }));
const CATALOG = `catalog: t
tools:
  export: {do: read, path_optional: true, path: "{prefix}", covers: prefix, out: {as: json, values: ["$.items[*].value"], keep: ["$.items[*].note"], items: "$.items[*]", path: "{path}", count: "$.total"}}
  put: {do: write, path: "{path}", secret_args: [value]}
  look: {do: meta}
`;

// Answers `export` with 3 MB of JSON in a text, remembers what reached it.
async function vault(t, sse) {
  const state = { sent: 0, puts: [] };
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const d of req) body += d;
    const m = JSON.parse(body);
    let result = { content: [{ type: 'text', text: 'ok' }] };
    if (m.params.name === 'put') state.puts.push(m.params.arguments.value.length);
    if (m.params.name === 'export') result = { content: [{ type: 'text', text: JSON.stringify({ items: rows, total: ROWS }, null, 1) }] };
    const json = JSON.stringify({ jsonrpc: '2.0', id: m.id, result });
    res.writeHead(200, { 'content-type': sse ? 'text/event-stream' : 'application/json' });
    res.end(sse ? `data: ${json}\n\n` : json);
    if (m.params.name === 'export') state.sent++;
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, state };
}

async function setUp(t, { sse = false, profile = { mask_values: true, denied_paths: ['prod/'] } } = {}) {
  const dir = scratch(t);
  const v = await vault(t, sse);
  writeFileSync(join(dir, 't.yaml'), CATALOG);
  const s = await serve(t, { upstreams: { vault: { catalog: './t.yaml', url: v.url, max_message: '16MiB' } }, profiles: { p: profile }, default_profile: 'p' }, { dir });
  return { ...s, v };
}

const ask = (id, name, args = {}) => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });

function checkExport(r) {
  assert.equal(r.status, 200);
  const answer = r.json ?? JSON.parse(r.body.match(/^data: (.*)$/m)[1]);
  const got = JSON.parse(answer.result.content[0].text);
  assert.equal(got.total, ROWS / 2);
  assert.equal(got.items.length, ROWS / 2);
  assert.ok(got.items.every((x) => x.path.startsWith('dev/app/') && x.value === BULLETS && x.note === rows[0].note));
  assert.ok(!r.body.includes(SECRET) && !r.body.includes('prod/'));
}

for (const sse of [false, true]) {
  test(`3 MB ${sse ? 'as an event' : 'in one body'}: masked and filtered whole, small calls pass by`, async (t) => {
    const s = await setUp(t, { sse });
    const done = { big: 0 };
    const big = [1, 2, 3].map((i) => post(s.url, ask(i, 'export')).then((r) => { done.big++; checkExport(r); }));
    await until('the vault has sent', () => s.v.state.sent > 0);
    let between = 0;
    for (let i = 0; done.big < 3; i++) {
      const r = await post(s.url, ask(`small-${i}`, 'look'));
      assert.equal((r.json ?? JSON.parse(r.body.match(/^data: (.*)$/m)[1])).id, `small-${i}`);
      if (done.big < 3) between++;
    }
    await Promise.all(big);
  assert.ok(between > 3, `${between} small calls came through beside three long ones`);
  });
}

// Sends a request and goes away without reading.
async function leave(port, message, waitMs) {
  const body = JSON.stringify(message);
  const socket = dial(port, '127.0.0.1');
  const closed = once(socket.on('error', () => {}), 'close');
  socket.end(`POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  await new Promise((r) => setTimeout(r, waitMs));
  socket.destroy();
  await closed;
}

test('agents that leave while their long messages are read: the others never notice', async (t) => {
  const s = await setUp(t);
  const value = `${'x\\"\n'.repeat(500_000)}`;
  for (let i = 0; i < 12; i++) await leave(s.port, i % 2 ? ask(i, 'export') : ask(i, 'put', { path: 'dev/a', value }), 5 * i);
  checkExport(await post(s.url, ask(100, 'export')));
  const r = await post(s.url, ask(101, 'put', { path: 'dev/a', value }));
  assert.equal(r.json.result.content[0].text, 'ok');
  assert.ok(s.v.state.puts.every((n) => n === value.length));
  assert.equal(await s.p.stop(), 0);
});

test('long requests are judged like short ones', async (t) => {
  const s = await setUp(t);
  const value = 'line of a file\n'.repeat(200_000);
  const refused = await post(s.url, ask(1, 'put', { path: 'prod/a', value }));
  assert.equal(refused.json.result.isError, true);
  const broken = await post(s.url, `${JSON.stringify(ask(2, 'put', { path: 'dev/a', value })).slice(0, -1)},"id":3}`);
  assert.equal(broken.status, 400);
  assert.deepEqual(s.v.state.puts, []);
  const passed = await post(s.url, ask(4, 'put', { path: 'dev/a', value }));
  assert.equal(passed.json.result.content[0].text, 'ok');
  assert.deepEqual(s.v.state.puts, [value.length]);
});

test('the end in the middle of long answers: a reload, then a drain', async (t) => {
  const s = await setUp(t);
  const calls = [1, 2, 3, 4].map((i) => post(s.url, ask(i, 'export')));
  await until('the vault has sent', () => s.v.state.sent > 0);
  s.p.child.kill('SIGHUP');
  await until('reloaded', () => /reload|configuration/.test(s.p.err));
  const stopped = s.p.stop();
  for (const c of calls) {
    const r = await c.catch(() => null);
    if (r?.status === 200) checkExport(r);
  }
  assert.equal(await stopped, 0);
});
