// `credential: oauth`: the vault says where its tokens come from; narrowgate gets one for itself, never with more scopes than are
// configured, from no other issuer, and tells neither agents nor logs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { getOAuthProtectedResourceMetadataUrl, mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import express from 'express';
import { z } from 'zod';
import { BULLETS, call, connect, initialize, post, ready, scratch, serve, sleep, text, until } from './lib.mjs';
import { authorization } from './servers/authorization.mjs';

const SECRET = 'client-secret-of-narrowgate-77';
const read = (client) => call(client, 'read_secret', { path: 'integrations/a' });
const works = async (client) => assert.equal(JSON.parse(text(await read(client))).value, BULLETS);

async function place(t, { oauth = {}, secret = true, stored, ca, ...options } = {}) {
  const a = await authorization(t, options);
  const dir = scratch(t);
  const file = join(dir, 'secret'), tokens = join(dir, 'tokens.json');
  writeFileSync(file, `${SECRET}\n`);
  if (stored) writeFileSync(tokens, JSON.stringify({ issuer: a.issuer, resource: `${a.at}/mcp`, client_id: 'client-7', scope: 'vault:read', refresh_token: 'refresh-0-secret', ...stored }));
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: `${a.at}/mcp`, ...(ca ? { tls: { ca } } : {}), credential: { oauth: { client_id: 'client-7', scopes: ['vault:read'],
    ...(secret ? { client_secret: { file } } : { token_file: tokens }), ...oauth } } } }, profiles: { p: { mask_values: true } }, default_profile: 'p' });
  t.after(() => { for (const hidden of [SECRET, 'access-', 'refresh-', 'oauth-scenario-value']) assert.ok(!(s.p.err + s.p.out).includes(hidden), `${hidden} in the log`); });
  return { ...a, s, file, tokens };
}

const ends = async (s, words) => {
  await until(`the log: ${words}`, () => words.test(s.p.err));
  assert.equal((await fetch(`${s.admin}/readyz`)).status, 503);
  const r = await post(s.url, initialize(1));
  assert.equal(r.status, 503);
  assert.match(r.json.error.message, /credential/);
};

test('client credentials: found by the challenge, proven by HTTP Basic, bound to the vault, used for every call', async (t) => {
  const { s, seen, at } = await place(t);
  await ready(s);
  const client = await connect(t, 1, s);
  for (let i = 0; i < 3; i++) await works(client);
  assert.deepEqual(seen.forms, [{ grant_type: 'client_credentials', scope: 'vault:read', resource: `${at}/mcp` }]);
  assert.deepEqual(seen.auth, [`Basic ${Buffer.from(`client-7:${SECRET}`).toString('base64')}`]);
  assert.deepEqual(seen.paths.slice(0, 4), ['POST /mcp', 'GET /.well-known/oauth-protected-resource/mcp', 'GET /.well-known/oauth-authorization-server', 'POST /token']);
  assert.equal(seen.refused, 1, 'the question alone');
});

