// A careless or hostile vault under masking: no value gets through, whatever it is wrapped in, and real clients still take
// what is left for a valid answer.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BULLETS, call, connect, initialize, post, serve, sleep } from './lib.mjs';

const VALUE = 'hunter2';
const object = (properties, more = {}) => ({ type: 'object', properties, ...more });
const string = { type: 'string' };

// Schemas that a masked or filtered answer breaks stand beside some that it does not.
const TOOLS = [
  { name: 'scaivault_read_secret', inputSchema: object({ path: string }),
    outputSchema: object({ path: string, version: { type: 'integer', minimum: 1 }, data: { type: 'object', minProperties: 1 } }, { required: ['path', 'version', 'data'], additionalProperties: false }) },
  { name: 'scaivault_generate_credentials', inputSchema: object({}),
    outputSchema: object({ lease_id: string, password: { type: 'string', minLength: 12, pattern: '^[a-z0-9]+$' } }, { required: ['lease_id', 'password'] }) },
  { name: 'scaivault_list_secrets', inputSchema: object({ prefix: string, tenant_id: string }),
    outputSchema: object({ items: { type: 'array', minItems: 2, items: { $ref: '#/$defs/Item' } }, total: { type: 'integer' } },
      { required: ['items', 'total'], $defs: { Item: object({ path: string, value: { type: 'string', enum: [VALUE] } }) } }) },
  { name: 'scaivault_get_dynamic_engine', inputSchema: object({ engine: string }),
    outputSchema: object({ config: object({ url: string, password: { $ref: '#/$defs/Password' } }) }, { $defs: { Password: { type: 'string', pattern: '^h' } } }) },
];
const twice = (structuredContent) => ({ content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent });
const RESULTS = {
  scaivault_read_secret: twice({ path: 'integrations/a', version: 2, data: { k: VALUE, n: 5 } }),
  scaivault_generate_credentials: twice({ lease_id: 'l1', password: `${VALUE}${VALUE}` }),
  scaivault_list_secrets: twice({ items: [{ path: 'integrations/a', value: VALUE }, { path: 'infra/db', value: VALUE }], total: 2 }),
  scaivault_get_dynamic_engine: twice({ config: { url: `postgres://root:${VALUE}@db/x`, password: VALUE } }),
};
const ARGS = { scaivault_read_secret: { path: 'integrations/a' }, scaivault_list_secrets: { prefix: 'integrations/' }, scaivault_get_dynamic_engine: { engine: 'pg' } };

// Answers every call with `reply`, or with what a tool of that name answers.
async function vault(t, reply) {
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      if (req.method !== 'POST') return void res.writeHead(405).end();
      const m = JSON.parse(body);
      const good = (result) => res.writeHead(200, { 'content-type': 'application/json', 'x-secret': VALUE, 'set-cookie': `v=${VALUE}` })
        .end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }));
      if (m.method === 'initialize') {
        return void good({ protocolVersion: m.params.protocolVersion, capabilities: { tools: {}, logging: {} },
          serverInfo: { name: 'scaivault', version: '1' }, instructions: `password: ${VALUE}` });
      }
      if (m.id === undefined) return void res.writeHead(202).end();
      if (m.method === 'tools/list') return void good({ tools: TOOLS, _meta: { secret: VALUE } });
      if (reply) reply(m, res);
      else good(RESULTS[m.params.name]);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return `http://127.0.0.1:${server.address().port}/mcp`;
}

const before = async (t, reply, profile) => serve(t,
  { upstreams: { vault: { catalog: 'scaivault', url: await vault(t, reply) } }, profiles: { here: profile }, default_profile: 'here' });

for (const sdk of [1, 2]) {
  for (const [name, profile, shown] of [['masked', { mask_values: true }, 4], ['observer, one prefix, one tenant', { extends: 'observer', allowed_paths: ['integrations/'], tenant: 'acme' }, 3]]) {
    test(`MASK-02 MASK-28: SDK ${sdk}.x takes what is left (${name})`, async (t) => {
      const s = await before(t, undefined, profile);
      const client = await connect(t, sdk, { url: s.url });
      const { tools } = await client.listTools();
      assert.ok(!(client.getInstructions() ?? '').includes(VALUE), 'MASK-20');
      assert.equal(tools.length, shown);
      for (const tool of tools) {
        const r = await call(client, tool.name, ARGS[tool.name]);
        const all = JSON.stringify(r);
        assert.ok(!r.isError && all.includes(BULLETS) && !all.includes(VALUE), all);
        if (profile.allowed_paths) assert.ok(!all.includes('infra'), all);
      }
    });
  }
}

