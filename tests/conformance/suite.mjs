// Runs the official conformance suite and reads what it found.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { here } from './gate.mjs';

const cli = join(here, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

// The suite's command line, ended: { code, out, results }, results by scenario as it saved them in a folder of its own.
async function conformance(args) {
  const dir = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const child = spawn(process.execPath, [cli, ...args, '-o', dir], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    for (const s of [child.stdout, child.stderr]) s.on('data', (d) => { out += d; });
    const code = await new Promise((done) => child.on('close', done));
    return { code, out, results: readResults(dir) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

// Folders are named [server-]SCENARIO-DATE; a scenario's name may hold a slash.
function readResults(dir) {
  const files = readdirSync(dir, { recursive: true }).filter((f) => f.endsWith('checks.json'));
  return new Map(files.map((f) => [
    f.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z\/checks\.json$/, ''), JSON.parse(readFileSync(join(dir, f), 'utf8'))]));
}

// 2026-07-28 is what the revision requires and what the suite reports beside it (the tasks extension); the earlier ones have no such
// list but the scenarios that say they apply.
const which = (version) => (version === '2026-07-28' ? ['--requirements', version] : ['--suite', 'all', '--spec-version', version]);

export const serverScenarios = async (url, version) => (await conformance(['server', '--url', url, ...which(version)])).results;
export const serverScenario = async (url, version, name) =>
  (await conformance(['server', '--url', url, '--scenario', name, '--spec-version', version, '--force'])).results.get(name) ?? [];
export async function clientScenario(how, version, name) {
  const command = `"${process.execPath}" "${join(here, 'client.mjs')}" ${how}`;
  const { code, out, results } = await conformance(['client', '--command', command, '--scenario', name, '--spec-version', version]);
  const checks = results.get(name) ?? [];
  return code ? [...checks, { id: 'client', status: 'FAILURE', errorMessage: `the suite ended with ${code}: ${out.slice(-1500)}` }] : checks;
}

const bad = (c) => c.status === 'FAILURE' || c.status === 'WARNING';
const tell = (c) => `${c.id}: ${c.status} ${c.errorMessage ?? ''}`;

// What keeps a scenario from having passed, as lines; none when it has.
export const faults = (checks) => (checks ? checks.filter(bad).map(tell) : ['the scenario did not run']);

// What passed directly must have passed through as well, as often: a check that is merely left out is a fault.
export function lost(direct, through) {
  const count = (checks) => (checks ?? []).filter((c) => c.status === 'SUCCESS').reduce((m, c) => m.set(c.id, (m.get(c.id) ?? 0) + 1), new Map());
  const [a, b] = [count(direct), count(through)];
  return [...a].filter(([id, n]) => (b.get(id) ?? 0) < n).map(([id, n]) => `${id}: passed ${n} times directly, ${b.get(id) ?? 0} through`);
}