test('without a challenge the well-known places are asked, for an issuer with a path all of them', async (t) => {
  const places = [];
  const absent = (r) => (places.push(r.url.pathname), { status: 404, json: {} });
  const { s } = await place(t, { challenge: false, issuerPath: '/tenant', bend: {
    '/.well-known/oauth-protected-resource/mcp': absent,
    '/.well-known/oauth-protected-resource': ({ url }) => ({ json: { resource: `${url.origin}/`, authorization_servers: [`${url.origin}/tenant`] } }),
    '/.well-known/oauth-authorization-server/tenant': absent,
    '/.well-known/openid-configuration/tenant': absent,
    '/tenant/.well-known/openid-configuration': ({ url }) => (places.push('last'), { json: { issuer: `${url.origin}/tenant`, token_endpoint: `${url.origin}/token` } }),
  } });
  await ready(s);
  await works(await connect(t, 1, s));
  assert.deepEqual(places, ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-authorization-server/tenant', '/.well-known/openid-configuration/tenant', 'last']);
});

test('a server of 2025-03-26 without any metadata: its own endpoints', async (t) => {
  const none = () => ({ status: 404 });
  const { s, seen, at } = await place(t, { challenge: false, bend: { '/.well-known/oauth-protected-resource/mcp': none, '/.well-known/oauth-authorization-server': none } });
  await ready(s);
  await works(await connect(t, 1, s));
  assert.equal(seen.forms[0].resource, `${at}/mcp`);
});

test('it is renewed before it runs out, one exchange at a time, and when the secret changes', async (t) => {
  const { s, seen, file } = await place(t, { life: 2 });
  await ready(s);
  await until('a renewal', () => seen.forms.length >= 2);
  writeFileSync(file, 'another-client-secret\n');
  const another = `Basic ${Buffer.from('client-7:another-client-secret').toString('base64')}`;
  await until('the new secret', () => seen.auth.includes(another));
  await works(await connect(t, 1, s));
  assert.equal(seen.most, 1);
});

test('step-up: more scopes when the vault says so and they are configured; the refused call is not sent again', async (t) => {
  const { s, seen } = await place(t, { oauth: { scopes: ['vault:read', 'vault:write'] }, scopesNeeded: { write_secret: 'vault:write', delete_secret: 'vault:admin' } });
  await ready(s);
  const client = await connect(t, 1, s);
  await works(client);
  const write = () => call(client, 'write_secret', { path: 'integrations/a', value: 'x' });
  await assert.rejects(write, /did not accept/);
  await until('the step', () => seen.forms.length === 2 && seen.now === 0);
  await until('the write', () => write().then(() => true, () => false));
  assert.deepEqual(seen.forms.map((f) => f.scope), ['vault:read', 'vault:read vault:write']);
  assert.equal(seen.calls.filter((name) => name === 'write_secret').length, 1);
  await assert.rejects(() => call(client, 'delete_secret', { path: 'integrations/a' }), /did not accept/);
  await sleep(300);
  assert.equal(seen.forms.length, 2, 'vault:admin is not configured, so nobody asks for it');
  await works(client);
});

test('vault:read stays vault:read', async (t) => {
  const { s, seen } = await place(t, { scopesNeeded: { write_secret: 'vault:write' } });
  await ready(s);
  const client = await connect(t, 1, s);
  for (let i = 0; i < 3; i++) await assert.rejects(() => call(client, 'write_secret', { path: 'integrations/a', value: 'x' }), /did not accept/);
  await sleep(300);
  assert.deepEqual(seen.forms.map((f) => f.scope), ['vault:read']);
  assert.match(s.p.err, /wants more scopes than are configured/);
});

test('a token with more scopes than were asked for is not used', async (t) => {
  const { s } = await place(t, { bend: { '/token': (r, a) => ({ json: { ...a.json, scope: 'vault:read vault:write' } }) } });
  await ends(s, /granted more scopes than are configured/);
});

test('a step the server does not grant leaves the token as it was', async (t) => {
  const { s, seen } = await place(t, { oauth: { scopes: ['vault:read', 'vault:write'] }, scopesNeeded: { write_secret: 'vault:write' },
    bend: { '/token': (r, a, seen) => (r.form.get('scope').includes('write') ? (seen.good.set('access-1-secret', ['vault:read']), { status: 400, json: { error: 'invalid_scope' } }) : a) } });
  await ready(s);
  const client = await connect(t, 1, s);
  await assert.rejects(() => call(client, 'write_secret', { path: 'integrations/a', value: 'x' }), /did not accept/);
  await until('the refusal', () => /does not give the scopes/.test(s.p.err));
  await until('it works on', () => works(client).then(() => true, () => false));
  await until('the old scopes', () => seen.forms.at(-1).scope === 'vault:read');
});

test('a refresh token: used with its client, rotated in its file', async (t) => {
  const { s, seen, at, tokens } = await place(t, { secret: false, stored: {} });
  await ready(s);
  await works(await connect(t, 1, s));
  assert.deepEqual(seen.forms, [{ grant_type: 'refresh_token', refresh_token: 'refresh-0-secret', scope: 'vault:read', resource: `${at}/mcp`, client_id: 'client-7' }]);
  assert.equal(seen.auth[0], null);
  assert.equal(JSON.parse(readFileSync(tokens)).refresh_token, 'refresh-1-secret');
  assert.equal(statSync(tokens).mode & 0o777, 0o600);
  await sleep(6000); // what it wrote itself is no news to it
  assert.equal(seen.forms.length, 1);
});

for (const [what, stored, words] of [
  ['of another issuer', { issuer: 'https://elsewhere.example' }, /another authorization server than at the login/],
  ['for another resource', { resource: 'https://elsewhere.example/mcp' }, /for another resource/],
  ['of another client', { client_id: 'client-8' }, /another client's/],
]) test(`a refresh token ${what} is shown to nobody`, async (t) => {
  const { s, seen } = await place(t, { secret: false, stored });
  await ends(s, words);
  assert.deepEqual(seen.forms, []);
});

test('a refresh token that is no longer accepted: refused, not ready, and well again after a login', async (t) => {
  let dead = true;
  const { s, tokens } = await place(t, { secret: false, stored: {}, bend: { '/token': (r, a) => (dead ? { status: 400, json: { error: 'invalid_grant', error_description: 'refresh-0-secret is dead' } } : a) } });
  await ends(s, /a new login is needed/);
  dead = false;
  const now = JSON.parse(readFileSync(tokens));
  writeFileSync(tokens, JSON.stringify({ ...now, refresh_token: 'refresh-9-secret' }));
  await ready(s);
  await works(await connect(t, 1, s));
});

for (const [what, spoil] of [['vanishes', (f) => unlinkSync(f)], ['turns empty', (f) => writeFileSync(f, '')]])
  test(`a token file that ${what} while serving: calls refused, not ready, said once`, async (t) => {
    const { s, tokens } = await place(t, { secret: false, stored: {} });
    await ready(s);
    const client = await connect(t, 1, s);
    await works(client);
    spoil(tokens);
    await until('not ready', async () => (await fetch(`${s.admin}/readyz`)).status === 503);
    await assert.rejects(() => read(client), /credential/);
    assert.match(s.p.err, /there is no token file|token file is empty/);
  });

for (const [what, bend, words] of [
  ['names another issuer in its metadata', { '/.well-known/oauth-authorization-server': (r, a) => ({ json: { ...a.json, issuer: 'https://evil.example' } }) }, /about another issuer/],
  ['has metadata for another resource', { '/.well-known/oauth-protected-resource/mcp': (r, a) => ({ json: { ...a.json, resource: 'https://evil.example/mcp' } }) }, /about another resource/],
  ['is redirected', { '/.well-known/oauth-authorization-server': () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } }) }, /a redirect/],
  ['redirects its token endpoint', { '/token': () => ({ status: 307, headers: { location: 'http://127.0.0.1:1/' } }) }, /a redirect/],
  ['is endless', { '/.well-known/oauth-authorization-server': () => ({ body: '{"a":"' + 'x'.repeat(100000) + '"}' }) }, /over 64 KiB/],
  ['sends names twice', { '/.well-known/oauth-authorization-server': (r, a) => ({ body: JSON.stringify(a.json).replace('{', '{"token_endpoint":"http://127.0.0.1:1/",') }) }, /no JSON object/],
  ['lies in a private network', { '/.well-known/oauth-protected-resource/mcp': (r, a) => ({ json: { ...a.json, authorization_servers: ['https://10.0.0.1'] } }) }, /private_addresses/],
  ['lies beside the cloud', { '/.well-known/oauth-authorization-server': (r, a) => ({ json: { ...a.json, token_endpoint: 'https://169.254.169.254/token' } }) }, /private_addresses/],
  ['is http elsewhere', { '/.well-known/oauth-protected-resource/mcp': (r, a) => ({ json: { ...a.json, authorization_servers: ['http://192.0.2.1'] } }) }, /private_addresses/],
  ['has a file for an endpoint', { '/.well-known/oauth-authorization-server': (r, a) => ({ json: { ...a.json, token_endpoint: 'file:///etc/passwd' } }) }, /no URL/],
  ['has a user in a URL', { '/.well-known/oauth-protected-resource/mcp': (r, a) => ({ json: { ...a.json, authorization_servers: ['https://a@b.example'] } }) }, /no URL/],
  ['gives a token of another kind', { '/token': (r, a) => ({ json: { ...a.json, token_type: 'DPoP' } }) }, /no bearer tokens/],
  ['gives a token with a line end', { '/token': (r, a) => ({ json: { ...a.json, access_token: 'access-\r\nX: 1' } }) }, /cannot stand in a header/],
  ['does not know the client', { '/token': () => ({ status: 401, json: { error: 'invalid_client' } }) }, /check client_id and client_secret/],
  ['is ill', { '/token': () => ({ status: 500, body: 'access-broken' }) }, /HTTP error/],
]) test(`an authorization server that ${what}: not ready, calls refused, said in the log`, async (t) => {
  const { s } = await place(t, { bend });
  await ends(s, words);
});

