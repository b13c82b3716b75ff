// What ./demo shows: one official MCP client at work behind a narrow profile. Ends with 1 when something is not as it should be.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const client = new Client({ name: 'narrowgate-demo', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2])));
let ok = true;

function show(what, fine, detail) {
  ok &&= fine;
  console.log(`${fine ? '  ' : '!!'} ${what.padEnd(11)}${detail}`);
}
const call = (name, args = {}) => client.callTool({ name, arguments: args });
const refusal = (r) => r.isError && r._meta?.['narrowgate.dev/refusal'] ? r.content[0].text : undefined;
async function mustRefuse(name, args) {
  const why = refusal(await call(name, args));
  show('refused', Boolean(why), `${name} ${JSON.stringify(args)}\n               ${why ?? 'NOT REFUSED'}`);
}

console.log(`connected to ${client.getServerVersion().name}\n`);
const { tools } = await client.listTools();
show('tools', !tools.some((t) => t.name === 'write_secret'), tools.map((t) => t.name).join(', '));

const list = (await call('list_secrets')).structuredContent;
show('allowed', list.total === list.items.length && list.items.every((i) => i.tenant === 'acme'), `list_secrets: ${list.items.map((i) => i.path).join(', ')}`);

const read = (await call('read_secret', { path: 'integrations/stripe/api-key' })).structuredContent;
show('masked', read.value === '••••••', `read_secret integrations/stripe/api-key: version ${read.version}, value ${read.value}`);

const bundle = (await call('get_env_bundle', { path: 'apps/reporting/env' })).structuredContent;
show('masked', Object.values(bundle).every((v) => v === '••••••'), `get_env_bundle apps/reporting/env: ${JSON.stringify(bundle)}`);

await mustRefuse('write_secret', { path: 'integrations/stripe/api-key', value: 'mine now' });
await mustRefuse('read_secret', { path: 'infra/db/primary/credentials' });
await mustRefuse('read_secret', { path: 'integrations/../infra/db/primary/credentials' });
await mustRefuse('read_secret', { path: 'integrations/stripe/api-key', tenant: 'globex' });

await client.close();
if (!ok) console.log('\nSomething marked !! is not as it should be.');
process.exit(ok ? 0 : 1);
