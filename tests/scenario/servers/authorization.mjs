// An authorization server and a vault that takes its tokens, by hand: every answer can be bent. For faithful ones see 26-login.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createHash } from 'node:crypto';

// `bend`: what is answered otherwise, by path: (request, default answer) => answer { status, headers, json }.
export async function authorization(t, { bend = {}, challenge = true, life = 3600, tls, issuerPath = '', scopesNeeded = {} } = {}) {
  const seen = { forms: [], auth: [], paths: [], registered: [], most: 0, now: 0, good: new Map(), n: 0, calls: [], refused: 0 };
  const listener = (req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', async () => {
      const url = new URL(req.url, at);
      seen.paths.push(`${req.method} ${url.pathname}`);
      const request = { req, url, body, form: new URLSearchParams(body) };
      const own = await answer(request);
      const a = bend[url.pathname] ? await bend[url.pathname](request, own, seen) : own;
      if (a === null) return;
      res.writeHead(a.status ?? 200, { ...(a.json !== undefined ? { 'content-type': 'application/json' } : {}), ...a.headers });
      res.end(a.body ?? (a.json !== undefined ? JSON.stringify(a.json) : ''));
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const at = `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  const issuer = at + issuerPath;
  const need = (r, extra) => ({ status: 401, headers: challenge ? { 'www-authenticate': `Bearer resource_metadata="${at}/.well-known/oauth-protected-resource/mcp"${extra}` } : {}, json: { error: 'no token' } });

  function token({ form, req }) {
    const scope = form.get('scope') ?? 'vault:read';
    const access = `access-${++seen.n}-secret`;
    const refresh = form.get('grant_type') === 'client_credentials' ? undefined : `refresh-${seen.n}-secret`;
    seen.forms.push(Object.fromEntries(form));
    seen.auth.push(req.headers.authorization ?? null);
    if (form.get('grant_type') === 'authorization_code') {
      const code = seen.codes.get(form.get('code'));
      const proof = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
      if (!code || code.challenge !== proof || code.redirect !== form.get('redirect_uri')) return { status: 400, json: { error: 'invalid_grant' } };
    }
    seen.good = new Map([[access, scope.split(' ')]]);
    return { json: { access_token: access, token_type: 'Bearer', expires_in: life, scope, ...(refresh ? { refresh_token: refresh } : {}) } };
  }

  async function answer(r) {
    switch (r.url.pathname) {
      case '/mcp': return vault(r);
      case '/.well-known/oauth-protected-resource/mcp': return { json: { resource: `${at}/mcp`, authorization_servers: [issuer], scopes_supported: ['vault:read', 'vault:write'] } };
      case `/.well-known/oauth-authorization-server${issuerPath}`: return { json: { issuer, token_endpoint: `${at}/token`, authorization_endpoint: `${at}/authorize`,
        registration_endpoint: `${at}/register`, response_types_supported: ['code'], code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'none'], authorization_response_iss_parameter_supported: true } };
      case '/token': {
        seen.most = Math.max(seen.most, ++seen.now);
        await new Promise((done) => setTimeout(done, 30));
        seen.now--;
        return token(r);
      }
      case '/register': seen.registered.push(JSON.parse(r.body)); return { status: 201, json: { client_id: 'registered-1', ...JSON.parse(r.body) } };
      case '/authorize': {
        seen.codes ??= new Map();
        const code = `code-${seen.codes.size + 1}`;
        seen.codes.set(code, { challenge: r.url.searchParams.get('code_challenge'), redirect: r.url.searchParams.get('redirect_uri'), asked: Object.fromEntries(r.url.searchParams) });
        const to = new URL(r.url.searchParams.get('redirect_uri'));
        to.searchParams.set('code', code);
        to.searchParams.set('state', r.url.searchParams.get('state'));
        to.searchParams.set('iss', issuer);
        return { status: 302, headers: { location: to.href } };
      }
      default: return { status: 404, json: {} };
    }
  }

  function vault(r) {
    const has = seen.good.get((r.req.headers.authorization ?? '').replace('Bearer ', ''));
    if (!has) { seen.refused++; return need(r, ', scope="vault:read"'); }
    if (r.req.method !== 'POST') return { status: 405 };
    const m = JSON.parse(r.body);
    const missing = scopesNeeded[m.params?.name];
    if (missing && !has.includes(missing)) {
      return { status: 403, headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="vault:read ${missing}", resource_metadata="${at}/x"` }, json: {} };
    }
    if (m.id === undefined) return { status: 202 };
    const result = m.method === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'v', version: '1' } }
      : { content: [{ type: 'text', text: JSON.stringify({ path: 'integrations/a', value: 'oauth-scenario-value' }) }] };
    if (m.method === 'tools/call') seen.calls.push(m.params.name);
    return { json: { jsonrpc: '2.0', id: m.id, result } };
  }

  return { at, issuer, seen };
}
