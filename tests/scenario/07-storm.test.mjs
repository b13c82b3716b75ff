// Weather: many clients that do what clients do, and what they should not, before vaults that die, forget, stutter and babble,
// under a configuration that changes. At the end the process still answers, ends cleanly, and nobody got what was another's.
// STORM_SEED repeats the choices of one run (not their timing).
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { connect as dial } from 'node:net';
import { test } from 'node:test';
import { join } from 'node:path';
import { bin, freePort, here, initialize, post, run, scratch, serve, sleep, until, writeConfig } from './lib.mjs';

const STORM_MS = 4500;
const script = join(here, 'servers/both-ways.mjs');
const node = process.execPath;
const CATALOG = `catalog: t
tools:
  echo: {do: list, args: [text]}
  secret: {do: read, path: "{path}", out: {as: json, values: ["$.value"]}}
  erase: {do: delete, path: "{path}"}
`;

// --- chance ---------------------------------------------------------------------------------------------------------

function dice(seed) {
  let a = seed >>> 0;
  const rand = () => { // mulberry32
    a = (a + 0x6D2B79F5) >>> 0;
    let x = Math.imul(a ^ (a >>> 15), a | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(rand() * n);
  return { rand, below, one: (list) => list[below(list.length)], bytes: (n) => Buffer.from(Array.from({ length: n }, () => below(256))) };
}

const seedOf = () => Number(process.env.STORM_SEED ?? Date.now() % 1000000);

// --- a vault in bad weather -----------------------------------------------------------------------------------------

const wire = (m) => JSON.stringify({ jsonrpc: '2.0', ...m });
const event = (m) => `event: message\ndata: ${wire(m)}\n\n`;

async function vault(t, d, { sessions }) {
  const v = { calm: false, faults: [], seen: new Map(), sessions: new Map(), n: 0 };
  const json = (res, m, headers = {}) => res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(wire(m));
  const stream = (res) => res.writeHead(200, { 'content-type': 'text/event-stream' });
  const progress = (m) => ({ method: 'notifications/progress', params: { progressToken: m.params._meta.progressToken, progress: 1 } });
  const said = (m) => ({ id: m.id, result: { content: [{ type: 'text', text: m.params.arguments.text ?? '{"value":"storm-value-41c9"}' }] } });
  const talk = (res, m) => {
    stream(res);
    if (m.params._meta?.progressToken !== undefined) res.write(event(progress(m)));
    if (d.rand() < 0.3) res.write(event({ id: v.n, method: 'roots/list' }));
    if (d.rand() < 0.3) res.write(event({ method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(d.below(2000)) } }));
  };
  const how = [
    (res, m) => json(res, said(m)), (res, m) => json(res, said(m)), (res, m) => json(res, said(m)),
    (res, m) => setTimeout(() => json(res, said(m)), d.below(400)),
    (res, m) => { talk(res, m); res.end(event(said(m))); },
    (res, m) => { talk(res, m); setTimeout(() => res.end(event(said(m))), d.below(300)); },
    (res, m) => { talk(res, m); setTimeout(() => { res.write(event(said(m))); setTimeout(() => res.end(), 300); }, d.below(50)); },
    (res, m) => { talk(res, m); setTimeout(() => res.destroy(), d.below(100)); },
    (res, m) => { talk(res, m); res.end(); },
    (res) => res.destroy(),
    (res) => res.writeHead(500).end('oops'),
    (res) => json(res, { id: null, error: { code: -32000, message: 'who are you' } }),
    (res) => json(res, { id: 'somebody-else', result: { content: [{ type: 'text', text: 'not yours' }] } }),
    (res) => res.writeHead(200, { 'content-type': 'application/json' }).end(d.bytes(200)),
    (res, m) => json(res, { id: m.id, error: { code: -32602, message: 'no' } }),
    (res, m, id) => { v.sessions.delete(id); if (sessions) res.writeHead(404).end(); else json(res, said(m)); },
  ];
  const greet = (res, m) => {
    const id = sessions ? `v-${++v.n}` : undefined;
    const hello = { id: m.id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 't', version: '1' } } };
    if (id) v.sessions.set(id, m.params.clientInfo.name);
    if (!v.calm && d.rand() < 0.1) return void d.one([() => res.destroy(), () => res.writeHead(500).end(), () => json(res, { id: m.id, error: { code: 1, message: 'no' } })])();
    if (d.rand() < 0.3) return void res.writeHead(200, { 'content-type': 'text/event-stream', ...(id && { 'mcp-session-id': id }) }).end(event(hello));
    json(res, hello, id && { 'mcp-session-id': id });
  };
  const listen = (res, id) => {
    if (d.rand() < 0.3) return void res.writeHead(405).end();
    stream(res).write(event({ method: 'notifications/message', params: { level: 'info', data: `for ${v.sessions.get(id)}` } }));
    setTimeout(() => (d.rand() < 0.5 ? res.end() : res.destroy()), v.calm ? 60000 : d.below(1500)).unref();
  };
  const server = createServer((req, res) => {
    let body = '';
    res.on('error', () => {});
    req.on('error', () => {}).on('data', (c) => { body += c; }).on('end', () => {
      const id = req.headers['mcp-session-id'];
      const m = req.method === 'POST' ? JSON.parse(body) : undefined;
      if (m?.method === 'initialize') return greet(res, m);
      if (sessions && !v.sessions.has(id)) return void res.writeHead(404).end();
      if (req.method === 'DELETE') return void (v.sessions.delete(id), res.writeHead(200).end());
      if (req.method === 'GET') return sessions ? listen(res, id) : void res.writeHead(405).end();
      if (m.id === undefined || !m.method) return void res.writeHead(202).end();
      if (m.method === 'tools/list') return json(res, { id: m.id, result: { tools: [{ name: 'echo', inputSchema: { type: 'object', properties: { text: {}, extra: {} } } }] } });
      const text = m.params.arguments.text;
      if (m.params.name === 'erase') v.faults.push('a refused call arrived');
      if (text !== undefined) v.seen.set(text, (v.seen.get(text) ?? 0) + 1);
      (v.calm ? (r, x) => setTimeout(() => json(r, said(x)), 100) : d.one(how))(res, m, id);
    });
  });
  const port = await freePort();
  const up = () => new Promise((done) => server.listen(port, '127.0.0.1', done));
  await up();
  v.blink = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await sleep(d.below(200));
    await up();
  };
  t.after(() => { server.closeAllConnections(); server.close(); });
  return Object.assign(v, { url: `http://127.0.0.1:${port}/mcp` });
}

