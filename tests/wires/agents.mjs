// Agents by hand, one a way in: open(), send(request) → { text, json } of its answer, heard: all else that came, bytes: everything.
import { spawn } from 'node:child_process';
import { readEvents } from './sse.mjs';
import { cutJson } from './table.mjs';

const PATIENCE_MS = 20000;
const STATELESS = '2026-07-28';

const soon = (promise, what) => {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(`no ${what} in ${PATIENCE_MS} ms`)), PATIENCE_MS); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

// The messages of a text, byte for byte.
function cutMessages(text) {
  const out = [];
  if (text.trim()[0] !== '[') return [text];
  for (let rest = text.trim().slice(1); !/^\s*\]/.test(rest); rest = rest.replace(/^\s*,\s*/, '')) {
    out.push(cutJson(rest));
    rest = rest.slice(out.at(-1).length);
  }
  return out;
}

class Agent {
  constructor(revision, batch) {
    Object.assign(this, { revision, batch, stateless: revision === STATELESS, heard: [], bytes: '', waits: new Map(), watches: [], nextId: 1 });
  }

  // One message, or an array of them, from the sidecar.
  take(text) {
    this.bytes += `${text}\n`;
    for (const one of cutMessages(text).map((m) => ({ json: JSON.parse(m), text: m }))) {
      const wait = one.json.method === undefined ? this.waits.get(one.json.id) : undefined;
      if (wait) wait(one);
      else this.heard.push(one);
    }
    this.watches = this.watches.filter((w) => !w());
  }

  until(what, check) {
    return soon(new Promise((done) => {
      const look = () => (check() ? (done(), true) : false);
      if (!look()) this.watches.push(look);
    }), what);
  }

  // The request with an id of its own, and the envelope where its revision has one.
  dress(text, tasks) {
    const id = this.nextId++;
    let out = text.replace(/"id":1\b/, `"id":${id}`);
    if (this.stateless) {
      const meta = `"io.modelcontextprotocol/protocolVersion":"${STATELESS}","io.modelcontextprotocol/clientCapabilities":` +
        `${tasks ? '{"extensions":{"io.modelcontextprotocol/tasks":{}}}' : '{}'},"io.modelcontextprotocol/clientInfo":{"name":"wires","version":"1"}`;
      out = out.includes('"_meta":{') ? out.replace('"_meta":{', `"_meta":{${meta},`)
        : out.replace('"params":{', `"params":{"_meta":{${meta}}${JSON.parse(text).params && Object.keys(JSON.parse(text).params).length ? ',' : ''}`);
    }
    return { id, text: out };
  }

  async send(text, { tasks } = {}) {
    const one = this.dress(text, tasks);
    const answer = new Promise((done) => this.waits.set(one.id, done));
    const ping = `{"jsonrpc":"2.0","id":"ping-${one.id}","method":"ping"}`;
    await this.put(this.batch ? `[${ping},${one.text}]` : one.text, JSON.parse(one.text));
    return { sent: one.text, ...await soon(answer, `answer to ${one.text}`) };
  }

  async greet() {
    if (this.stateless) return;
    const batch = this.batch;
    this.batch = false; // initialize is never part of one
    const init = await this.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize',
      params: { protocolVersion: this.revision, capabilities: { elicitation: {}, sampling: {} }, clientInfo: { name: 'wires', version: '1' } } }));
    if (init.json.result?.protocolVersion !== this.revision) throw new Error(`initialize: ${init.text}`);
    await this.put('{"jsonrpc":"2.0","method":"notifications/initialized"}', {});
    this.batch = batch;
  }
}

class HttpAgent extends Agent {
  constructor(where, revision, batch) {
    super(revision, batch);
    this.where = where;
    this.stop = new AbortController();
  }

  headers(json) {
    const h = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${this.where.key}` };
    if (this.session) h['mcp-session-id'] = this.session;
    if ((this.session && this.revision >= '2025-06-18') || this.stateless) h['mcp-protocol-version'] = this.revision;
    if (this.stateless && json?.method) {
      h['mcp-method'] = json.method;
      const name = json.params?.name ?? json.params?.uri ?? json.params?.taskId;
      if (/^(tools\/call|prompts\/get|resources\/read|tasks\/(get|update|cancel))$/.test(json.method)) h['mcp-name'] = name;
    }
    return h;
  }

  async open() {
    await this.greet();
    if (this.stateless) return;
    const r = await fetch(this.where.url, { headers: { ...this.headers(), accept: 'text/event-stream' }, signal: this.stop.signal });
    if (r.status !== 200) throw new Error(`GET: ${r.status}`);
    readEvents(r.body, (_, data) => this.take(data)).catch(() => {});
  }

  async put(text, json) {
    const r = await fetch(this.where.url, { method: 'POST', headers: this.headers(json), body: text, signal: this.stop.signal });
    if (json.method === 'initialize') this.session = r.headers.get('mcp-session-id');
    if (/event-stream/.test(r.headers.get('content-type'))) return readEvents(r.body, (_, data) => this.take(data));
    const body = await r.text();
    if (body) this.take(body);
  }

  async close() {
    if (this.session) await fetch(this.where.url, { method: 'DELETE', headers: this.headers() });
    this.stop.abort();
  }
}

class SseAgent extends HttpAgent {
  async open() {
    const r = await fetch(this.where.sse, { headers: { accept: 'text/event-stream', authorization: `Bearer ${this.where.key}` }, signal: this.stop.signal });
    readEvents(r.body, (event, data) => (event === 'endpoint' ? this.named(new URL(data, this.where.sse)) : this.take(data))).catch(() => {});
    this.target = await soon(new Promise((done) => { this.named = done; }), 'endpoint');
    await this.greet();
  }

  async put(text) {
    const r = await fetch(this.target, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${this.where.key}` }, body: text });
    if (r.status !== 202) throw new Error(`POST: ${r.status} ${await r.text()}`);
  }

  async close() {
    this.stop.abort();
  }
}

class StdioAgent extends Agent {
  constructor(where, revision, batch) {
    super(revision, batch);
    this.where = where;
  }

  async open() {
    this.child = spawn(this.where.command, this.where.args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.log = '';
    this.child.stderr.on('data', (d) => { this.log += d; });
    this.ended = new Promise((done) => this.child.on('close', done));
    let rest = '';
    this.child.stdout.setEncoding('utf8');
    this.child.stdout.on('data', (d) => {
      rest += d;
      for (let at; (at = rest.indexOf('\n')) >= 0; rest = rest.slice(at + 1)) this.take(rest.slice(0, at));
    });
    await this.greet();
  }

  async put(text) {
    this.child.stdin.write(`${text}\n`);
  }

  async close() {
    this.child.stdin.end();
    await soon(this.ended, 'end of the program');
    if (/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(this.log)) throw new Error(this.log.slice(0, 4000));
  }
}

export const AGENTS = { http: HttpAgent, sse: SseAgent, stdio: StdioAgent };
