// What an agent read at one vault does not leave by another: real clients, two vaults, every way out; and nothing of it stays in a log,
// the audit, an error or, some seconds later, in the memory of the sidecar.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as mcp from '@modelcontextprotocol/sdk/types.js';
import { bin, call, command, connect, here, initialize, leaks, post, ready, scratch, serve, sleep, text, VALUES } from './lib.mjs';

const both = join(here, 'servers/both-ways');
const PATH = 'integrations/salesforce/oauth';

const upstreams = { vault: { catalog: 'demo', command: [bin, 'demo-vault'] }, other: { catalog: `${both}.yaml`, command: [process.execPath, `${both}.mjs`] } };

// A sidecar before both, with one profile for whoever calls; `lines` is its audit.
async function place(t, profile) {
  const file = join(scratch(t), 'audit.jsonl');
  const s = await serve(t, { upstreams, profiles: { agent: { unknown_tools: 'allow', ...profile } }, default_profile: 'agent', audit: { file } });
  await ready(s);
  const at = (name) => s.url.replace(/mcp$/, `${name}/mcp`);
  return { ...s, vault: at('vault'), other: at('other'), lines: () => readFileSync(file, 'utf8').trim().split('\n').map((l) => JSON.parse(l)) };
}

async function read(client, path = PATH) {
  const answer = text(await call(client, 'read_secret', { path }));
  const value = VALUES.find((v) => answer.includes(v));
  assert.ok(value, answer);
  return value;
}

const reversed = (s) => [...s].reverse().join('');
const refused = (r) => r.isError === true && /guard exfiltration, rule known-value/.test(text(r));
const ways = {
  raw: (v) => v, 'in a query': (v) => `https://x.test/?q=${v}&a=1`, case: (v) => v.toUpperCase(), spaced: (v) => [...v].join(' '),
  'zero width': (v) => [...v].join('\u200b'), base64: (v) => Buffer.from(`x ${v} y`).toString('base64'), base64url: (v) => Buffer.from(v).toString('base64url'),
  hex: (v) => Buffer.from(v).toString('hex'), percent: (v) => [...Buffer.from(v)].map((b) => `%${b.toString(16)}`).join(''),
  entities: (v) => [...v].map((c) => `&#${c.codePointAt(0)};`).join(''), reversed, json: (v) => JSON.stringify({ a: [{ b: v }] }), part: (v) => v.slice(2, 20),
};

for (const sdk of [1, 2])
  test(`SDK ${sdk}: what was read at one vault does not reach another, nor in a new session, nor in many spellings`, async (t) => {
    const s = await place(t, {});
    const reader = await connect(t, sdk, { url: s.vault });
    const value = await read(reader);
    const sender = await connect(t, sdk, { url: s.other });
    assert.equal(text(await call(sender, 'echo', { text: 'nothing of the kind' })), 'nothing of the kind');
    for (const [how, write] of Object.entries(ways)) {
      const r = await call(sender, 'echo', { text: write(value) });
      assert.ok(refused(r), `${how}: ${text(r).slice(0, 100)}`);
      assert.match(text(r), /\(integrations\/salesforce\/oauth\)/);
      assert.deepEqual(leaks(text(r)), []);
    }
    assert.ok(refused(await call(sender, 'echo', { text: { [value]: 1 } })), 'a name');
    assert.ok(refused(await call(sender, 'echo', { text: [value.slice(0, 11), value.slice(11)] })), 'split over an array');
    assert.ok(refused(await call(reader, 'describe_secret', { path: `integrations/${value}` })), 'a path at the vault itself');
    await reader.close();
    await sender.close();
    const later = await connect(t, sdk, { url: s.other });
    assert.ok(refused(await call(later, 'echo', { text: value })), 'a new session');
    // Written where it belongs it passes.
    const writer = await connect(t, sdk, { url: s.vault });
    const written = await call(writer, 'write_secret', { path: 'integrations/copy', value });
    assert.ok(!written.isError, text(written));
    const lines = s.lines(), found = lines.filter((l) => l.findings);
    assert.ok(found.length >= Object.keys(ways).length + 3, `${found.length} findings`);
    assert.ok(found.some((l) => l.findings[0].form === 'base64') && found.every((l) => l.findings[0].category === 'exfiltration' && l.findings[0].path === PATH && !l.paths));
    assert.deepEqual(leaks(s.p.err + JSON.stringify(lines)), []);
  });

