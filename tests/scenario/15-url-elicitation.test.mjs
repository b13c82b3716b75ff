// A vault that sends its user to a page (MCP 2025-11-25, URL elicitation): as a request of its own, as the error -32042, and the
// notification that it is done.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as mcp from '@modelcontextprotocol/sdk/types.js';
import { call, connect, serve, text, until } from './lib.mjs';

const PAGE = 'https://vault.example/approve?request=42';
const elicitation = { mode: 'url', elicitationId: 'e-42', url: PAGE, message: 'Please approve the lease.' };

async function vault(t) {
  const transports = new Map();
  const make = () => {
    const s = new Server({ name: 'narrowgate-demo-vault', version: '1' }, { capabilities: { tools: {} } });
    s.setRequestHandler(mcp.ListToolsRequestSchema, () => ({ tools: ['list_secrets', 'read_secret'].map((name) => ({ name, inputSchema: { type: 'object', properties: { path: {}, prefix: {} } } })) }));
    s.setRequestHandler(mcp.CallToolRequestSchema, async ({ params }, extra) => {
      if (params.name === 'read_secret') throw new mcp.UrlElicitationRequiredError([elicitation]);
      const r = await extra.sendRequest({ method: 'elicitation/create', params: elicitation }, mcp.ElicitResultSchema);
      await extra.sendNotification({ method: 'notifications/elicitation/complete', params: { elicitationId: 'e-42' } });
      return { content: [{ type: 'text', text: JSON.stringify({ secrets: [], answer: r.action }) }] };
    });
    return s;
  };
  const server = createServer(async (req, res) => {
    const id = req.headers['mcp-session-id'];
    let transport = transports.get(id);
    if (!transport) {
      transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (s) => transports.set(s, transport) });
      await make().connect(transport);
    }
    await transport.handleRequest(req, res);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return `http://127.0.0.1:${server.address().port}/mcp`;
}

async function agent(t, profile) {
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: await vault(t) } }, profiles: { here: profile }, default_profile: 'here' });
  const seen = { asked: [], complete: [] };
  const client = await connect(t, 1, s, { capabilities: { elicitation: { form: {}, url: {} } }, setup(c) {
    c.setRequestHandler(mcp.ElicitRequestSchema, ({ params }) => { seen.asked.push(params); return { action: 'accept' }; });
    c.setNotificationHandler(mcp.ElicitationCompleteNotificationSchema, ({ params }) => { seen.complete.push(params.elicitationId); });
  } });
  return { client, seen };
}

test('the request, its answer and the notification pass', async (t) => {
  const { client, seen } = await agent(t, { extends: 'open' });
  assert.match(text(await call(client, 'list_secrets', { prefix: '' })), /accept/);
  assert.deepEqual(seen.asked.map(({ _meta, ...p }) => p), [elicitation]);
  await until('the notification', () => seen.complete.length === 1);
  assert.deepEqual(seen.complete, ['e-42']);
});

test('the error -32042 keeps its code and its data', async (t) => {
  const { client } = await agent(t, { extends: 'open' });
  await assert.rejects(call(client, 'read_secret', { path: 'integrations/a' }), (e) => {
    assert.equal(e.code, -32042);
    assert.deepEqual(e.data.elicitations, [elicitation]);
    return true;
  });
});

test('under masking what a page\'s address could give away does not pass: the code stays, the address does not', async (t) => {
  const { client } = await agent(t, { extends: 'open', mask_values: true });
  await assert.rejects(call(client, 'read_secret', { path: 'integrations/a' }), (e) => {
    assert.equal(e.code, -32042);
    assert.ok(!JSON.stringify(e.data ?? {}).includes('request=42') && !e.message.includes('request=42'), JSON.stringify(e.data));
    return true;
  });
});
