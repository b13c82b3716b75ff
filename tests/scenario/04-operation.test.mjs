// What an operator sees: start errors, readiness, reload, drain, check, explain, audit, the environment.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync, existsSync } from 'node:fs';
import { test } from 'node:test';
import { join } from 'node:path';
import { bin, call, command, connect, demoVault, freePort, initialize, leaks, post, ready, reconfigure, run, scratch, serve, sleep, text, until, writeConfig } from './lib.mjs';

test('OPS-02: a broken file: exit 2, one line that names file, line, column and key, no port', async (t) => {
  const file = join(scratch(t), 'bad.yaml');
  writeFileSync(file, 'version: 1\nupstreams:\n  vault: {url: "https://vault.example/mcp"}\nprofiles:\n  p: {read_onyl: true}\n');
  const p = await command(t, ['serve', '-c', file]);
  assert.equal(p.code, 2);
  assert.match(p.err, /bad\.yaml:5:7: .*read_onyl.*read_only/);
  assert.equal(p.err.trim().split('\n').length, 1);
  assert.equal((await command(t, ['check', file])).code, 2);
  assert.equal((await command(t, ['serve', '-c', '/nowhere.yaml'])).code, 2);
});

test('every command has help; misuse is exit 2', async (t) => {
  for (const name of ['serve', 'stdio', 'check', 'explain', 'demo-vault']) {
    const p = await command(t, [name, '--help']);
    assert.equal(p.code, 0, name);
    assert.match(p.out, new RegExp(`usage: narrowgate ${name}`));
  }
  for (const args of [[], ['no-such'], ['serve', '--no-such'], ['check'], ['explain'], ['demo-vault', 'x']])
    assert.equal((await command(t, args)).code, 2, args.join(' '));
  const taken = await demoVault(t);
  const p = await command(t, ['demo-vault', '--listen', `127.0.0.1:${taken.port}`]);
  assert.equal(p.code, 2, p.err);
  assert.match(p.err, /^narrowgate: cannot listen on .*: address already in use\n$/);
  const audit = await command(t, ['serve', '-c', (await writeConfig(t, { upstreams: { v: { catalog: 'demo', url: taken.url } }, audit: { file: '/nowhere/a.jsonl' } })).file]);
  assert.equal(audit.code, 2);
  assert.match(audit.err, /audit: \/nowhere\/a\.jsonl: No such file/);
  assert.match((await command(t, ['--version'])).out, /^narrowgate \d+\.\d+\.\d+\nlibuv /);
});

test('libcurl is loaded for a vault on HTTP alone: without it that is exit 2 and says what to install, and a child vault works', async (t) => {
  const dir = scratch(t);
  writeFileSync(join(dir, 'libcurl.so.4'), 'no library');
  const env = { LD_LIBRARY_PATH: dir };
  const { file } = await writeConfig(t, { upstreams: { v: { catalog: 'demo', url: 'http://127.0.0.1:9/mcp' } } });
  const p = await command(t, ['serve', '-c', file], { env });
  assert.equal(p.code, 2);
  assert.match(p.err, /^narrowgate: upstream v: libcurl\.so\.4 cannot be loaded: install libcurl/m);
  const version = await command(t, ['--version'], { env });
  assert.equal(version.code, 0);
  assert.match(version.out, /^libcurl\.so\.4 cannot be loaded/m);
  const child = await command(t, ['stdio', '--', bin, 'demo-vault'], { env, input: `${JSON.stringify(initialize())}\n` });
  assert.equal(child.code, 0, child.err);
  assert.match(child.out, /"protocolVersion"/);
});

