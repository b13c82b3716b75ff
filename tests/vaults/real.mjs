// What the working days before real vault servers share: narrowgate with an audit file between an agent and the server, and at the end of each
// test the proof that no secret stands in what narrowgate wrote.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call, connect, ready, serve, text } from '../scenario/lib.mjs';

export const installed = (path) => join(dirname(fileURLToPath(import.meta.url)), 'node_modules', path);

// An HTTP backend: `answer(what, url, body, headers)` gives [status, JSON]; `what` is "METHOD /path". All that is asked for is kept.
export async function backend(t, answer) {
  const seen = [];
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => { body += d; });
    req.on('end', () => {
      const url = new URL(req.url, 'http://backend'), what = `${req.method} ${url.pathname}`;
      const parsed = body.startsWith('{') ? JSON.parse(body) : body;
      seen.push({ what, query: Object.fromEntries(url.searchParams), body: parsed });
      const [status, value] = answer(what, url, parsed, req.headers);
      res.writeHead(status, { 'content-type': 'application/json' }).end(value === undefined ? '' : JSON.stringify(value));
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${server.address().port}`, seen };
}

// A narrowgate with one agent of `profile` before the server `command`; `secrets` may stand nowhere in its log and audit. `env` is what the
// configuration gives the server; variables of `mine` may be used in it.
export async function place(t, { catalog, command, env, mine, profile, secrets }) {
  const dir = mkdtempSync(join(tmpdir(), 'narrowgate-vault-')), audit = join(dir, 'audit.jsonl');
  const s = await serve(t, { upstreams: { vault: { catalog, command, env } }, profiles: { agent: profile }, default_profile: 'agent', audit: { file: audit } },
    { env: mine });
  await ready(s);
  t.after(async () => {
    await s.p.stop();
    const written = readFileSync(audit, 'utf8'), all = s.p.err + s.p.out + written;
    rmSync(dir, { recursive: true, force: true });
    assert.ok(written.includes('"tools/call"'), 'the audit holds the day');
    assert.deepEqual(secrets.filter((x) => all.includes(x)), [], 'secrets in the log or the audit');
  });
  return connect(t, 1, s);
}

// A call's text and its whole answer, which is no refusal and no error.
export async function ok(client, name, args) {
  const r = await call(client, name, args);
  assert.equal(r.isError ?? false, false, `${name}: ${text(r)}`);
  return text(r);
}

// A call that is refused, by guard and rule.
export async function refused(client, name, args) {
  const r = await call(client, name, args);
  assert.ok(r.isError && r._meta?.['narrowgate.dev/refusal'], `${name} was not refused: ${text(r)}`);
  const { guard, rule } = r._meta['narrowgate.dev/refusal'];
  return `${guard}: ${rule}`;
}

export const offered = async (client) => (await client.listTools()).tools.map((x) => x.name).sort();