// --- a client by hand -----------------------------------------------------------------------------------------------

class Client {
  constructor(s, d, name, upstream, faults) {
    Object.assign(this, { s, d, name, faults, path: `/${upstream}/mcp`, ids: 0, good: 0, bad: 0 });
    this.agent = new Agent({ keepAlive: true, maxSockets: 8 });
  }

  headers(extra = {}) {
    return { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...(this.session && { 'mcp-session-id': this.session }), ...extra };
  }

  // Resolves to { status, headers, messages } or { lost }.
  send(method, body, { hangUpMs, headers } = {}) {
    return new Promise((done) => {
      const req = request({ host: '127.0.0.1', port: this.s.port, path: this.path, method, agent: this.agent, headers: this.headers(headers) }, (res) => {
        let text = '';
        res.on('data', (c) => { text += c; });
        res.on('close', () => done({ status: res.statusCode, headers: res.headers, text, lost: !res.complete,
          messages: (res.headers['content-type'] ?? '').startsWith('text/event-stream')
            ? [...text.matchAll(/^data: (.+)$/gm)].map((x) => JSON.parse(x[1])) : text && res.complete ? [JSON.parse(text)] : [] }));
      });
      req.on('error', (e) => done({ lost: true, why: e.message, messages: [] }));
      if (hangUpMs !== undefined) setTimeout(() => req.destroy(), hangUpMs);
      req.end(body);
    });
  }