test('K13 OPS-11: a vault that is down at the start, up later, down again', async (t) => {
  const port = await freePort();
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: `http://127.0.0.1:${port}/mcp` } } });
  const status = async (path) => (await fetch(`${s.admin}${path}`)).status;
  assert.equal(await status('/healthz'), 200);
  assert.equal(await status('/readyz'), 503);
  assert.match(await (await fetch(`${s.admin}/readyz?verbose`)).text(), /upstream vault/);
  const vault = run(t, ['demo-vault', '--listen', `127.0.0.1:${port}`]);
  await until('ready', async () => (await status('/readyz')) === 200, 4000);
  await vault.stop();
  assert.equal(await status('/readyz'), 200, 'sticky: a vault that blinks does not take every agent down');
  assert.equal((await post(s.url, initialize())).status, 503);
  assert.equal(await status('/healthz'), 200);
  for (const method of ['POST', 'PUT', 'DELETE']) assert.equal((await fetch(`${s.admin}/readyz`, { method })).status, 405);
});

async function session(s) {
  const id = (await post(s.url, initialize())).headers.get('mcp-session-id');
  return async (name, args) => (await post(s.url, { jsonrpc: '2.0', id: Math.random().toString(36), method: 'tools/call', params: { name, arguments: args } }, { 'mcp-session-id': id })).json.result;
}

test('K10 OPS-01: reload by the swap a ConfigMap makes; a broken file keeps the last good one; open sessions get the new profile', async (t) => {
  const vault = await demoVault(t);
  const dir = scratch(t);
  const config = (allowed) => JSON.stringify({ ...base, profiles: { p: { allowed_paths: allowed } }, default_profile: 'p' });
  const [mcp, admin] = [await freePort(), await freePort()];
  const base = { version: 1, listen: { mcp: `127.0.0.1:${mcp}`, admin: `127.0.0.1:${admin}` }, upstreams: { vault: { catalog: 'demo', url: vault.url } } };
  let n = 0;
  const swap = (content) => {
    const name = `..${++n}`;
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'narrowgate.yaml'), content);
    symlinkSync(name, join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  };
  swap(config(['integrations/']));
  symlinkSync('..data/narrowgate.yaml', join(dir, 'narrowgate.yaml'));
  const p = run(t, ['serve', '-c', join(dir, 'narrowgate.yaml')]);
  await until('serving', () => p.err.includes('MCP at'));
  const tool = await session({ url: `http://127.0.0.1:${mcp}/mcp` });
  const outside = { path: 'infra/db/primary/credentials' };
  assert.equal((await tool('describe_secret', outside)).isError, true);
  swap(config(['infra/']));
  await until('the new profile holds', async () => !(await tool('describe_secret', outside)).isError, 2000);
  swap('version: 1\nprofiles: {p: {allowed_paths: infra}\n');
  await until('the fault is logged', () => /last good configuration/.test(p.err));
  assert.equal((await tool('describe_secret', outside)).isError, undefined);
  for (let i = 0; i < 50; i++) swap(config(i % 2 ? ['infra/'] : ['integrations/']));
  swap(config(['integrations/']));
  await until('the last one holds', async () => (await tool('describe_secret', outside)).isError, 2000);
  p.child.kill('SIGHUP');
  await sleep(100);
  assert.equal(p.code, null);
});

for (const shared of [false, true]) test(`a reload: sessions are told that lists may have changed, where the vault said it would${shared ? ' (connections: 1)' : ''}`, async (t) => {
  const dir = scratch(t), catalog = join(dir, 'c.yaml'), servers = join(import.meta.dirname, 'servers');
  const own = readFileSync(join(servers, 'both-ways.yaml'), 'utf8');
  writeFileSync(catalog, shared ? own.replace('catalog: both-ways', 'catalog: both-ways\nconnections: 1') : own);
  const s = await serve(t, { upstreams: { vault: { catalog, command: [process.execPath, join(servers, 'both-ways.mjs')] } }, profiles: { p: {} }, default_profile: 'p' }, { dir });
  const heard = [[], []];
  const clients = await Promise.all([0, 1].map((i) => connect(t, 1, s, { setup: (c) => { c.fallbackNotificationHandler = (n) => { heard[i].push(n.method); }; } })));
  await sleep(300); // their GET streams open by themselves
  reconfigure(s, { profiles: { p: { read_only: true } } });
  await until('the news', () => heard.every((h) => h.length));
  assert.equal((await Promise.all(clients.map((c) => c.listTools()))).length, 2);
  await sleep(100);
  assert.deepEqual(heard, [['notifications/tools/list_changed'], ['notifications/tools/list_changed']]);
});

