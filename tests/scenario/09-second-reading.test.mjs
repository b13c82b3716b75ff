// An agent writes its messages itself: whatever two readers could read differently never reaches the vault, what does is
// written as it was judged, and one agent's handles are nobody else's.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { demoVault, initialize, post, ready, serve } from './lib.mjs';

// Keeps every body as it came; answers what a vault would.
async function vault(t) {
  const seen = [];
  const server = createServer((req, res) => {
    const parts = [];
    req.on('data', (d) => parts.push(d));
    req.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const m = text ? JSON.parse(text) : {};
      if (m.method && !/^(initialize|notifications|tools\/list)/.test(m.method)) seen.push({ text, m, url: req.url, headers: req.headers });
      if (m.id === undefined) return void res.writeHead(req.method === 'POST' ? 202 : 405).end();
      const result = m.method === 'initialize'
        ? { protocolVersion: '2025-11-25', capabilities: { tools: {}, resources: {}, completions: {} }, serverInfo: { name: 'scaivault', version: '1' } }
        : m.method === 'tools/list' ? { tools: [] } : { content: [{ type: 'text', text: '{"path":"prod/db","data":{"x":"y"}}' }] };
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }));
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, seen };
}

async function before(t, profile) {
  const v = await vault(t);
  const s = await serve(t, {
    upstreams: { vault: { catalog: 'scaivault', url: v.url } }, profiles: { p: { extends: 'reader', ...profile } }, default_profile: 'p' });
  await ready(s);
  return { v, s };
}

// The headers of a conversation that was opened.
async function open(url, headers = {}) {
  const id = (await post(url, initialize(), headers)).headers.get('mcp-session-id');
  return id ? { ...headers, 'mcp-session-id': id } : headers;
}

const read = (path) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scaivault_read_secret","arguments":{"path":${JSON.stringify(path)}}}}`;

const TWO_READINGS = {
  'JSON-01: path twice': '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scaivault_read_secret","arguments":{"path":"prod/db","path":"infra/db"}}}',
  'JSON-01: path twice, one escaped': '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scaivault_read_secret","arguments":{"path":"prod/db","\\u0070ath":"infra/db"}}}',
  'JSON-01: params twice': '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scaivault_list_secrets"},"params":{"name":"scaivault_delete_secret","arguments":{"path":"prod/db"}}}',
  'JSON-03: Method beside method': '{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"x","params":{"name":"scaivault_read_secret","arguments":{"path":"prod/db"}}}',
  'JSON-03: Arguments beside arguments': '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scaivault_read_secret","arguments":{"path":"prod/db"},"Arguments":{"path":"infra/db"}}}',
  'JSON-04: a comment': read('prod/db').replace('"id":1', '"id":1/*,"x":2*/'),
  'JSON-05: NaN': read('prod/db').replace('"id":1', '"id":NaN'),
  'JSON-06: a lone surrogate': read('prod/db').replace('prod/db', 'prod/\\ud800db'),
  'JSON-06: overlong UTF-8': Buffer.concat([Buffer.from(read('prod/').slice(0, -4)), Buffer.from([0xc0, 0xae, 0xc0, 0xae]), Buffer.from('"}}}')]),
  'JSON-07: a BOM': `\ufeff${read('prod/db')}`,
  'JSON-07: UTF-16': Buffer.from(read('prod/db'), 'utf16le'),
  'JSON-08: a second message': read('prod/db') + read('infra/db'),
  'JSON-08: a second line': `${read('prod/db')}\n${read('infra/db')}`,
  'JSON-09: a batch': `[${read('prod/db')},${read('infra/db')}]`,
  'JSON-10: nesting': read('prod/db').replace('{"path":"prod/db"}', `{"path":"prod/db","x":${'['.repeat(5000)}${']'.repeat(5000)}}`),
  'JSON-13: params is an array': '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[{"name":"scaivault_read_secret"}]}',
  'JSON-14: Path beside path': '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scaivault_read_secret","arguments":{"path":"prod/db","Path":"infra/db"}}}',
  'JSON-16: __proto__': '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scaivault_read_secret","arguments":{"path":"prod/db","__proto__":{"path":"infra/db"}}}}',
  'RO-09: as a task that says more': '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"scaivault_read_secret","arguments":{"path":"prod/db"},"task":{"path":"infra/db"}}}',
};

