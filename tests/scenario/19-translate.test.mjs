// `era: translate`: agents and vaults whose revisions have nothing in common, over every pair of transports; guards bite as ever.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { join } from 'node:path';
import * as types1 from '@modelcontextprotocol/sdk/types.js';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { bin, BULLETS, call, connect, freePort, here, post, initialize, ready, run, serve, sleep, text, until, writeConfig } from './lib.mjs';

const STATELESS = '2026-07-28';

// A vault of servers/NAME.mjs behind narrowgate: { url } or { args } for the agent.
async function place(t, name, down, up, { era = 'translate', profile } = {}) {
  const script = join(here, 'servers', `${name}.mjs`);
  let upstream = { command: [process.execPath, script] };
  if (up !== 'stdio') {
    const port = await freePort();
    const p = run(t, [script, String(port), ...(up === 'http' ? [] : [up])], { command: process.execPath });
    await until('the vault', () => p.err.includes('listening'));
    upstream = { url: `http://127.0.0.1:${port}/${up === 'sse' ? 'sse' : 'mcp'}`, ...(up === 'sse' ? { transport: 'sse' } : {}) };
  }
  const config = { upstreams: { vault: { catalog: join(here, `servers/${name}.yaml`), era, ...upstream } }, profiles: { agent: profile }, default_profile: 'agent' };
  if (down === 'stdio') return { args: ['stdio', '-c', (await writeConfig(t, config)).file] };
  const s = await serve(t, config);
  await ready(s);
  return { url: s.url, s };
}

async function modern(t, where, setup) {
  const client = new Client2({ name: 'agent', version: '1' }, { capabilities: { elicitation: {}, sampling: {}, roots: {} }, versionNegotiation: { mode: { pin: STATELESS } } });
  setup?.(client);
  await client.connect(where.url ? new Http2(new URL(where.url)) : new Stdio2({ command: bin, args: where.args, stderr: 'pipe' }));
  t.after(() => client.close());
  return client;
}

const before = { mask_values: true, allowed_paths: ['dev/'], actions: ['list', 'meta', 'read', 'write'] };

for (const down of ['http', 'stdio', 'sse']) for (const up of ['http', 'stdio'])
  test(`PATH-25, MASK-01: an agent with a handshake before a vault of ${STATELESS}, ${down} to ${up}`, async (t) => {
    const where = await place(t, 'stateless', down === 'sse' ? 'http' : down, up, { profile: before });
    if (down === 'sse') { where.sse = where.url.replace(/mcp$/, 'sse'); delete where.url; }
    const asked = [], updated = [];
    const client = await connect(t, 1, where, { capabilities: { elicitation: {} }, setup: (c) => {
      c.setRequestHandler(types1.ElicitRequestSchema, ({ params }) => { asked.push(params.message); return { action: 'accept', content: { ok: true } }; });
      c.setNotificationHandler(types1.ResourceUpdatedNotificationSchema, (n) => updated.push(n.params.uri));
    } });
    assert.equal(client.getServerVersion().name, 'stateless-vault');
    await client.ping();
    assert.deepEqual((await client.listTools()).tools.map((x) => x.name).sort(), ['list_secrets', 'read_secret', 'seen', 'touch', 'wait', 'write_secret']);
    assert.equal(text(await call(client, 'write_secret', { path: 'dev/b', value: 'x' })), 'written dev/b');
    assert.deepEqual(asked, ['Write dev/b?']);
    const progress = [];
    const listed = await client.callTool({ name: 'list_secrets', arguments: {} }, undefined, { onprogress: (p) => progress.push(p.progress) });
    assert.deepEqual(JSON.parse(text(listed)), { items: [{ path: 'dev/a' }, { path: 'dev/b' }], total: 2 });
    assert.ok(!('resultType' in listed));
    assert.deepEqual(progress, [1, 2]);
    assert.deepEqual(JSON.parse(text(await call(client, 'read_secret', { path: 'dev/a', region: 'zürich' }))), { path: 'dev/a', value: BULLETS });
    const refused = await call(client, 'read_secret', { path: 'prod/c' });
    assert.equal(refused.isError, true);
    assert.match(text(refused), /allowed-paths/);
    const resources = await client.listResources();
    assert.deepEqual(resources.resources.map((r) => r.uri), ['vault://kv/dev/a', 'vault://kv/dev/b']);
    assert.ok(!('ttlMs' in resources) && !('cacheScope' in resources));
    assert.equal((await client.readResource({ uri: 'vault://kv/dev/a' })).contents[0].text, BULLETS);
    await assert.rejects(client.readResource({ uri: 'vault://kv/prod/c' }), /not found/i);
    await client.setLoggingLevel('info');
    await client.subscribeResource({ uri: 'vault://kv/dev/a' });
    await assert.rejects(client.subscribeResource({ uri: 'vault://kv/prod/c' }));
    await until('the update', async () => { await call(client, 'touch', { path: 'dev/a' }); await sleep(100); return updated.length; });
    await call(client, 'touch', { path: 'prod/c' });
    await sleep(100);
    assert.deepEqual([...new Set(updated)], ['vault://kv/dev/a']);
    const seen = async () => JSON.parse(text(await call(client, 'seen')));
    const stop = new AbortController();
    const waiting = client.callTool({ name: 'wait', arguments: { ms: 3000 } }, undefined, { signal: stop.signal });
    await until('the call', async () => (await seen()).calls.some(([name]) => name === 'wait'));
    stop.abort('enough');
    await assert.rejects(waiting);
    await until('the cancel', async () => (await seen()).cancelled === 1);
    const { calls, headers } = await seen();
    assert.ok(!JSON.stringify(calls).includes('prod/c') || calls.filter(([name]) => name === 'read_secret').every(([, a]) => a.path === 'dev/a'));
    assert.equal(calls.filter(([name]) => name === 'write_secret').length, 2, 'two rounds');
    if (up === 'http') {
      assert.ok(headers.every((h) => h['mcp-method'] === 'initialize' || h['mcp-protocol-version'] === STATELESS || h['mcp-method'] === undefined));
      assert.ok(headers.some((h) => h['mcp-name'] === 'read_secret' && h['mcp-param-region'] === '=?base64?esO8cmljaA==?='), 'headers repeat the arguments');
    }
  });