test('K9: SIGTERM with a call in flight: the call answers, then exit 0; idle it is quick', async (t) => {
  const script = join(import.meta.dirname, 'servers/both-ways.mjs');
  const s = await serve(t, { upstreams: { vault: { catalog: join(import.meta.dirname, 'servers/both-ways.yaml'), command: [process.execPath, script] } } });
  await ready(s);
  const client = await connect(t, 1, s);
  const pending = call(client, 'wait', { ms: 600 });
  await sleep(200);
  s.p.child.kill('SIGTERM');
  await until('not ready', async () => (await fetch(`${s.admin}/readyz`)).status === 503);
  assert.equal((await fetch(`${s.admin}/healthz`)).status, 200);
  assert.equal(text(await pending), 'waited');
  assert.equal(await s.p.exited, 0);

  const idle = await serve(t, { upstreams: { vault: { catalog: 'demo', command: [bin, 'demo-vault'] } } });
  const from = Date.now();
  idle.p.child.kill('SIGTERM');
  assert.equal(await idle.p.exited, 0);
  assert.ok(Date.now() - from < 3000, `idle exit took ${Date.now() - from} ms`);
});

test('OPS-12: what is in flight when the drain period ends gets an error, not a closed connection', async (t) => {
  const script = join(import.meta.dirname, 'servers/both-ways.mjs');
  const s = await serve(t, { listen: { drain: '1s' }, upstreams: { vault: { catalog: join(import.meta.dirname, 'servers/both-ways.yaml'), command: [process.execPath, script] } } });
  await ready(s);
  const hello = await post(s.url, initialize());
  const session = { 'mcp-session-id': hello.headers.get('mcp-session-id'), 'mcp-protocol-version': '2025-11-25' };
  await post(s.url, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
  const pending = post(s.url, { jsonrpc: '2.0', id: 'w', method: 'tools/call', params: { name: 'wait', arguments: { ms: 20000 } } }, session);
  await sleep(200);
  s.p.child.kill('SIGTERM');
  const r = await pending;
  assert.equal(r.status, 503, r.body);
  assert.equal(r.json.id, 'w');
  assert.equal(r.json.error.code, -32603);
  assert.match(r.json.error.message, /shutting down/);
  assert.equal(await s.p.exited, 0);
});

test('OPS-10: audit: one line a decision, with its id, never a value', async (t) => {
  const vault = await demoVault(t);
  const dir = scratch(t);
  const audit = join(dir, 'audit.jsonl');
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: vault.url } }, profiles: { p: { extends: 'reader', allowed_paths: ['integrations/'] } }, default_profile: 'p', audit: { file: audit } }, { dir });
  await ready(s);
  const client = await connect(t, 1, s);
  const read = await call(client, 'read_secret', { path: 'integrations/stripe/api-key' });
  assert.equal(read.structuredContent.value, 'demo-stripe-Zk3JtY6uNq1HbV5c', 'reader shows values');
  const refused = await call(client, 'write_secret', { path: 'integrations/stripe/api-key', value: 'demo-smtp-Wd8RfG2sXj9MlC4e' });
  const outside = await call(client, 'read_secret', { path: 'infra/db/primary/credentials' });
  await until('the audit lines', () => existsSync(audit) && readFileSync(audit, 'utf8').split('\n').length > 4);
  const whole = readFileSync(audit, 'utf8');
  const lines = whole.trim().split('\n').map((l) => JSON.parse(l));
  const pass = lines.find((l) => l.tool === 'read_secret' && l.verdict !== 'deny');
  assert.deepEqual([pass.action, pass.paths, pass.agent, pass.upstream, pass.profile, pass.outcome], ['read', ['integrations/stripe/api-key'], 'default', 'vault', 'p', 'answered']);
  for (const r of [refused, outside]) {
    const { id, guard, rule } = r._meta['narrowgate.dev/refusal'];
    const line = lines.find((l) => l.id === id);
    assert.ok(line, 'the refusal\'s id finds its line');
    assert.deepEqual([line.verdict, line.guard, line.rule, line.outcome], ['deny', guard, rule, 'refused']);
  }
  assert.deepEqual(leaks(whole + s.p.err), []);
});

