// GhostStack Vault's MCP server as its guide describes it: Streamable HTTP at /api/mcp, a bearer for this audience, leases that are
// redeemed. Names, folderPath, key, leaseHandle and the reference's shape are documented; all other shapes are guesses.
// PORT, TOKEN, RECORD.
import { createHmac } from 'node:crypto';
import { onHttp } from './lib.mjs';

// From the guide, "How it works".
export const TOOLS = {
  'vault.list_credentials': ['List available credentials in a folder by metadata', 'folderPath? limit:number? cursor?'],
  'vault.lease_credential': ['Request a time-limited lease on a credential by key', 'key purpose? ttl:number?'],
  'vault.read_credential': ['Redeem a lease handle to read the credential plaintext', 'leaseHandle responseFormat?'],
  'vault.rotate_credential': ['Begin a dual-window rotation on a credential', 'key'],
  'vault.search_credentials': ['Fuzzy-match by key, tag, or type', 'query? type? tag?'],
  'vault.get_credential_metadata': ['Read metadata without leasing', 'key'],
};
export const VALUES = { 'stripe-api-key': 'gs-value-stripe-4f1bQ9', 'stripe-webhook': 'gs-value-hook-8a2cW7', 'db-password': 'gs-value-infra-6d3eZ5' };
const FOLDERS = { 'stripe-api-key': 'stripe', 'stripe-webhook': 'stripe', 'db-password': 'infra' };

function vault() {
  const leases = new Map();
  let given = 0;
  const meta = (key) => ({ key, folderPath: FOLDERS[key], type: key === 'db-password' ? 'password' : 'api_key', tags: ['prod'] });
  const answer = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value });
  const error = (text) => ({ content: [{ type: 'text', text }], isError: true });
  const list = (keys) => answer({ items: keys.map(meta), nextCursor: null });
  const keys = Object.keys(VALUES);
  const doing = {
    list_credentials: ({ folderPath = '' }) => list(keys.filter((k) => !folderPath || FOLDERS[k] === folderPath.replace(/^\/|\/$/g, ''))),
    search_credentials: ({ query = '', type, tag }) => list(keys.filter((k) => k.includes(query) && (!type || meta(k).type === type) && (!tag || tag === 'prod'))),
    get_credential_metadata: ({ key }) => answer({ ...meta(key), owners: ['ops'], preview: `****${VALUES[key].slice(-4)}`, auditLog: [{ at: '2026-06-01T10:00:00Z', actor: 'claude-code', action: 'lease' }] }),
    lease_credential: ({ key }) => {
      const id = `lease${++given}`, leaseHandle = `${id}.${createHmac('sha256', 'simulator').update(id).digest('hex').slice(0, 16)}`;
      leases.set(leaseHandle, key);
      return answer({ leaseHandle, expiresAt: '2099-01-01T00:00:00Z' });
    },
    rotate_credential: ({ key }) => answer({ key, state: 'dual-window', currentVersion: 2, previousVersion: 1 }),
    read_credential: ({ leaseHandle, responseFormat }) => {
      const handle = leaseHandle.replace(/^vault:lease:/, ''), key = leases.get(handle), value = VALUES[key];
      if (key === undefined) return error('Credential not found');
      if (responseFormat === 'reference')
        return answer({ credentialReference: { ref: `vault:lease:${handle}`, preview: `****${value.slice(-4)}`, metadata: { format: 'api_key', length: value.length } } });
      leases.delete(handle);
      return answer({ key, value });
    },
  };
  return { info: { name: 'ghoststack-vault', version: '1.0.0' }, tools: TOOLS,
    call: (name, args) => {
      const key = args.key?.split('/').at(-1);
      if (args.key !== undefined && !(key in VALUES)) return error('Credential not found');
      return doing[name.slice('vault.'.length)](key ? { ...args, key } : args);
    } };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const at = `http://127.0.0.1:${process.env.PORT}`;
  onHttp(vault(), { port: Number(process.env.PORT), path: '/api/mcp',
    other: (req, body, json) => req.url.startsWith('/.well-known/oauth-protected-resource')
      && json(200, { resource: `${at}/api/mcp`, authorization_servers: [at], scopes_supported: ['vault:read', 'vault:write', 'offline_access'] }),
    denied: (req, json) => req.headers.authorization !== `Bearer ${process.env.TOKEN}`
      && json(401, { error: 'invalid_token' }, { 'www-authenticate': `Bearer resource_metadata="${at}/.well-known/oauth-protected-resource"` }) });
}
