// Traffic in both directions over every pair of transports: progress, logging, sampling, elicitation, roots, cancel, ping, pages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import * as types1 from '@modelcontextprotocol/sdk/types.js';
import { call, connect, freePort, here, ready, run, serve, sleep, text, until, writeConfig } from './lib.mjs';

const script = join(here, 'servers/both-ways.mjs');
const node = process.execPath;
const profile = { mask_values: true, unknown_tools: 'deny' };

async function place(t, down, up, mode) {
  let upstream = { command: [node, script] };
  if (up !== 'stdio') {
    const port = await freePort();
    if (up !== 'http') mode = 'sse';
    const p = run(t, [script, String(port), ...(mode ? [mode] : [])], { command: node });
    await until('the server', () => p.err.includes('listening'));
    upstream = up === 'http' ? { url: `http://127.0.0.1:${port}/mcp` } : { url: `http://127.0.0.1:${port}/sse`, transport: up };
  }
  const config = {
    upstreams: { vault: { catalog: join(here, 'servers/both-ways.yaml'), ...upstream } }, profiles: { agent: profile }, default_profile: 'agent' };
  if (down === 'stdio') return { args: ['stdio', '-c', (await writeConfig(t, config)).file] };
  const s = await serve(t, config);
  await ready(s);
  return down === 'sse' ? { sse: s.url.replace(/mcp$/, 'sse'), s } : { url: s.url, s };
}

const capabilities = { sampling: {}, elicitation: {}, roots: {} };
const handlers = {
  'elicitation/create': () => ({ action: 'accept', content: { answer: 'blue' } }),
  'sampling/createMessage': () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: 'hi' } }),
  'roots/list': () => ({ roots: [{ uri: 'file:///home/agent', name: 'home' }] }),
};
const schemas1 = { 'elicitation/create': types1.ElicitRequestSchema, 'sampling/createMessage': types1.CreateMessageRequestSchema, 'roots/list': types1.ListRootsRequestSchema };

function answerAll(sdk, heard) {
  return (client) => {
    for (const [method, answer] of Object.entries(handlers)) client.setRequestHandler(sdk === 1 ? schemas1[method] : method, answer);
    const on = (n) => heard.push(n);
    if (sdk === 1) client.setNotificationHandler(types1.LoggingMessageNotificationSchema, on);
    else client.setNotificationHandler('notifications/message', on);
  };
}

async function everyDirection(t, sdk, where) {
  const heard = [];
  const client = await connect(t, sdk, where, { capabilities, setup: answerAll(sdk, heard) });
  const pages = [];
  for (let cursor; ;) {
    const page = await client.listTools(cursor === undefined ? {} : { cursor }, sdk === 2 ? { cacheMode: 'bypass' } : undefined);
    pages.push(...page.tools.map((x) => x.name));
    if (!(cursor = page.nextCursor)) break;
  }
  assert.ok(pages.includes('echo') && pages.includes('read'), `tools over several pages: ${pages}`);
  await client.ping();
  assert.equal(text(await call(client, 'echo', { text: 'ä "quoted" \u2028 line' })), 'ä "quoted" \u2028 line');

  const progress = [];
  const onprogress = (p) => progress.push(p.progress);
  const counted = sdk === 1
    ? await client.callTool({ name: 'count_to', arguments: { n: 5, pause_ms: 20 } }, undefined, { onprogress })
    : await client.callTool({ name: 'count_to', arguments: { n: 5, pause_ms: 20 } }, { onprogress });
  assert.equal(text(counted), 'counted to 5');
  assert.deepEqual(progress, [1, 2, 3, 4, 5]);

  assert.equal(text(await call(client, 'ask_user')), 'accept blue');
  assert.equal(text(await call(client, 'ask_model')), 'hi');
  assert.equal(text(await call(client, 'ask_roots')), 'file:///home/agent');

  assert.equal(text(await call(client, 'talk')), 'talked');
  await until('a log message', () => heard.some((n) => n.params.data === 'hello from the server'));

  // While a value-bearing call is open, the vault's log messages are withheld (MASK-14).
  const read = JSON.parse(text(await call(client, 'read', { path: 'a/b' })));
  assert.deepEqual(read, { path: 'a/b', value: '••••••' });
  await sleep(100);
  assert.ok(!JSON.stringify(heard).includes('both-ways-value'), 'no value in a notification');

  const stop = new AbortController();
  const args = [{ name: 'wait', arguments: { ms: 400 } }];
  const waiting = sdk === 1 ? client.callTool(...args, undefined, { signal: stop.signal }) : client.callTool(...args, { signal: stop.signal });
  await sleep(80);
  stop.abort('enough');
  await assert.rejects(waiting);
  await until('the vault hears of the cancel', async () => text(await call(client, 'last_cancel')) !== 'none');
}

for (const sdk of [1, 2]) {
  test(`SDK ${sdk}.x, stdio to stdio`, async (t) => everyDirection(t, sdk, await place(t, 'stdio', 'stdio')));
  test(`SDK ${sdk}.x, stdio to http`, async (t) => everyDirection(t, sdk, await place(t, 'stdio', 'http')));
  test(`SDK ${sdk}.x, http to stdio`, async (t) => everyDirection(t, sdk, await place(t, 'http', 'stdio')));
  test(`SDK ${sdk}.x, http to http`, async (t) => everyDirection(t, sdk, await place(t, 'http', 'http')));
  test(`SDK ${sdk}.x, stdio to HTTP+SSE`, async (t) => everyDirection(t, sdk, await place(t, 'stdio', 'sse')));
  test(`SDK ${sdk}.x, http to HTTP+SSE`, async (t) => everyDirection(t, sdk, await place(t, 'http', 'sse')));
  test(`SDK ${sdk}.x, http to HTTP+SSE that is found out`, async (t) => everyDirection(t, sdk, await place(t, 'http', 'auto')));
}

test('SDK 1.x, HTTP+SSE to stdio', async (t) => everyDirection(t, 1, await place(t, 'sse', 'stdio')));
test('SDK 1.x, HTTP+SSE to HTTP+SSE', async (t) => everyDirection(t, 1, await place(t, 'sse', 'sse')));
test('SDK 1.x, HTTP+SSE to http', async (t) => everyDirection(t, 1, await place(t, 'sse', 'http')));

test('HTTP-17: two agents on HTTP, one child each: equal ids, no answer mixed up', async (t) => {
  const where = await place(t, 'http', 'stdio');
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(t, 1, where)));
  const answers = await Promise.all(clients.flatMap((c, i) => Array.from({ length: 20 }, (_, k) => call(c, 'echo', { text: `${i}-${k}` }).then((r) => [text(r), `${i}-${k}`]))));
  for (const [got, want] of answers) assert.equal(got, want);
});