  async open() {
    this.session = undefined;
    const hello = initialize(this.ids++);
    hello.params.clientInfo.name = this.name;
    hello.params.capabilities = { roots: {} };
    const r = await this.send('POST', JSON.stringify(hello));
    if (r.status !== 200 || !r.messages.at(-1)?.result) return;
    this.session = r.headers['mcp-session-id'];
    await this.send('POST', wire({ method: 'notifications/initialized' }));
  }

  // What the vault asks in the middle of an answer is answered, sometimes.
  answer(m) {
    if (m.method && m.id !== undefined && this.d.rand() < 0.7) this.send('POST', wire({ id: m.id, result: { roots: [] } }));
  }

  check(r, id, text, hungUp) {
    const fault = (what) => this.faults.push(`${this.name} ${what}: id ${id}, ${r.status} ${r.why ?? ''} ${r.text ?? ''}`);
    if (r.lost && !hungUp) return fault('got no answer');
    if (r.lost) return;
    for (const m of r.messages) {
      if (m.method) this.answer(m);
      if (m.method === 'notifications/progress' && m.params.progressToken !== `p-${text}`) fault('heard another\'s progress');
      if (m.method) continue;
      if (m.id !== id && !(m.id === null && r.status !== 200)) fault('got another\'s answer');
      if (m.result && text !== undefined && m.result.content[0].text !== text) fault('got another\'s text');
      m.result ? this.good++ : this.bad++;
    }
    if (r.status === 200 && r.messages.filter((m) => !m.method).length !== 1) fault('did not get one answer');
    if (r.status === 404) this.session = undefined;
  }

  async call(options = {}) {
    const id = this.d.one([() => ++this.ids, () => `s${++this.ids}`])();
    const text = `${this.name}/${++this.ids}`;
    const params = { name: 'echo', arguments: { text }, ...(this.d.rand() < 0.4 && { _meta: { progressToken: `p-${text}` } }) };
    if (options.extra) params.arguments.extra = 1;
    const going = this.send('POST', wire({ id, method: 'tools/call', params }), options);
    options.meanwhile?.(id);
    const r = await going;
    this.check(r, id, text, options.hangUpMs !== undefined);
    return r;
  }

  async erase() {
    const id = ++this.ids;
    const r = await this.send('POST', wire({ id, method: 'tools/call', params: { name: 'erase', arguments: { path: 'a/b' } } }));
    this.check(r, id);
    if (r.status === 200 && !r.messages[0].error && !r.messages[0].result.isError) this.faults.push('erase was not refused');
  }

  async listen() {
    const r = await this.send('GET', undefined, { hangUpMs: this.d.below(800) });
    for (const m of r.messages) // a shared conversation speaks to all
      if (this.path === '/web/mcp' && m.params?.data?.startsWith('for ') && m.params.data !== `for ${this.name}`) this.faults.push(`${this.name} heard ${wire(m)}`);
  }

