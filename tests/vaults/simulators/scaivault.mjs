// A simulator of scaivault-mcp: the 67 tools that its documentation names, its resources and prompts, on data in memory. Names are documented;
// argument names and the shapes of answers follow the fields of the REST API. stdio, or MCP_TRANSPORT=http with PORT: Streamable HTTP at /mcp,
// where SCAIVAULT_TOKEN is the bearer asked for. What reaches it is appended to SIM_RECORD, one JSON line a request.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as T from '@modelcontextprotocol/sdk/types.js';

// As the documentation lists them, group by group; `!` is a required argument, a type follows a colon (string without).
const T2 = 'tenant_id partner_id';
export const TOOLS = Object.fromEntries(`
read_secret path! version:integer ${T2}
write_secret path! data:object! secret_type metadata:object options:object ${T2}
delete_secret path! permanent:boolean ${T2}
list_secrets prefix recursive:boolean tag limit:integer cursor ${T2}
get_secret_versions path! ${T2}
rotate_secret path! data:object generate:boolean ${T2}
check_expiration path prefix within_days:integer ${T2}
list_secret_policies
get_secret_policy policy_id!
create_secret_policy name! policy_type! rules:object
generate_secret_preview policy_id! count:integer
get_policy_types
list_policies
get_policy policy_id!
create_policy name! rules:array! bindings:array
test_policy identity_id! path! action!
list_rotation_policies
create_rotation_policy name! interval! path_patterns:array! generator:object
get_secrets_due_rotation within_days:integer prefix ${T2}
list_service_accounts
get_service_account service_account_id!
create_service_account name! scopes:array description
update_service_account service_account_id! name scopes:array
delete_service_account service_account_id!
create_api_key service_account_id! name! scopes:array expires_in
list_api_keys service_account_id
delete_api_key key_id!
list_cas
get_ca ca_id!
create_root_ca common_name! ttl key_type
list_certificates ca_id status limit:integer cursor
get_certificate certificate_id!
issue_certificate ca_id! role common_name! sans:array ttl store_path
revoke_certificate certificate_id! reason
validate_certificate cert_pem!
check_expiring_certs within_days:integer
list_acme_accounts
create_acme_account email! directory_url!
list_acme_orders account_id
create_acme_order account_id! domains:array!
complete_acme_challenge order_id! domain!
request_certificate domains:array! account_id store_path
list_dynamic_engines
get_dynamic_engine engine!
create_dynamic_engine name! type! config:object! default_ttl max_ttl
list_dynamic_roles engine!
create_dynamic_role engine! name! creation_statements:array default_ttl
generate_credentials engine! role! ttl
list_leases engine
renew_lease lease_id! increment
revoke_lease lease_id!
check_expiring_leases within_minutes:integer
list_federation_backends
get_federation_backend backend_id!
create_federation_backend name! type! config:object! path_mapping:object mode sync_interval
test_federation_backend backend_id!
sync_federation_backend backend_id!
proxy_read backend_id! path!
list_subscriptions
get_subscription subscription_id! include_events:boolean
create_subscription name! path_patterns:array event_types:array delivery:object
delete_subscription subscription_id!
list_event_types
query_audit path identity_id actor action result start end limit:integer cursor
audit_summary start end
secret_audit_trail path! limit:integer
find_unauthorized_access window_hours:integer prefix
`.trim().split('\n').map((line) => {
  const [name, ...args] = line.split(' '), properties = {}, required = [];
  for (const a of args) {
    const [, arg, type = 'string', must] = /^(\w+)(?::(\w+))?(!?)$/.exec(a.replace(/^(\w+)!$/, '$1:string!'));
    properties[arg] = { type };
    if (must) required.push(arg);
  }
  return [`scaivault_${name}`, { type: 'object', properties, required }];
}));

// Every value there is; none may show where it should not, nor in any log.
export const VALUES = { stripe: 'scai-stripe-q7Vn2LxT9', salesforce: 'scai-sf-refresh-K3mW8', primary: 'scai-db-P5rGz1YcB', globex: 'scai-globex-H6tJd0Fs',
  preview: 'scai-preview-N4xQe8', key: 'scai-apikey-U2bSk7Ma', pem: 'scai-pem-Z9wLh3Vp', dynamic: 'scai-dyn-R8fCy5Do', proxied: 'scai-proxied-X1gMt6',
  signing: 'scai-signing-B7qEj4', rotated: 'scai-rotated-W3nKv9', engine: 'scai-engine-root-C5dPz2' };
