// Plays the table of verdicts through the built program. A guard that covers one path only shows as a row that comes out otherwise
// on another.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../ports.mjs';
import { AGENTS } from './agents.mjs';
import { readTable } from './table.mjs';
import { SENTINEL, VAULTS } from './vaults.mjs';

const here = dirname(fileURLToPath(import.meta.url)), top = resolve(here, '../..');
const bin = resolve(here, process.env.NARROWGATE ?? '../../build-check/narrowgate');
export const file = join(top, 'tests/tables/wires.tbl');
export const STATELESS = '2026-07-28', HANDSHAKE = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];

// --- the guards, as the source has them

const guardList = () => [...readFileSync(join(top, 'guards/list.h'), 'utf8').matchAll(/^\s*X\((\w+)\)/gm)].map((m) => m[1]);

// { name, request, response } as guards/ says it.
export function guardsOfSource() {
  const all = readdirSync(join(top, 'guards')).filter((f) => f.endsWith('.c')).map((f) => readFileSync(join(top, 'guards', f), 'utf8')).join('\n');
  return guardList().map((id) => {
    const def = new RegExp(`const struct guard guard_${id} = \\{([^}]*)\\}`).exec(all)?.[1];
    assert.ok(def, `guards/list.h names ${id}, which is nowhere`);
    return { name: /\.name = "([^"]+)"/.exec(def)[1], request: def.includes('.request'), response: def.includes('.response') };
  });
}

// --- one step

// Ids and progress tokens may be others on the way; all else is the agent's own bytes.
const normal = (text) => text.replace(/"id":("[^"]*"|\d+)/, '"id":0').replace(/"progressToken":("[^"]*"|\d+)/, '"progressToken":0');
const refusal = (json) => (json.result?._meta ?? json.error?.data ?? {})['narrowgate.dev/refusal'];

function checkRefused(step, reason, answer) {
  const why = refusal(answer.json);
  assert.ok(why, `wanted deny ${reason}: ${answer.text}`);
  // Hidden tools are refused as unknown ones are.
  assert.ok(why.rule === reason || (reason === 'tools' && why.rule === 'unknown-tool'), `wanted deny ${reason}: ${answer.text}`);
  assert.ok(answer.json.error || answer.json.result.isError === true, answer.text);
  for (const text of step.refusals) assert.ok(answer.text.includes(text), `wanted ${text}: ${answer.text}`);
}

function checkReached(step, verdict, answer, vault) {
  assert.equal(vault.seen.length, 1, `the vault got ${vault.seen.length} requests: ${answer.text}`);
  const text = vault.seen[0].text;
  if (verdict.startsWith('rewrite ')) assert.ok(text.includes(verdict.slice(8)), `wanted ${verdict}: ${text}`);
  else assert.equal(normal(text), normal(answer.sent), 'other bytes reached the vault');
}

function checkCall(step, answer, vault) {
  const verdict = step.verdict ?? 'pass or rewrite';
  if (verdict.startsWith('deny ')) {
    const guard = step.guards.find((g) => g.of === 'call');
    assert.deepEqual(vault.seen.map((m) => m.text), [], 'a refused call reached the vault');
    checkRefused(step, verdict.slice(5), answer);
    if (guard) assert.equal(refusal(answer.json).guard, guard.name);
  } else if (step.verdict) checkReached(step, verdict, answer, vault);
  else assert.equal(vault.seen.length, 1, `the vault got ${vault.seen.length} requests: ${answer.text}`);
}

function checkAnswer(step, answer) {
  const { expect } = step, { kind, member } = step.answer;
  const shown = kind === 'error' ? answer.json.error : answer.json.result;
  if (expect.startsWith('deny ')) checkRefused(step, expect.slice(5), answer);
  else if (expect === 'pass') assert.ok(answer.text.includes(member), `wanted ${member}: ${answer.text}`);
  else if (kind === 'text') assert.equal(shown?.content?.[0]?.text, expect, answer.text);
  else assert.equal(JSON.stringify(shown), JSON.stringify(JSON.parse(expect)), answer.text);
}

function checkNotice({ text, expect }, agent, vault) {
  const sent = JSON.parse(text);
  const got = agent.heard.filter((h) => h.json.method === sent.method).map((h) => JSON.stringify({ ...h.json,
    params: { ...h.json.params, ...('progressToken' in (h.json.params ?? {}) ? { progressToken: 1 } : {}) } }));
  if (expect.startsWith('drop ')) assert.deepEqual(got, [], 'it was to be dropped');
  else if (expect.startsWith('deny ')) {
    assert.deepEqual(got, [], 'it was to be refused');
    assert.ok(vault.replies.some((r) => r.id === sent.id && (r.error || r.result?.action === 'decline')), 'the vault waits for its answer');
  } else {
    const want = JSON.stringify(JSON.parse(expect === 'pass' ? text : expect));
    assert.ok(got.includes(want), `wanted ${want}, got ${got}`);
  }
}

async function playStep(one, step, agent, vault) {
  agent.heard.length = vault.seen.length = vault.replies.length = 0;
  vault.step = { method: JSON.parse(step.call).method, answer: step.answer?.member, notices: step.notices.map((n) => n.text),
    sentinel: !agent.stateless, // what is said meanwhile may come on another stream than the answer: a last word tells that all has come
    heard: () => agent.until('sentinel', () => agent.heard.some((h) => h.text === SENTINEL)) };
  const answer = await agent.send(step.call, { tasks: one.tasks });
  if (step.notices.length && vault.step.sentinel) await vault.step.heard();
  checkCall(step, answer, vault);
  const asked = step.notices.filter((n) => n.expect.startsWith('deny ')).length;
  for (const end = Date.now() + 10000; vault.replies.length < asked && Date.now() < end;) await new Promise((done) => setTimeout(done, 5));
  for (const notice of step.notices) checkNotice(notice, agent, vault);
  if (step.answer && step.expect) checkAnswer(step, answer);
}