  // Something that is no request, on a connection of its own.
  async rudeness() {
    const { d } = this;
    const half = `POST ${this.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: 500\r\n\r\n{"jsonrpc":"2.0","id":1,`;
    const socket = dial(this.s.port, '127.0.0.1').on('error', () => {}).on('data', () => {});
    socket.write(d.one([half, half.slice(0, d.below(half.length)), d.bytes(300), `GET ${this.path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(5)]));
    await sleep(d.below(150));
    d.rand() < 0.5 ? socket.destroy() : socket.end();
    const odd = d.one(['[]', '{}', 'null', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', '"', wire({ id: 5, result: {} }), wire({ id: {}, method: 'ping' }), d.bytes(50)]);
    const r = await this.send('POST', odd);
    if (r.status >= 500 && r.status !== 503 && r.status !== 502) this.faults.push(`garbage got ${r.status}`);
  }

  async act() {
    const { d } = this;
    if (!this.session && this.path !== '/plain/mcp') return this.open();
    const cancel = (id) => setTimeout(() => this.send('POST', wire({ method: 'notifications/cancelled', params: { requestId: id } })), d.below(60));
    const end = () => setTimeout(() => { const { session } = this; this.send('DELETE', undefined, { headers: { 'mcp-session-id': session ?? 'none' } }); }, d.below(60));
    await d.one([
      () => this.call(), () => this.call(), () => this.call(), () => this.call(),
      () => Promise.all([this.call(), this.call(), this.call({ extra: true })]),
      () => this.call({ hangUpMs: d.below(200) }),
      () => this.call({ meanwhile: cancel }),
      () => this.call({ meanwhile: end }),
      () => this.listen(), () => this.rudeness(), () => this.erase(),
      () => this.send('POST', wire({ id: ++this.ids, method: 'tools/call', params: { name: 'secret', arguments: { path: 'a/b' } } }))
        .then((r) => r.text?.includes('storm-value') && this.faults.push('a value was seen')),
      () => d.rand() < 0.3 && this.open(),
    ])();
  }
}

// --- the storms -----------------------------------------------------------------------------------------------------

const children = (pid) => execFileSync('/bin/sh', ['-c', `ps -o pid= --ppid ${pid} || true`], { encoding: 'utf8' }).trim().split(/\s+/).filter(Boolean).map(Number);
const kill = (pid) => { try { process.kill(pid, 'SIGKILL'); } catch { /* gone already */ } };

async function during(ms, d, pause, what) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(d.below(pause))) await what();
}

function swap(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

// Every variant is one that must not hurt anybody; some are broken and must change nothing.
function variant(d, whole) {
  const c = structuredClone(whole);
  if (d.rand() < 0.2) return JSON.stringify(c).slice(0, -3);
  c.upstreams.web.timeout = d.one(['900ms', '1s', '2s']);
  if (d.rand() < 0.3) c.upstreams.web.headers = { 'X-Turn': String(d.below(100)) };
  if (d.rand() < 0.2) c.upstreams.other = { catalog: './t.yaml', url: 'http://127.0.0.1:9/mcp' };
  if (d.rand() < 0.2) c.upstreams.kid.env = { TURN: String(d.below(100)) };
  if (d.rand() < 0.3) c.default_profile = d.one(['auditor', 'rotator']);
  return JSON.stringify(c);
}

test('storm over HTTP', { timeout: 60000 }, async (t) => {
  const seed = seedOf();
  t.diagnostic(`STORM_SEED=${seed}`);
  const d = dice(seed);
  const dir = scratch(t);
  const faults = [];
  const [web, plain] = [await vault(t, d, { sessions: true }), await vault(t, d, { sessions: false })];
  writeFileSync(join(dir, 't.yaml'), CATALOG);
  writeFileSync(join(dir, 'one.yaml'), `${CATALOG}connections: 1\n`);
  const s = await serve(t, { audit: { file: join(dir, 'audit.jsonl') }, listen: { drain: '10s' }, upstreams: {
    web: { catalog: './t.yaml', url: web.url, timeout: '1s' }, plain: { catalog: './t.yaml', url: plain.url, timeout: '1s' },
    one: { catalog: './one.yaml', url: web.url, timeout: '1s' },
    kid: { catalog: join(here, 'servers/both-ways.yaml'), command: [node, script], timeout: '3s' } } }, { dir });
  const clients = [];
  for (let i = 0; i < 24; i++) clients.push(new Client(s, d, `c${i}`, i < 10 ? 'web' : i < 16 ? 'plain' : i < 22 ? 'one' : 'kid', faults));
  await Promise.all([
    ...clients.map((c) => during(STORM_MS, d, 30, () => c.act())),
    during(STORM_MS, d, 1500, () => web.blink()),
    during(STORM_MS, d, 2500, () => plain.blink()),
    during(STORM_MS, d, 500, () => swap(s.file, variant(d, s.whole))),
    during(STORM_MS, d, 2000, () => children(s.p.child.pid).forEach((pid) => d.rand() < 0.5 && kill(pid))),
  ]);
  web.calm = plain.calm = true;
  swap(s.file, JSON.stringify(s.whole));
  const good = clients.reduce((n, c) => n + c.good, 0);
  t.diagnostic(`${good} answers, ${clients.reduce((n, c) => n + c.bad, 0)} errors`);
  assert.equal(s.p.code, null, s.p.err.slice(-5000));
  assert.deepEqual([...faults, ...web.faults, ...plain.faults], []);
  for (const v of [web, plain]) assert.deepEqual([...v.seen].filter(([, n]) => n > 1), [], 'nothing was sent twice');
  assert.ok(good > 50, `only ${good} answers`);

  // It clears up: everybody is served again.
  for (const c of [clients[0], clients[10], clients[16], clients[22]])
    await until(`${c.path} works again`, async () => { await c.open(); return (await c.call()).messages.at(-1)?.result; });
  const lines = readFileSync(join(dir, 'audit.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
  const ids = lines.map((l) => l.id);
  assert.equal(new Set(ids).size, ids.length, 'one line a decision');

  // The end, with a stream open and a call on its way.
  const ear = clients[0].send('GET');
  const last = clients[0].call();
  await sleep(40);
  s.p.child.kill('SIGTERM');
  assert.ok((await last).messages.at(-1).result, 'what is in flight is answered');
  await ear;
  assert.equal(await s.p.exited, 0, s.p.err.slice(-5000));
  assert.doesNotMatch(s.p.err, /Sanitizer|runtime error/);
  assert.deepEqual(faults, []);
});

// One agent on a pipe: every request gets one answer, its own, whatever becomes of the child.
function pipe(t, args) {
  const child = spawn(bin, args, { env: { PATH: process.env.PATH }, stdio: ['pipe', 'pipe', 'pipe'] });
  const p = { child, pid: child.pid, err: '', answers: new Map(), others: [], faults: [], code: null };
  let rest = '';
  child.stdin.on('error', () => {});
  child.stderr.on('data', (c) => { p.err += c; });
  child.stdout.on('data', (c) => {
    const lines = (rest + c).split('\n');
    rest = lines.pop();
    for (const m of lines.map((l) => JSON.parse(l))) {
      if (m.method || m.id === null) p.others.push(m);
      else if (p.answers.has(m.id)) p.faults.push(`${m.id} was answered twice`);
      else p.answers.set(m.id, m);
    }
  });
  p.exited = new Promise((done) => child.on('close', (code, signal) => { p.code = code ?? signal; done(p.code); }));
  p.say = (m) => child.stdin.write(typeof m === 'string' || Buffer.isBuffer(m) ? m : `${wire(m)}\n`);
  p.ask = async (id, method, params, ms) => {
    p.say({ id, method, params });
    return until(`${method} ${id}`, () => { if (p.code !== null) throw new Error(p.err); return p.answers.get(id); }, ms);
  };
  p.call = (id, name, args, ms) => p.ask(id, 'tools/call', { name, arguments: args }, ms);
  p.begin = async () => { await p.ask('hello', 'initialize', { ...initialize().params, capabilities: { roots: {}, elicitation: {} } }); p.say({ method: 'notifications/initialized' }); };
  t.after(() => { kill(child.pid); if (/Sanitizer|runtime error/.test(p.err)) throw new Error(p.err.slice(0, 4000)); });
  return p;
}

const kid = { catalog: join(here, 'servers/both-ways.yaml'), command: [node, script] };

test('storm on stdio', { timeout: 60000 }, async (t) => {
  const seed = seedOf();
  t.diagnostic(`STORM_SEED=${seed}`);
  const d = dice(seed);
  const c = await writeConfig(t, { upstreams: { vault: { ...kid, timeout: '2s' } } });
  const p = pipe(t, ['stdio', '-c', c.file]);
  await p.begin();
  const asked = new Map();
  let n = 0;
  const reply = () => p.others.splice(0).forEach((m) => m.id != null && p.say({ id: m.id, result: { roots: [] } }));
  const call = (name, args) => {
    const id = d.one([++n, `s${++n}`]);
    asked.set(id, args.text);
    p.say({ id, method: 'tools/call', params: { name, arguments: args, ...(d.rand() < 0.3 && { _meta: { progressToken: `p${n}` } }) } });
    return id;
  };
  const echo = () => call('echo', { text: `t${++n}` });
  const cancel = (id) => setTimeout(() => p.say({ method: 'notifications/cancelled', params: { requestId: id } }), d.below(30));
  await Promise.all([
    during(STORM_MS / 2, d, 15, () => d.one([
      echo, echo, echo, () => { for (let i = 0; i < 20; i++) echo(); },
      () => cancel(echo()), () => cancel(call('wait', { ms: 100 })), () => call('count_to', { n: 3 }), () => call('ask_roots', {}),
      () => call('wait', { ms: d.below(300) }), () => call('read', { path: 'a/b' }), () => call('nothing', {}),
      () => p.say('[]\n{"jsonrpc":\nnull\n\r\n'), () => p.say(Buffer.concat([Buffer.from('"'), d.bytes(40), Buffer.from('\n')])),
      () => p.say({ id: n, result: { roots: [] } }), () => p.say({ method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }),
      reply,
    ])()),
    during(STORM_MS / 2, d, 2500, () => children(p.pid).forEach((pid) => asked.size > 50 && kill(pid))),
    during(STORM_MS / 2, d, 900, () => {
      const w = structuredClone(c.whole);
      if (d.rand() < 0.3) w.upstreams.vault.env = { TURN: String(d.below(100)) };
      swap(c.file, d.rand() < 0.2 ? '{' : JSON.stringify(w));
    }),
  ]);
  const missing = () => [...asked.keys()].filter((id) => !p.answers.has(id));
  await until('every request has its answer', () => { reply(); return p.code !== null || missing().length === 0; }, 8000).catch(() => assert.deepEqual(missing(), []));
  assert.equal(p.code, null, p.err.slice(-5000));
  let good = 0;
  for (const [id, text] of asked) {
    const { result } = p.answers.get(id);
    if (!result || result.isError) continue;
    good++;
    if (text) assert.equal(result.content[0].text, text);
  }
  t.diagnostic(`${good} of ${asked.size} answered well`);
  assert.ok(good > 0, [...p.answers.values()].map(wire).join('\n').slice(0, 3000));
  assert.deepEqual(p.faults, []);
  assert.deepEqual([...p.answers.keys()].filter((id) => id !== 'hello' && !asked.has(id)), [], 'no answer that was not asked for');
  await until('it works again', async () => (await p.call(`e${++n}`, 'echo', { text: 'calm' })).result, 8000);
  const last = `e${++n}`;
  p.say({ id: last, method: 'tools/call', params: { name: 'wait', arguments: { ms: 200 } } });
  p.child.stdin.end();
  assert.equal(await p.exited, 0, p.err.slice(-5000));
  assert.ok(p.answers.get(last).result, 'what was asked before the end is answered');
  assert.ok(!JSON.stringify([...p.answers.values()]).includes('both-ways-value'), 'no value is seen in an answer');
});

// --- single drops ---------------------------------------------------------------------------------------------------

test('a child that is introduced again, to a call that needs its tool list', async (t) => {
  const c = await writeConfig(t, { upstreams: { vault: kid }, profiles: { p: { extends: 'reader', allowed_paths: ['a/'] } }, default_profile: 'p' });
  const p = pipe(t, ['stdio', '-c', c.file]);
  await p.begin();
  children(p.pid).forEach(kill);
  await until('it is gone', () => /conversation is over/.test(p.err));
  const two = [p.call(1, 'wait', { ms: 1, n: 1 }), p.call(2, 'echo', { text: 'second', more: 1 })];
  for (const r of await Promise.all(two)) assert.match(r.result.content[0].text, /refused|argument/);
  assert.equal((await p.call(3, 'echo', { text: 'third' })).result.content[0].text, 'third');
  assert.equal(p.code, null);
});

// A child that insists on being introduced to, tells its turn, and says something by itself ten times a second.
const strict = `let on = false;
require('node:readline').createInterface({ input: process.stdin }).on('line', (l) => {
  const m = JSON.parse(l), say = (x) => console.log(JSON.stringify({ jsonrpc: '2.0', id: m.id, ...x }));
  if (m.method === 'notifications/initialized') on = true;
  if (m.id === undefined) return;
  if (m.method === 'initialize') say({ result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 't', version: '1' } } });
  else if (on) say({ result: { content: [{ type: 'text', text: 'turn ' + process.env.TURN + ' of ' + process.pid }] } });
  else say({ error: { code: -32600, message: 'not introduced' } });
}).on('close', () => process.exit());
setInterval(() => on && console.log('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'), 100);`;

for (const [name, change] of [['a child that died', (p) => children(p.pid).forEach(kill)],
  ['an upstream that was configured anew', (p, c) => { c.whole.upstreams.vault.env = { TURN: '2' }; swap(c.file, JSON.stringify(c.whole)); }]])
  test(`${name}: the agent on stdio goes on, and hears what the vault says by itself`, async (t) => {
    const dir = scratch(t);
    writeFileSync(join(dir, 't.yaml'), CATALOG);
    const c = await writeConfig(t, { upstreams: { vault: { catalog: './t.yaml', command: [node, '-e', strict.replaceAll('\n', ' ')], env: { TURN: '1' } } } }, dir);
    const p = pipe(t, ['stdio', '-c', c.file]);
    await p.begin();
    const hears = (what) => { p.others.splice(0); return until(what, () => p.others.some((m) => m.method === 'notifications/tools/list_changed'), 2000); };
    const first = (await p.call(1, 'echo', { text: '' })).result.content[0].text;
    await hears('list_changed');
    change(p, c);
    let n = 1;
    await until('another child', async () => { const r = (await p.call(++n, 'echo', { text: '' })).result; return r && r.content[0].text !== first; }, 5000);
    await hears('list_changed again');
    if (change.length > 1) assert.match((await p.call('turn', 'echo', { text: '' })).result.content[0].text, /^turn 2/);
    p.child.stdin.end();
    assert.equal(await p.exited, 0, p.err);
  });

test('an answer nobody asked for answers nothing', async (t) => {
  const p = pipe(t, ['stdio', '-c', (await writeConfig(t, { upstreams: { vault: kid } })).file]);
  await p.begin();
  p.say({ id: 7, method: 'tools/call', params: { name: 'wait', arguments: { ms: 300 } } });
  p.say({ id: 7, result: { roots: [] } });
  assert.equal((await until('7', () => p.answers.get(7))).result.content[0].text, 'waited');
  assert.deepEqual(p.faults, []);
});

test('MASK-16: a read that is cancelled at once: what the vault says of it is still withheld', async (t) => {
  const p = pipe(t, ['stdio', '-c', (await writeConfig(t, { upstreams: { vault: kid } })).file]);
  await p.begin();
  for (let i = 0; i < 10; i++)
    p.say(`${wire({ id: i, method: 'tools/call', params: { name: 'read', arguments: { path: 'a' } } })}\n${wire({ method: 'notifications/cancelled', params: { requestId: i } })}\n`);
  await p.call('last', 'echo', { text: 'x' });
  await sleep(200);
  assert.ok(!JSON.stringify(p.others).includes('both-ways-value'), JSON.stringify(p.others));
});

test('an agent that restarts without ending its sessions is not locked out', async (t) => {
  const d = dice(1);
  const v = await vault(t, d, { sessions: true });
  v.calm = true;
  const dir = scratch(t);
  writeFileSync(join(dir, 't.yaml'), CATALOG);
  const s = await serve(t, { upstreams: { vault: { catalog: './t.yaml', url: v.url } } }, { dir });
  const first = new Client(s, d, 'first', 'vault', []);
  await first.open();
  for (let i = 0; i < 70; i++) assert.equal((await post(s.url, initialize())).status, 200, `session ${i}`);
  assert.equal((await first.call()).status, 404, 'the one that was unused for longest is gone');
  await until('the vault has heard of it', () => v.sessions.size <= 64);
});

test('connections: 1: agents that begin at the same time introduce it once', async (t) => {
  const hellos = [];
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (c) => { body += c; }).on('end', () => {
      const m = body ? JSON.parse(body) : {};
      if (m.id === undefined) return void res.writeHead(m.method ? 202 : 405).end();
      if (m.method === 'initialize') hellos.push(m);
      const result = m.method === 'initialize' ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 't', version: '1' } } : { content: [] };
      setTimeout(() => res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'only' }).end(wire({ id: m.id, result })), 150);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const dir = scratch(t);
  writeFileSync(join(dir, 't.yaml'), `${CATALOG}connections: 1\n`);
  const s = await serve(t, { upstreams: { vault: { catalog: './t.yaml', url: `http://127.0.0.1:${server.address().port}/mcp` } } }, { dir });
  const all = await Promise.all(Array.from({ length: 8 }, (_, i) => post(s.url, initialize(i))));
  for (const [i, r] of all.entries()) assert.deepEqual([r.status, r.json.id], [200, i]);
  assert.equal(new Set(all.map((r) => r.headers.get('mcp-session-id'))).size, 8);
  assert.equal(hellos.length, 1);
});

test('a tool list that never comes: the call fails in time, and so does the next', async (t) => {
  let asked = 0;
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (c) => { body += c; }).on('end', () => {
      const m = JSON.parse(body);
      if (m.id === undefined) res.writeHead(202).end();
      else if (m.method === 'tools/list' && ++asked < 3) return; // silence
      else if (m.method === 'tools/list') res.writeHead(200, { 'content-type': 'application/json' }).end(wire({ id: m.id, result: { tools: [{ name: 'echo', inputSchema: { type: 'object', properties: { text: {}, extra: {} } } }], nextCursor: null } }));
      else res.writeHead(200, { 'content-type': 'application/json' }).end(wire({ id: m.id, result: { content: [{ type: 'text', text: 'here' }] } }));
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const dir = scratch(t);
  writeFileSync(join(dir, 't.yaml'), CATALOG);
  const s = await serve(t, { upstreams: { vault: { catalog: './t.yaml', timeout: '300ms', url: `http://127.0.0.1:${server.address().port}/mcp` } },
    profiles: { p: { extends: 'reader', allowed_paths: ['a/'] } }, default_profile: 'p' }, { dir });
  const call = () => post(s.url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text: 'a', extra: 1 } } });
  for (let i = 0; i < 2; i++) assert.ok([502, 504].includes((await call()).status));
  await until('the third list comes', async () => (await call()).json.result?.content[0].text === 'here', 3000);
});

