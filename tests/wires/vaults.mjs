// Canned vaults: each keeps what reached it and answers what it is told, one step at a time.
import { createServer as createHttp } from 'node:http';
import { createServer as createTcp } from 'node:net';

const CAPABILITIES = { tools: {}, prompts: {}, resources: { subscribe: true }, completions: {}, logging: {} };
export const SENTINEL = '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}';

class Vault {
  constructor() {
    this.seen = [];    // { text, json }: requests of the agent
    this.replies = []; // answers to what this vault asked
    this.step = null;  // { answer: '"result":…' or '"error":…', notices: [text], method, sentinel: bool, heard: () => promise }
  }

  // What goes back for a message, in order; nothing for what needs no answer. `aside(text)` sends by itself; null: together with the answer.
  async handle(text, aside) {
    const m = JSON.parse(text);
    if (m.method === undefined) this.replies.push(m);
    if (m.method === undefined || m.id === undefined) return [];
    const own = this.answerItself(m);
    if (own) return [JSON.stringify({ jsonrpc: '2.0', id: m.id, result: own })];
    this.seen.push({ text, json: m });
    const step = this.step ?? { notices: [] }, token = m.params?._meta?.progressToken;
    const notices = step.notices.map((n) => (token === undefined ? n : n.replace(/"progressToken":1\b/, `"progressToken":${JSON.stringify(token)}`)));
    const answer = `{"jsonrpc":"2.0","id":${JSON.stringify(m.id)},${step.answer ?? '"result":{}'}}`;
    if (notices.length && step.sentinel) notices.push(SENTINEL);
    if (!aside || !notices.length) return [...notices, answer];
    for (const n of notices) aside(n);
    await step.heard();
    return [answer];
  }

  answerItself(m) {
    if (m.method === 'initialize') return { protocolVersion: m.params.protocolVersion, capabilities: CAPABILITIES, serverInfo: { name: 'wires', version: '1' } };
    if (m.method === 'server/discover') return { supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES, resultType: 'complete' };
    if (m.method === 'ping') return {};
    // narrowgate reads what the tools take; this vault does not say.
    if (m.method === 'tools/list' && this.step?.method !== 'tools/list') return { tools: [] };
    return null;
  }
}

// Streamable HTTP. `streams`: every answer is an event stream, with what is said meanwhile in front; else JSON, and what is said meanwhile
// goes to the session's GET stream (without sessions there is none: then that one answer is a stream).
class HttpVault extends Vault {
  constructor(streams) {
    super();
    this.streams = streams;
    this.sessions = 0;
    this.ears = new Map();
  }

  async open() {
    this.server = createHttp((req, res) => this.serve(req, res));
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    return { url: `http://127.0.0.1:${this.server.address().port}/mcp` };
  }

  serve(req, res) {
    const session = req.headers['mcp-session-id'];
    if (req.method === 'GET') {
      this.ears.set(session, res);
      return void res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    }
    if (req.method === 'DELETE') return void res.writeHead(200).end();
    let body = '';
    req.setEncoding('utf8');
    req.on('data', (d) => { body += d; });
    req.on('end', () => this.post(body, session, res));
  }

  async post(body, session, res) {
    const ear = this.ears.get(session), aside = this.streams || !ear ? null : (text) => ear.write(`data: ${text}\n\n`);
    const out = await this.handle(body, aside);
    if (!out.length) return void res.writeHead(202).end();
    const stream = this.streams || out.length > 1;
    const opening = JSON.parse(body).method === 'initialize' ? { 'mcp-session-id': `s${++this.sessions}` } : {};
    res.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json', ...opening });
    res.end(stream ? out.map((text) => `event: message\ndata: ${text}\n\n`).join('') : out[0]);
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

// HTTP+SSE (2024-11-05): all it says comes on the one stream that a GET opens and that names where to post to.
class SseVault extends Vault {
  async open() {
    this.streams = new Map();
    this.server = createHttp((req, res) => this.serve(req, res));
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    return { url: `http://127.0.0.1:${this.server.address().port}/sse`, transport: 'sse' };
  }

  serve(req, res) {
    if (req.method === 'GET') {
      const key = `k${this.streams.size}`;
      this.streams.set(key, res);
      return void res.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: endpoint\ndata: /messages?key=${key}\n\n`);
    }
    const stream = this.streams.get(new URL(req.url, 'http://x').searchParams.get('key'));
    let body = '';
    req.setEncoding('utf8');
    req.on('data', (d) => { body += d; });
    req.on('end', async () => {
      res.writeHead(202).end('Accepted');
      for (const text of await this.handle(body, null)) stream.write(`event: message\ndata: ${text}\n\n`);
    });
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

// A child on a pipe; it is a relay to a socket, so that what reaches it is seen here.
class StdioVault extends Vault {
  async open() {
    this.sockets = new Set();
    this.server = createTcp((socket) => this.serve(socket));
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    const relay = `exec 3<>/dev/tcp/127.0.0.1/${this.server.address().port}; cat <&3 & cat >&3; kill $!`;
    return { command: ['/bin/bash', '-c', relay] };
  }

  serve(socket) {
    let rest = '';
    this.sockets.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', async (d) => {
      rest += d;
      for (let at; (at = rest.indexOf('\n')) >= 0;) {
        const line = rest.slice(0, at);
        rest = rest.slice(at + 1);
        for (const text of await this.handle(line, null)) socket.write(`${text}\n`);
      }
    });
  }

  close() {
    for (const s of this.sockets) s.destroy();
    this.server.close();
  }
}

// One way to a vault a row: a transport that is built later is one more. `handshake`: no other revisions have it.
export const VAULTS = {
  'to JSON answers': { make: () => new HttpVault(false) },
  'to SSE answers': { make: () => new HttpVault(true) },
  'to HTTP+SSE': { make: () => new SseVault(), handshake: true },
  'to a child on stdio': { make: () => new StdioVault() },
};
