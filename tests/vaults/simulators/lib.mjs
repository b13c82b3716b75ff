// What the simulators share: the official SDK's server on stdio or Streamable HTTP, and a record of every request that reached it,
// one JSON line each in the file $RECORD.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListResourcesRequestSchema, ListToolsRequestSchema, ReadResourceRequestSchema } from '@modelcontextprotocol/sdk/types.js';

export const record = (what) => process.env.RECORD && appendFileSync(process.env.RECORD, `${JSON.stringify(what)}\n`);

// `spec` of an argument list: "path value? n:number" → an object schema.
export function schema(spec) {
  const words = spec.split(' ').filter(Boolean).map((w) => /^(\w+)(?::(\w+))?(\?)?$/.exec(w));
  const type = (t) => (t === 'strings' ? { type: 'array', items: { type: 'string' } } : { type: t ?? 'string' });
  return { type: 'object', properties: Object.fromEntries(words.map(([, name, t]) => [name, type(t)])), required: words.filter((w) => !w[3]).map((w) => w[1]) };
}

// vault: { info, tools: {name: [description, arguments]}, call(name, args, log), resources, read(uri) }
export function mcpServer(vault) {
  const server = new Server(vault.info, { capabilities: { tools: {}, logging: {}, ...(vault.resources ? { resources: {} } : {}) } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: Object.entries(vault.tools).map(([name, [description, args]]) => ({ name, description, inputSchema: schema(args) })) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: args = {} } }, extra) => {
    record({ tool: name, args });
    if (!vault.tools[name]) throw new Error(`Unknown tool: ${name}`);
    return vault.call(name, args, (data) => extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } }));
  });
  if (vault.resources) {
    server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: vault.resources }));
    server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => { record({ resource: uri }); return vault.read(uri); });
  }
  return server;
}

export const onStdio = (vault) => mcpServer(vault).connect(new StdioServerTransport());

// A server and a transport for each session. other(req, body, json) answers what is not MCP; denied(req, body, json) who may not in.
export function onHttp(vault, { port, path, other, denied }) {
  const sessions = new Map();
  createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', async () => {
      const json = (status, value, headers) => (res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value)), true);
      if (!req.url.startsWith(path)) return void (other?.(req, body, json) || json(404, { error: 'not found' }));
      if (denied(req, json)) return;
      let transport = sessions.get(req.headers['mcp-session-id']);
      if (!transport) {
        transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (id) => sessions.set(id, transport) });
        await mcpServer(vault).connect(transport);
      }
      await transport.handleRequest(req, res, body ? JSON.parse(body) : undefined);
    });
  }).listen(port, '127.0.0.1', () => console.error('vault at', port));
}