const CALL = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'scaivault_read_secret', arguments: { path: 'integrations/a' } } };
const answer = (m, more = '') =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(m.id)},"result":{"content":[{"type":"text","text":"{\\"path\\":\\"integrations/a\\",\\"data\\":{\\"k\\":\\"${VALUE}\\"}}"}]}${more}}`;
const json = (res, text, headers = {}) => res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);
const events = (res, text) => res.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);

// One read by hand; nothing of the value may come back, in whatever place. Gives what came.
async function read(t, reply) {
  const s = await before(t, reply, { mask_values: true });
  const hello = await post(s.url, initialize());
  const r = await post(s.url, CALL, { 'mcp-protocol-version': '2025-11-25' });
  for (const { body, headers } of [hello, r]) assert.ok(!`${body}${[...headers]}`.includes('hunter'), body);
  return r;
}

async function masked(t, reply) {
  const r = await read(t, reply);
  assert.equal(r.status, 200);
  assert.ok(r.body.includes(BULLETS), r.body);
  return r;
}

async function refused(t, reply) {
  const r = await read(t, reply);
  assert.equal(r.status, 502, r.body);
  assert.equal(r.json.error.code, -32603);
}

test('MASK-11: headers and cookies of the vault', (t) => masked(t, (m, res) => json(res, answer(m), { 'x-value': VALUE, link: `<${VALUE}>` })));
test('MASK-13: cut into small pieces', (t) => masked(t, async (m, res) => {
  res.writeHead(200, { 'content-type': 'application/json' });
  for (const piece of answer(m).match(/.{1,7}/gs)) { res.write(piece); await sleep(1); }
  res.end();
}));
test('MASK-13 MASK-16: an event cut at the value, over data lines and bare CR', (t) => masked(t, async (m, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const [head, tail] = [answer(m).slice(0, 24), answer(m).slice(24)];
  res.write(`: ${VALUE}\rdata: ${head}\rda`);
  await sleep(5);
  res.write(`ta: ${tail.slice(0, tail.indexOf('ter2'))}`);
  await sleep(5);
  res.end(`${tail.slice(tail.indexOf('ter2'))}\r\r`);
}));
test('MASK-16: comments, ids, names and fields of events', (t) => masked(t, (m, res) =>
  events(res, `\ufeff: ${VALUE}\nid: ${VALUE}\nretry: 1\nevent: ${VALUE}\n${VALUE}: x\n\nevent: message\nid: ${VALUE}\ndata: ${answer(m)}\n\n`)));
test('MASK-06: a second answer behind the first', (t) => masked(t, (m, res) =>
  events(res, `data: ${answer(m)}\n\ndata: {"jsonrpc":"2.0","id":${m.id},"result":{"content":[{"type":"text","text":"${VALUE}"}]}}\n\n`)));
test('MASK-14 MASK-15: what is said before the answer', async (t) => {
  const event = (m) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...m })}\n\n`;
  const r = await masked(t, (m, res) => events(res,
    event({ method: 'notifications/message', params: { level: 'info', data: `it is ${VALUE}` } }) +
    event({ method: 'notifications/progress', params: { progressToken: 1, progress: 1, message: VALUE, _meta: { x: VALUE } } }) +
    event({ id: 99, method: 'elicitation/create', params: { message: VALUE, requestedSchema: object({}) } }) +
    event({ method: `notifications/${VALUE}` }) + `data: ${answer(m)}\n\n`));
  assert.ok(!r.body.includes('elicitation'), r.body);
});
test('OPS-08: what a vault can make us warn of is counted, not written a thousand times', async (t) => {
  const s = await before(t, (m, res) => events(res, `data: ${answer(m)}\n\n` + 'data: {"jsonrpc":"2.0","id":5,"result":{}}\n\n'.repeat(1000) + 'data: {]\n\n'.repeat(1000)), { mask_values: true });
  await post(s.url, initialize());
  for (let i = 0; i < 3; i++) assert.equal((await post(s.url, CALL, { 'mcp-protocol-version': '2025-11-25' })).status, 200);
  await sleep(300);
  const lines = s.p.err.split('\n').filter((l) => l.includes('dropped') || l.includes('could not be read'));
  assert.ok(lines.length > 0 && lines.length <= 20, `${lines.length} lines`);
});
test('MASK-06: members beside result', (t) => refused(t, (m, res) => json(res, answer(m, `,"extra":"${VALUE}"`))));
test('MASK-06: result and error at once', (t) => refused(t, (m, res) => json(res, answer(m, `,"error":{"code":1,"message":"${VALUE}"}`))));
test('JSON-09: an array of answers', (t) => refused(t, (m, res) => json(res, `[${answer(m)}]`)));
test('JSON-11: the id as a string', (t) => refused(t, (m, res) => json(res, answer({ id: String(m.id) }))));
test('JSON-10: deep', (t) => refused(t, (m, res) => json(res,
  `{"jsonrpc":"2.0","id":${m.id},"result":{"content":[],"structuredContent":${'{"a":'.repeat(3000)}"${VALUE}"${'}'.repeat(3000)}}}`)));
test('MASK-12: compressed', (t) => refused(t, (m, res) => json(res, gzipSync(answer(m)), { 'content-encoding': 'gzip' })));
test('MASK-10: bodies of HTTP errors', (t) => refused(t, (m, res) => res.writeHead(500, { 'content-type': 'text/html' }).end(`<pre>${VALUE}</pre>`)));
test('MASK-13: a large answer', async (t) => {
  const r = await masked(t, (m, res) => json(res, JSON.stringify({ jsonrpc: '2.0', id: m.id,
    result: { content: [], structuredContent: { path: 'integrations/a', data: Array(60000).fill(VALUE) } } })));
  assert.equal(r.json.result.structuredContent.data.length, 60000);
});

test('FP-10: under `open` every byte stays', async (t) => {
  const odd = '{ "content" : [ {"type":"text","text":"\\u0041\\/ \\ud83d\\ude00 \u2028 x"} ], "structuredContent":' +
    '{"n":1E5,"b":12345678901234567890,"z":-0,"d":1.10,"k":[ ]}, "_meta":{"a/b":1},"isError":false }';
  const s = await before(t, (m, res) => json(res, `{"jsonrpc":"2.0","id":${m.id},"result":${odd}}`), { extends: 'open' });
  await post(s.url, initialize());
  const r = await post(s.url, CALL, { 'mcp-protocol-version': '2025-11-25' });
  assert.ok(r.body.includes(odd), r.body);
});