const V = VALUES, at = '2026-06-01T10:00:00Z', expires_at = '2026-07-01T10:00:00Z';
const secret = (tenant_id, path, secret_type, version, data) => ({ path, tenant_id, partner_id: 'ptn_main', secret_type, version, data,
  metadata: { team: 'billing' }, created_at: at, expires_at });
const SECRETS = [
  secret('tnt_acme', 'integrations/stripe/api-key', 'api_key', 1, { api_key: V.stripe }),
  secret('tnt_acme', 'integrations/salesforce/oauth', 'oauth_token', 3, { oauth: { refresh_token: V.salesforce, scopes: ['api'] } }),
  secret('tnt_acme', 'infra/db/primary/credentials', 'database', 2, { password: V.primary }),
  secret('tnt_globex', 'integrations/stripe/api-key', 'api_key', 1, { api_key: V.globex })];
const list = (items) => ({ items, total: items.length });
const less = ({ data, ...rest }) => rest;
const home = (a) => a.tenant_id ?? 'tnt_acme';
const find = (a) => {
  const s = SECRETS.find((x) => x.path === a.path && x.tenant_id === home(a));
  if (!s) throw new Error(`Secret not found: ${a.path}`);
  return s;
};
// Without a tenant the token's partner sees both tenants' metadata, as a partner does.
const under = (a) => SECRETS.filter((s) => (!a.tenant_id || s.tenant_id === a.tenant_id) && s.path.startsWith(a.prefix ?? '')).map(less);
const policy = (id) => ({ id, name: id, rules: [{ path_pattern: 'integrations/**', actions: ['read'] }] });
const wide = (id) => ({ id, name: id, rules: [{ path_pattern: 'infra/**', actions: ['read'] }] });
const account = (id) => ({ id, name: 'report-runner', tenant_id: 'tnt_acme', created_at: at });
const cert = (id) => ({ id, common_name: 'a.acme.test', serial_number: '4f:11', status: 'active', expires_at });
const order = (id) => ({ id, status: 'pending', domains: ['a.acme.test'] });
const engine = (name, path) => ({ name, type: 'postgres', config: { root_credentials_path: path, connection: { password: V.engine } }, default_ttl: '1h' });
const lease = (id) => ({ lease_id: id, engine: 'postgres-prod', role: 'readonly', expires_at, renewable: true });
const backend = (id, path) => ({ id, name: id, type: 'hashicorp', config: { address: 'https://hashi.acme.test', auth_config_path: path },
  path_mapping: { [`${path.split('/')[0]}/hashi/*`]: 'secret/data/*' } });
const sub = (id, pattern) => ({ id, name: id, path_patterns: [pattern], event_types: ['secret.rotated'],
  delivery: { type: 'webhook', url: 'https://hooks.acme.test/x', signing_secret: V.signing } });
const entry = (id, path, tenant_id = 'tnt_acme') => ({ id, actor: 'sa:report-runner', action: 'secret.read', path, result: 'access_denied', tenant_id, timestamp: at });
const ENTRIES = [entry('ae_1', 'integrations/stripe/api-key'), entry('ae_2', 'infra/db/primary/credentials'), entry('ae_3', 'integrations/stripe/api-key', 'tnt_globex')];
const audit = (entries) => ({ entries, total: entries.length });
const done = (what) => (a) => ({ status: what, ...a });