test('elicitation, sampling, roots, client info, cursors, ids, notifications and unknown methods', async (t) => {
  const s = await place(t, {});
  const reader = await connect(t, 1, { url: s.vault });
  const value = await read(reader);
  const coded = Buffer.from(value).toString('base64');
  const client = await connect(t, 1, { url: s.other }, { capabilities: { sampling: {}, elicitation: {}, roots: {} }, setup(c) {
    c.setRequestHandler(mcp.ElicitRequestSchema, () => ({ action: 'accept', content: { answer: coded } }));
    c.setRequestHandler(mcp.CreateMessageRequestSchema, () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: value } }));
    c.setRequestHandler(mcp.ListRootsRequestSchema, () => ({ roots: [{ uri: `file:///${value}` }] }));
  } });
  assert.equal(text(await call(client, 'ask_user')), 'decline');
  for (const tool of ['ask_model', 'ask_roots']) {
    const r = await call(client, tool).catch((e) => ({ isError: true, content: [{ type: 'text', text: e.message }] }));
    assert.ok(!JSON.stringify(r).includes(value), tool);
    assert.ok(r.isError, tool);
  }
  await assert.rejects(client.listTools({ cursor: value }));
  await client.notification({ method: 'notifications/cancelled', params: { requestId: 999, reason: value } });
  const hello = (info) => ({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: info } });
  assert.ok((await post(s.other, hello({ name: value, version: '1' }))).json.error);
  assert.ok((await post(s.other, { ...hello({ name: 'x', version: '1' }), id: value })).json.error);
  await post(s.other, { jsonrpc: '2.0', id: 1, method: `x/${value}`, params: {} });
  await post(s.other, { jsonrpc: '2.0', method: `notifications/${value}`, params: {} });
  await post(s.other, { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: value, arguments: {} } });
  await post(s.other, { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'echo', arguments: { [value]: 1 } } });
  await reader.notification({ method: 'notifications/progress', params: { progressToken: 1, progress: 1, message: value } });
  await sleep(200);
  assert.deepEqual(leaks(s.p.err + JSON.stringify(s.lines())), [], 'in the log or the audit');
});

test('a trace header that spells a value is left out', async (t) => {
  const seen = [];
  const server = createServer((req, res) => { if (req.method === 'POST') seen.push(req.headers.traceparent); res.writeHead(500).end(); });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const s = await serve(t, { upstreams: { vault: upstreams.vault, other: { catalog: `${both}.yaml`, url: `http://127.0.0.1:${server.address().port}/mcp`, transport: 'streamable-http' } },
    profiles: { agent: {} }, default_profile: 'agent' });
  const reader = await connect(t, 1, { url: s.url.replace(/mcp$/, 'vault/mcp') });
  const value = await read(reader), other = s.url.replace(/mcp$/, 'other/mcp');
  const trace = (text) => `00-${Buffer.from(text).toString('hex').slice(0, 32)}-00f067aa0ba902b7-01`;
  await post(other, initialize(1), { traceparent: trace('nothing like it!') });
  await post(other, initialize(2), { traceparent: trace(value.slice(4, 20)) });
  assert.deepEqual(seen, [trace('nothing like it!'), undefined]);
});

test('what other guards refuse first is not recorded with the value in it', async (t) => {
  const s = await place(t, { allowed_paths: ['integrations/'] });
  const client = await connect(t, 1, { url: s.vault });
  const value = await read(client);
  const r = await call(client, 'describe_secret', { path: `outside/${value}` });
  assert.ok(r.isError);
  await call(client, 'describe_secret', { path: PATH, [value]: 'x' });
  assert.deepEqual(leaks(s.p.err + JSON.stringify(s.lines())), []);
});

