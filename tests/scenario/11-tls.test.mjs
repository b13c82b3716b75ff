// TLS for agents: real certificates, both SDKs, client certificates, rotation while connections are open; and unix sockets.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { connect as dialTls } from 'node:tls';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { BULLETS, bin, call, command, demoVault, here, initialize, leaks, post, ready, run, scratch, serve, sleep, text, until, writeConfig } from './lib.mjs';

// NAME.pem and NAME.key of each: CAs, servers, clients.
function certificates(dir) {
  const script = `set -e; cd '${dir}'; unset OPENSSL_CONF
    new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    ca() { openssl req -x509 $new -days 2 -subj "/CN=$1" -keyout $1.key -out $1.pem; }
    leaf() { openssl req $new -subj "/CN=$1" -keyout $1.key -out $1.csr; printf "subjectAltName=$3" >$1.ext
      openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days "\${4:-2}" -extfile $1.ext -out $1.pem; }
    ca trusted; ca clients; ca stranger
    leaf one trusted DNS:localhost,IP:127.0.0.1; leaf two trusted DNS:localhost,IP:127.0.0.1; leaf old trusted DNS:localhost,IP:127.0.0.1 -1
    leaf reader clients URI:spiffe://td/ns/agents/reader; leaf lister clients DNS:lister.example
    leaf other clients URI:spiffe://td/ns/agents/reader2; leaf late clients URI:spiffe://td/ns/agents/reader -1
    leaf sly clients DNS:spiffe://td/ns/agents/reader,email:spiffe://td/ns/agents/reader
    leaf foreign stranger URI:spiffe://td/ns/agents/reader
    openssl pkey -in one.key -aes128 -passout pass:x -out locked.key`;
  execFileSync('bash', ['-c', script], { stdio: 'pipe' });
  return (name) => readFileSync(join(dir, name), 'utf8');
}

// The fetch of an agent that shows a certificate, or comes over a unix socket.
const fetchBy = (options) => (url, init = {}) => new Promise((done, fail) => {
  const u = new URL(url);
  const req = (u.protocol === 'https:' ? tlsRequest : plainRequest)(u, { method: init.method ?? 'GET', headers: Object.fromEntries(new Headers(init.headers)),
    signal: init.signal, agent: false, ...options }, (res) => {
    res.on('error', () => {}); // an abort is told by the signal
    const body = [204, 304].includes(res.statusCode) ? null : Readable.toWeb(res);
    done(new Response(body, { status: res.statusCode, headers: Object.entries(res.headers).map(([k, v]) => [k, String(v)]) }));
  });
  req.on('error', fail);
  req.end(init.body);
});

async function agent(t, sdk, url, options) {
  const [Client, Http] = sdk === 1 ? [Client1, Http1] : [Client2, Http2];
  const client = new Client({ name: `tls-${sdk}`, version: '1.0.0' }, { capabilities: {} });
  await client.connect(new Http(new URL(url), { fetch: fetchBy(options) }));
  t.after(() => client.close());
  return client;
}

async function postBy(options, url, message, headers = {}) {
  const r = await fetchBy(options)(url, { method: 'POST', body: JSON.stringify(message),
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers } });
  const body = await r.text();
  return { status: r.status, headers: r.headers, body };
}

const https = (s) => ({ ...s, url: s.url.replace('http://127.0.0.1', 'https://localhost') });
const path = 'integrations/stripe/api-key';

test('SDK 1.x and 2.x over https: on Node\'s own fetch with the CA, not without it', async (t) => {
  const dir = scratch(t);
  certificates(dir);
  const vault = await demoVault(t);
  const s = https(await serve(t, { listen: { tls: { certificate: 'one.pem', key: 'one.key' } }, upstreams: { vault: { catalog: 'demo', url: vault.url } } }, { dir }));
  await ready(s);
  assert.match(s.p.err, /tls: certificate .*one\.pem, good until \d{4}-\d\d-\d\d/);
  for (const sdk of ['1', '2']) {
    const args = [join(here, 'servers/https-agent.mjs'), sdk, s.url];
    const good = await command(t, args, { command: process.execPath, env: { NODE_EXTRA_CA_CERTS: join(dir, 'trusted.pem') } });
    assert.equal(good.code, 0, good.err);
    assert.equal(JSON.parse(good.out).value, BULLETS);
    assert.notEqual((await command(t, args, { command: process.execPath })).code, 0, 'an unknown CA');
  }
  assert.deepEqual(leaks(s.p.err), []);
});