test('HTTP-07: an argument that a header must repeat, by an agent that has never read the tool list', async (t) => {
  const where = await place(t, 'stateless', 'http', 'http', { profile: before });
  const client = await connect(t, 1, where);
  assert.deepEqual(JSON.parse(text(await call(client, 'read_secret', { path: 'dev/a', region: 'eu' }))), { path: 'dev/a', value: BULLETS });
  const { calls, headers } = JSON.parse(text(await call(client, 'seen')));
  assert.equal(calls.filter(([name]) => name === 'read_secret').length, 1);
  assert.ok(headers.some((h) => h['mcp-param-region'] === 'eu'));
});

test('a cancel means the agent\'s own call, whatever numbers the vault knows', async (t) => {
  const where = await place(t, 'both-ways', 'stdio', 'stdio', { profile: {} });
  const client = await modern(t, where);
  const stop = new AbortController();
  const others = [1, 2, 3].map((n) => call(client, 'wait', { ms: 700 + n }));
  const mine = assert.rejects(client.callTool({ name: 'wait', arguments: { ms: 3000 } }, { signal: stop.signal }));
  await sleep(200);
  stop.abort('enough');
  await mine;
  assert.deepEqual((await Promise.all(others)).map(text), ['waited', 'waited', 'waited']);
});