test('no upstream; a variable that is misspelt: exit 2, with what to do', async (t) => {
  const file = join(scratch(t), 'none.yaml');
  writeFileSync(file, 'version: 1\n');
  const ends = async (args, env, like) => {
    const p = run(t, args, { env });
    assert.equal(await p.exited, 2, p.err);
    assert.match(p.err, like);
  };
  await ends(['serve', '-c', file], {}, /no upstream.*inspect_content alone is not in this version/);
  await ends(['serve', '-c', file], { SCAIVAULT_READONLY: 'true' }, /SCAIVAULT_READONLY.*SCAIVAULT_READ_ONLY/);
  await ends(['stdio', '--', 'cat'], { NARROWGATE_DENY_PATHS: 'a/' }, /NARROWGATE_DENY_PATHS.*NARROWGATE_DENIED_PATHS/);
  await ends(['stdio', '--', 'cat'], { NARROWGATE_SOMETHING: 'x' }, /NARROWGATE_SOMETHING is no variable/);
  const fine = run(t, ['stdio', '--', 'cat'], { env: { SCAIVAULT_URL: 'x', ONECLAW_VAULT_ID: 'y', NARROWGATE_SERVICE_HOST: '10.0.0.1', NARROWGATE_PORT_8808_TCP: 'tcp://10.0.0.1:8808' }, input: '' });
  assert.equal(await fine.exited, 0, fine.err);
});
