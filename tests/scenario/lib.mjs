// What every scenario needs: the built program, real clients of both SDK generations, vaults to talk to.
import { spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { SSEClientTransport as Sse1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { freePort } from '../ports.mjs';

export { freePort };

export const here = dirname(fileURLToPath(import.meta.url));
export const bin = resolve(here, process.env.NARROWGATE ?? '../../build-check/narrowgate');
export const BULLETS = '••••••';

// The values of the demo vault that must never be seen where they are masked or out of reach.
export const VALUES = ['demo-sf-9Qm2vT7xLr4KpW8z', 'demo-stripe-Zk3JtY6uNq1HbV5c', 'demo-smtp-Wd8RfG2sXj9MlC4e', 'demo-db-Pv7TgB3nYh6KuD1a',
  'demo-env-Lx5QwN8rTf2JzS7o', 'demo-env-Hc1EvM4yUk9GiB6p', 'demo-globex-Rn6XsA2kPd8VqF3w', 'demo-globex-Jt9ZlO5hCb7WmE4y'];
export const leaks = (text) => VALUES.filter((v) => text.includes(v));

const cleanEnv = () => Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^(NARROWGATE|SCAIVAULT|ONECLAW)/.test(k)));

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

// Patient by default: a machine under load is no failure.
export async function until(what, check, ms = 30000) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) {
    const got = await check();
    if (got) return got;
  }
  throw new Error(`timeout: ${what}`);
}

// A folder that goes with the test.
export function scratch(t) {
  const dir = mkdtempSync(join(tmpdir(), 'narrowgate-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// A child process with its output kept; stopped with the test. Its sanitizer reports fail the test.
export function run(t, args, { env = {}, command = bin, input } = {}) {
  const child = spawn(command, args, { env: { ...cleanEnv(), ...env }, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  const p = { child, out: '', err: '', code: null };
  child.stdout.on('data', (d) => { p.out += d; });
  child.stderr.on('data', (d) => { p.err += d; });
  p.exited = new Promise((done) => child.on('close', (code, signal) => { p.code = code ?? signal; done(p.code); }));
  p.stop = async (signal = 'SIGTERM') => { if (p.code === null) child.kill(signal); return p.exited; };
  if (typeof input === 'string') child.stdin.end(input); // null: a pipe that stays open
  t.after(async () => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
    await p.stop();
    clearTimeout(timer);
    if (/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(p.err)) throw new Error(`sanitizer report:\n${p.err.slice(0, 4000)}`);
  });
  return p;
}

// Runs to the end; { code, out, err }.
export async function command(t, args, options) {
  const p = run(t, args, options);
  await p.exited;
  return p;
}

export async function demoVault(t) {
  const port = await freePort();
  const p = run(t, ['demo-vault', '--listen', `127.0.0.1:${port}`]);
  await until('demo vault', () => p.err.includes('MCP at') || (p.code !== null && Promise.reject(new Error(p.err))));
  return { url: `http://127.0.0.1:${port}/mcp`, port, p };
}

// Writes the configuration (JSON is YAML) with listeners on free ports filled in.
export async function writeConfig(t, config, dir = scratch(t)) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const file = join(dir, 'narrowgate.yaml');
  const whole = { version: 1, listen: { mcp: `127.0.0.1:${port}`, admin: `127.0.0.1:${adminPort}`, drain: '5s', ...config.listen }, ...config };
  whole.listen = { mcp: `127.0.0.1:${port}`, admin: `127.0.0.1:${adminPort}`, drain: '5s', ...config.listen };
  writeFileSync(file, JSON.stringify(whole, null, 2));
  return { file, dir, port, adminPort, whole };
}

// Puts other settings into a file that is in use; what runs with it sees that by itself.
export function reconfigure(c, settings) {
  Object.assign(c.whole, settings);
  writeFileSync(`${c.file}.new`, JSON.stringify(c.whole, null, 2));
  renameSync(`${c.file}.new`, c.file);
}

export async function serve(t, config, { env, dir } = {}) {
  const c = await writeConfig(t, config, dir);
  const p = run(t, ['serve', '-c', c.file], { env });
  await until('narrowgate serve', async () => {
    if (p.code !== null) throw new Error(`serve ended with ${p.code}: ${p.err}`);
    return p.err.includes('MCP at');
  });
  return { ...c, p, url: `http://127.0.0.1:${c.port}/mcp`, admin: `http://127.0.0.1:${c.adminPort}` };
}

export const ready = (s) => until('ready', async () => (await fetch(`${s.admin}/readyz`).catch(() => ({}))).status === 200);

// A connected client of SDK 1.x or 2.x, over HTTP ({ url }) or stdio ({ args }); of SDK 1.x over HTTP+SSE too ({ sse }).
export async function connect(t, sdk, where, { capabilities = {}, setup, headers, options = {} } = {}) {
  const [Client, Http, Stdio] = sdk === 1 ? [Client1, Http1, Stdio1] : [Client2, Http2, Stdio2];
  const client = new Client({ name: `scenario-${sdk}`, version: '1.0.0' }, { capabilities, ...options });
  setup?.(client);
  const transport = where.sse
    ? new Sse1(new URL(where.sse), { requestInit: { headers } })
    : where.url
    ? new Http(new URL(where.url), { requestInit: { headers } })
    : new Stdio({ command: where.command ?? bin, args: where.args, env: { ...cleanEnv(), ...where.env }, stderr: 'pipe' });
  let err = '';
  transport.stderr?.on('data', (d) => { err += d; });
  await client.connect(transport).catch((e) => { throw new Error(`${e.message}\n${err.slice(-3000)}`, { cause: e }); });
  t.after(() => client.close());
  client.childLog = () => err;
  return client;
}

export const call = (client, name, args = {}, ...rest) => client.callTool({ name, arguments: args }, ...rest);
export const text = (result) => result.content.filter((c) => c.type === 'text').map((c) => c.text).join('\n');

// One JSON-RPC message by hand.
export async function post(url, message, headers = {}) {
  const r = await fetch(url, {
    method: 'POST', redirect: 'manual',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof message === 'string' ? message : JSON.stringify(message),
  });
  const body = await r.text();
  let json;
  try { json = JSON.parse(body); } catch { json = undefined; }
  return { status: r.status, headers: r.headers, body, json };
}

export const initialize = (id = 0, version = '2025-11-25') => ({
  jsonrpc: '2.0', id, method: 'initialize', params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 'by-hand', version: '1' } } });
