// Plays a fixed conversation against a URL and writes down everything a client can see of the answers.
import http from 'node:http';

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const media = (h) => (h ?? '').split(';')[0].trim().toLowerCase();

const PATIENCE_MS = 3000;

// One request: { status, headers, body, pieces: how much of it was there when }. What does not end in time is broken off.
export function send(url, { method = 'POST', headers = {}, body, until }) {
  return new Promise((resolve, fail) => {
    const got = { status: 0, headers: {}, body: '', pieces: [] };
    const req = http.request(url, { method, headers, agent: false }, (res) => {
      Object.assign(got, { status: res.statusCode, headers: res.headers });
      res.setEncoding('utf8');
      res.on('data', (d) => { got.body += d; got.pieces.push({ at: Date.now(), n: got.body.length }); if (until?.(got)) done({}); });
      res.on('end', () => done({}));
      res.on('aborted', () => done({ broken: true }));
      res.on('error', () => {});
    });
    const done = (more) => { clearTimeout(timer); req.destroy(); resolve({ ...got, ...more }); };
    const timer = setTimeout(() => done({ broken: true }), PATIENCE_MS);
    req.on('error', fail);
    req.end(body);
  });
}

// The events of a stream, each with the time its end came.
export function events(got) {
  const list = [];
  let at = 0;
  for (const block of got.body.split('\n\n')) {
    at += block.length + 2;
    const lines = block.split('\n').filter((l) => l && !l.startsWith(':'));
    if (!lines.length) continue;
    const e = { at: got.pieces.find((p) => p.n >= Math.min(at, got.body.length))?.at };
    for (const l of lines) e[l.slice(0, l.indexOf(':'))] = l.slice(l.indexOf(':') + 1).replace(/^ /, '');
    list.push(e);
  }
  return list;
}

const json = (text) => { try { return JSON.parse(text); } catch { return text; } };
// Of an error that narrowgate writes itself, the words are its own: what counts is the shape, the id and the code.
const bare = (m, ours) => (ours && m?.error ? { error: { code: m.error.code } } : m);

// What is compared: everything but the values of ids of sessions and events, which are each side's own, and times, of which
// only this remains: whether an event came well before the one behind it.
function seen(got, ours) {
  const type = media(got.headers['content-type']);
  const stream = type === 'text/event-stream' ? events(got) : undefined;
  return {
    status: got.status, type, allow: got.headers.allow ?? '', session: 'mcp-session-id' in got.headers, broken: got.broken ?? false,
    ...(stream ? {
      events: stream.filter((e) => !ours || e.data).map((e, i) => ({
        event: e.event ?? 'message', id: 'id' in e && !ours, retry: e.retry ?? '', empty: e.data === '', data: e.data ? bare(json(e.data), ours) : null,
        early: i + 1 < stream.length && stream[i + 1].at - e.at > 20,
      })),
    } : { body: bare(json(got.body), ours) }),
  };
}