async function playCase(one, agent, vault) {
  agent.bytes = '';
  for (const step of one.steps) {
    try {
      await playStep(one, step, agent, vault);
    } catch (e) {
      e.message = `tests/tables/wires.tbl:${step.line}: ${e.message}`;
      throw e;
    }
  }
  if (one.profile.enforce === false) return;
  if (one.profile.mask_values) assert.ok(!/hunter2/.test(agent.bytes), `a value: ${agent.bytes}`);
  if (one.profile.allowed_paths || one.profile.denied_paths || one.profile.tenant) assert.ok(!/hidden/.test(agent.bytes), `what is out of reach: ${agent.bytes}`);
}

// --- the place they are played in

const cleanEnv = () => Object.fromEntries(Object.entries(process.env).filter(([k]) => !/^(NARROWGATE|SCAIVAULT|ONECLAW)/.test(k)));

async function serve(config, dir) {
  const port = await freePort(), path = join(dir, 'serve.yaml');
  writeFileSync(path, JSON.stringify({ version: 1, listen: { mcp: `127.0.0.1:${port}`, drain: '1s' }, ...config }));
  const child = spawn(bin, ['serve', '-c', path], { env: cleanEnv(), stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  const ended = new Promise((done) => child.on('close', done));
  await new Promise((done, fail) => {
    child.stderr.on('data', (d) => { log += d; if (log.includes('MCP at')) done(); });
    ended.then(() => fail(new Error(log)));
  });
  return { port, stop: async () => { child.kill(); await ended; assert.ok(!/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(log), log.slice(0, 4000)); } };
}

const vaultsOf = (wire) => Object.keys(VAULTS).filter((name) => !(VAULTS[name].handshake && wire.revision === STATELESS));

// All of a wire: profiles by policy, an agent each, and the vaults.
class Place {
  constructor(wire, table) {
    Object.assign(this, { wire, dir: mkdtempSync(join(tmpdir(), 'narrowgate-wires-')), vaults: {} });
    this.policies = [...new Set(table.cases.map((c) => c.policy))];
    this.groups = this.policies.map((policy) => table.cases.filter((c) => c.policy === policy && c.steps.length));
    this.catalog = join(this.dir, 'wires.yaml');
    writeFileSync(this.catalog, table.catalog);
  }

  async open() {
    const upstreams = {};
    for (const name of vaultsOf(this.wire)) {
      const vault = VAULTS[name].make(), id = `v${Object.keys(upstreams).length}`;
      upstreams[id] = { catalog: this.catalog, ...await vault.open() };
      this.vaults[name] = { vault, id };
    }
    this.base = { profiles: Object.fromEntries(this.groups.map((g, i) => [`p${i}`, g[0].profile])), audit: { file: join(this.dir, 'audit.jsonl') } };
    if (this.wire.way !== 'stdio')
      this.server = await serve({ ...this.base, upstreams, agents: this.groups.map((_, i) => ({ name: `a${i}`, profile: `p${i}`,
        identify: { api_key_sha256: createHash('sha256').update(`key-${i}`).digest('hex') } })) }, this.dir);
    this.upstreams = upstreams;
  }

  // Where the agent of a group finds a vault.
  where(group, id) {
    if (this.wire.way !== 'stdio')
      return { key: `key-${group}`, url: `http://127.0.0.1:${this.server.port}/${id}/mcp`, sse: `http://127.0.0.1:${this.server.port}/${id}/sse` };
    const path = join(this.dir, `${id}-${group}.yaml`);
    writeFileSync(path, JSON.stringify({ version: 1, ...this.base, upstreams: { vault: this.upstreams[id] }, default_profile: `p${group}` }));
    return { command: bin, args: ['stdio', '-c', path] };
  }

  // Guards that decided something, by the audit.
  decided() {
    const lines = readFileSync(join(this.dir, 'audit.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
    return new Set(lines.filter((l) => l.verdict !== 'pass').map((l) => l.guard));
  }

  async close() {
    await this.server?.stop();
    for (const { vault } of Object.values(this.vaults)) vault.close();
  }
}

async function playAll(t, place, name) {
  const { vault, id } = place.vaults[name];
  const agents = place.groups.map((_, i) => new AGENTS[place.wire.way](place.where(i, id), place.wire.revision, place.wire.batch));
  await Promise.all(agents.map((agent) => agent.open()));
  for (const [i, group] of place.groups.entries())
    for (const one of group) await t.test(`${one.title} [${one.policy}]`, () => playCase(one, agents[i], vault));
  await Promise.all(agents.map((agent) => agent.close()));
}

// A test of its own for each wire: { way, revision, batch }.
export function playWire(wire) {
  const name = `${wire.revision} from ${wire.way}${wire.batch ? ', in batches' : ''}`;
  test(name, { concurrency: vaultsOf(wire).length }, async (t) => {
    const place = new Place(wire, readTable(file, wire.revision === STATELESS));
    t.after(() => rmSync(place.dir, { recursive: true, force: true }));
    try {
      await place.open();
      await Promise.all(vaultsOf(wire).map((vault) => t.test(vault, (tt) => playAll(tt, place, vault))));
    } finally {
      await place.close();
    }
    const silent = guardsOfSource().map((g) => g.name).filter((g) => !(g === 'cache' && wire.revision !== STATELESS) && !place.decided().has(g));
    assert.deepEqual(silent, [], 'guards that decided nothing on this wire');
  });
}