test('a message with two readings reaches nobody', async (t) => {
  const { v, s } = await before(t, { allowed_paths: ['prod/'] });
  const session = await open(s.url);
  for (const [what, body] of Object.entries(TWO_READINGS)) {
    const r = await fetch(s.url, { method: 'POST', body,
      headers: { ...session, 'content-type': 'application/json', accept: 'application/json, text/event-stream' } });
    const answer = await r.text();
    assert.ok(/"error":\{|"isError":true/.test(answer), `${what}: ${r.status} ${answer}`);
    assert.deepEqual(v.seen, [], what);
  }
  const good = await post(s.url, read('prod/db'), session);
  assert.equal(good.json.result.isError, undefined, good.body);
  assert.equal(v.seen.length, 1, 'the same call, written once, goes through');
});

test('PATH-04, PATH-11, JSON-02: the vault gets the form that was judged', async (t) => {
  const { v, s } = await before(t, { allowed_paths: ['prod/', 'caf\u00e9/'] });
  const session = await open(s.url);
  for (const [sent, got] of [['/prod/db/', 'prod/db'], ['cafe\u0301/db', 'caf\u00e9/db'], ['prod/db', 'prod/db']]) {
    const r = await post(s.url, read(sent), session);
    assert.equal(r.json.result?.isError, undefined, r.body);
    assert.equal(v.seen.at(-1).m.params.arguments.path, got);
  }
  await post(s.url, read('prod/db').replace('"path"', '"p\\u0061th"'), session);
  assert.ok(v.seen.at(-1).text.includes('"path":"prod/db"'), v.seen.at(-1).text);
});

test('TEN-06, TEN-08: tenants of headers and queries go nowhere, the locked one is filled in', async (t) => {
  const { v, s } = await before(t, { tenant: 'acme' });
  const session = await open(s.url);
  const r = await post(s.url, read('a/b'), { ...session, 'x-tenant-id': 'globex', 'x-vault-id': 'globex', tenant: 'globex' });
  assert.equal(r.json.result?.isError, undefined, r.body);
  const got = v.seen.at(-1);
  assert.equal(got.m.params.arguments.tenant_id, 'acme');
  assert.ok(!JSON.stringify(got.headers).includes('globex'));
  const asked = await post(`${s.url}?tenant_id=globex`, read('a/b'), session);
  assert.ok(asked.status >= 400 || !v.seen.at(-1).url.includes('globex'), 'a query is refused or dropped');
  await post(s.url, { jsonrpc: '2.0', id: 2, method: 'completion/complete', params: {
    ref: { type: 'ref/resource', uri: 'scaivault://secrets/{tenant}/{path}' }, argument: { name: 'path', value: '' } } }, session);
  assert.deepEqual(v.seen.at(-1).m.params.context, { arguments: { tenant: 'acme' } });
});

test('TEN-06: a vault that takes its tenant from a header is told the locked one', async (t) => {
  const v = await vault(t);
  const s = await serve(t, {
    upstreams: { vault: { catalog: '1claw', url: v.url } }, profiles: { p: { extends: 'observer', tenant: 'v-1' } }, default_profile: 'p' });
  await ready(s);
  const session = await open(s.url);
  await post(s.url, read('a/b').replace('scaivault_read_secret', 'get_secret'), { ...session, 'x-vault-id': 'v-2' });
  assert.equal(v.seen.at(-1).headers['x-vault-id'], 'v-1');
});

test('PATH-24: a handle given to one agent is no other agent\'s', async (t) => {
  const keys = { one: 'key-of-agent-one-0123456789', two: 'key-of-agent-two-0123456789' };
  const sha = (k) => createHash('sha256').update(k).digest('hex');
  const s = await serve(t, {
    upstreams: { vault: { catalog: 'demo', url: (await demoVault(t)).url } },
    profiles: { p: { extends: 'reader', allowed_paths: ['integrations/'], tenant: 'acme' } },
    agents: Object.entries(keys).map(([name, k]) => ({ name, profile: 'p', identify: { api_key_sha256: sha(k) } })) });
  await ready(s);
  const one = await open(s.url, { authorization: `Bearer ${keys.one}` }), two = await open(s.url, { authorization: `Bearer ${keys.two}` });
  const call = (name, args, headers) => post(s.url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }, headers);
  const lease = await call('lease_secret', { path: 'integrations/stripe/api-key' }, one);
  const { lease_handle } = JSON.parse(lease.json.result.content[0].text);
  const stolen = await call('redeem_lease', { lease_handle }, two);
  assert.equal(stolen.json.result._meta['narrowgate.dev/refusal'].rule, 'unknown-handle', stolen.body);
  const mine = await call('redeem_lease', { lease_handle }, one);
  assert.equal(mine.json.result.isError, undefined, mine.body);
});