test('HTTP-18: client certificates: each agent by its name, the others not at all', async (t) => {
  const dir = scratch(t);
  const file = certificates(dir);
  const heard = [];
  const vault = createServer(async (req, res) => {
    let body = '';
    for await (const d of req) body += d;
    heard.push(JSON.stringify(req.rawHeaders) + body);
    const m = JSON.parse(body || '{}');
    if (m.id === undefined) return void res.writeHead(202).end();
    const result = m.method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'v', version: '1' } }
      : m.method === 'tools/list' ? { tools: ['read_secret', 'list_secrets'].map((name) => ({ name, inputSchema: { type: 'object' } })) }
        : { content: [{ type: 'text', text: '{"path":"a/b","value":"hunter2-hunter2"}' }] };
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result }));
  });
  await new Promise((done) => vault.listen(0, '127.0.0.1', done));
  t.after(() => { vault.closeAllConnections(); vault.close(); });
  const key = 'k'.repeat(32);
  const hash = execFileSync('sha256sum', { input: key }).toString().slice(0, 64);
  writeFileSync(join(dir, 't.yaml'), 'catalog: t\ntools:\n  read_secret: {do: read, path: "{path}", out: {as: json, values: ["$.value"]}}\n  list_secrets: {do: list}\n');
  const audit = join(dir, 'audit.jsonl');
  const s = https(await serve(t, {
    listen: { tls: { certificate: 'one.pem', key: 'one.key', client_ca: 'clients.pem' } },
    upstreams: { vault: { catalog: './t.yaml', url: `http://127.0.0.1:${vault.address().port}/mcp` } },
    profiles: { lists: { actions: ['list', 'meta'] } },
    agents: [{ name: 'reader', profile: 'observer', identify: { mtls: { san: 'spiffe://td/ns/agents/reader' } } },
      { name: 'lister', profile: 'lists', identify: { mtls: { san: 'lister.example' } } },
      { name: 'keyed', profile: 'reader', identify: { api_key_sha256: hash } }],
    audit: { file: audit },
  }, { dir }));
  const as = (name) => ({ ca: file('trusted.pem'), cert: name && file(`${name}.pem`), key: name && file(`${name}.key`) });
  for (const sdk of [1, 2]) {
    const reader = await agent(t, sdk, s.url, as('reader'));
    assert.deepEqual((await reader.listTools()).tools.map((x) => x.name).sort(), ['list_secrets', 'read_secret']);
    assert.match(text(await call(reader, 'read_secret', { path: 'a/b' })), new RegExp(BULLETS));
    const lister = await agent(t, sdk, s.url, as('lister'));
    assert.deepEqual((await lister.listTools()).tools.map((x) => x.name), ['list_secrets']);
    assert.equal((await call(lister, 'read_secret', { path: 'a/b' })).isError, true);
  }
  const agents = new Set(readFileSync(audit, 'utf8').trim().split('\n').map((l) => JSON.parse(l).agent));
  assert.deepEqual([...agents].sort(), ['lister', 'reader']);
  const n = heard.length;
  for (const name of [undefined, 'late', 'foreign', 'one'])
    await assert.rejects(postBy(as(name), s.url, initialize()), (e) => /alert|ECONNRESET|EPIPE|hang up/i.test(`${e.code} ${e.message}`), name);
  assert.equal((await postBy(as('other'), s.url, initialize())).status, 401, 'trusted, but nobody we know');
  assert.equal((await postBy(as('sly'), s.url, initialize())).status, 401, 'the right text as another kind of name');
  assert.equal((await postBy(as('other'), s.url, initialize(), { authorization: `Bearer ${key}` })).status, 200, 'a key is enough');
  assert.equal((await postBy(as('reader'), s.url, initialize(), { authorization: `Bearer ${key}` })).status, 401, 'two proofs of two agents');
  for (const h of ['x-forwarded-client-cert', 'x-client-cert', 'ssl-client-cert'])
    assert.equal((await postBy(as('other'), s.url, initialize(), { [h]: 'URI=spiffe://td/ns/agents/reader' })).status, 401, 'a header is no certificate');
  const later = heard.slice(n).join('\n');
  assert.equal(heard.slice(n).length, 1, later);
  assert.doesNotMatch(heard.join('\n'), /spiffe|lister\.example|CERTIFICATE|client-cert/i, 'a client certificate goes nowhere');
  assert.match(s.p.err, /a handshake was refused: .*certificate has expired/);
  assert.match(s.p.err, /a handshake was refused: peer did not return a certificate/);
});