const ANSWERS = {
  read_secret: find,
  write_secret: (a) => ({ path: a.path, tenant_id: home(a), version: 2, created_at: at }),
  delete_secret: (a) => ({ path: a.path, tenant_id: home(a), deleted: true }),
  list_secrets: (a) => list(under(a)),
  get_secret_versions: (a) => ({ path: a.path, versions: [{ version: 1, data: find(a).data, created_at: at }], total: 1 }),
  rotate_secret: (a) => ({ path: find(a).path, version: 2, data: { password: V.rotated }, rotated_at: at }),
  check_expiration: (a) => list(under(a).map(({ path, tenant_id }) => ({ path, tenant_id, expires_at, days_left: 3 }))),
  list_secret_policies: () => list([{ id: 'sp_1', name: 'strong', policy_type: 'password' }]),
  get_secret_policy: (a) => ({ id: a.policy_id, name: 'strong', policy_type: 'password', rules: { min_length: 20 } }),
  create_secret_policy: (a) => ({ id: 'sp_2', name: a.name, policy_type: a.policy_type }),
  generate_secret_preview: () => ({ previews: [V.preview], entropy_bits: 128 }),
  get_policy_types: () => ({ policy_types: ['password', 'token'] }),
  list_policies: () => list([policy('pol_1'), wide('pol_2')]),
  get_policy: (a) => policy(a.policy_id),
  create_policy: (a) => ({ id: 'pol_3', name: a.name, rules: a.rules }),
  test_policy: (a) => ({ allowed: true, path: a.path, action: a.action, matched_policy: 'pol_1' }),
  list_rotation_policies: () => list([{ id: 'rp_1', interval: '30d', path_patterns: ['integrations/**'] }, { id: 'rp_2', interval: '30d', path_patterns: ['infra/**'] }]),
  create_rotation_policy: (a) => ({ id: 'rp_3', name: a.name, path_patterns: a.path_patterns }),
  get_secrets_due_rotation: (a) => list(under(a).map(({ path, tenant_id }) => ({ path, tenant_id, due_at: expires_at }))),
  list_service_accounts: () => list([account('sa_1')]),
  get_service_account: (a) => account(a.service_account_id),
  create_service_account: (a) => ({ id: 'sa_2', name: a.name }),
  update_service_account: (a) => account(a.service_account_id),
  delete_service_account: done('deleted'),
  create_api_key: (a) => ({ id: 'key_2', service_account_id: a.service_account_id, api_key: V.key, expires_at }),
  list_api_keys: () => list([{ id: 'key_1', name: 'ci', created_at: at }]),
  delete_api_key: done('deleted'),
  list_cas: () => list([{ id: 'ca_1', common_name: 'Acme Root', expires_at }]),
  get_ca: (a) => ({ id: a.ca_id, common_name: 'Acme Root', expires_at }),
  create_root_ca: (a) => ({ id: 'ca_2', common_name: a.common_name }),
  list_certificates: () => list([cert('crt_1')]),
  get_certificate: (a) => cert(a.certificate_id),
  issue_certificate: () => ({ ...cert('crt_2'), key_pem: V.pem }),
  revoke_certificate: done('revoked'),
  validate_certificate: () => ({ valid: true, expires_at }),
  check_expiring_certs: () => list([cert('crt_1')]),
  list_acme_accounts: () => list([{ id: 'acc_1', email: 'ops@acme.test', status: 'valid' }]),
  create_acme_account: (a) => ({ id: 'acc_2', email: a.email }),
  list_acme_orders: () => list([order('ord_1')]),
  create_acme_order: () => order('ord_2'),
  complete_acme_challenge: (a) => order(a.order_id),
  request_certificate: () => ({ ...cert('crt_3'), key_pem: V.pem }),
  list_dynamic_engines: () => list([engine('postgres-app', 'integrations/pg/root'), engine('postgres-prod', 'infra/pg/root')]),
  get_dynamic_engine: (a) => engine(a.engine, a.engine === 'postgres-app' ? 'integrations/pg/root' : 'infra/pg/root'),
  create_dynamic_engine: (a) => ({ name: a.name, type: a.type, config: a.config }),
  list_dynamic_roles: (a) => list([{ name: 'readonly', engine: a.engine, default_ttl: '1h' }]),
  create_dynamic_role: (a) => ({ name: a.name, engine: a.engine }),
  generate_credentials: (a) => ({ ...lease('lease_abc'), engine: a.engine, username: 'v_readonly_x', password: V.dynamic,
    connection_url: `postgresql://v_readonly_x:${V.dynamic}@db.acme.test:5432/main` }),
  list_leases: () => list([lease('lease_abc')]),
  renew_lease: (a) => lease(a.lease_id),
  revoke_lease: done('revoked'),
  check_expiring_leases: () => list([lease('lease_abc')]),
  list_federation_backends: () => list([backend('fb_1', 'integrations/hashi'), backend('fb_2', 'infra/hashi')]),
  get_federation_backend: (a) => backend(a.backend_id, a.backend_id === 'fb_1' ? 'integrations/hashi' : 'infra/hashi'),
  create_federation_backend: (a) => ({ id: 'fb_3', name: a.name, type: a.type, config: a.config }),
  test_federation_backend: (a) => ({ backend_id: a.backend_id, reachable: true, latency_ms: 4 }),
  sync_federation_backend: (a) => ({ backend_id: a.backend_id, synced: 3 }),
  proxy_read: (a) => ({ backend_id: a.backend_id, path: a.path, data: { data: { password: V.proxied } } }),
  list_subscriptions: () => list([sub('sub_1', 'integrations/**'), sub('sub_2', 'infra/**')]),
  get_subscription: (a) => ({ ...sub(a.subscription_id, 'integrations/**'), events: [{ id: 'ev_1', path: 'integrations/stripe/api-key' }, { id: 'ev_2', path: 'infra/db/primary' }] }),
  create_subscription: (a) => ({ id: 'sub_3', name: a.name, path_patterns: a.path_patterns, signing_secret: V.signing }),
  delete_subscription: done('deleted'),
  list_event_types: () => ({ event_types: ['secret.read', 'secret.rotated', 'lease.expired'] }),
  query_audit: (a) => audit(ENTRIES.filter((e) => !a.path || e.path === a.path)),
  audit_summary: () => ({ by_path: { 'integrations/stripe/api-key': 3, 'infra/db/primary/credentials': 9 }, by_action: { 'secret.read': 12 } }),
  secret_audit_trail: (a) => ({ path: a.path, ...audit(ENTRIES.filter((e) => e.path === a.path)) }),
  find_unauthorized_access: () => audit(ENTRIES),
};