for (const down of ['http', 'stdio']) for (const up of ['http', 'json', 'stdio', 'sse'])
  test(`MASK-01, MASK-14: an agent of ${STATELESS} before a vault with a handshake, ${down} to ${up}`, async (t) => {
    const where = await place(t, 'both-ways', down, up, { profile: { mask_values: true, unknown_tools: 'deny' } });
    const asked = [], heard = [], changed = [];
    const client = await modern(t, where, (c) => {
      c.setRequestHandler('elicitation/create', ({ params }) => { asked.push(params.message); return { action: 'accept', content: { answer: 'blue' } }; });
      c.setRequestHandler('sampling/createMessage', () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: 'hi' } }));
      c.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home/agent', name: 'home' }] }));
      c.setNotificationHandler('notifications/message', (n) => heard.push(n.params.data));
      c.setNotificationHandler('notifications/tools/list_changed', () => changed.push(1));
    });
    const pages = [];
    for (let cursor; ;) {
      const page = await client.listTools(cursor === undefined ? {} : { cursor }, { cacheMode: 'bypass' });
      assert.equal(page.cacheScope, 'private');
      pages.push(...page.tools.map((x) => x.name));
      if (!(cursor = page.nextCursor)) break;
    }
    assert.ok(pages.includes('echo') && pages.includes('read'), `${pages}`);
    assert.equal(text(await call(client, 'echo', { text: 'ä "quoted" \u2028 line' })), 'ä "quoted" \u2028 line');
    if (up !== 'json') { // answers as JSON have no place for what comes before them
      const progress = [];
      assert.equal(text(await client.callTool({ name: 'count_to', arguments: { n: 3, pause_ms: 20 } }, { onprogress: (p) => progress.push(p.progress) })), 'counted to 3');
      assert.deepEqual(progress, [1, 2, 3]);
      assert.equal(text(await call(client, 'ask_user')), 'accept blue');
      assert.equal(text(await call(client, 'ask_aside')), 'accept blue');
      assert.deepEqual(asked, ['Which?', 'Aside?']);
      assert.equal(text(await call(client, 'ask_model')), 'hi');
      assert.equal(text(await call(client, 'ask_roots')), 'file:///home/agent');
    }
    assert.deepEqual(JSON.parse(text(await call(client, 'read', { path: 'a/b' }))), { path: 'a/b', value: BULLETS });
    await assert.rejects(call(client, 'no_such_tool'), /Unknown tool/);
    await client.listen({ toolsListChanged: true });
    await until('the news', async () => { await call(client, 'talk'); await sleep(100); return changed.length; });
    const stop = new AbortController();
    const waiting = client.callTool({ name: 'wait', arguments: { ms: 2000 } }, { signal: stop.signal });
    await sleep(150);
    stop.abort('enough');
    await assert.rejects(waiting);
    await until('the vault hears of the cancel', async () => text(await call(client, 'last_cancel')) !== 'none');
    assert.ok(!JSON.stringify(heard).includes('both-ways-value'), 'no value in a notification');
  });

test('agents of one id at once: each gets its own answer, though the vault has one conversation for all', async (t) => {
  const where = await place(t, 'both-ways', 'http', 'http', { profile: {} });
  const meta = { 'io.modelcontextprotocol/protocolVersion': STATELESS, 'io.modelcontextprotocol/clientCapabilities': {} };
  const echo = (n) => post(where.url, { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'echo', arguments: { text: `${n}` }, _meta: meta } },
    { 'mcp-protocol-version': STATELESS, 'mcp-method': 'tools/call', 'mcp-name': 'echo' });
  const got = await Promise.all(Array.from({ length: 20 }, (_, n) => echo(n)));
  for (const [n, r] of got.entries()) {
    const m = r.json ?? JSON.parse(/^data: (.*)$/m.exec(r.body)[1]);
    assert.equal(m.id, 7);
    assert.equal(m.result.content[0].text, `${n}`);
    assert.equal(m.result.resultType, 'complete');
  }
});

test('a round goes on with its own call only: another call, another state or none is refused, and the vault is asked once', async (t) => {
  const where = await place(t, 'both-ways', 'http', 'http', { profile: {} });
  const meta = { 'io.modelcontextprotocol/protocolVersion': STATELESS, 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
  const ask = async (more, name = 'ask_user') => {
    const r = await post(where.url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta: meta, ...more } },
      { 'mcp-protocol-version': STATELESS, 'mcp-method': 'tools/call', 'mcp-name': name });
    return r.json ?? JSON.parse(/^data: (.*)$/m.exec(r.body)[1]);
  };
  const first = await ask({});
  assert.equal(first.result.resultType, 'input_required');
  assert.equal(first.result.inputRequests.ask.method, 'elicitation/create');
  const { requestState } = first.result;
  const inputResponses = { ask: { action: 'accept', content: { answer: 'red' } } };
  assert.match((await ask({ inputResponses, requestState: 'x' })).error.message, /unknown or too old/);
  assert.match((await ask({ inputResponses })).error.message, /unknown or too old/);
  assert.match((await ask({ inputResponses, requestState }, 'ask_model')).error.message, /not the call/);
  assert.match((await ask({ inputResponses: {}, requestState })).error.message, /lacks the answer/);
  assert.equal((await ask({ inputResponses, requestState })).result.content[0].text, 'accept red');
  assert.match((await ask({ inputResponses, requestState })).error.message, /unknown or too old/, 'once');
});