test('the configured issuer is the only one, and the one found first stays the only one', async (t) => {
  const one = await place(t, { oauth: { issuer: 'https://id.example' } });
  await ends(one.s, /another authorization server than the configured/);
  assert.deepEqual(one.seen.forms, []);
  let moved = false;
  const two = await place(t, { life: 2, bend: {
    '/.well-known/oauth-protected-resource/mcp': (r, a) => (moved ? { json: { ...a.json, authorization_servers: [`${a.json.authorization_servers[0]}/evil`] } } : a),
    '/.well-known/oauth-authorization-server/evil': (r, a) => ({ json: { issuer: `http://${r.req.headers.host}/evil`, token_endpoint: `http://${r.req.headers.host}/token` } }),
    '/token': (r, a) => (moved ? { status: 503 } : a),
  } });
  await ready(two.s);
  moved = true;
  await until('the log', () => /another authorization server than before/.test(two.s.p.err));
  assert.ok(existsSync(two.file));
});

test('over TLS: the CA counts for all of it, a vault may be its own server in a private network, another may not', async (t) => {
  const dir = scratch(t);
  execFileSync('bash', ['-c', `set -e; cd '${dir}'; unset OPENSSL_CONF; new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    for ca in trusted stranger; do openssl req -x509 $new -days 2 -subj /CN=$ca -keyout $ca.key -out $ca.pem; done
    openssl req $new -subj /CN=one -keyout one.key -out one.csr; echo subjectAltName=IP:127.0.0.1 >ext
    openssl x509 -req -in one.csr -CA trusted.pem -CAkey trusted.key -CAcreateserial -days 2 -extfile ext -out one.pem`], { stdio: 'pipe' });
  const tls = { key: readFileSync(join(dir, 'one.key')), cert: readFileSync(join(dir, 'one.pem')) }, ca = join(dir, 'trusted.pem');
  const own = await place(t, { tls, ca });
  await ready(own.s);
  await works(await connect(t, 1, own.s));
  await ends((await place(t, { tls, ca: join(dir, 'stranger.pem') })).s, /TLS certificate is not trusted/);
  const second = await authorization(t, { tls });
  const bend = { '/.well-known/oauth-authorization-server': (r, a) => ({ json: { ...a.json, token_endpoint: `${second.at}/token` } }) };
  const other = await place(t, { tls, ca, bend });
  await ends(other.s, /private_addresses/);
  assert.deepEqual(second.seen.paths, []);
  await place(t, { tls, ca, bend, oauth: { private_addresses: true } });
  await until('the other server is asked', () => second.seen.paths.includes('POST /token'));
});