const PROMPTS = {
  'audit-investigation': ['path'], 'rotate-credential': ['path'], 'migrate-from-env': ['env', 'prefix'] };

const record = (method, params) => { if (process.env.SIM_RECORD) appendFileSync(process.env.SIM_RECORD, `${JSON.stringify({ method, params })}\n`); };

function server() {
  const s = new Server({ name: 'scaivault', version: '1.0.0' }, { capabilities: { tools: {}, resources: {}, prompts: {} } });
  s.setRequestHandler(T.ListToolsRequestSchema, () => ({ tools: Object.entries(TOOLS).map(([name, inputSchema]) => ({ name, description: name.replace(/_/g, ' '), inputSchema })) }));
  s.setRequestHandler(T.CallToolRequestSchema, ({ params: { name, arguments: args = {} } }) => {
    record('tools/call', { name, arguments: args });
    try {
      const missing = TOOLS[name]?.required.filter((r) => !(r in args));
      if (!missing || missing.length) throw new Error(missing ? `missing ${missing}` : 'unknown tool');
      const value = ANSWERS[name.slice('scaivault_'.length)](args);
      return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
    } catch (e) { return { content: [{ type: 'text', text: `Error: ${e.message}` }], isError: true }; }
  });
  s.setRequestHandler(T.ListResourcesRequestSchema, () => ({ resources: SECRETS.map((x) => ({ uri: `scaivault://secrets/${x.tenant_id}/${x.path}`, name: x.path, mimeType: 'application/json' })) }));
  s.setRequestHandler(T.ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [
    { uriTemplate: 'scaivault://secrets/{tenant}/{path}', name: 'secret' }, { uriTemplate: 'scaivault://policies/{id}', name: 'policy' }] }));
  s.setRequestHandler(T.ReadResourceRequestSchema, ({ params: { uri } }) => {
    record('resources/read', { uri });
    const [, kind, rest] = /^scaivault:\/\/(secrets|policies)\/(.+)$/.exec(uri) ?? [];
    if (!kind) throw new T.McpError(T.ErrorCode.InvalidParams, 'unknown resource');
    const [tenant_id, ...path] = rest.split('/');
    const value = kind === 'policies' ? policy(rest) : find({ tenant_id, path: path.join('/') });
    return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(value) }] };
  });
  s.setRequestHandler(T.ListPromptsRequestSchema, () => ({ prompts: Object.entries(PROMPTS).map(([name, args]) => ({ name, arguments: args.map((a) => ({ name: a, required: true })) })) }));
  s.setRequestHandler(T.GetPromptRequestSchema, ({ params: { name, arguments: a = {} } }) => {
    record('prompts/get', { name, arguments: a });
    return { messages: [{ role: 'user', content: { type: 'text', text: `${name}: ${a.path ?? a.prefix}` } }] };
  });
  return s;
}

function http() {
  createServer(async (req, res) => {
    if (req.headers.authorization !== `Bearer ${process.env.SCAIVAULT_TOKEN}`) return void res.writeHead(401).end();
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined }), s = server();
    res.on('close', () => { transport.close(); s.close(); });
    await s.connect(transport);
    await transport.handleRequest(req, res);
  }).listen(Number(process.env.PORT), '127.0.0.1', () => process.stderr.write('listening\n'));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  if (process.env.MCP_TRANSPORT === 'http') http(); else await server().connect(new StdioServerTransport());
}
