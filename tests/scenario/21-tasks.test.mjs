// Tasks of MCP 2025-11-25 between a client and a server of SDK 1.x: fetched later, judged as the call's answer.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks';
import * as types from '@modelcontextprotocol/sdk/types.js';
import { BULLETS, connect, freePort, here, ready, run, scratch, serve, sleep, text, until, writeConfig } from './lib.mjs';

const script = join(here, 'servers/tasks.mjs'), catalog = join(here, 'servers/tasks.yaml');
const VALUE = 'tasked-value-4c19';
const profile = { mask_values: true, allowed_paths: ['dev/'] };

async function startVault(t) {
  const port = await freePort();
  const p = run(t, [script, String(port)], { command: process.execPath });
  await until('the vault', () => p.err.includes('listening'));
  return { url: `http://127.0.0.1:${port}/mcp` };
}

async function place(t, down, up, more = {}) {
  const upstream = up === 'http' ? await startVault(t) : { command: [process.execPath, script] };
  const config = { upstreams: { vault: { catalog, ...upstream, ...more.upstream } }, profiles: { agent: more.profile ?? profile }, default_profile: 'agent',
    ...(more.agents ? { agents: more.agents } : {}) };
  if (down === 'stdio') return { args: ['stdio', '-c', (await writeConfig(t, config)).file] };
  const s = await serve(t, config);
  await ready(s);
  return down === 'sse' ? { sse: s.url.replace(/mcp$/, 'sse'), s } : { url: s.url, s };
}

// A client that keeps all it gets.
async function agent(t, where, { headers, answer = () => ({ action: 'accept', content: { ok: true } }) } = {}) {
  const heard = [], asked = [];
  const client = await connect(t, 1, where, { headers, capabilities: { elicitation: {}, sampling: {} }, setup: (c) => {
    c.setRequestHandler(types.ElicitRequestSchema, (r) => { asked.push(r.params); return answer(r.params); });
    c.setRequestHandler(types.CreateMessageRequestSchema, (r) => { asked.push(r.params); return { role: 'assistant', model: 'm', content: { type: 'text', text: 'hello' } }; });
    c.setNotificationHandler(types.LoggingMessageNotificationSchema, (n) => heard.push(n));
    c.setNotificationHandler(types.TaskStatusNotificationSchema, (n) => heard.push(n));
  } });
  const tasks = client.experimental.tasks;
  const work = async (name, args = {}) => {
    const all = [];
    for await (const m of tasks.callToolStream({ name, arguments: args }, undefined, { task: { ttl: 60000 } })) all.push(m);
    return all;
  };
  const begin = async (name, args = {}) => (await client.request({ method: 'tools/call', params: { name, arguments: args, task: { ttl: 60000 } } }, types.CreateTaskResultSchema)).task.taskId;
  return { client, tasks, work, begin, heard, asked };
}

for (const down of ['http', 'sse', 'stdio']) for (const up of ['http', 'stdio'])
  test(`MASK-21, PATH-25, PATH-24: a working day with tasks, ${down} to ${up}`, async (t) => {
    const a = await agent(t, await place(t, down, up));
    assert.ok(a.client.getServerCapabilities().tasks.requests.tools.call, 'tasks are offered');
    const tools = (await a.client.listTools()).tools;
    assert.equal(tools.find((x) => x.name === 'read_secret').execution.taskSupport, 'optional');

    const read = await a.work('read_secret', { path: 'dev/a' });
    assert.equal(read[0].type, 'taskCreated');
    const { result } = read.at(-1);
    assert.ok(result, JSON.stringify(read));
    assert.deepEqual(JSON.parse(text(result)), { path: 'dev/a', value: BULLETS });
    assert.deepEqual(result.structuredContent, { path: 'dev/a', value: BULLETS });
    assert.equal(result._meta['io.modelcontextprotocol/related-task'].taskId, read[0].task.taskId);
    assert.ok(read.every((m) => !JSON.stringify(m).includes(VALUE)));

    const listed = (await a.work('list_secrets')).at(-1).result;
    assert.deepEqual(listed.structuredContent, { items: [{ path: 'dev/a' }], total: 1 });
    const refused = (await a.work('describe_secret', { path: 'dev/a' })).at(-1).result;
    assert.equal(refused.isError, true);
    assert.match(text(refused), /result-paths/);
    const never = await a.work('read_secret', { path: 'prod/c' });
    assert.equal(never.at(-1).type, 'error');
    assert.match(never.at(-1).error.message, /allowed-paths/);

    await sleep(300); // what is said right after a value may still quote it, and is declined
    assert.equal(text((await a.work('write_secret', { path: 'dev/b', value: 'x' })).at(-1).result), 'accept dev/b');
    assert.deepEqual(a.asked.map((p) => p.message), ['Write dev/b?']);
    assert.equal(text((await a.work('ask_model')).at(-1).result), 'hello');

    const waiting = await a.begin('wait');
    assert.equal((await a.tasks.getTask(waiting)).status, 'working');
    assert.ok((await a.tasks.listTasks()).tasks.some((x) => x.taskId === waiting));
    assert.equal((await a.tasks.cancelTask(waiting)).status, 'cancelled');
    await assert.rejects(a.tasks.getTask('0'.repeat(32)), (e) => e.code === -32602 && /not found/.test(e.message));
    await assert.rejects(a.tasks.getTaskResult('0'.repeat(32)), (e) => e.code === -32602);
    assert.ok(!JSON.stringify(a.heard).includes(VALUE), 'no word of the vault told the value');
    assert.ok(a.heard.some((n) => n.method === 'notifications/tasks/status'), 'but how tasks stand is told');
    const seen = JSON.parse(text(await a.client.callTool({ name: 'seen', arguments: {} })));
    assert.ok(seen.every(([, args]) => args.path !== 'prod/c'), 'what was refused never reached the vault');
  });