test('a call that comes to its time limit ends alone: a round of the same id goes on', async (t) => {
  const port = await freePort();
  const p = run(t, [join(here, 'servers/both-ways.mjs'), String(port)], { command: process.execPath });
  await until('the vault', () => p.err.includes('listening'));
  const s = await serve(t, { upstreams: { vault: { catalog: join(here, 'servers/both-ways.yaml'), era: 'translate', timeout: '1s', url: `http://127.0.0.1:${port}/mcp` } },
    profiles: { agent: {} }, default_profile: 'agent' });
  await ready(s);
  const meta = { 'io.modelcontextprotocol/protocolVersion': STATELESS, 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
  const say = async (name, args, more) => {
    const r = await post(s.url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta: meta, ...more } },
      { 'mcp-protocol-version': STATELESS, 'mcp-method': 'tools/call', 'mcp-name': name });
    return r.json ?? JSON.parse(/^data: (.*)$/m.exec(r.body)[1]);
  };
  const { requestState } = (await say('ask_user', {})).result;
  assert.match((await say('wait', { ms: 5000 })).error.message, /in time/);
  const inputResponses = { ask: { action: 'accept', content: { answer: 'red' } } };
  assert.equal((await say('ask_user', {}, { inputResponses, requestState })).result?.content[0].text, 'accept red');
});

const asksEarly = { catalog: join(here, 'servers/asks-early.yaml'), era: 'translate' };

test('a round whose call the vault has answered meanwhile, on a stream that it leaves open, is told that answer', async (t) => {
  const port = await freePort();
  const p = run(t, [join(here, 'servers/asks-early.mjs'), 'handshake', String(port)], { command: process.execPath });
  await until('the vault', () => p.err.includes('listening'));
  const s = await serve(t, { upstreams: { vault: { ...asksEarly, url: `http://127.0.0.1:${port}/mcp` } }, profiles: { agent: {} }, default_profile: 'agent' });
  await ready(s);
  const meta = { 'io.modelcontextprotocol/protocolVersion': STATELESS, 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
  const ask = async (more) => {
    const r = await Promise.race([sleep(5000), post(s.url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'ask', arguments: {}, _meta: meta, ...more } },
      { 'mcp-protocol-version': STATELESS, 'mcp-method': 'tools/call', 'mcp-name': 'ask' })]);
    assert.ok(r, 'it is answered');
    return r.json ?? JSON.parse(/^data: (.*)$/m.exec(r.body)[1]);
  };
  const { requestState } = (await ask({})).result;
  await sleep(400);
  const answer = await ask({ inputResponses: { ask: { action: 'decline' } }, requestState });
  assert.equal(answer.result?.content[0].text, 'answered ask', JSON.stringify(answer));
});

test('a round with one question that cannot be asked is refused, the others are not asked', async (t) => {
  const config = { upstreams: { vault: { ...asksEarly, command: [process.execPath, join(here, 'servers/asks-early.mjs'), 'stateless'] } }, profiles: { agent: {} }, default_profile: 'agent' };
  const asked = [];
  const client = await connect(t, 1, { args: ['stdio', '-c', (await writeConfig(t, config)).file] }, { capabilities: { elicitation: {} }, setup: (c) => {
    c.setRequestHandler(types1.ElicitRequestSchema, ({ params }) => { asked.push(params.message); return { action: 'accept', content: {} }; });
  } });
  await assert.rejects(call(client, 'ask'), /asks what cannot be passed on/);
  assert.deepEqual(asked, []);
});

for (const how of ['silent', 'exits'])
  test(`a vault on a pipe that ${how === 'silent' ? 'says nothing to' : 'exits on'} server/discover has a handshake`, async (t) => {
    const config = { upstreams: { vault: { ...asksEarly, command: [process.execPath, join(here, 'servers/asks-early.mjs'), how] } }, profiles: { agent: {} }, default_profile: 'agent' };
    const s = await serve(t, config);
    await ready(s);
    const meta = { 'io.modelcontextprotocol/protocolVersion': STATELESS, 'io.modelcontextprotocol/clientCapabilities': {} };
    const ask = async () => {
      const r = await post(s.url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'ask', arguments: {}, _meta: meta } },
        { 'mcp-protocol-version': STATELESS, 'mcp-method': 'tools/call', 'mcp-name': 'ask' });
      return r.json ?? JSON.parse(/^data: (.*)$/m.exec(r.body)[1]);
    };
    if (how === 'exits') assert.ok((await ask()).error, 'the first one pays for it');
    assert.equal((await ask()).result?.content[0].text, 'answered');
  });

