// `credential: agent_token`: the API key is exchanged for a token, renewed in time and after a 401; agents and logs see neither.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { BULLETS, call, connect, post, initialize, ready, scratch, serve, sleep, text, until } from './lib.mjs';

const KEY = 'ocv_key-of-the-agent-91';

// The endpoint at /token and the vault at /mcp, which takes the newest token alone.
async function place(t, { life = 3600, answer, key = KEY } = {}) {
  const seen = { exchanges: [], at: [], now: 0, most: 0, calls: 0, good: null, refused: 0 };
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', async () => {
      const json = (status, value) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      if (req.url === '/token') {
        seen.most = Math.max(seen.most, ++seen.now);
        seen.exchanges.push(JSON.parse(body));
        seen.at.push(Date.now());
        await sleep(50);
        seen.now--;
        if (answer?.(json, res, seen)) return;
        seen.good = `jwt.${seen.exchanges.length}.sig`;
        return void json(200, { access_token: seen.good, expires_in: life, token_type: 'Bearer' });
      }
      if (req.headers.authorization !== `Bearer ${seen.good}`) { seen.refused++; return void json(401, { error: 'expired' }); }
      if (req.method !== 'POST') return void res.writeHead(405).end();
      const m = JSON.parse(body);
      if (m.id === undefined) return void res.writeHead(202).end();
      const result = m.method === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'v', version: '1' } }
        : { content: [{ type: 'text', text: JSON.stringify({ path: 'integrations/a', value: 'token-scenario-value' }) }] };
      if (m.method === 'tools/call') seen.calls++;
      json(200, { jsonrpc: '2.0', id: m.id, result });
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const at = `http://127.0.0.1:${server.address().port}`;
  const file = join(scratch(t), 'key');
  writeFileSync(file, `${key}\n`);
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: `${at}/mcp`, credential: { agent_token: { url: `${at}/token`, agent_id: 'agent-7', api_key: { file } } } } },
    profiles: { p: { mask_values: true } }, default_profile: 'p' });
  t.after(() => { for (const secret of [KEY, 'jwt.', 'token-scenario-value']) assert.ok(!(s.p.err + s.p.out).includes(secret), `${secret} in the log`); });
  return { s, seen, file };
}

test('the key is exchanged once, the token goes with every call, and the vault\'s values stay masked', async (t) => {
  const { s, seen } = await place(t);
  await ready(s);
  const client = await connect(t, 1, s);
  for (let i = 0; i < 3; i++) assert.equal(JSON.parse(text(await call(client, 'read_secret', { path: 'integrations/a' }))).value, BULLETS);
  assert.deepEqual(seen.exchanges, [{ agent_id: 'agent-7', api_key: KEY }]);
  assert.equal(seen.refused, 0);
});

test('it is renewed before it runs out, and when the key changes', async (t) => {
  const { s, seen, file } = await place(t, { life: 2 });
  await ready(s);
  await until('a renewal', () => seen.exchanges.length >= 2);
  assert.ok(seen.at[1] - seen.at[0] < 2000 && seen.at[1] - seen.at[0] > 1000, `${seen.at[1] - seen.at[0]} ms`);
  writeFileSync(file, 'ocv_another-key\n');
  await until('the new key', () => seen.exchanges.at(-1).api_key === 'ocv_another-key');
  const client = await connect(t, 1, s);
  assert.equal(JSON.parse(text(await call(client, 'read_secret', { path: 'integrations/a' }))).value, BULLETS);
  assert.equal(seen.most, 1, 'one exchange at a time');
});

test('after a 401 one exchange, and the next call works; the refused one is not sent again', async (t) => {
  const { s, seen } = await place(t);
  await ready(s);
  const client = await connect(t, 1, s);
  await call(client, 'read_secret', { path: 'integrations/a' });
  await sleep(10500); // a token refused at once would not get better by asking again
  seen.good = 'revoked';
  const results = await Promise.allSettled([1, 2, 3].map(() => call(client, 'read_secret', { path: 'integrations/a' })));
  assert.ok(results.every((r) => r.status === 'rejected' && /did not accept/.test(r.reason.message)));
  await until('the exchange', () => seen.exchanges.length === 2 && seen.now === 0);
  await until('it works again', async () => (await call(client, 'read_secret', { path: 'integrations/a' }).catch(() => null)) !== null);
  assert.equal(seen.exchanges.length, 2);
  assert.equal(seen.calls, 2);
});

for (const [what, answer, words] of [
  ['401', (json) => (json(401, { error: 'bad key' }), true), /did not accept it/],
  ['503', (json, res) => (res.writeHead(503).end('busy'), true), /HTTP error/],
  ['no JSON', (json, res) => (res.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), true), /not MCP|no JSON/],
  ['no token', (json) => (json(200, { token: 'x' }), true), /no access_token/],
  ['a token with a line end', (json) => (json(200, { access_token: 'a\r\nX: 1' }), true), /cannot stand in a header/],
  ['a token that has run out', (json) => (json(200, { access_token: 'jwt.0', expires_in: 0 }), true), /run out/],
  ['a redirect', (json, res) => (res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), true), /redirect/],
]) test(`an endpoint that answers ${what}: not ready, calls refused, each attempt waits longer`, async (t) => {
  const { s, seen } = await place(t, { answer });
  await until('the log', () => words.test(s.p.err));
  assert.equal((await fetch(`${s.admin}/readyz`)).status, 503);
  const r = await post(s.url, initialize(1));
  assert.equal(r.status, 503);
  assert.match(r.json.error.message, /credential/);
  await until('three attempts', () => seen.at.length >= 3);
  assert.ok(seen.at[2] - seen.at[1] > seen.at[1] - seen.at[0], `${seen.at[1] - seen.at[0]} then ${seen.at[2] - seen.at[1]} ms`);
});