test('HTTP-03: who calls is who proved it: keys, sessions and upstreams of one agent are no other agent\'s', async (t) => {
  const v = await demoVault(t);
  const hash = (key) => createHash('sha256').update(key).digest('hex');
  const s = await serve(t, { upstreams: { a: { catalog: 'demo', url: v.url }, b: { catalog: 'demo', url: v.url } },
    agents: [{ name: 'one', profile: 'observer', upstreams: ['a'], identify: { api_key_sha256: hash('key-one') } },
      { name: 'two', profile: 'observer', identify: { api_key_sha256: hash('key-two') } }] });
  const at = (name) => s.url.replace('/mcp', `/${name}/mcp`);
  const [one, two] = ['key-one', 'key-two'].map((k) => ({ authorization: `Bearer ${k}` }));
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  for (const headers of [{}, { authorization: 'Bearer key-on' }, { authorization: `Bearer ${hash('key-one')}` }, { authorization: 'Basic key-one' }]) {
    const r = await post(at('a'), initialize(), headers);
    assert.equal(r.status, 401);
    assert.equal(r.headers.get('www-authenticate'), 'Bearer');
  }
  assert.equal((await post(at('b'), initialize(), one)).status, 404, 'not its upstream');
  const session = { 'mcp-session-id': (await post(at('a'), initialize(), one)).headers.get('mcp-session-id') };
  assert.equal((await post(at('a'), list, { ...session, ...one })).status, 200);
  assert.equal((await post(at('a'), list, { ...session, ...two })).status, 404);
  assert.equal((await post(at('a'), list, session)).status, 401);
  assert.equal((await post(at('b'), list, { ...session, ...two })).status, 404);
  assert.equal((await fetch(at('a'), { method: 'DELETE', headers: { ...session, ...two } })).status, 404);
  assert.equal((await post(at('a'), list, { ...session, ...one })).status, 200, 'still there');
});

// Each took minutes when its cost grew with the square of its size; now it is a fraction of a second.
test('OPS-08: one message cannot hold the process: many keys beside a folder, many folders, many paths in another spelling', async (t) => {
  const v = await vault(t);
  const odd = (word, i) => word + i.toString(2).padStart(17, '0').replaceAll('0', '_').replaceAll('1', '-');
  const many = (n, word) => Object.fromEntries(Array.from({ length: n }, (_, i) => [odd(word, i), 'prod']));
  const calls = {
    generic: [['get_secret', { ...many(30000, 'key'), folder: 'prod' }, false], ['get_secret', many(30000, 'folder')], ['get_secret', { ...many(9, 'folder'), key: 'x' }]],
    scaivault: [['scaivault_create_policy', { name: 'x', rules: Array.from({ length: 40000 }, (_, i) => ({ path: `/prod/${i % 7}` })) }]],
  };
  for (const [catalog, list] of Object.entries(calls)) {
    const s = await serve(t, { upstreams: { vault: { catalog, url: v.url } }, profiles: { p: { allowed_paths: ['prod/'] } }, default_profile: 'p' });
    await post(s.url, initialize());
    for (const [name, args, refused = true] of list) {
      const from = Date.now();
      const r = await post(s.url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });
      assert.equal(r.status, 200, r.body.slice(0, 300));
      assert.equal(/Refused by narrowgate/.test(r.body), refused);
      assert.ok(Date.now() - from < 8000, `${catalog} ${name}: ${Date.now() - from} ms`);
    }
  }
});