test('check prints each agent\'s profile and the self-test; explain decides without sending', async (t) => {
  const c = await writeConfig(t, { upstreams: { vault: { catalog: 'demo', url: 'https://vault.example/mcp' } }, profiles: { p: { extends: 'observer', allowed_paths: ['a/'] } }, default_profile: 'p' });
  const check = await command(t, ['check', c.file]);
  assert.equal(check.code, 0, check.err);
  assert.match(check.out, /agent default/);
  assert.match(check.out, /self-test: passed/);
  assert.match(check.out, /not in this version: .*inspection/);
  const explain = async (args, name = 'read_secret') => command(t, ['explain', '-c', c.file, '-'], { input: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }) });
  const pass = await explain({ path: 'a/x' });
  assert.equal(pass.code, 0, pass.err);
  assert.match(pass.out, /verdict: pass/);
  const deny = await explain({ path: 'b/x' });
  assert.equal(deny.code, 1);
  assert.match(deny.out, /verdict: deny\nguard: paths\nrule: allowed-paths/);
  assert.match(deny.out, /from: .*narrowgate\.yaml:\d+:\d+/);
});

test('a reload: the audit goes where the new file says, or all stays as it was; what needs a restart is said', async (t) => {
  const vault = await demoVault(t);
  const dir = scratch(t);
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: vault.url } }, audit: { file: join(dir, 'a.jsonl') } }, { dir });
  await ready(s);
  const lines = (name) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8').trim().split('\n').length : 0);
  const load = async (change, said) => {
    writeFileSync(s.file, JSON.stringify({ ...s.whole, ...change }));
    s.p.child.kill('SIGHUP');
    await until(said, () => s.p.err.includes(said));
  };
  await post(s.url, initialize());
  await until('a line', () => lines('a.jsonl') === 1);
  await load({ audit: { file: '/nowhere/b.jsonl' }, default_profile: 'open' }, '/nowhere/b.jsonl');
  await until('it says so', () => /nothing was changed/.test(s.p.err));
  await post(s.url, initialize());
  await until('the old file goes on', () => lines('a.jsonl') === 2);
  await load({ audit: { file: join(dir, 'b.jsonl') } }, 'is in force');
  await post(s.url, initialize());
  await until('the new file', () => lines('b.jsonl') === 1);
  assert.equal(lines('a.jsonl'), 2);
  await load({ upstreams: { vault: { catalog: 'demo', url: vault.url, max_message: '8MiB' } } }, 'needs a restart');
});

