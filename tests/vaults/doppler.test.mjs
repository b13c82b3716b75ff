// Doppler's own server (npm, unmodified) on stdio, with a backend of ours behind it. A path is project/config/name; an update answers with
// every secret of the config.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BULLETS, call, connect, ready, serve, text } from '../scenario/lib.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'node_modules/@dopplerhq/mcp-server/dist/index.js');
const VALUES = { API_KEY: 'doppler-value-91', DB_URL: 'doppler-value-92' };

async function backend(t) {
  const seen = [];
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      const url = new URL(req.url, 'http://h'), q = url.searchParams, what = `${req.method} ${url.pathname}`;
      const json = (status, value) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      const all = Object.fromEntries(Object.entries(VALUES).map(([k, v]) => [k, { raw: v, computed: v, note: '' }]));
      seen.push([what, Object.fromEntries(q), body]);
      if (what === 'GET /v3/configs/config/secrets') return void json(200, { secrets: all });
      if (what === 'POST /v3/configs/config/secrets') return void json(200, { secrets: all });
      if (what === 'GET /v3/configs/config/secrets/names') return void json(200, { names: Object.keys(VALUES) });
      if (what === 'GET /v3/configs/config/secret') return void json(200, { name: q.get('name'), value: all[q.get('name')] });
      if (what === 'DELETE /v3/configs/config/secret') return void res.writeHead(204).end();
      if (what === 'GET /v3/configs/config/secrets/download') {
        if (q.get('format') === 'env') return void res.writeHead(200, { 'content-type': 'text/plain' }).end(Object.entries(VALUES).map(([k, v]) => `${k}="${v}"\n`).join(''));
        return void json(200, VALUES);
      }
      if (what === 'GET /v3/workplace') return void json(200, { workplace: { id: 'w', name: 'w' } });
      if (what === 'GET /v3/projects') return void json(200, { projects: [{ slug: 'web' }, { slug: 'api' }], page: 1 });
      json(404, { messages: ['not found'], success: false });
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

async function place(t, profile) {
  const b = await backend(t);
  const env = { DOPPLER_TOKEN: '${DOPPLER_TOKEN}', DOPPLER_BASE_URL: b.url };
  const s = await serve(t, { upstreams: { vault: { catalog: 'doppler', command: [process.execPath, script], env } },
    profiles: { agent: profile }, default_profile: 'agent' }, { env: { DOPPLER_TOKEN: 'dp.st.token-of-the-test' } });
  await ready(s);
  t.after(() => assert.ok(![...Object.values(VALUES), 'dp.st.'].some((x) => (s.p.err + s.p.out).includes(x)), 'a secret in the log'));
  const client = await connect(t, 1, s);
  return { client, of: async () => b.seen.filter(([what]) => what.includes('/configs/config/secret')) };
}

const where = { project: 'web', config: 'prd' };
const rule = (r) => r._meta['narrowgate.dev/refusal'].rule;
const clean = (r) => { for (const v of Object.values(VALUES)) assert.ok(!JSON.stringify(r).includes(v), 'a value came through'); return r; };

test('observer: names are seen, values never, in whatever form; nothing is changed', async (t) => {
  const { client, of } = await place(t, { extends: 'observer' });
  const names = (await client.listTools()).tools.map((x) => x.name);
  assert.ok(names.includes('secrets_list') && !names.includes('secrets_update') && !names.includes('secrets_delete'));
  assert.match(text(await call(client, 'secrets_names', where)), /API_KEY/);
  assert.ok(text(clean(await call(client, 'secrets_get', { ...where, name: 'API_KEY' }))).includes(BULLETS));
  const listed = clean(await call(client, 'secrets_list', where));
  assert.ok(text(listed).includes('API_KEY') && text(listed).includes(BULLETS));
  clean(await call(client, 'secrets_download', { ...where, format: 'json' }));
  clean(await call(client, 'secrets_download', { ...where, format: 'env' }));
  assert.match(rule(await call(client, 'secrets_update', { ...where, secrets: { API_KEY: 'x' } })), /read-only|actions/);
  assert.match(rule(await call(client, 'secrets_delete', { ...where, name: 'API_KEY' })), /read-only|actions/);
  assert.ok((await of()).every(([what]) => what.startsWith('GET')));
});

test('reader: values are read', async (t) => {
  const { client } = await place(t, { extends: 'reader' });
  assert.ok(text(await call(client, 'secrets_get', { ...where, name: 'API_KEY' })).includes(VALUES.API_KEY));
  assert.ok(text(await call(client, 'secrets_list', where)).includes(VALUES.DB_URL));
});

test('one secret of one config: lists are cut, an update answers with no other, and nothing else is asked for', async (t) => {
  const { client, of } = await place(t, { allowed_paths: ['web/prd/API_KEY'] });
  assert.ok(text(await call(client, 'secrets_get', { ...where, name: 'API_KEY' })).includes(VALUES.API_KEY));
  assert.equal(rule(await call(client, 'secrets_get', { ...where, name: 'DB_URL' })), 'allowed-paths');
  assert.equal(rule(await call(client, 'secrets_get', { project: 'web', config: 'dev', name: 'API_KEY' })), 'allowed-paths');
  const listed = text(await call(client, 'secrets_list', where));
  assert.ok(listed.includes('API_KEY') && !listed.includes('DB_URL') && !listed.includes(VALUES.DB_URL));
  assert.equal(rule(await call(client, 'secrets_update', { ...where, secrets: { DB_URL: 'x' } })), 'allowed-paths');
  const updated = text(await call(client, 'secrets_update', { ...where, secrets: { API_KEY: 'new' } }));
  assert.ok(!updated.includes(VALUES.DB_URL) && !updated.includes('DB_URL'), 'the answer holds the others no more');
  assert.ok((await of()).every(([, q, body]) => !(q.name === 'DB_URL') && q.config !== 'dev' && !body.includes('DB_URL')));
});