// The conversation: { name: what was seen }. `version` is the revision, `style` sse or json, as the server answers.
export async function play(url, version) {
  const script = new Map();
  const note = (name, got, ours) => { script.set(name, seen(got, ours)); return got; };
  const both = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  let session = {};
  const dated = version === '2025-03-26' ? {} : { 'mcp-protocol-version': version };
  let id = 0;
  const message = (method, params) => ({ jsonrpc: '2.0', id: ++id, method, ...(params ? { params } : {}) });
  const post = (m, more = {}) => send(url, { headers: { ...both, ...session, ...dated, ...more }, body: typeof m === 'string' ? m : JSON.stringify(m) });
  const ask = async (name, method, params, ours) => note(name, await post(message(method, params)), ours);
  const call = (tool, args = {}, more = {}) => ask(`call ${tool}`, 'tools/call', { name: tool, arguments: args, ...more });

  const capabilities = { sampling: {}, elicitation: {}, roots: {} };
  const hello = note('initialize', await send(url, { headers: both, body: JSON.stringify(message('initialize', { protocolVersion: version, capabilities, clientInfo: { name: 'player', version: '1' } })) }));
  session = { 'mcp-session-id': hello.headers['mcp-session-id'] };
  note('initialized', await post({ jsonrpc: '2.0', method: 'notifications/initialized' }));

  for (const method of ['ping', 'tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']) await ask(method, method);
  for (const tool of ['test_simple_text', 'test_image_content', 'test_audio_content', 'test_embedded_resource', 'test_multiple_content_types', 'test_error_handling']) await call(tool);
  await call('test_tool_with_progress', {}, { _meta: { progressToken: 'token' } });
  await call('test_tool_with_logging');
  await call('no_such_tool');
  await ask('read text', 'resources/read', { uri: 'test://static-text' });
  await ask('read binary', 'resources/read', { uri: 'test://static-binary' });
  await ask('read nothing', 'resources/read', { uri: 'test://nothing' });
  await ask('subscribe', 'resources/subscribe', { uri: 'test://watched-resource' });
  await ask('prompt', 'prompts/get', { name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } });
  await ask('prompt nothing', 'prompts/get', { name: 'nothing' });
  await ask('complete', 'completion/complete', { ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' }, argument: { name: 'arg1', value: 't' } });
  await ask('level', 'logging/setLevel', { level: 'info' });
  await ask('unknown method', 'no/such', undefined, true);
  note('cancel of nothing', await post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9999 } }));

  // The server asks, the answer is a message of its own. (With JSON answers the question has only the GET stream to come by.)
  const question = async (tool, args, result) => {
    const asked = send(url, { headers: { ...both, ...session, ...dated }, body: JSON.stringify(message('tools/call', { name: tool, arguments: args })),
      until: (got) => {
        if (got.answered) return false;
        const q = events(got).map((e) => json(e.data)).find((m) => m?.method && 'id' in m);
        if (q) { got.answered = true; post({ jsonrpc: '2.0', id: q.id, result }).then((r) => note(`answer to ${tool}`, r)); }
        return false;
      } });
    note(`call ${tool}`, await asked);
    await sleep(50);
  };
  if (media(hello.headers['content-type']) === 'text/event-stream') {
    await question('test_sampling', { prompt: 'Hi' }, { role: 'assistant', content: { type: 'text', text: 'Hello' }, model: 'm' });
    if (version >= '2025-06-18') await question('test_elicitation', { message: 'Who?' }, { action: 'accept', content: { username: 'u', email: 'e@example.org' } });
    const broken = await call('test_reconnection');
    const last = events(broken).at(-1)?.id;
    if (version >= '2025-11-25' && last) {
      await sleep(150);
      note('resumed', await send(url, { method: 'GET', headers: { accept: 'text/event-stream', ...session, ...dated, 'last-event-id': last }, until: (got) => got.body.includes('"result"') && got.body.endsWith('\n\n') }));
    }
  }

  // What narrowgate answers for the vault.
  const wrong = async (name, options) => note(name, await send(url, { headers: { ...both, ...session, ...dated }, body: JSON.stringify(message('ping')), ...options }), true);
  await wrong('unknown session', { headers: { ...both, ...dated, 'mcp-session-id': 'f'.repeat(32) } });
  await wrong('PUT', { method: 'PUT' });
  await wrong('not JSON', { body: '{"jsonrpc":' });
  await wrong('no message', { body: '{"a":1}' });
  await wrong('Accept of JSON alone', { headers: { ...both, ...session, ...dated, accept: 'application/json' } });
  await wrong('text/plain', { headers: { ...both, ...session, ...dated, 'content-type': 'text/plain' } });
  await wrong('unknown revision', { headers: { ...both, ...session, 'mcp-protocol-version': '1999-01-01' } });
  await wrong('foreign Origin', { headers: { ...both, ...session, ...dated, origin: 'http://evil.example' } });
  await wrong('GET of JSON', { method: 'GET', body: undefined, headers: { ...session, ...dated, accept: 'application/json' } });
  await wrong('end', { method: 'DELETE', body: undefined, headers: { ...session, ...dated } });
  await wrong('after the end', {});
  return script;
}

// The differences between two conversations, one line each.
export function differences(a, b) {
  const lines = [];
  const walk = (path, x, y) => {
    if (x && y && typeof x === 'object' && typeof y === 'object' && Array.isArray(x) === Array.isArray(y)) {
      const names = [...new Set([...Object.keys(x), ...Object.keys(y)])];
      for (const k of names) walk(`${path}.${k}`, x[k], y[k]);
      const order = (o) => Object.keys(o).join();
      if (!lines.some((l) => l.startsWith(path)) && order(x) !== order(y)) lines.push(`${path}: members in another order`);
    } else if (x !== y) {
      lines.push(`${path}: ${JSON.stringify(x)?.slice(0, 120)} directly, ${JSON.stringify(y)?.slice(0, 120)} through`);
    }
  };
  for (const name of new Set([...a.keys(), ...b.keys()])) walk(name, a.get(name), b.get(name));
  return lines;
}

// Whether a line is about when an event came, and not about what it was.
export const timing = (line) => /\.early: /.test(line);