test('HTTP-18: old versions and plain HTTP on the TLS port are refused cleanly; HTTP-15: a handshake that stops half-way ends', async (t) => {
  const dir = scratch(t);
  const file = certificates(dir);
  const vault = await demoVault(t);
  const s = https(await serve(t, { listen: { tls: { certificate: 'one.pem', key: 'one.key' } }, upstreams: { vault: { catalog: 'demo', url: vault.url } } }, { dir }));
  const from = Date.now();
  const halves = Array.from({ length: 20 }, (_, i) => {
    const c = dial(s.port, '127.0.0.1');
    c.on('error', () => {});
    c.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3].slice(0, i)));
    return once(c.resume(), 'close');
  });
  const openssl = (args) => { try { return execFileSync('openssl', ['s_client', '-connect', `127.0.0.1:${s.port}`, ...args], { input: '', stdio: 'pipe', env: { PATH: process.env.PATH } }).toString(); } catch (e) { return `${e.stdout}${e.stderr}`; } };
  for (const version of ['-tls1', '-tls1_1']) assert.match(openssl([version, '-cipher', 'DEFAULT:@SECLEVEL=0']), /alert protocol version/, version);
  for (const version of ['-tls1_2', '-tls1_3']) assert.match(openssl([version]), /Cipher is (TLS_|ECDHE-)/, version);
  const plain = await post(`http://127.0.0.1:${s.port}/mcp`, initialize());
  assert.deepEqual([plain.status, plain.body], [400, 'This port speaks HTTPS only\n']);
  assert.match(s.p.err, /a handshake was refused: http request/);
  const client = await agent(t, 1, s.url, { ca: file('trusted.pem') });
  assert.equal((await call(client, 'read_secret', { path })).structuredContent.value, BULLETS);
  await Promise.all(halves);
  assert.ok(Date.now() - from < 14000, `${Date.now() - from} ms`);
  assert.equal((await call(client, 'read_secret', { path })).structuredContent.value, BULLETS);
});

