// narrowgate for the conformance suite: a process between a client and `url`, under a profile that narrows nothing.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../ports.mjs';

export const here = dirname(fileURLToPath(import.meta.url));
export const bin = resolve(here, process.env.NARROWGATE ?? '../../build-check/narrowgate');

const cleanEnv = () => Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^(NARROWGATE|SCAIVAULT|ONECLAW)/.test(k)));

// { child, first }: the first line a process prints, or its words when it ends before.
function firstLine(command, args, stream, match) {
  const child = spawn(command, args, { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
  let all = '';
  child.log = () => all;
  const first = new Promise((done, fail) => {
    for (const s of ['stdout', 'stderr']) child[s].on('data', (d) => { all += d; if (s === stream && match.test(all)) done(match.exec(all)[0]); });
    child.on('exit', (code) => fail(new Error(`${command} ended with ${code}: ${all.slice(-2000)}`)));
  });
  first.catch(() => {});
  return { child, first };
}

const ended = (child) => (child.exitCode ?? child.signalCode) !== null;
async function stop(child) {
  if (ended(child)) return;
  const gone = new Promise((done) => child.once('close', done));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
  await gone;
  clearTimeout(timer);
}

// A reference server: { url, stop }.
export async function startServer(name, ...args) {
  const { child, first } = firstLine(process.execPath, [join(here, 'servers', `${name}.mjs`), '0', ...args], 'stdout', /http:\S+/);
  return { url: await first, stop: () => stop(child) };
}

// narrowgate before `url`: { url, stop }. A sanitizer's report makes stop throw.
export async function startGate(url) {
  const dir = mkdtempSync(join(tmpdir(), 'narrowgate-'));
  const port = await freePort();
  const file = join(dir, 'narrowgate.yaml');
  writeFileSync(file, JSON.stringify({
    version: 1, listen: { mcp: `127.0.0.1:${port}`, drain: '1s' },
    upstreams: { reference: { url, catalog: join(here, 'reference.yaml') } },
    profiles: { conformance: { extends: 'open', unknown_tools: 'allow' } }, default_profile: 'conformance',
  }));
  const { child, first } = firstLine(bin, ['serve', '-c', file], 'stderr', /MCP at/);
  await first;
  return {
    url: `http://127.0.0.1:${port}/mcp`, log: child.log,
    async stop() {
      await stop(child);
      rmSync(dir, { recursive: true, force: true });
      if (/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(child.log())) throw new Error(`sanitizer report:\n${child.log().slice(-4000)}`);
    },
  };
}
