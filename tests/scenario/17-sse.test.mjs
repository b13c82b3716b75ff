// Agents that speak HTTP+SSE (2024-11-05) only: the guards bite, and the key of a stream is its agent's and nobody's to read.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BULLETS, bin, call, connect, demoVault, initialize, leaks, post, ready, scratch, serve, text, until } from './lib.mjs';

const profile = { extends: 'observer', allowed_paths: ['integrations/', 'apps/'], tenant: 'acme' };

async function place(t, up, more = {}) {
  const dir = scratch(t);
  const upstream = up === 'http' ? { url: (await demoVault(t)).url } : { command: [bin, 'demo-vault'] };
  const audit = join(dir, 'audit.jsonl');
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', ...upstream } }, profiles: { agent: profile }, audit: { file: audit },
    ...(more.agents ?? { default_profile: 'agent' }) }, { dir });
  await ready(s);
  return { s, sse: s.url.replace(/mcp$/, 'sse'), logs: () => s.p.err + s.p.out + readFileSync(audit, 'utf8') };
}

// A stream by hand: { target, text(), close() }.
async function open(t, sse, headers = {}) {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const r = await fetch(sse, { headers: { accept: 'text/event-stream', ...headers }, signal: stop.signal });
  const got = { status: r.status, text: '', close: () => stop.abort() };
  if (r.status !== 200) return got;
  (async () => { for await (const part of r.body) got.text += Buffer.from(part).toString(); })().catch(() => {});
  const data = await until('the endpoint event', () => /^event: endpoint\ndata: (\S+)\n\n/.exec(got.text));
  got.target = new URL(data[1], sse).href;
  got.key = new URL(got.target).searchParams.get('sessionId');
  return got;
}

for (const up of ['http', 'stdio']) {
  test(`the main job over HTTP+SSE, the vault on ${up}`, async (t) => {
    const { sse, logs } = await place(t, up);
    const client = await connect(t, 1, { sse });
    const names = (await client.listTools()).tools.map((x) => x.name);
    assert.ok(names.includes('read_secret') && !names.includes('write_secret'), `${names}`);
    const read = await call(client, 'read_secret', { path: 'integrations/stripe/api-key' });
    assert.equal(JSON.parse(text(read)).value, BULLETS);
    const refused = async (name, args, rule) => {
      const r = await call(client, name, args);
      assert.equal(r.isError, true);
      assert.equal(r._meta['narrowgate.dev/refusal'].rule, rule);
    };
    await refused('write_secret', { path: 'integrations/stripe/api-key', value: 'x' }, 'read-only');
    await refused('read_secret', { path: 'infra/db/primary/credentials' }, 'allowed-paths');
    assert.deepEqual(leaks(JSON.stringify(read) + logs()), []);
  });
}

test('HTTP-06: a key is good for its agent while its stream is open, and stands in no log', async (t) => {
  const token = (n) => `token-of-${n}-0123456789abcdef`;
  const agents = { agents: ['one', 'two'].map((name) => ({ name, profile: 'agent',
    identify: { api_key_sha256: createHash('sha256').update(token(name)).digest('hex') } })) };
  const { sse, logs } = await place(t, 'http', { agents });
  const as = (n) => ({ authorization: `Bearer ${token(n)}` });
  assert.equal((await open(t, sse)).status, 401, 'nobody gets a stream');
  const one = await open(t, sse, as('one'));
  assert.match(one.key, /^[0-9a-f]{32}$/);
  const two = await open(t, sse, as('two'));
  assert.notEqual(one.key, two.key);
  assert.equal((await post(one.target, initialize(1), as('two'))).status, 404);
  assert.equal((await post(one.target, initialize(1))).status, 404);
  assert.equal((await post(one.target, initialize(1), as('one'))).status, 202);
  await until('the answer on the stream', () => one.text.includes('"id":1') && one.text.includes('serverInfo'));
  assert.ok(!two.text.includes('event: message'));
  one.close();
  await until('the key is forgotten', async () => (await post(one.target, initialize(2), as('one'))).status === 404);
  for (const key of [one.key, two.key]) assert.ok(!logs().includes(key), 'no key in logs or audit');
});

test('an open stream does not hold the process up: it ends, and the process with it', async (t) => {
  const { s, sse } = await place(t, 'stdio');
  const stream = await open(t, sse);
  assert.equal((await post(stream.target, initialize(1))).status, 202);
  await until('the answer', () => stream.text.includes('serverInfo'));
  assert.equal((await post(stream.target, { jsonrpc: '2.0', method: 'notifications/initialized' })).status, 202);
  const began = Date.now();
  assert.equal(await s.p.stop(), 0);
  assert.ok(Date.now() - began < 4000, 'before the drain period is over');
});

test('256 messages of one stream may be in flight: the next is refused, the others are answered, and there is room again', async (t) => {
  const s = await serve(t, { upstreams: { vault: { catalog: join(import.meta.dirname, 'servers/both-ways.yaml'),
    command: [process.execPath, join(import.meta.dirname, 'servers/both-ways.mjs')] } } });
  await ready(s);
  const stream = await open(t, s.url.replace(/mcp$/, 'sse'));
  const send = (m) => post(stream.target, { jsonrpc: '2.0', ...m });
  const answered = (id) => new RegExp(`"id":${id}[,}]`).test(stream.text);
  await send({ ...initialize(0), id: 0 });
  await until('the hello', () => answered(0));
  await send({ method: 'notifications/initialized' });
  const waits = (id, ms) => send({ id, method: 'tools/call', params: { name: 'wait', arguments: { ms } } });
  const codes = (await Promise.all(Array.from({ length: 300 }, (_, i) => waits(i + 1, 3000)))).map((r) => r.status);
  const taken = codes.filter((c) => c === 202).length;
  assert.ok(taken >= 200 && taken <= 256, `${taken} were taken`);
  assert.equal(codes.filter((c) => c === 503).length, 300 - taken);
  await until('their answers', () => codes.every((c, i) => c === 503 || answered(i + 1)));
  assert.equal((await waits(999, 1)).status, 202);
  await until('the next answer', () => answered(999));
});