// Secrets as the kubelet mounts them: a link that is swapped.
function mount(dir) {
  let n = 0;
  mkdirSync(dir);
  return (files) => {
    const name = `..${++n}`;
    mkdirSync(join(dir, name));
    for (const [to, from] of Object.entries(files)) {
      copyFileSync(from, join(dir, name, to));
      if (n === 1) symlinkSync(join('..data', to), join(dir, to));
    }
    symlinkSync(name, join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  };
}

const subject = (s, options) => new Promise((done, fail) => {
  const c = dialTls({ port: s.port, host: '127.0.0.1', servername: 'localhost', ...options }, () => { done(c.getPeerCertificate().subject.CN); c.end(); });
  c.on('error', fail);
});

test('rotation while connections are open: calls go on, new ones get the new certificate, a bad one changes nothing', async (t) => {
  const dir = scratch(t);
  const file = certificates(dir);
  const from = (name) => join(dir, name);
  const swap = mount(join(dir, 'run'));
  swap({ 'tls.crt': from('one.pem'), 'tls.key': from('one.key'), 'ca.crt': from('clients.pem') });
  const script = join(here, 'servers/both-ways.mjs');
  const s = https(await serve(t, {
    listen: { tls: { certificate: 'run/tls.crt', key: 'run/tls.key', client_ca: 'run/ca.crt' } },
    upstreams: { vault: { catalog: join(here, 'servers/both-ways.yaml'), command: [process.execPath, script] } },
    agents: [{ name: 'reader', identify: { mtls: { san: 'spiffe://td/ns/agents/reader' } } }],
  }, { dir }));
  await ready(s);
  const reader = { ca: file('trusted.pem'), cert: file('reader.pem'), key: file('reader.key') };
  const client = await agent(t, 1, s.url, reader);
  const pending = call(client, 'wait', { ms: 1500 });
  await sleep(200);
  assert.equal(await subject(s, reader), 'one');
  swap({ 'tls.crt': from('two.pem'), 'tls.key': from('two.key'), 'ca.crt': from('clients.pem') });
  await until('the new certificate', async () => (await subject(s, reader)) === 'two', 4000);
  assert.equal(text(await pending), 'waited', 'a call in flight goes on');
  const lines = () => s.p.err.split('\n').filter((l) => /nothing was changed/.test(l));
  swap({ 'tls.crt': from('one.pem'), 'tls.key': from('two.key'), 'ca.crt': from('clients.pem') });
  await until('the fault', () => lines().length > 0);
  assert.match(lines()[0], /narrowgate\.yaml:\d+:\d+: `tls\.key`: .*run\/tls\.key is not the key of that certificate; nothing was changed/);
  assert.equal(await subject(s, reader), 'two', 'the last good one');
  await sleep(6000); // past the next poll
  assert.equal(lines().length, 1, 'said once');
  s.p.child.kill('SIGHUP');
  await until('said again when asked', () => lines().length === 2);
  assert.equal(text(await call(client, 'wait', { ms: 1 })), 'waited');
  // The CA of our agent is no longer trusted: its open stream ends, and it does not get in again.
  const stream = tlsRequest(s.url, { ...reader, agent: false, headers: { accept: 'text/event-stream', 'mcp-session-id': client.transport.sessionId, 'mcp-protocol-version': '2025-11-25' } });
  stream.on('error', () => {});
  stream.end();
  const ended = once(stream, 'close');
  swap({ 'tls.crt': from('one.pem'), 'tls.key': from('one.key'), 'ca.crt': from('stranger.pem') });
  await ended;
  await assert.rejects(postBy(reader, s.url, initialize()));
  const foreign = { ca: file('trusted.pem'), cert: file('foreign.pem'), key: file('foreign.key') };
  assert.equal((await postBy(foreign, s.url, initialize())).status, 200);
  assert.equal(await subject(s, foreign), 'one');
  for (let i = 0; i < 30; i++) swap({ 'tls.crt': from(i % 2 ? 'one.pem' : 'two.pem'), 'tls.key': from(i % 2 ? 'one.key' : 'two.key'), 'ca.crt': from('stranger.pem') });
  swap({ 'tls.crt': from('two.pem'), 'tls.key': from('two.key'), 'ca.crt': from('stranger.pem') });
  await until('the last one holds', async () => (await subject(s, foreign)) === 'two', 6000);
});

test('a reload can switch TLS on and off; what no longer fits is closed', async (t) => {
  const dir = scratch(t);
  const file = certificates(dir);
  const vault = await demoVault(t);
  const plain = await serve(t, { upstreams: { vault: { catalog: 'demo', url: vault.url } } }, { dir });
  const s = https(plain);
  const ca = { ca: file('trusted.pem') };
  assert.equal((await postBy({}, plain.url, initialize())).status, 200);
  const idle = once(dial(plain.port, '127.0.0.1').on('error', () => {}).resume(), 'close');
  await sleep(50);
  writeFileSync(plain.file, JSON.stringify({ ...plain.whole, listen: { ...plain.whole.listen, tls: { certificate: 'no.pem', key: 'one.key' } } }));
  await until('the fault', () => /`tls\.certificate`: .*no\.pem cannot be read: No such file/.test(plain.p.err));
  assert.equal((await postBy({}, plain.url, initialize())).status, 200);
  copyFileSync(join(dir, 'one.pem'), join(dir, 'no.pem')); // it comes a little later, as mounts do
  await until('TLS', async () => (await postBy(ca, s.url, initialize()).catch(() => ({}))).status === 200);
  assert.equal((await postBy({}, plain.url, initialize())).status, 400);
  await idle;
  writeFileSync(plain.file, JSON.stringify(plain.whole));
  await until('plain again', async () => (await postBy({}, plain.url, initialize()).catch(() => ({}))).status === 200);
});

test('HTTP-15: 4 MiB to an agent that reads slowly over TLS: held back, whole, and others are served beside it', async (t) => {
  const dir = scratch(t);
  const file = certificates(dir);
  const state = { written: 0, total: 0 };
  const fill = 'x'.repeat(64 * 1024);
  const vault = createServer((req, res) => {
    req.resume().on('end', async () => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const closed = once(res, 'close');
      for (let i = 0; i < 400 && !res.destroyed; i++) {
        state.written += fill.length;
        if (!res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: { i, fill } } })}\n\n`)) await Promise.race([once(res, 'drain'), closed]);
      }
      res.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 7, result: { content: [{ type: 'text', text: 'y'.repeat(4 * 1024 * 1024 - 1000) }] } })}\n\n`);
    });
  });
  await new Promise((done) => vault.listen(0, '127.0.0.1', done));
  t.after(() => { vault.closeAllConnections(); vault.close(); });
  writeFileSync(join(dir, 't.yaml'), 'catalog: t\ntools:\n  read: {do: list}\n');
  const s = https(await serve(t, { listen: { tls: { certificate: 'one.pem', key: 'one.key' } },
    upstreams: { vault: { catalog: './t.yaml', url: `http://127.0.0.1:${vault.address().port}/mcp` } }, profiles: { p: {} }, default_profile: 'p' },
  { dir, env: { ASAN_OPTIONS: 'quarantine_size_mb=1:thread_local_quarantine_size_kb=64' } }));
  const rssKb = () => Number(readFileSync(`/proc/${s.p.child.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);
  const ca = { ca: file('trusted.pem') };
  const ask = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'read', arguments: {} } });
  const before = rssKb();
  const req = tlsRequest(s.url, { ...ca, method: 'POST', agent: false, headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' } });
  req.end(ask);
  const [res] = await once(req, 'response');
  res.pause();
  await until('the vault is held back', async () => {
    const was = state.written;
    await sleep(1000);
    return was > 0 && was === state.written;
  });
  assert.ok(state.written < 12 * 1024 * 1024, `${state.written} bytes were taken from the vault`);
  assert.ok(rssKb() - before < 24 * 1024, `narrowgate grew by ${rssKb() - before} KB`);
  assert.equal((await postBy(ca, s.url, initialize(1, '1999-01-01'))).status >= 200, true, 'others are served');
  let next = 0, ys = 0, tail = '';
  for await (const d of res) {
    tail += d.toString('latin1');
    for (let m; (m = tail.match(/"data":\{"i":(\d+),/)); tail = tail.slice(m.index + m[0].length)) assert.equal(Number(m[1]), next++);
    ys += (d.toString('latin1').match(/y/g) ?? []).length;
    tail = tail.slice(-64);
  }
  assert.equal(next, 400);
  assert.ok(ys >= 4 * 1024 * 1024 - 1000, `${ys}`);
});

test('unix sockets: ours alone, plain beside TLS, a stale file replaced, removed at the end', async (t) => {
  const dir = scratch(t);
  const file = certificates(dir);
  const vault = await demoVault(t);
  const socketPath = join(dir, 'ng.sock');
  const config = { listen: { tls: { certificate: 'one.pem', key: 'one.key', client_ca: 'clients.pem' } }, upstreams: { vault: { catalog: 'demo', url: vault.url } } };
  const first = await writeConfig(t, config, dir);
  first.whole.listen.mcp = [first.whole.listen.mcp, `unix:${socketPath}`];
  writeFileSync(first.file, JSON.stringify(first.whole));
  const start = async () => {
    const p = run(t, ['serve', '-c', first.file]);
    await until('serving', () => p.code !== null || p.err.includes('MCP at'));
    return p;
  };
  const killed = await start();
  assert.match(killed.err, new RegExp(`MCP at .*unix:${socketPath}`));
  await killed.stop('SIGKILL');
  assert.ok(existsSync(socketPath), 'left behind');
  const p = await start();
  assert.equal(p.code, null, p.err);
  assert.equal(statSync(socketPath).mode & 0o777, 0o600);
  for (const sdk of [1, 2]) {
    const client = await agent(t, sdk, 'http://localhost/mcp', { socketPath });
    assert.equal((await call(client, 'read_secret', { path })).structuredContent.value, BULLETS);
  }
  await assert.rejects(postBy({ ca: file('trusted.pem') }, `https://localhost:${first.port}/mcp`, initialize()), 'a certificate is wanted over TCP');
  const second = join(dir, 'second.yaml');
  writeFileSync(second, JSON.stringify({ version: 1, listen: { mcp: `unix:${socketPath}` }, upstreams: first.whole.upstreams }));
  const refused = await command(t, ['serve', '-c', second]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /cannot listen on unix:.*: address already in use/);
  assert.equal((await postBy({ socketPath }, 'http://localhost/mcp', initialize())).status, 200, 'not stolen');
  if (process.getuid() === 0) { // as another user, where the operator has opened the file to all
    chmodSync(socketPath, 0o666);
    chmodSync(dir, 0o755);
    const probe = `require('http').get({ socketPath: ${JSON.stringify(socketPath)}, path: '/mcp' }, (r) => console.log(r.statusCode)).on('error', (e) => console.log(e.code))`;
    const told = execFileSync(process.execPath, ['-e', probe], { uid: 65534, gid: 65534, cwd: '/' }).toString().trim();
    assert.match(told, /^(403|EPIPE|ECONNRESET)$/, 'closed at once, perhaps before the client has written');
    await until('the line', () => /refused on a unix socket: the peer is user 65534, neither narrowgate's own user nor root/.test(p.err));
  }
  assert.equal(await p.stop(), 0);
  assert.ok(!existsSync(socketPath), 'removed');
});

test('OPS-02: check and start name the file, line, column and key of a certificate that is no good', async (t) => {
  const dir = scratch(t);
  certificates(dir);
  writeFileSync(join(dir, 'empty'), '');
  const upstreams = { vault: { catalog: 'demo', url: 'https://vault.example/mcp' } };
  const cases = [
    [{ certificate: 'one.pem', key: 'two.key' }, /narrowgate\.yaml:\d+:\d+: `tls\.key`: .*two\.key is not the key of that certificate/],
    [{ certificate: 'nowhere.pem', key: 'two.key' }, /`tls\.certificate`: .*nowhere\.pem cannot be read: No such file or directory/],
    [{ certificate: 'one.pem', key: 'locked.key' }, /`tls\.key`: .*locked\.key is encrypted/],
    [{ certificate: 'one.pem', key: 'one.key', client_ca: 'empty' }, /`tls\.client_ca`: .*empty holds no certificate in PEM/],
    [{ certificate: 'one.pem', key: readFileSync(join(dir, 'one.key'), 'utf8') }, /`tls\.key` is the name of a file/],
    [{ certificate: 'one.pem' }, /`listen\.tls` needs `certificate` and `key`/],
  ];
  for (const [tls, fault] of cases) {
    const c = await writeConfig(t, { listen: { tls }, upstreams }, dir);
    for (const args of [['check', c.file], ['serve', '-c', c.file]]) {
      const p = await command(t, args);
      assert.equal(p.code, 2, p.err);
      assert.match(p.err, fault);
      assert.equal(p.err.trim().split('\n').length, 1, p.err);
      assert.doesNotMatch(p.err, /BEGIN|MIG/);
    }
  }
  const up = await writeConfig(t, { upstreams: { vault: { ...upstreams.vault, tls: { ca: 'empty', certificate: 'one.pem', key: 'two.key' } } } }, dir);
  const p = await command(t, ['check', up.file]);
  assert.equal(p.code, 2);
  assert.match(p.err, /`tls\.ca`: .*empty holds no certificate in PEM\n.*`tls\.key`: .*two\.key is not the key of that certificate/);
  const late = await writeConfig(t, { listen: { tls: { certificate: 'old.pem', key: 'old.key' } }, upstreams }, dir);
  const check = await command(t, ['check', late.file]);
  assert.equal(check.code, 0, check.err);
  assert.match(check.out, /TLS for agents: certificate .*old\.pem, good until .*\nwarning: the certificate in .*old\.pem has expired on 20.*: agents will refuse it/);
  const s = await serve(t, { listen: { tls: { certificate: 'old.pem', key: 'old.key' } }, upstreams: { vault: { catalog: 'demo', command: [bin, 'demo-vault'] } } }, { dir });
  await until('the warning', () => /warn tls: the certificate in .*old\.pem has expired/.test(s.p.err));
  // What only a running server needs does not stop the decision of one request.
  const explain = await command(t, ['explain', '-c', up.file, '-'], { input: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read_secret', arguments: { path } } }) });
  assert.equal(explain.code, 0, explain.err);
});
