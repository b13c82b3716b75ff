// A server of SDK 1.x for the revisions with a handshake (2025-03-26 to 2025-11-25): sessions, server requests, resumable streams.
//   node legacy.mjs [PORT [json]]   prints the URL it serves; `json`: answers as JSON instead of SSE
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as mcp from '@modelcontextprotocol/sdk/types.js';
import { object, plainTools, prompt, prompts, read, resources, say, sleep, string, templates } from './content.mjs';
import { listenLocal, localOnly } from './local.mjs';

const option = (name, title) => ({ const: name, title });
const defaults = object({
  name: { type: 'string', default: 'John Doe' }, age: { type: 'integer', default: 30 }, score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' }, verified: { type: 'boolean', default: true },
}, []);
const three = ['option1', 'option2', 'option3'];
const enums = object({
  untitledSingle: { type: 'string', enum: three },
  titledSingle: { type: 'string', oneOf: [option('value1', 'First Option'), option('value2', 'Second Option')] },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: three } },
  titledMulti: { type: 'array', items: { anyOf: [option('value1', 'First Choice'), option('value2', 'Second Choice')] } },
}, []);

async function ask(extra, message, requestedSchema) {
  const r = await extra.sendRequest({ method: 'elicitation/create', params: { message, requestedSchema } }, mcp.ElicitResultSchema);
  return say(`Elicitation completed: action=${r.action}, content=${JSON.stringify(r.content ?? {})}`);
}

const tools = {
  ...plainTools,
  test_tool_with_logging: {
    description: 'Logs three times',
    async run(_, extra) {
      for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
        await sleep(50);
      }
      return say('Logged.');
    },
  },
  test_tool_with_progress: {
    description: 'Reports progress three times',
    async run(_, extra) {
      const progressToken = extra._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined) await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
        await sleep(50);
      }
      return say('Done.');
    },
  },
  test_sampling: {
    description: 'Asks the client\'s model', inputSchema: object({ prompt: string('What to ask') }),
    async run({ prompt: question }, extra) {
      const params = { messages: [{ role: 'user', content: { type: 'text', text: question } }], maxTokens: 100 };
      const r = await extra.sendRequest({ method: 'sampling/createMessage', params }, mcp.CreateMessageResultSchema);
      return say(`LLM response: ${r.content.text}`);
    },
  },
  test_elicitation: {
    description: 'Asks the client\'s user', inputSchema: object({ message: string('What to ask') }),
    run: ({ message }, extra) => ask(extra, message, object({ username: string('User\'s response'), email: string('User\'s email address') })),
  },
  test_elicitation_sep1034_defaults: { description: 'Asks with defaults', run: (_, extra) => ask(extra, 'Please review', defaults) },
  test_elicitation_sep1330_enums: { description: 'Asks with choices', run: (_, extra) => ask(extra, 'Please choose', enums) },
  test_reconnection: {
    description: 'Closes its stream, answers on the next',
    async run(_, extra) {
      extra.closeSSEStream?.();
      await sleep(100);
      return say('Reconnection test completed successfully.');
    },
  },
};

function make() {
  const s = new Server({ name: 'conformance-legacy', version: '1.0.0' }, {
    capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true }, prompts: { listChanged: true }, logging: {}, completions: {} } });
  s.setRequestHandler(mcp.ListToolsRequestSchema, () => ({
    tools: Object.entries(tools).map(([name, t]) => ({ name, description: t.description, inputSchema: t.inputSchema ?? object() })) }));
  s.setRequestHandler(mcp.CallToolRequestSchema, ({ params }, extra) => {
    const tool = tools[params.name];
    if (!tool) throw new mcp.McpError(-32602, `Unknown tool: ${params.name}`);
    return tool.run(params.arguments ?? {}, extra);
  });
  s.setRequestHandler(mcp.ListResourcesRequestSchema, () => ({ resources }));
  s.setRequestHandler(mcp.ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: templates }));
  s.setRequestHandler(mcp.ReadResourceRequestSchema, ({ params }) => {
    const contents = read(params.uri);
    if (!contents) throw new mcp.McpError(-32002, 'Resource not found', { uri: params.uri });
    return { contents };
  });
  s.setRequestHandler(mcp.SubscribeRequestSchema, () => ({}));
  s.setRequestHandler(mcp.UnsubscribeRequestSchema, () => ({}));
  s.setRequestHandler(mcp.ListPromptsRequestSchema, () => ({ prompts }));
  s.setRequestHandler(mcp.GetPromptRequestSchema, ({ params }) => {
    const messages = prompt(params.name, params.arguments);
    if (!messages) throw new mcp.McpError(-32602, `Unknown prompt: ${params.name}`);
    return { messages };
  });
  s.setRequestHandler(mcp.CompleteRequestSchema, () => ({ completion: { values: ['testing', 'tester'], total: 2, hasMore: false } }));
  return s;
}

// What was sent, by stream, so that a stream can go on where it broke.
function eventStore() {
  const events = [];
  return {
    async storeEvent(stream, message) {
      events.push({ id: `${stream}_${events.length}`, stream, message });
      return events.at(-1).id;
    },
    async getStreamIdForEventId(id) { return events.find((e) => e.id === id)?.stream; },
    async replayEventsAfter(id, { send }) {
      const at = events.findIndex((e) => e.id === id);
      const { stream } = events[at] ?? {};
      for (const e of at < 0 ? [] : events.slice(at + 1).filter((e) => e.stream === stream)) if (Object.keys(e.message).length) await send(e.id, e.message);
      return stream;
    },
  };
}

const sessions = new Map();
async function open() {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID, eventStore: eventStore(), retryInterval: 100, enableJsonResponse: process.argv[3] === 'json',
    onsessioninitialized: (id) => sessions.set(id, transport),
  });
  transport.onclose = () => sessions.delete(transport.sessionId);
  await make().connect(transport);
  return transport;
}

const refuse = (res, status, code, message) => res.writeHead(status, { 'content-type': 'application/json' })
  .end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));

const server = createServer(async (req, res) => {
  if (!localOnly(req)) return refuse(res, 403, -32000, 'Not a local request');
  const id = req.headers['mcp-session-id'];
  if (id && !sessions.has(id)) return refuse(res, 404, -32001, 'Session not found');
  await (sessions.get(id) ?? await open()).handleRequest(req, res);
});
listenLocal(server);
