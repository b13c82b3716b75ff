// A server of SDK 1.x that uses every direction: progress, logging, sampling, elicitation, roots, cancel, list pages.
//   node both-ways.mjs            on stdio
//   node both-ways.mjs PORT [json]   Streamable HTTP with sessions; `json`: answers as JSON instead of SSE
//   node both-ways.mjs PORT sse      HTTP+SSE (2024-11-05)
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, CreateMessageResultSchema, ElicitResultSchema, ListRootsResultSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const schema = (...names) => ({ type: 'object', properties: Object.fromEntries(names.map((n) => [n, {}])) });
const tools = [
  { name: 'echo', inputSchema: schema('text') }, { name: 'count_to', inputSchema: schema('n', 'pause_ms') },
  { name: 'ask_user', inputSchema: schema() }, { name: 'ask_aside', inputSchema: schema() }, { name: 'ask_model', inputSchema: schema() }, { name: 'ask_roots', inputSchema: schema() },
  { name: 'wait', inputSchema: schema('ms') }, { name: 'last_cancel', inputSchema: schema() }, { name: 'talk', inputSchema: schema() },
  { name: 'read', inputSchema: schema('path') },
];
const say = (text) => ({ content: [{ type: 'text', text }] });
let cancelled = 'none';

const run = {
  echo: ({ text }) => say(String(text)),
  async count_to({ n, pause_ms = 0 }, extra) {
    for (let i = 1; i <= n; i++) {
      await extra.sendNotification({ method: 'notifications/progress', params: { progressToken: extra._meta.progressToken, progress: i, total: n } });
      if (pause_ms) await sleep(pause_ms);
    }
    await sleep(200); // SDK 1.x clients drop progress that arrives in one read with the answer
    return say(`counted to ${n}`);
  },
  async ask_user(_, extra) {
    const r = await extra.sendRequest({ method: 'elicitation/create', params: { message: 'Which?', requestedSchema: { type: 'object', properties: { answer: { type: 'string' } } } } }, ElicitResultSchema);
    return say(`${r.action} ${r.content?.answer ?? ''}`.trim());
  },
  async ask_aside() { // not on the call's own stream
    const r = await server.elicitInput({ message: 'Aside?', requestedSchema: { type: 'object', properties: { answer: { type: 'string' } } } });
    return say(`${r.action} ${r.content?.answer ?? ''}`.trim());
  },
  async ask_model(_, extra) {
    const r = await extra.sendRequest({ method: 'sampling/createMessage', params: { messages: [{ role: 'user', content: { type: 'text', text: 'say hi' } }], maxTokens: 10 } }, CreateMessageResultSchema);
    return say(r.content.text);
  },
  async ask_roots(_, extra) {
    const r = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema);
    return say(r.roots.map((x) => x.uri).join(' '));
  },
  async wait({ ms }, extra) {
    extra.signal.addEventListener('abort', () => { cancelled = String(extra.signal.reason); });
    await sleep(ms);
    return say('waited');
  },
  last_cancel: () => say(cancelled),
  async talk(_, extra) {
    await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', logger: 'test', data: 'hello from the server' } });
    await server.sendToolListChanged?.();
    return say('talked');
  },
  async read({ path }, extra) {
    await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data: `value is both-ways-value-77aa` } });
    return say(JSON.stringify({ path, value: 'both-ways-value-77aa' }));
  },
};

let server;
function make() {
  const s = new Server({ name: 'both-ways', version: '1.0.0' }, { capabilities: { tools: { listChanged: true }, logging: {} } });
  s.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const from = Number(params?.cursor ?? 0);
    return { tools: tools.slice(from, from + 4), ...(from + 4 < tools.length ? { nextCursor: String(from + 4) } : {}) };
  });
  s.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    server = s;
    return run[params.name](params.arguments ?? {}, extra);
  });
  return s;
}

const [port, mode] = process.argv.slice(2);
if (!port) {
  await make().connect(new StdioServerTransport());
} else if (mode === 'sse') {
  const sessions = new Map();
  createServer(async (req, res) => {
    if (req.method === 'GET' && req.url === '/sse') {
      const transport = new SSEServerTransport('/messages', res);
      sessions.set(transport.sessionId, transport);
      transport.onclose = () => sessions.delete(transport.sessionId);
      return void await make().connect(transport);
    }
    const transport = sessions.get(new URL(req.url, 'http://h').searchParams.get('sessionId'));
    if (req.method !== 'POST' || !transport) return void res.writeHead(404).end();
    await transport.handlePostMessage(req, res);
  }).listen(Number(port), '127.0.0.1', () => console.error('listening'));
} else {
  const sessions = new Map();
  createServer(async (req, res) => {
    const id = req.headers['mcp-session-id'];
    if (id && !sessions.has(id)) return void res.writeHead(404).end();
    let transport = sessions.get(id);
    if (!transport) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: mode === 'stateless' ? undefined : randomUUID, enableJsonResponse: mode === 'json',
        onsessioninitialized: (sid) => sessions.set(sid, transport) });
      transport.onclose = () => sessions.delete(transport.sessionId);
      await make().connect(transport);
    }
    await transport.handleRequest(req, res);
  }).listen(Number(port), '127.0.0.1', () => console.error('listening'));
}
