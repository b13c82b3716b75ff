// 1Claw's MCP server as its documentation describes it: on stdio (the local one, whose list_secrets takes nothing and answers a JSON
// array) or Streamable HTTP at /mcp, with a token from /v1/auth/agent-token and the vault named by X-Vault-ID. Every result is one text
// item. Arguments and prose of the later tools are guesses. PORT (absent: stdio), AGENT_ID, API_KEY, VAULT_ID, RECORD.
import { onHttp, onStdio, record } from './lib.mjs';

// From the documentation's tables: first the seven of the integration page, those its security page names, then the later ones.
export const TOOLS = {
  list_secrets: ['List all secrets (metadata only, never values)', 'prefix?'],
  get_secret: ['Fetch decrypted value by path', 'path'],
  put_secret: ['Create or update a secret', 'path value type? expires_at? max_access_count:number?'],
  delete_secret: ['Soft-delete a secret', 'path'],
  describe_secret: ['Get metadata without the value', 'path'],
  rotate_and_store: ['Store a new version of an existing secret', 'path value'],
  get_env_bundle: ['Fetch and parse a KEY=VALUE env bundle', 'path'],
  share_secret: ['Share a secret', 'secret_id recipient_type recipient_id? expires_at?'],
  grant_access: ['Grant access', 'vault_id principal_type principal_id secret_path_pattern? permissions:strings?'],
  inspect_content: ['Check any text', 'content context?'],
  create_vault: ['Create a vault', 'name description?'],
  list_vaults: ['List vaults', ''],
  simulate_transaction: ['Simulate a transaction', 'to value chain data? signing_key_path?'],
  submit_transaction: ['Submit a transaction', 'to value chain data? signing_key_path?'],
  rotate_generate: ['Rotate to a generated value', 'path'],
  list_versions: ['List versions', 'path'],
  resolve_env: ['Resolve an environment', 'environment? git_branch?'],
  request_approval: ['Ask for an approval', 'reason'],
  get_approval_status: ['Status of an approval', 'approval_id'],
  request_secret: ['Ask a person for a secret', 'suggested_path description?'],
  check_secret_request: ['Status of a request', 'request_id'],
  execute_http: ['A request made with a bound secret', 'binding method url body?'],
  proxy_request: ['A request through the proxy', 'secret_name method url body?'],
};
export const VALUES = { stripe: 'oc-value-stripe-1c9fK3', hook: 'oc-value-hook-7b2dM8', infra: 'oc-value-infra-5e4aP6', envA: 'oc-value-env-3d8bR1', envB: 'oc-value-env-9a6cT2' };
const ID = (n) => `00000000-0000-4000-8000-00000000000${n}`;

