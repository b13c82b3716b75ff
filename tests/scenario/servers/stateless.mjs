// A vault of SDK 2.x that speaks 2026-07-28 alone: rounds that ask back, headers that repeat arguments, subscriptions, cancels.
//   node stateless.mjs           on stdio
//   node stateless.mjs PORT      Streamable HTTP
// With `dual` as the last word it speaks the revisions with a handshake too.
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, fromJsonSchema, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const secrets = { 'dev/a': 'stateless-value-dev-a', 'dev/b': 'stateless-value-dev-b', 'prod/c': 'stateless-value-prod-c' };
const object = (properties, required = []) => fromJsonSchema({ type: 'object', properties, required });
const say = (value) => ({ content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }] });
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const seen = { calls: [], cancelled: 0, headers: [] };
let handler;

function make() {
  const server = new McpServer({ name: 'stateless-vault', version: '1' }, { capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true }, logging: {} } });
  const tool = (name, inputSchema, run) => server.registerTool(name, { description: name, inputSchema }, (args, ctx) => { seen.calls.push([name, args]); return run(args, ctx); });
  tool('list_secrets', object({ prefix: { type: 'string' } }), async ({ prefix = '' }, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    if (progressToken !== undefined) for (const progress of [1, 2]) await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 2 } });
    await sleep(100);
    const items = Object.keys(secrets).filter((p) => p.startsWith(prefix)).map((path) => ({ path }));
    return say({ items, total: items.length });
  });
  tool('read_secret', object({ path: { type: 'string' }, region: { type: 'string', 'x-mcp-header': 'Region' } }, ['path']), ({ path }) => say({ path, value: secrets[path] }));
  tool('write_secret', object({ path: { type: 'string' }, value: { type: 'string' } }, ['path', 'value']), ({ path }, ctx) => {
    const given = ctx.mcpReq.inputResponses?.confirm;
    if (!given) return inputRequired({ inputRequests: { confirm: inputRequired.elicit({ mode: 'form', message: `Write ${path}?`, requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } } } }) } });
    return say(given.action === 'accept' && given.content?.ok ? `written ${path}` : 'not written');
  });
  tool('touch', object({ path: { type: 'string' } }), async ({ path }) => {
    if (handler) handler.notify.resourceUpdated(`vault://kv/${path}`);
    else await server.server.sendResourceUpdated({ uri: `vault://kv/${path}` });
    return say('touched');
  });
  tool('wait', object({ ms: { type: 'number' } }), async ({ ms }, ctx) => {
    ctx.mcpReq.signal.addEventListener('abort', () => { seen.cancelled++; });
    await sleep(ms);
    return say('waited');
  });
  tool('seen', object({}), () => say(seen));
  server.server.setRequestHandler('resources/list', () => ({ resources: Object.keys(secrets).map((p) => ({ uri: `vault://kv/${p}`, name: p })), ttlMs: 3600000, cacheScope: 'public' }));
  server.server.setRequestHandler('resources/read', ({ params }) => ({ contents: [{ uri: params.uri, text: secrets[params.uri.slice('vault://kv/'.length)] }] }));
  return server;
}

const dual = process.argv.at(-1) === 'dual';
if (Number(process.argv[2])) {
  handler = createMcpHandler(make, { legacy: dual ? 'stateless' : 'reject' });
  const node = toNodeHandler(handler);
  createServer((req, res) => {
    seen.headers.push(Object.fromEntries(Object.entries(req.headers).filter(([k]) => /^mcp-|^authorization|^x-/.test(k))));
    node(req, res);
  }).listen(Number(process.argv[2]), '127.0.0.1', () => console.error('listening'));
} else {
  serveStdio(make, dual ? {} : { legacy: 'reject' });
}