test('explain and check say what is wrong with what they were given, and show no query', async (t) => {
  const dir = scratch(t);
  const key = '0'.repeat(64);
  const c = await writeConfig(t, { upstreams: { v: { catalog: 'demo', url: 'http://127.0.0.1:1/mcp?token=sekrit' }, w: { url: 'http://127.0.0.1:1/mcp' } },
    agents: [{ name: 'one', profile: 'observer', upstreams: ['v'], identify: { api_key_sha256: key } }, { name: 'two', profile: 'observer', identify: { local: true } }] }, dir);
  const input = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read_secret', arguments: { path: 'a' } } });
  const explain = (...args) => command(t, ['explain', '-c', c.file, ...args], { input });
  const check = await command(t, ['check', c.file]);
  assert.equal(check.code, 0, check.err);
  assert.ok(check.out.includes('http://127.0.0.1:1/mcp') && !check.out.includes('sekrit'), check.out);
  let r = await explain('--agent', 'three', '--upstream', 'v');
  assert.equal(r.code, 2);
  assert.match(r.err, /no agent is called `three`.*one, two/);
  r = await explain('--agent', 'one', '--upstream', 'z');
  assert.equal(r.code, 2);
  assert.match(r.err, /no upstream is called `z`.*v, w/);
  r = await explain('--agent', 'one', '--upstream', 'w');
  assert.equal(r.code, 1, 'a 403 in truth');
  assert.match(r.out, /verdict: deny\n.*may not use/);
  r = await explain('--agent', 'two', '--upstream', 'w');
  assert.equal(r.code, 0, r.err);
  assert.match(r.out, /generic.*chooses/);
  r = await explain('--agent', 'two', '--upstream', 'v', join(dir, 'nowhere.json'));
  assert.equal(r.code, 2);
  assert.match(r.err, /^narrowgate: .*nowhere\.json: No such file/);
  writeFileSync(join(dir, 'k.yaml'), 'version: 1\nupstreams: {v: {catalog: ./nowhere.yaml, url: "https://v.example/mcp"}}\n');
  r = await command(t, ['check', join(dir, 'k.yaml')]);
  assert.equal(r.code, 2);
  assert.match(r.err, /k\.yaml:2:26: .*nowhere\.yaml.*No such file/);
});

test('OPS-03: the environment of ScaiVault, without a file; a variable that would widen is an error', async (t) => {
  const env = { SCAIVAULT_READ_ONLY: 'true', SCAIVAULT_ALLOWED_PATHS: 'integrations/', SCAIVAULT_TENANT_ID: 'acme' };
  const client = await connect(t, 1, { args: ['stdio', '--catalog', 'demo', '--', bin, 'demo-vault'], env });
  const read = await call(client, 'read_secret', { path: 'integrations/stripe/api-key' });
  assert.equal(read.structuredContent.value, 'demo-stripe-Zk3JtY6uNq1HbV5c', 'masking was not asked for');
  assert.equal((await call(client, 'write_secret', { path: 'integrations/x', value: 'y' })).isError, true);
  assert.equal((await call(client, 'read_secret', { path: 'infra/db/primary/credentials' })).isError, true);
  const c = await writeConfig(t, { upstreams: { vault: { catalog: 'demo', command: [bin, 'demo-vault'] } } });
  for (const [name, value] of [['SCAIVAULT_READ_ONLY', 'false'], ['NARROWGATE_MASK_VALUES', 'false'], ['SCAIVAULT_ALLOWED_PATHS', '']]) {
    const p = await command(t, ['serve', '-c', c.file], { env: { [name]: value } });
    assert.equal(p.code, 2, name);
    assert.match(p.err, new RegExp(name));
  }
});

test('K14: hostile environment: no proxy used, no key log written', async (t) => {
  const dir = scratch(t);
  const vault = await demoVault(t);
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: vault.url } } }, { env: { HTTP_PROXY: 'http://127.0.0.1:1', http_proxy: 'http://127.0.0.1:1', ALL_PROXY: 'http://127.0.0.1:1', SSLKEYLOGFILE: join(dir, 'keys') } });
  await ready(s);
  assert.equal((await post(s.url, initialize())).status, 200);
  assert.equal(existsSync(join(dir, 'keys')), false);
});

