// An agent on Node's own fetch, which trusts what NODE_EXTRA_CA_CERTS says: prints one secret as it gets it.
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';

const [sdk, url] = process.argv.slice(2);
const [Client, Http] = sdk === '1' ? [Client1, Http1] : [Client2, Http2];
const client = new Client({ name: 'https-agent', version: '1.0.0' }, { capabilities: {} });
await client.connect(new Http(new URL(url)));
const result = await client.callTool({ name: 'read_secret', arguments: { path: 'integrations/stripe/api-key' } });
console.log(JSON.stringify(result.structuredContent));
await client.close();
