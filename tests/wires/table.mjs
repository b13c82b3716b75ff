// Reads tests/tables/wires.tbl (its words: tests/tables/README.md) as cases to be played.
import { readFileSync } from 'node:fs';

// A line with the indented ones below it.
function entries(text) {
  const out = [];
  text.split('\n').forEach((line, i) => {
    if (/^[ \t]/.test(line)) out.at(-1).text += `\n${line}`;
    else if (line.trim() && !line.startsWith('#')) out.push({ line: i + 1, text: line });
  });
  return out;
}

// Cuts a JSON value that starts with a bracket or a quote.
export function cutJson(s) {
  let depth = 0, quoted = false;
  for (let i = 0; i < s.length; i++) {
    const c = s[i];
    if (quoted && c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && '{['.includes(c)) depth++;
    else if (!quoted && '}]'.includes(c)) depth--;
    if (!quoted && depth === 0) return s.slice(0, i + 1);
  }
  throw new Error(`unfinished: ${s}`);
}

function members(s) {
  const out = [];
  for (let rest = s.trim(); rest; rest = rest.trim()) {
    const at = rest.indexOf('=');
    const key = rest.slice(0, at);
    rest = rest.slice(at + 1);
    const json = '{["'.includes(rest[0]);
    const value = json ? cutJson(rest) : /^\S*/.exec(rest)[0];
    rest = rest.slice(value.length);
    out.push(`${JSON.stringify(key)}:${json || /^(\d+|true|false|null)$/.test(value) ? value : JSON.stringify(value)}`);
  }
  return out.join(',');
}

// TOOL key=value …, METHOD key=value …, or a whole message; as the text of a request with the id 1.
function message(s) {
  if (s.startsWith('{')) return s;
  const word = /^\S*/.exec(s)[0], rest = s.slice(word.length).trim();
  if (word.includes('/')) return `{"jsonrpc":"2.0","id":1,"method":"${word}","params":{${members(rest)}}}`;
  return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${word}"${rest ? `,"arguments":{${members(rest)}}` : ''}}}`;
}

const LISTS = { allow: 'allowed_paths', deny: 'denied_paths', actions: 'actions' };

function profile(s) {
  const out = {};
  for (const word of s.split(/\s+/).filter((w) => w !== '.')) {
    const [key, ...more] = word.split('='), value = more.join('=');
    if (key in LISTS) out[LISTS[key]] = value ? value.split(',') : [];
    else if (key === 'read_only') out.read_only = value === 'yes';
    else if (key === 'mask') out.mask_values = value === 'yes';
    else if (key === 'enforce') out.enforce = value !== 'no';
    else if (key === 'unknown') out.unknown_tools = value;
    else if (key === 'tenant' || key === 'partner') out[key] = value;
    else if (key === 'tools') {
      const all = value.split(','), allow = all.filter((g) => !g.startsWith('-'));
      out.tools = { ...(allow.length ? { allow } : {}), deny: all.filter((g) => g.startsWith('-')).map((g) => g.slice(1)) };
    } else if (key !== 'value_open' && key !== 'tasks') throw new Error(`not a policy: ${word}`); // those two are about the moment and the client
  }
  return out;
}

const ANSWERS = {
  'text': (s) => `"result":{"content":[{"type":"text","text":${JSON.stringify(s)}}]}`,
  'result': (s) => `"result":${s}`,
  'error': (s) => `"error":${s}`,
};

// A case: { id, title, line, policy, profile, tasks, steps }. A step is a call with all that comes of it: { call, verdict, guard, refusal,
// notices: [{ text, expect }], answer: { kind, text, member }, expect }.
function addLine(one, key, value, line) {
  const step = one.steps.at(-1), notice = step?.notices.at(-1);
  if (key === 'policy') Object.assign(one, { policy: value, profile: profile(value), tasks: /\btasks=yes\b/.test(value) });
  else if (key === 'call') one.steps.push({ line, call: message(value), notices: [], guards: [], refusals: [] });
  else if (key === 'notice') step.notices.push({ text: value });
  else if (key in ANSWERS) step.answer = { kind: key, text: value, member: ANSWERS[key](value) };
  else if (key === 'expect' && notice && !notice.expect && !step.answer) notice.expect = value;
  else if (key === 'expect') step.expect = value;
  else if (key === 'verdict') step.verdict = value;
  else if (key === 'refusal') step.refusals.push(value);
  else if (key === 'guard') step.guards.push({ name: value, of: step.answer ? 'answer' : step.notices.length ? 'notice' : 'call' });
  else throw new Error(`line ${line}: this runner knows no \`${key}:\``);
}

export function readTable(file, stateless) {
  const out = { catalog: '', cases: [] };
  for (const { line, text } of entries(readFileSync(file, 'utf8'))) {
    const [, kind, key, rest] = /^(?:(handshake|stateless): *)?([a-z]+): *([^]*)$/.exec(text) ?? [];
    if (!key) throw new Error(`${file}:${line}: unknown line: ${text}`);
    if (kind && (kind === 'stateless') !== stateless) continue;
    const value = rest.replace(/\n[ \t]+/g, ' ').trim();
    if (key === 'catalog') out.catalog = rest.replace(/^\n/, '').split('\n').map((l) => l.replace(/^ {4}/, '')).join('\n') + '\n';
    else if (key === 'case') out.cases.push({ id: value.split(' ')[0], title: value, line, steps: [] });
    else addLine(out.cases.at(-1), key, value, line);
  }
  return out;
}