// What an agent or a vault must never find again in what an operator keeps.
test('OPS-05 OPS-06: no token, session, query, body or handle in the log, the audit or the process title; no forged line', async (t) => {
  const dir = scratch(t);
  const audit = join(dir, 'audit.jsonl');
  const vault = await demoVault(t);
  writeFileSync(join(dir, 'token'), 'sekrit-credential');
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', url: vault.url, credential: { bearer: { file: join(dir, 'token') } } } }, profiles: { p: { extends: 'reader', allowed_paths: ['integrations/'] } }, default_profile: 'p', audit: { file: audit } }, { dir });
  await ready(s);
  const opened = (await post(s.url, initialize())).headers.get('mcp-session-id');
  const headers = { 'mcp-session-id': opened, authorization: 'Bearer sekrit-agent', cookie: 'c=sekrit-cookie', 'user-agent': 'sekrit-agent-name' };
  const tool = async (name, args, url = s.url) => (await post(url, { jsonrpc: '2.0', id: 'sekrit-id', method: 'tools/call', params: { name, arguments: args } }, headers)).json;
  const lease = (await tool('lease_secret', { path: 'integrations/stripe/api-key' })).result.structuredContent.lease_handle;
  assert.ok(lease.length > 4);
  await tool('redeem_lease', { lease_handle: lease });
  await tool('redeem_lease', { lease_handle: 'sekrit-handle' });
  await tool('write_secret', { path: 'integrations/x', value: 'sekrit-value' });
  await tool('sekrit\n{"verdict":"pass"}\u202e-tool', { path: 'integrations/x' });
  await tool('x'.repeat(100000), {});
  await tool('read_secret', { path: 'integrations/../sekrit-path' });
  await tool('read_secret', { path: 'integrations/x', 'sekrit-argument': 'y' });
  await post(`${s.url}?token=sekrit-query`, initialize());
  await post(s.url, '{"jsonrpc":"2.0","id":1,"method":"sekrit-method"', headers);
  await post(s.url, initialize(), { ...headers, 'mcp-session-id': 'sekrit-session' });
  await until('the audit lines', () => existsSync(audit) && readFileSync(audit, 'utf8').split('\n').length > 8);
  const lines = readFileSync(audit, 'utf8').trim().split('\n');
  for (const line of lines) JSON.parse(line);
  assert.ok(!lines.some((l) => l.includes('\u202e')), 'no bidi characters');
  assert.ok(lines.some((l) => l.includes('\\u202e')), 'but what they are');
  assert.ok(lines.every((l) => l.length < 2000), 'no endless lines');
  const title = readFileSync(`/proc/${s.p.child.pid}/cmdline`, 'utf8');
  for (const word of ['sekrit-credential', 'sekrit-agent', 'sekrit-cookie', 'sekrit-handle', 'sekrit-value', 'sekrit-query', 'sekrit-session', 'sekrit-method', 'sekrit-path', opened, lease])
    for (const [where, what] of Object.entries({ log: s.p.err, audit: lines.join('\n'), title })) assert.ok(!what.includes(word), `${word} in the ${where}`);
  assert.deepEqual(leaks(s.p.err + lines.join('\n')), []);
});

test('OPS-04 OPS-07: the effective policy stands in the log at the start; no core is dumped', async (t) => {
  const s = await serve(t, { upstreams: { vault: { catalog: 'demo', command: [bin, 'demo-vault'] } }, profiles: { p: { extends: 'observer', denied_paths: ['infra/'] } }, default_profile: 'p' });
  await ready(s);
  for (const line of [/policy: agent default, profile p\n/, /read_only: true/, /mask_values: true/, /denied_paths: infra/, /enforce: true/, /exfiltration: block/, /redact_secrets: true/, /not in this version: inspection/])
    assert.match(s.p.err, line);
  assert.match(readFileSync(`/proc/${s.p.child.pid}/limits`, 'utf8'), /Max core file size\s+0\s+0\s/);
});

test('a variable of the configuration reaches the child in place of our own', async (t) => {
  const script = `process.stdin.once('data', (d) => console.log(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(d).id, result: {
    protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: process.env.HOME, version: '1' } } })))`;
  const c = await writeConfig(t, { upstreams: { vault: { catalog: 'demo', command: [process.execPath, '-e', script.replaceAll('\n', ' ')], env: { HOME: '/configured' } } }, default_profile: 'open' });
  const p = run(t, ['stdio', '-c', c.file], { input: null, env: { HOME: '/inherited' } });
  p.child.stdin.write(`${JSON.stringify(initialize(1))}\n`);
  await until('the answer', () => p.out.includes('serverInfo'));
  assert.match(p.out, /\/configured/);
  p.child.stdin.end();
  await p.exited;
});