const sha = (key) => createHash('sha256').update(key).digest('hex');
const two = [{ name: 'one', profile: 'agent', identify: { api_key_sha256: sha('key-one') } }, { name: 'two', profile: 'agent', identify: { api_key_sha256: sha('key-two') } }];

for (const [what, up] of [['a connection of their own each', 'http'], ['one connection for both', 'stdio']])
  test(`PATH-24, HTTP-17: an agent never hears of another's tasks, with ${what}`, async (t) => {
    const one = join(scratch(t), 'one.yaml');
    writeFileSync(one, readFileSync(catalog, 'utf8') + (up === 'stdio' ? 'connections: 1\n' : ''));
    const where = await place(t, 'http', up, { upstream: { catalog: one }, agents: two });
    const [a, b] = await Promise.all(['key-one', 'key-two'].map((key) => agent(t, where, { headers: { authorization: `Bearer ${key}` } })));
    const [ofA, ofB] = [await a.begin('wait'), await b.begin('read_secret', { path: 'dev/slow' })];
    assert.deepEqual((await a.tasks.listTasks()).tasks.map((x) => x.taskId), [ofA]);
    assert.deepEqual((await b.tasks.listTasks()).tasks.map((x) => x.taskId), [ofB]);
    for (const [agent, id] of [[a, ofB], [b, ofA]]) {
      await assert.rejects(agent.tasks.getTask(id), (e) => e.code === -32602);
      await assert.rejects(agent.tasks.getTaskResult(id), (e) => e.code === -32602);
      await assert.rejects(agent.tasks.cancelTask(id), (e) => e.code === -32602);
    }
    await sleep(400); // no call is under way: the task alone is what its vault tells of
    assert.deepEqual((await b.tasks.getTaskResult(ofB, types.CallToolResultSchema)).structuredContent, { path: 'dev/slow', value: BULLETS });
    await sleep(100);
    const told = (x) => x.heard.filter((n) => n.method === 'notifications/tasks/status').map((n) => n.params.taskId);
    assert.ok(told(a).every((id) => id === ofA) && told(b).every((id) => id === ofB), 'each hears of its own');
    assert.ok(!JSON.stringify([a.heard, b.heard]).includes(VALUE), 'nobody hears the value while its task works');
    assert.equal((await a.tasks.getTask(ofA)).status, 'working');
  });

for (const down of ['http', 'sse', 'stdio']) for (const up of ['http', 'stdio'])
  test(`PATH-01: the agent's own task, for what the vault asks, ${down} to ${up}`, async (t) => {
    const where = await place(t, down, up);
    const store = new InMemoryTaskStore();
    let says = 'dev/b';
    const client = await connect(t, 1, where, {
      capabilities: { elicitation: {}, tasks: { list: {}, cancel: {}, requests: { elicitation: { create: {} } } } },
      options: { taskStore: store, taskMessageQueue: new InMemoryTaskMessageQueue() },
      setup: (c) => c.setRequestHandler(types.ElicitRequestSchema, async ({ params }, extra) => {
        const task = await extra.taskStore.createTask({ ttl: params.task.ttl, pollInterval: 50 });
        setTimeout(() => extra.taskStore.storeTaskResult(task.taskId, 'completed', { action: 'accept', content: { path: says } }), 100);
        return { task };
      }) });
    const asked = async () => text(await client.callTool({ name: 'ask_slowly', arguments: {} })).split(', ');
    const steps = await asked();
    assert.equal(steps[0], 'taskCreated');
    assert.equal(steps.at(-1), 'accept dev/b');
    says = 'prod/c';
    const again = await asked();
    assert.equal(again.at(-1).trim(), 'decline', `no word of what is outside goes to the vault: ${again}`);
    store.cleanup();
  });
