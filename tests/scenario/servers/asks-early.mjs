// Vaults whose rounds are awkward.
//   node asks-early.mjs handshake PORT    2025-06-18 over HTTP: asks, answers the call at once all the same, and leaves the stream open
//   node asks-early.mjs stateless         2026-07-28 on stdio: asks two things, of which the second is nothing that can be asked;
//                                         `open` says how many subscriptions there are
//   node asks-early.mjs silent            2025-06-18 on stdio: says nothing to what comes before initialize
//   node asks-early.mjs exits             the same, but exits there
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const [how, port] = process.argv.slice(2);
const tool = (name) => ({ name, inputSchema: { type: 'object' } });
const say = (text, more = {}) => ({ content: [{ type: 'text', text }], ...more });

if (how === 'handshake') {
  createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    if (req.method !== 'POST') return void res.writeHead(405).end();
    const { id, method, params } = JSON.parse(body);
    const json = (o) => res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...o }));
    if (method === 'initialize') return void json({ result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'early', version: '1' } } });
    if (method === undefined || id === undefined) return void res.writeHead(202).end();
    if (method === 'tools/list') return void json({ result: { tools: [tool('ask')] } });
    if (method !== 'tools/call') return void json({ error: { code: -32601, message: 'no such method' } });
    const event = (o) => res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...o })}\n\n`);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    event({ id: 'q', method: 'elicitation/create', params: { message: 'Which?', requestedSchema: { type: 'object', properties: {} } } });
    setTimeout(() => event({ id, result: say(`answered ${params.name}`) }), 100);
  }).listen(Number(port), '127.0.0.1', () => console.error('listening'));
} else if (how === 'silent' || how === 'exits') {
  let greeted = false;
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method } = JSON.parse(line);
    const write = (result) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
    if (method === 'initialize') {
      greeted = true;
      return void write({ protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: how, version: '1' } });
    }
    if (!greeted && how === 'exits') process.exit(1);
    if (greeted && method === 'tools/list') write({ tools: [tool('ask')] });
    if (greeted && method === 'tools/call') write(say('answered'));
  });
} else {
  const open = new Set();
  const write = (o) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...o })}\n`);
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (method === 'notifications/cancelled') open.delete(params.requestId);
    if (id === undefined) return;
    const result = (r) => write({ id, result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...r } });
    if (method === 'server/discover') return void result({ supportedVersions: ['2026-07-28'], capabilities: { tools: {}, resources: { subscribe: true } } });
    if (method === 'tools/list') return void result({ tools: [tool('ask'), tool('open')] });
    if (method === 'subscriptions/listen') {
      open.add(id);
      return void write({ method: 'notifications/subscriptions/acknowledged', params: { notifications: params.notifications, _meta: { 'io.modelcontextprotocol/subscriptionId': id } } });
    }
    if (method !== 'tools/call') return void write({ id, error: { code: -32601, message: 'no such method' } });
    if (params.name === 'open') return void result(say(String(open.size)));
    if (params.inputResponses) return void result(say(`got ${Object.keys(params.inputResponses)}`));
    write({ id, result: { resultType: 'input_required', inputRequests: {
      first: { method: 'elicitation/create', params: { message: 'Which?', requestedSchema: { type: 'object', properties: {} } } },
      second: { method: 'tools/call', params: { name: 'x' } } }, requestState: 's' } });
  });
}
