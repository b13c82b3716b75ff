// A `bw` of ours: the Bitwarden command line over a vault in a file, as far as Bitwarden's MCP server drives it. It lies in
// BITWARDENCLI_APPDATA_DIR: vault.json is what it keeps, asked.jsonl what it was asked. Like the real one it takes a search term where an id is
// wanted, joins filters by OR, and writes whole items after each change.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

const dir = process.env.BITWARDENCLI_APPDATA_DIR, file = join(dir, 'vault.json');
const v = JSON.parse(readFileSync(file, 'utf8'));
const args = process.argv.slice(2), flags = {}, words = [];
for (let i = 0; i < args.length; i++) {
  if (!args[i].startsWith('--')) words.push(args[i]);
  else if (/^--(trash|permanent|passphrase|capitalize|raw|no[A-Z]\w*)$/.test(args[i])) flags[args[i].slice(2)] = true;
  else flags[args[i].slice(2)] = args[++i];
}
const [verb, what, ...rest] = words;
const decode = (b64) => { try { return JSON.parse(Buffer.from(b64 ?? '', 'base64').toString()); } catch { return undefined; } };
const sent = words.map(decode).find((x) => x && typeof x === 'object');
appendFileSync(join(dir, 'asked.jsonl'), `${JSON.stringify({ words: words.filter((w) => decode(w) === undefined), flags, sent, env: Object.keys(process.env) })}\n`);

const fail = (text) => { process.stderr.write(`${text}\n`); process.exit(1); };
const print = (x) => {
  writeFileSync(file, JSON.stringify(v));
  if (v.warning) process.stderr.write(`${v.warning}\n`);
  process.stdout.write(typeof x === 'string' ? x : JSON.stringify(x));
  process.exit(0);
};
const keep = (list, o) => { v[list] = [...v[list].filter((x) => x.id !== o.id), o]; return o; };
const one = (list, id) => {
  const exact = v[list].filter((x) => x.id === id), found = exact.length ? exact : v[list].filter((x) => !x.deletedDate && x.name.toLowerCase().includes(id.toLowerCase()));
  if (found.length === 0) fail('Not found.');
  if (found.length > 1) fail(`More than one result was found. Try getting a specific object by \`id\` instead. The following objects were found:\n${found.map((x) => x.id).join('\n')}`);
  return found[0];
};
const lists = { item: 'items', folder: 'folders', collection: 'collections', organization: 'organizations', 'org-collection': 'collections' };

function listed() {
  if (what === 'org-collections') return v.collections.filter((x) => x.organizationId === flags.organizationid);
  if (what === 'org-members') return v.members;
  let all = v[what].filter((x) => Boolean(x.deletedDate) === Boolean(flags.trash));
  const is = (value, wanted) => (wanted === 'notnull' ? value : wanted === 'null' ? !value : value === wanted);
  const filters = [[flags.organizationid, (x) => x.organizationId], [flags.folderid, (x) => x.folderId]].filter(([f]) => f).map(([f, of]) => (x) => is(of(x), f));
  if (flags.collectionid) filters.push((x) => x.collectionIds?.includes(flags.collectionid));
  if (flags.url) filters.push((x) => is(x.login?.uris?.[0]?.uri, flags.url));
  if (filters.length && (what === 'items' || what === 'collections')) all = all.filter((x) => filters.some((f) => f(x)));
  return flags.search ? all.filter((x) => x.name.toLowerCase().includes(flags.search.toLowerCase())) : all;
}

function got() {
  const [id] = rest;
  if (what === 'fingerprint') return 'dilute-prism-lyric-oval-basin';
  if (lists[what]) return one(lists[what], id);
  if (what === 'attachment') return `Saved ${flags.output ?? ''}${id}`;
  const item = one('items', id);
  const text = { password: item.login?.password, username: item.login?.username, totp: item.login?.totp, uri: item.login?.uris?.[0]?.uri, notes: item.notes, exposed: '0' }[what];
  return text ?? fail(`No ${what} available for this login.`);
}

const send = (o) => ({ object: 'send', id: randomUUID(), accessId: 'access-1', accessUrl: `https://send.test/#access-1/${v.sendKey}`, key: v.sendKey, maxAccessCount: null,
  accessCount: 0, expirationDate: null, ...o, password: null, passwordSet: Boolean(o.password), ...(o.type === 1 ? { file: { fileName: flags.file } } : {}) });
const makes = {
  list: listed, get: got, sync: () => 'Syncing complete.', lock: () => 'Your vault is locked.', generate: () => v.generated,
  status: () => ({ serverUrl: null, lastSync: '2026-01-01T00:00:00.000Z', userEmail: 'agent@acme.test', userId: 'u-1', status: 'unlocked' }),
  create: () => {
    if (what === 'attachment') return keep('items', { ...one('items', flags.itemid), attachments: [{ id: 'att-1', fileName: flags.file, size: '12', url: 'https://files.test/att-1' }] });
    return keep(lists[what], { object: what, id: randomUUID(), organizationId: null, collectionIds: [], ...sent });
  },
  edit: () => {
    const had = one(what === 'item-collections' ? 'items' : lists[what], rest[0]);
    return keep(what === 'item-collections' ? 'items' : lists[what], what === 'item-collections' ? { ...had, collectionIds: sent } : { ...had, ...sent });
  },
  move: () => keep('items', { ...one('items', what), organizationId: rest[0], collectionIds: sent }),
  delete: () => {
    const o = one(lists[what], rest[0]);
    if (what === 'item' && !flags.permanent) keep('items', { ...o, deletedDate: '2026-03-01T00:00:00.000Z' });
    else v[lists[what]] = v[lists[what]].filter((x) => x.id !== o.id);
    return '';
  },
  restore: () => { keep('items', { ...v.items.find((x) => x.id === rest[0]), deletedDate: null }); return ''; },
  confirm: () => '', 'device-approval': () => (what === 'list' ? v.requests : ''),
  send: () => {
    if (what === 'list') return v.sends;
    if (what === 'create') return keep('sends', send(sent));
    if (what === 'edit') return keep('sends', { ...one('sends', sent.id), ...sent });
    const o = one('sends', rest[0]);
    if (what === 'delete') { v.sends = v.sends.filter((x) => x.id !== o.id); return ''; }
    return what === 'remove-password' ? keep('sends', { ...o, passwordSet: false }) : o;
  },
};

if (process.env.BW_SESSION !== v.session && verb !== 'lock' && verb !== 'status') fail('Vault is locked.');
if (!makes[verb]) fail(`Unknown command ${verb}.`);
print(makes[verb]());