test('the official SDK\'s authorization server and bearer check before its own MCP server', async (t) => {
  const asked = [];
  const provider = {
    clientsStore: { getClient: (id) => (id === 'client-7' ? { client_id: id, redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' } : undefined) },
    exchangeRefreshToken: async (client, refresh, scopes, resource) => {
      asked.push([client.client_id, refresh, scopes, resource?.href]);
      return { access_token: 'access-of-the-sdk', token_type: 'bearer', expires_in: 3600, scope: 'vault:read', refresh_token: 'refresh-of-the-sdk' };
    },
    verifyAccessToken: async (token) => {
      if (token !== 'access-of-the-sdk') throw new InvalidTokenError('no');
      return { token, clientId: 'client-7', scopes: ['vault:read'], expiresAt: Date.now() / 1000 + 3600 };
    },
  };
  const app = express();
  const http = app.listen(0, '127.0.0.1');
  await new Promise((done) => http.once('listening', done));
  t.after(() => { http.closeAllConnections(); http.close(); });
  const at = `http://127.0.0.1:${http.address().port}`, resource = new URL(`${at}/mcp`);
  app.use(mcpAuthRouter({ provider, issuerUrl: new URL(at), resourceServerUrl: resource, scopesSupported: ['vault:read'] }));
  app.post('/mcp', requireBearerAuth({ verifier: provider, requiredScopes: ['vault:read'], resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource) }), express.json(), async (req, res) => {
    const server = new McpServer({ name: 'vault', version: '1' });
    server.registerTool('read_secret', { inputSchema: { path: z.string() } }, async ({ path }) => ({ content: [{ type: 'text', text: JSON.stringify({ path, value: 'oauth-scenario-value' }) }] }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await server.connect(transport);
    await transport.handleRequest(req, res, req.body);
  });
  const tokens = join(scratch(t), 'tokens.json');
  writeFileSync(tokens, JSON.stringify({ issuer: `${at}/`, resource: resource.href, client_id: 'client-7', refresh_token: 'refresh-0-secret' }));
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: resource.href, credential: { oauth: { scopes: ['vault:read'], token_file: tokens } } } }, profiles: { p: { mask_values: true } }, default_profile: 'p' });
  await ready(s);
  await works(await connect(t, 1, s));
  assert.deepEqual(asked, [['client-7', 'refresh-0-secret', ['vault:read'], resource.href]]);
  assert.equal(JSON.parse(readFileSync(tokens)).refresh_token, 'refresh-of-the-sdk');
});