test('warn passes and records; other tools do not repeat a value unless redaction is off', async (t) => {
  for (const profile of [{ exfiltration: 'warn' }, { exfiltration: 'warn', redact_secrets: false }, { exfiltration: 'off' }]) {
    const s = await place(t, profile);
    const reader = await connect(t, 1, { url: s.vault }), sender = await connect(t, 1, { url: s.other });
    const value = await read(reader);
    assert.equal(text(await call(sender, 'echo', { text: `see ${value}` })), `see ${profile.redact_secrets === false ? value : `[REDACTED:${PATH}]`}`);
    assert.ok(text(await call(reader, 'read_secret', { path: PATH })).includes(value), 'the tool that gives values is not redacted');
    const found = s.lines().flatMap((l) => l.findings ?? []);
    assert.deepEqual(found, profile.exfiltration === 'warn' ? [{ category: 'exfiltration', form: 'plain', part: false, path: PATH }] : []);
    assert.deepEqual(leaks(s.p.err + JSON.stringify(s.lines())), []);
  }
});

test('masked values are known as well', async (t) => {
  const s = await place(t, { mask_values: true });
  const reader = await connect(t, 1, { url: s.vault }), sender = await connect(t, 1, { url: s.other });
  assert.match(text(await call(reader, 'read_secret', { path: PATH })), /••••••/);
  assert.ok(refused(await call(sender, 'echo', { text: VALUES[0] })));
});

test('the variables of the vaults set it, and widen no file', async (t) => {
  const file = join(scratch(t), 'narrowgate.yaml');
  const check = (env) => command(t, ['check', file], { env });
  writeFileSync(file, JSON.stringify({ version: 1, upstreams: { vault: upstreams.vault } }));
  const wide = await check({ ONECLAW_MCP_EXFIL_PROTECTION: 'off', ONECLAW_MCP_REDACT_SECRETS: 'false' });
  assert.notEqual(wide.code, 0);
  assert.match(wide.err, /`exfiltration: off` would widen/);
  assert.match(wide.err, /`redact_secrets: false` would widen/);
  const kept = await check({ ONECLAW_MCP_EXFIL_PROTECTION: 'block', ONECLAW_MCP_REDACT_SECRETS: 'true' });
  assert.equal(kept.code, 0, kept.err);
  assert.match(kept.out, /exfiltration: block/);
  assert.match(kept.out, /self-test: passed/);
});

// The writable memory of a process that holds one of the values.
function holding(pid, values) {
  const found = [], mem = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const m = /^([0-9a-f]+)-([0-9a-f]+) rw\S* \S+ \S+ \S+\s*(.*)$/.exec(line);
      if (!m || m[3] === '[vvar]') continue;
      const from = BigInt(`0x${m[1]}`), size = Number(BigInt(`0x${m[2]}`) - from), step = 1 << 24;
      if (size > 2 ** 31) continue; // address sanitizer's shadow
      for (let at = 0; at < size; at += step - 64) {
        const room = Buffer.alloc(Math.min(step, size - at));
        try { readSync(mem, room, 0, room.length, from + BigInt(at)); } catch { continue; }
        for (const v of values) if (room.includes(v)) found.push(`${v.slice(0, 8)}… in ${m[3] || 'memory'} at ${(from + BigInt(at + room.indexOf(v))).toString(16)}`);
      }
    }
  } finally { closeSync(mem); }
  return found;
}

test('some seconds after a call no value is in the memory of the sidecar', async (t) => {
  const s = await place(t, {});
  const reader = await connect(t, 1, { url: s.vault }), sender = await connect(t, 1, { url: s.other });
  const value = await read(reader);
  for (const v of [value, Buffer.from(value).toString('base64'), `a ${[...value].join(' ')}`]) assert.ok(refused(await call(sender, 'echo', { text: v })));
  await call(reader, 'get_env_bundle', { path: 'apps/reporting/env' }).catch(() => {});
  try { holding(s.p.child.pid, ['x']); } catch (e) { t.skip(`the memory of another process cannot be read here: ${e.message}`); return; }
  // That the search finds what is there: the name of its configuration.
  assert.ok(holding(s.p.child.pid, [s.file]).length > 0, 'the search finds nothing at all');
  await sleep(4000);
  const sanitized = readFileSync(`/proc/${s.p.child.pid}/maps`, 'utf8').includes('libasan');
  const left = holding(s.p.child.pid, [value, value.toLowerCase().replace(/[^a-z0-9]/g, '')]);
  if (left.length && sanitized) { t.skip(`address sanitizer keeps what was freed: ${left.join('; ')}`); return; }
  assert.deepEqual(left, []);
});