test('a vault on a pipe has one subscription of an agent, however often the agent changes it', async (t) => {
  const config = { upstreams: { vault: { ...asksEarly, command: [process.execPath, join(here, 'servers/asks-early.mjs'), 'stateless'] } }, profiles: { agent: {} }, default_profile: 'agent' };
  const s = await serve(t, config);
  await ready(s);
  const client = await connect(t, 1, { url: s.url });
  await until('the subscription', async () => text(await call(client, 'open')) === '1');
  for (const uri of ['x://a', 'x://b', 'x://c']) await client.request({ method: 'resources/subscribe', params: { uri } }, types1.EmptyResultSchema);
  for (const uri of ['x://a', 'x://b', 'x://c']) await client.request({ method: 'resources/unsubscribe', params: { uri } }, types1.EmptyResultSchema);
  assert.equal(text(await call(client, 'open')), '1');
});

for (const up of ['http', 'sse'])
  test(`HTTP-03: a vault on ${up} that was started anew is met anew; what was in flight fails and is not sent again`, async (t) => {
    const port = await freePort();
    const start = async () => {
      const p = run(t, [join(here, 'servers/both-ways.mjs'), String(port), ...(up === 'http' ? [] : [up])], { command: process.execPath });
      await until('the vault', () => p.err.includes('listening'));
      return p;
    };
    const first = await start();
    const s = await serve(t, { upstreams: { vault: { catalog: join(here, 'servers/both-ways.yaml'), era: 'translate', transport: up === 'sse' ? 'sse' : 'auto',
      url: `http://127.0.0.1:${port}/${up === 'sse' ? 'sse' : 'mcp'}` } } });
    await ready(s);
    const client = await modern(t, { url: s.url });
    assert.equal(text(await call(client, 'echo', { text: 'before' })), 'before');
    const waiting = assert.rejects(call(client, 'wait', { ms: 5000 }));
    await sleep(200);
    await first.stop('SIGKILL');
    await waiting;
    await start();
    await until('it works again', async () => (await call(client, 'echo', { text: 'after' }).then(text, () => '')) === 'after');
  });

test('where both speak the same nothing is translated', async (t) => {
  const same = await place(t, 'both-ways', 'http', 'http', { profile: {} });
  const client = await connect(t, 2, same);
  assert.equal(text(await call(client, 'echo', { text: 'x' })), 'x');
  const there = await place(t, 'stateless', 'http', 'http', { profile: before });
  const agent = await modern(t, there);
  assert.equal((await agent.listResources()).cacheScope, 'private');
  assert.deepEqual(JSON.parse(text(await call(agent, 'read_secret', { path: 'dev/a' }))), { path: 'dev/a', value: BULLETS });
});

test('a round is the vault\'s own where both speak the same, even as the first message of all', async (t) => {
  const where = await place(t, 'stateless', 'http', 'http', { profile: before });
  const meta = { 'io.modelcontextprotocol/protocolVersion': STATELESS, 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
  const r = await post(where.url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'write_secret', arguments: { path: 'dev/b', value: 'x' }, _meta: meta,
    inputResponses: { confirm: { action: 'accept', content: { ok: true } } } } }, { 'mcp-protocol-version': STATELESS, 'mcp-method': 'tools/call', 'mcp-name': 'write_secret' });
  assert.match(r.body, /written dev\/b/);
});

test('a vault that refuses initialize and discovery both: its own error, as often as it is asked, and narrowgate lives', async (t) => {
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, error: { code: -32601, message: 'not here' } })));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const s = await serve(t, { upstreams: { vault: { catalog: join(here, 'servers/both-ways.yaml'), era: 'translate', url: `http://127.0.0.1:${server.address().port}/mcp` } } });
  await ready(s);
  for (let i = 0; i < 3; i++) assert.equal((await post(s.url, initialize(i))).json.error.message, 'not here');
  await assert.rejects(modern(t, s));
  assert.equal(s.p.code, null);
});

test('era: mirror: who has no revision in common is told so, as the specification has it', async (t) => {
  const stateless = await place(t, 'stateless', 'http', 'http', { era: 'mirror', profile: before });
  const hello = await post(stateless.url, initialize(1));
  assert.ok(hello.status === 400 || hello.json?.error, `${hello.status} ${hello.body}`);
  assert.equal(hello.headers.get('mcp-session-id'), null);
  const handshake = await place(t, 'both-ways', 'http', 'http', { era: 'mirror', profile: {} });
  await assert.rejects(modern(t, handshake));
});
