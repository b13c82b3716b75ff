// The client that the suite's client scenarios start: node client.mjs direct|through URL
// `through` puts narrowgate between it and the suite's server. The suite names scenario and revision in the environment.
import { Client as Modern, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { Client as Legacy } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { startGate } from './gate.mjs';

const [how, serverUrl] = process.argv.slice(2);
const scenario = process.env.MCP_CONFORMANCE_SCENARIO;
const version = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const modern = version >= '2026-07-28';
const info = { name: 'narrowgate-conformance-client', version: '1.0.0' };

async function connect(url) {
  const client = modern
    ? new Modern(info, { capabilities: { elicitation: {}, sampling: {}, roots: {} }, versionNegotiation: { mode: { pin: version } } })
    : new Legacy(info, { capabilities: { elicitation: { form: { applyDefaults: true } } } });
  client.setRequestHandler(modern ? 'elicitation/create' : ElicitRequestSchema, () => ({ action: 'accept', content: scenario.startsWith('sep-2322') ? { confirmed: true } : {} }));
  const transport = modern ? new ModernHttp(new URL(url)) : new LegacyHttp(new URL(url));
  if (!modern) {
    const send = transport.send.bind(transport);
    transport.send = (m, o) => send(m.method === 'initialize' ? { ...m, params: { ...m.params, protocolVersion: version } } : m, o);
  }
  await client.connect(transport);
  return { client, transport };
}

const callAll = async (client, names) => { for (const name of names) await client.callTool({ name, arguments: {} }).catch(() => {}); };

const scenarios = {
  initialize: (c) => c.listTools(),
  async tools_call(c) { await c.listTools(); await c.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } }); },
  async 'elicitation-sep1034-client-defaults'(c) { await c.listTools(); await c.callTool({ name: 'test_client_elicitation_defaults', arguments: {} }); },
  async 'sse-retry'(c) { await c.listTools(); await c.callTool({ name: 'test_reconnection', arguments: {} }); },
  async 'json-schema-2020-12-preservation'(c) {
    const { tools } = await c.listTools();
    const { inputSchema } = tools.find((t) => t.name === 'json_schema_2020_12_tool');
    await c.callTool({ name: 'json_schema_echo', arguments: { schema: inputSchema } });
  },
  'request-metadata': (c) => c.listTools(),
  async 'sep-2322-client-request-state'(c) {
    await c.listTools();
    await callAll(c, ['test_mrtr_echo_state', 'test_mrtr_unrelated', 'test_mrtr_no_state', 'test_mrtr_no_result_type']);
  },
  async 'http-standard-headers'(c) {
    for (const { name } of (await c.listTools()).tools) await c.callTool({ name, arguments: {} });
    for (const { uri } of (await c.listResources()).resources) await c.readResource({ uri }).catch(() => {});
    for (const { name } of (await c.listPrompts()).prompts) await c.getPrompt({ name });
  },
  async 'http-custom-headers'(c) { await c.listTools(); for (const call of context.toolCalls) await c.callTool(call).catch(() => {}); },
  async 'http-invalid-tool-headers'(c) { for (const { name } of (await c.listTools()).tools) await c.callTool({ name, arguments: { region: 'us-west1' } }).catch(() => {}); },
  'json-schema-ref-no-deref': (c) => c.listTools(),
};

const gate = how === 'through' ? await startGate(serverUrl) : { url: serverUrl, stop() {} };
try {
  const { client, transport } = await connect(gate.url);
  await scenarios[scenario](client);
  if (!modern) await transport.terminateSession().catch(() => {});
  await client.close();
} finally {
  await gate.stop();
}
process.exit(0);
