// A vault server of SDK 1.x whose tools work as tasks (MCP 2025-11-25).
//   node tasks.mjs            on stdio
//   node tasks.mjs PORT       Streamable HTTP with sessions; tasks are known in every one of them
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CreateMessageResultSchema, ElicitResultSchema } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';

const VALUE = 'tasked-value-4c19';
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const say = (text) => ({ content: [{ type: 'text', text }] });
const json = (data) => ({ content: [{ type: 'text', text: JSON.stringify(data) }], structuredContent: data });
const calls = [];

// Every session's, so that only narrowgate keeps them apart.
class SharedStore extends InMemoryTaskStore {
  createTask(params, id, request) { return super.createTask(params, id, request); }
  getTask(id) { return super.getTask(id); }
  storeTaskResult(id, status, result) { return super.storeTaskResult(id, status, result); }
  getTaskResult(id) { return super.getTaskResult(id); }
  updateTaskStatus(id, status, message) { return super.updateTaskStatus(id, status, message); }
  listTasks(cursor) { return super.listTasks(cursor); }
}
const taskStore = new SharedStore();

function make() {
  const server = new McpServer({ name: 'tasks-vault', version: '1.0.0' }, {
    capabilities: { logging: {}, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
    taskStore, taskMessageQueue: new InMemoryTaskMessageQueue(),
  });
  const task = (name, inputSchema, work) => server.experimental.tasks.registerToolTask(name, { inputSchema, execution: { taskSupport: 'optional' } }, {
    async createTask(args, extra) {
      const made = await extra.taskStore.createTask({ ttl: extra.taskRequestedTtl ?? 60000, pollInterval: 50 });
      calls.push([name, args]);
      const related = { relatedTask: { taskId: made.taskId } };
      work(args, { ...related, id: made.taskId, store: extra.taskStore,
        ask: (request, schema) => server.server.request(request, schema, related),
        tell: (params) => server.server.notification({ method: 'notifications/message', params }) })
        .then((result) => extra.taskStore.storeTaskResult(made.taskId, 'completed', result))
        .catch((e) => extra.taskStore.storeTaskResult(made.taskId, 'failed', { ...say(`failed: ${e.message}`), isError: true }))
        .catch(() => {}); // cancelled meanwhile
      return { task: made };
    },
    getTask: (_, extra) => extra.taskStore.getTask(extra.taskId),
    getTaskResult: (_, extra) => extra.taskStore.getTaskResult(extra.taskId),
  });
  task('read_secret', { path: z.string() }, async ({ path }, t) => {
    await sleep(path === 'dev/slow' ? 350 : 30); // longer than what was just answered is waited out
    await t.store.updateTaskStatus(t.id, 'working', `got ${VALUE}`);
    await t.tell({ level: 'info', data: `it is ${VALUE}` });
    await sleep(150);
    return json({ path, value: VALUE });
  });
  task('list_secrets', { prefix: z.string().optional() }, async () => {
    await sleep(50);
    return json({ items: [{ path: 'dev/a' }, { path: 'prod/c' }], total: 2 });
  });
  task('describe_secret', { path: z.string() }, async ({ path }) => json({ path, source_path: 'prod/c', owner: 'team-a' }));
  task('write_secret', { path: z.string(), value: z.string() }, async ({ path }, t) => {
    await t.store.updateTaskStatus(t.id, 'input_required');
    const r = await t.ask({ method: 'elicitation/create', params: { mode: 'form', message: `Write ${path}?`,
      requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } } } } }, ElicitResultSchema);
    return say(`${r.action} ${path}`);
  });
  task('ask_model', {}, async (_, t) => {
    await t.store.updateTaskStatus(t.id, 'input_required');
    const r = await t.ask({ method: 'sampling/createMessage', params: { maxTokens: 5, messages: [{ role: 'user', content: { type: 'text', text: 'hi?' } }] } }, CreateMessageResultSchema);
    return say(r.content.text);
  });
  task('wait', {}, async () => { await sleep(20000); return say('waited'); });
  // The vault asks for a task of the agent's, for its user may take long, and fetches what came of it.
  server.registerTool('ask_slowly', { inputSchema: {} }, async (_, extra) => {
    const steps = [], schema = { type: 'object', properties: { path: { type: 'string' } } };
    for await (const m of server.server.experimental.tasks.elicitInputStream({ mode: 'form', message: 'Which?', requestedSchema: schema },
      { task: { ttl: 60000 }, relatedRequestId: extra.requestId }))
      steps.push(m.type === 'error' ? m.error.message : m.type === 'result' ? `${m.result.action} ${m.result.content?.path ?? ''}` : m.type);
    return say(steps.join(', '));
  });
  server.registerTool('seen', { inputSchema: {} }, async () => say(JSON.stringify(calls)));
  return server;
}

const [port] = process.argv.slice(2);
if (!port) {
  await make().connect(new StdioServerTransport());
} else {
  const sessions = new Map();
  createServer(async (req, res) => {
    const id = req.headers['mcp-session-id'];
    if (id && !sessions.has(id)) return void res.writeHead(404).end();
    let transport = sessions.get(id);
    if (!transport) {
      transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (sid) => sessions.set(sid, transport) });
      transport.onclose = () => sessions.delete(transport.sessionId);
      await make().connect(transport);
    }
    await transport.handleRequest(req, res);
  }).listen(Number(port), '127.0.0.1', () => console.error('listening'));
}