function vault(local) {
  const secrets = new Map([['integrations/stripe', VALUES.stripe, 'api_key'], ['integrations/hook', VALUES.hook, 'api_key'],
    ['integrations/env', `DATABASE_URL=${VALUES.envA}\nMODE=${VALUES.envB}`, 'env_bundle'], ['infra/db', VALUES.infra, 'password']]
    .map(([path, value, type], i) => [path, { path, value, type, version: 1, id: ID(i + 1) }]));
  const said = (text) => ({ content: [{ type: 'text', text }] });
  const row = (s) => ({ path: s.path, type: s.type, version: s.version });
  const at = (path) => {
    const s = secrets.get(path);
    if (!s) throw new Error(`No secret found at path '${path}'.`);
    return s;
  };
  const store = (path, value, type = 'note') => secrets.set(path, { id: ID(9), type, ...secrets.get(path), path, value, version: (secrets.get(path)?.version ?? 0) + 1 }).get(path);
  const fetched = ({ method, url }) => said(`HTTP 200\n${JSON.stringify({ method, url, echo: `Bearer ${VALUES.stripe}` })}`);
  const doing = {
    list_secrets: ({ prefix = '' }) => {
      const found = [...secrets.values()].filter((s) => s.path.startsWith(prefix));
      if (local) return said(JSON.stringify(found.map(row)));
      return said(found.length ? `Found ${found.length} secret(s):\n${found.map((s) => `- ${s.path}  (type: ${s.type}, version: ${s.version}, expires: never)`).join('\n')}` : 'No secrets found in this vault.');
    },
    get_secret: ({ path }) => said(JSON.stringify({ ...row(at(path)), value: at(path).value })),
    put_secret: ({ path, value, type }) => said(`Secret stored at '${path}' (version ${store(path, value, type).version}).`),
    rotate_and_store: ({ path, value }) => said(`Rotated '${at(path).path}' to version ${store(path, value).version}.`),
    rotate_generate: ({ path }) => said(`Rotated '${at(path).path}' to version ${store(path, 'oc-generated').version}. The value stays in the vault.`),
    delete_secret: ({ path }) => (secrets.delete(at(path).path), said(`Secret at '${path}' deleted.`)),
    describe_secret: ({ path }) => said(JSON.stringify({ id: at(path).id, ...row(at(path)), expires_at: null })),
    list_versions: ({ path }) => said(`1 version(s) of ${at(path).path}:\n- v1 (created: 2026-06-01, current)`),
    get_env_bundle: ({ path }) => said(JSON.stringify(Object.fromEntries(at(path).value.split('\n').map((l) => l.split('='))))),
    resolve_env: ({ environment = 'prod' }) => said(JSON.stringify({ environment, vars: { DATABASE_URL: VALUES.envA, MODE: VALUES.envB } })),
    create_vault: ({ name }) => said(`Vault '${name}' created (id: v-new).`),
    list_vaults: () => said(`Found 2 vault(s):\n- Acme (id: ${process.env.VAULT_ID}, created: 2026-01-01)\n- Other (id: v-other, created: 2026-01-01)`),
    grant_access: ({ secret_path_pattern = '**', principal_id }) => said(`Granted read on ${secret_path_pattern} to agent ${principal_id}.`),
    share_secret: ({ secret_id }) => said(`Shared. Link: https://1claw.xyz/share/${secret_id}`),
    inspect_content: ({ content }) => said(JSON.stringify({ safe: !/rm -rf/.test(content), threats: [] })),
    simulate_transaction: ({ chain }) => said(`Simulated on ${chain}: success.`),
    submit_transaction: ({ chain }) => said(`Submitted on ${chain}.`),
    request_approval: () => said('Approval requested. ID: ap-1'),
    get_approval_status: ({ approval_id }) => said(`Approval ${approval_id}: pending`),
    request_secret: () => said('Request created. ID: rq-1'),
    check_secret_request: () => said('Status: fulfilled\nStored at: integrations/new'),
    execute_http: fetched,
    proxy_request: fetched,
  };
  return { info: { name: '1claw', version: '0.6.0' },
    tools: local ? { ...TOOLS, list_secrets: [TOOLS.list_secrets[0], ''] } : TOOLS,
    call: async (name, args, log) => {
      try {
        const answer = doing[name](args);
        if (name === 'get_secret' || name === 'get_env_bundle') await log(`secret accessed: ${args.path}`);
        if (name === 'list_secrets') await log('secret accessed: infra/db'); // another agent's, on the same server
        return answer;
      } catch (e) {
        return { ...said(e.message), isError: true };
      }
    },
    resources: [{ uri: 'vault://secrets', name: 'secrets', mimeType: 'application/json' }],
    read: (uri) => ({ contents: [{ uri, mimeType: 'application/json', text: JSON.stringify([...secrets.keys()]) }] }) };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { PORT, AGENT_ID, API_KEY, VAULT_ID } = process.env;
  let given = 0;
  if (!PORT) onStdio(vault(true));
  else onHttp(vault(false), { port: Number(PORT), path: '/mcp',
    other: (req, body, json) => {
      if (req.url !== '/v1/auth/agent-token') return false;
      const { agent_id, api_key } = JSON.parse(body);
      if (agent_id !== AGENT_ID || api_key !== API_KEY) return json(401, { error: 'unknown agent' });
      return json(200, { access_token: `oc-jwt-${++given}`, expires_in: 3600, token_type: 'Bearer' });
    },
    denied: (req, json) => {
      record({ vault: req.headers['x-vault-id'] ?? null });
      return !/^Bearer oc-jwt-\d+$/.test(req.headers.authorization ?? '') ? json(401, { error: 'invalid token' })
        : req.headers['x-vault-id'] !== VAULT_ID && json(403, { error: 'no such vault' });
    } });
}
