// Bitwarden's own server (npm, unmodified) on stdio, with a `bw` and a public API of ours behind it. An item's id is its path and a handle; `get`
// decides by an argument what it does and takes a search term where an id is wanted; items come with everything in them.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { BULLETS, call, scratch, text } from '../scenario/lib.mjs';
import { backend, installed, offered, ok, place, refused } from './real.mjs';

const script = installed('@bitwarden/mcp-server/dist/index.js');
const uuid = (n) => `2f1c6e0a-6c1d-4b7e-9d8e-${String(n).padStart(12, '0')}`;
const ID = { git: uuid(1), bank: uuid(2), card: uuid(3), mine: uuid(4), foreign: uuid(5), folder: uuid(20), coll: uuid(30), other: uuid(31), send: uuid(40), member: uuid(50), group: uuid(60) };
const ACME = uuid(90), GLOBEX = uuid(91);
const V = { password: 'bitwarden-password-4c1', totp: 'otpauth-secret-9b07', note: 'bitwarden-note-3f66', field: 'bitwarden-field-70aa', old: 'bitwarden-old-12dd', bank: 'bitwarden-bank-5e21',
  card: '4929421234600821', code: 'bitwarden-code-83', mine: 'bitwarden-mine-b9c4', mynote: 'bitwarden-mynote-20f8', foreign: 'bitwarden-foreign-e1f2', send: 'bitwarden-send-text-a6', key: 'bitwarden-send-key-c3',
  generated: 'bitwarden-generated-81', fresh: 'bitwarden-fresh-d7e9', session: 'session-key-of-the-test', client: 'client-secret-of-the-test', token: 'api-token-of-the-test' };
const values = (o) => Object.values(V).filter((x) => (typeof o === 'string' ? o : JSON.stringify(o)).includes(x));

const item = (id, name, organizationId, more) => ({ passwordHistory: null, revisionDate: '2026-01-02T00:00:00.000Z', creationDate: '2026-01-01T00:00:00.000Z', deletedDate: null, object: 'item',
  id, organizationId, folderId: null, type: 1, reprompt: 0, name, notes: null, favorite: false, collectionIds: organizationId ? [ID.coll] : [], ...more });
const login = (username, password, uri, more) => ({ login: { fido2Credentials: [], uris: [{ match: null, uri }], username, password, totp: null, passwordRevisionDate: null, ...more } });

const vault = () => ({
  session: V.session, sendKey: V.key, generated: V.generated,
  items: [
    item(ID.git, 'GitHub', ACME, { ...login('alice', V.password, 'https://github.test/login', { totp: V.totp }), notes: V.note, fields: [{ name: 'pin', value: V.field, type: 1, linkedId: null }],
      passwordHistory: [{ lastUsedDate: '2025-12-01T00:00:00.000Z', password: V.old }] }),
    item(ID.bank, 'Bank', ACME, { ...login('alice', V.bank, 'https://bank.test'), notes: V.mynote }),
    item(ID.card, 'Company card', ACME, { type: 3, card: { cardholderName: 'Alice', brand: 'Visa', number: V.card, expMonth: '01', expYear: '2030', code: V.code } }),
    item(ID.mine, 'Private mail', null, { ...login('alice', V.mine, 'https://mail.test'), folderId: ID.folder, notes: V.mynote }),
    item(ID.foreign, 'Globex root', GLOBEX, { ...login('root', V.foreign, 'https://globex.test'), collectionIds: [ID.other] }),
  ],
  folders: [{ object: 'folder', id: ID.folder, name: 'Private' }],
  collections: [{ object: 'collection', id: ID.coll, organizationId: ACME, name: 'Team', externalId: null }, { object: 'collection', id: ID.other, organizationId: GLOBEX, name: 'Globex admins', externalId: null }],
  organizations: [{ object: 'organization', id: ACME, name: 'Acme', status: 2, type: 2, enabled: true }, { object: 'organization', id: GLOBEX, name: 'Globex', status: 2, type: 2, enabled: true }],
  members: [{ object: 'org-member', id: ID.member, email: 'bob@acme.test', name: 'Bob', status: 2, type: 2, twoFactorEnabled: false }],
  requests: [{ id: uuid(70), userId: 'u-1', organizationUserId: ID.member, email: 'bob@acme.test', requestDeviceType: 'Chrome', requestIpAddress: '10.0.0.1', creationDate: '2026-01-01T00:00:00.000Z' }],
  sends: [{ object: 'send', id: ID.send, accessId: 'access-0', accessUrl: `https://send.test/#access-0/${V.key}`, name: 'For Bob', notes: null, key: V.key, type: 0, maxAccessCount: 3, accessCount: 0,
    revisionDate: '2026-01-01T00:00:00.000Z', deletionDate: '2027-01-01T00:00:00.000Z', expirationDate: null, passwordSet: false, disabled: false, text: { text: V.send, hidden: false } }],
});

const list = (data) => ({ object: 'list', data, continuationToken: null });
function api(what, url, body, headers) {
  if (what === 'POST /connect/token') return new URLSearchParams(body).get('client_secret') === V.client ? [200, { access_token: V.token, expires_in: 3600, token_type: 'Bearer' }] : [400, { error: 'invalid_client' }];
  if (headers.authorization !== `Bearer ${V.token}`) return [401, { message: 'Unauthorized' }];
  const [, method, path] = /^(\w+) \/public\/(.*)$/.exec(what) ?? [];
  if (method !== 'GET') return [200, path === 'organization/import' ? undefined : { object: 'done', id: ID.member }];
  const answers = {
    collections: list([{ object: 'collection', id: ID.coll, externalId: 'team' }]), [`collections/${ID.coll}`]: { object: 'collection', id: ID.coll, externalId: 'team', groups: [] },
    members: list([{ object: 'member', id: ID.member, userId: 'u-1', name: 'Bob', email: 'bob@acme.test', type: 2, status: 2, collections: [] }]),
    [`members/${ID.member}`]: { object: 'member', id: ID.member, email: 'bob@acme.test', type: 2 }, [`members/${ID.member}/group-ids`]: [ID.group],
    groups: list([{ object: 'group', id: ID.group, name: 'Operators', collections: [] }]), [`groups/${ID.group}`]: { object: 'group', id: ID.group, name: 'Operators' },
    [`groups/${ID.group}/member-ids`]: [ID.member], policies: list([{ object: 'policy', id: uuid(80), type: 1, enabled: true, data: { minLength: 14 } }]),
    'policies/1': { object: 'policy', id: uuid(80), type: 1, enabled: true, data: { minLength: 14 } },
    events: list([{ object: 'event', type: 1107, itemId: ID.git, actingUserId: 'u-1', date: '2026-01-01T00:00:00.000Z', device: 9, ipAddress: '10.0.0.1' }]),
    'organization/subscription': { passwordManager: { seats: 10, storage: 1 }, secretsManager: null },
  };
  return answers[path] ? [200, answers[path]] : [404, { object: 'error', message: `No such thing: ${path}` }];
}

async function day(t, profile, more = {}) {
  const dir = scratch(t), log = join(dir, 'asked.jsonl'), vaultFile = join(dir, 'vault.json');
  writeFileSync(join(dir, 'bw'), `#!/bin/sh\nexec '${process.execPath}' '${new URL('fake-bw.mjs', import.meta.url).pathname}' "$@"\n`);
  chmodSync(join(dir, 'bw'), 0o755);
  writeFileSync(vaultFile, JSON.stringify({ ...vault(), ...more }));
  const b = await backend(t, api);
  const client = await place(t, { catalog: 'bitwarden', command: [process.execPath, script], profile, secrets: Object.values(V), mine: { SESSION: V.session, CLIENT_SECRET: V.client, PATH: `${dir}:/usr/bin:/bin` },
    env: { BITWARDENCLI_APPDATA_DIR: dir, BW_SESSION: '${SESSION}', BW_CLIENT_ID: 'organization.1', BW_CLIENT_SECRET: '${CLIENT_SECRET}',
      BW_API_BASE_URL: b.url, BW_IDENTITY_URL: b.url, BW_ALLOWED_DIRECTORIES: dir } });
  const bw = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').map((x) => JSON.parse(x)) : []);
  const http = () => b.seen.filter((x) => x.what !== 'POST /connect/token');
  return { client, dir, bw, http, words: () => bw().map((x) => x.words.join(' ')), kept: () => JSON.parse(readFileSync(vaultFile, 'utf8')) };
}

const json = async (client, name, args) => JSON.parse(await ok(client, name, args));
const names = (rows) => rows.map((x) => x.name);

// Every tool that changes, shares, opens or grants something, as an agent would call it.
const changes = (dir) => [
  ['create_item', { name: 'New', type: 1, login: { username: 'x', password: V.fresh } }], ['edit_item', { id: ID.git, login: { password: V.fresh } }], ['create_folder', { name: 'x' }],
  ['edit_folder', { id: ID.folder, name: 'x' }], ['edit_item_collections', { itemId: ID.bank, organizationId: ACME, collectionIds: [ID.coll] }],
  ['move', { itemId: ID.mine, organizationId: ACME, collectionIds: [ID.coll] }], ['delete', { object: 'item', id: ID.bank }], ['restore', { object: 'item', id: ID.bank }],
  ['create_attachment', { filePath: `${dir}/f`, itemId: ID.git }], ['create_text_send', { name: 'Out', text: 'hello' }], ['create_file_send', { name: 'Out', filePath: `${dir}/f` }],
  ['edit_send', { id: ID.send, name: 'x' }], ['remove_send_password', { id: ID.send }], ['delete_send', { id: ID.send }], ['generate', { length: 20 }],
  ['confirm', { organizationId: ACME, memberId: ID.member }], ['create_org_collection', { organizationId: ACME, name: 'x' }], ['edit_org_collection', { organizationId: ACME, collectionId: ID.coll, name: 'x' }],
  ['device_approval_approve', { organizationId: ACME, requestId: uuid(70) }], ['device_approval_approve_all', { organizationId: ACME }], ['device_approval_deny', { organizationId: ACME, requestId: uuid(70) }],
  ['device_approval_deny_all', { organizationId: ACME }], ['update_org_collection', { collectionId: ID.coll, externalId: 'x' }], ['delete_org_collection', { collectionId: ID.coll }],
  ['invite_org_member', { email: 'mallory@evil.test', type: 2 }], ['update_org_member', { memberId: ID.member, type: 0 }], ['update_org_member_groups', { memberId: ID.member, groupIds: [ID.group] }],
  ['remove_org_member', { memberId: ID.member }], ['reinvite_org_member', { memberId: ID.member }], ['revoke_org_member', { memberId: ID.member }], ['restore_org_member', { memberId: ID.member }],
  ['create_org_group', { name: 'x' }], ['update_org_group', { groupId: ID.group, name: 'x' }], ['delete_org_group', { groupId: ID.group }],
  ['update_org_group_members', { groupId: ID.group, memberIds: [ID.member] }], ['update_org_policy', { policyType: 1, enabled: false }], ['update_org_subscription', { passwordManager: { seats: 11 } }],
  ['import_org_users_and_groups', { overwriteExisting: true }], ['unlock', {}], ['lock', {}],
];
// And those that look at the organisation.
const looks = [['list_org_collections', {}], ['get_org_collection', { collectionId: ID.coll }], ['list_org_members', {}], ['get_org_member', { memberId: ID.member }], ['get_org_member_groups', { memberId: ID.member }],
  ['list_org_groups', {}], ['get_org_group', { groupId: ID.group }], ['get_org_group_members', { groupId: ID.group }], ['list_org_policies', {}], ['get_org_policy', { policyType: 1 }],
  ['get_org_events', { start: '2026-01-01', end: '2026-02-01' }], ['get_org_subscription', {}], ['device_approval_list', { organizationId: ACME }], ['status', {}], ['sync', {}]];
const READING = ['get', 'get_send', 'list', 'list_send', ...looks.map(([name]) => name)].sort();

// Each command of bw is a process: days pass beside each other.
describe('bitwarden', { concurrency: 3 }, () => {
  test('reader: values are read; what changes, shares or lets in reaches neither bw nor the API', async (t) => {
    const { client, dir, bw, http, words } = await day(t, { extends: 'reader' });
    assert.deepEqual(await offered(client), READING);
    assert.deepEqual(names(await json(client, 'list', { type: 'items' })), ['GitHub', 'Bank', 'Company card', 'Private mail', 'Globex root']);
    assert.equal(await ok(client, 'get', { object: 'password', id: 'github' }), V.password, 'a search term will do');
    assert.equal((await json(client, 'get', { object: 'item', id: ID.git })).login.totp, V.totp);
    assert.equal((await json(client, 'get_send', { id: ID.send })).text.text, V.send);
    const missing = await call(client, 'get', { object: 'password', id: 'nothing of the kind' });
    assert.ok(missing.isError && /not find|Not found/.test(text(missing)));
    const before = [bw().length, http().length];
    for (const [name, args] of changes(dir)) assert.match(await refused(client, name, args), /read-only|actions/, name);
    assert.deepEqual([bw().length, http().length], before, 'refused calls reached nothing');
    assert.ok(words().every((w) => /^(list|get|send get)/.test(w)));
    assert.ok(bw().every((x) => !x.env.includes('BW_CLIENT_SECRET')), 'as the server promises');
  });

  for (const profile of ['observer', 'rotator']) {
    test(`${profile}: names, users and addresses are seen, values nowhere, in whatever form`, async (t) => {
      const { client, dir, bw, http } = await day(t, { extends: profile });
      assert.deepEqual(await offered(client), READING);
      const rows = await json(client, 'list', { type: 'items' });
      assert.deepEqual(names(rows), ['GitHub', 'Bank', 'Company card', 'Private mail', 'Globex root']);
      assert.deepEqual([rows[0].login.username, rows[0].login.uris[0].uri, rows[0].login.password, rows[0].login.totp, rows[0].notes, rows[0].fields[0].name, rows[0].fields[0].value],
        ['alice', 'https://github.test/login', BULLETS, BULLETS, BULLETS, 'pin', BULLETS]);
      const whole = await json(client, 'get', { object: 'item', id: ID.git }), card = await json(client, 'get', { object: 'item', id: 'card' });
      assert.deepEqual([whole.id, whole.name, whole.passwordHistory[0].password, card.card.number, card.card.code], [ID.git, 'GitHub', BULLETS, BULLETS, BULLETS]);
      for (const object of ['password', 'totp', 'notes']) assert.equal(await ok(client, 'get', { object, id: ID.git }), BULLETS, object);
      assert.equal(await ok(client, 'get', { object: 'username', id: ID.git }), 'alice');
      assert.equal(await ok(client, 'get', { object: 'uri', id: ID.git }), 'https://github.test/login');
      assert.equal(await ok(client, 'get', { object: 'exposed', id: ID.git }), '0');
      const sends = await json(client, 'list_send', {}), send = await json(client, 'get_send', { id: ID.send });
      assert.deepEqual([sends[0].name, send.accessUrl, send.key, send.text.text], ['For Bob', BULLETS, BULLETS, BULLETS]);
      assert.deepEqual(values([rows, whole, card, sends, send]), []);
      for (const [name, args] of looks) assert.deepEqual(values(await ok(client, name, args)), [], name);
      const before = [bw().length, http().length];
      for (const [name, args] of changes(dir)) assert.match(await refused(client, name, args), /read-only|actions/, name);
      assert.deepEqual([bw().length, http().length], before, 'refused calls reached nothing');
      assert.ok(http().every((x) => x.what.startsWith('GET')));
    });
  }

  for (const warning of [undefined, '(node:7) [DEP0040] DeprecationWarning: The `punycode` module is deprecated.']) {
    test(`observer: a number or JSON is a value like any other${warning ? ', also when a warning of bw makes an error of it' : ''}`, async (t) => {
      const { client } = await day(t, { extends: 'observer' }, { warning,
        items: [item(ID.git, 'GitHub', null, { ...login('alice', V.password, 'https://github.test', { totp: '831702' }), notes: JSON.stringify({ name: V.note, id: V.field, object: V.bank, login: { username: V.old } }) })] });
      for (const object of ['password', 'totp', 'notes', 'item']) {
        const r = await call(client, 'get', { object, id: ID.git });
        assert.equal(r.isError ?? false, warning !== undefined);
        assert.deepEqual([...values(r), ...(JSON.stringify(r).includes('831702') ? ['totp'] : [])], [], object);
      }
      assert.deepEqual(values(await call(client, 'list', { type: 'items' })), []);
    });
  }

  test('an agent that may look but not read: get is decided by its argument', async (t) => {
    const { client, words } = await day(t, { extends: 'auditor' });
    assert.equal(await ok(client, 'get', { object: 'username', id: ID.git }), 'alice');
    assert.deepEqual(names(await json(client, 'list', { type: 'folders' })), ['Private']);
    for (const object of ['password', 'totp', 'notes', 'item', 'attachment']) assert.match(await refused(client, 'get', { object, id: ID.git, itemid: ID.git }), /actions|read-only/, object);
    assert.match(await refused(client, 'list', { type: 'items' }), /actions/);
    assert.match(await refused(client, 'list_send', {}), /actions/);
    assert.deepEqual(words(), [`get username ${ID.git}`, 'list folders']);
  });

  test('one item of one organisation: lists are cut, other ids and search terms are refused, nothing outside is asked for', async (t) => {
    const { client, dir, bw, http } = await day(t, { allowed_paths: [ID.git], tenant: ACME });
    const rows = await json(client, 'list', { type: 'items' });
    assert.deepEqual(names(rows), ['GitHub']);
    assert.equal(bw()[0].flags.organizationid, ACME, 'filled in');
    assert.equal(await ok(client, 'get', { object: 'password', id: ID.git }), V.password);
    assert.equal((await json(client, 'get', { object: 'item', id: ID.git })).login.uris[0].uri, 'https://github.test/login');
    assert.equal((await json(client, 'edit_item', { id: ID.git, login: { password: V.fresh } })).login.password, V.fresh);
    assert.deepEqual(await json(client, 'list', { type: 'collections' }), []);
    assert.match(await ok(client, 'get', { object: 'attachment', id: 'f', itemid: ID.git, output: `${dir}/` }), /Saved/);

    const before = bw().length;
    for (const id of [ID.bank, ID.foreign, 'github', 'Bank', '--itemid', `${ID.git}/../${ID.bank}`, ID.git.toUpperCase()]) assert.match(await refused(client, 'get', { object: 'password', id }), /paths|handles/, id);
    assert.match(await refused(client, 'get', { object: 'attachment', id: ID.git, itemid: ID.bank, output: `${dir}/` }), /paths|handles/);
    for (const more of [{ arguments: { id: ID.git } }, { itemid: ID.bank }, { organizationid: GLOBEX }, { organizationId: GLOBEX }]) assert.match(await refused(client, 'get', { object: 'password', id: ID.git, ...more }), /paths|handles|tenant/, JSON.stringify(more));
    assert.match(await refused(client, 'list', { type: 'items', organizationid: GLOBEX }), /tenant/);
    assert.match(await refused(client, 'list', { type: 'items', collectionid: ID.other }), /paths/);
    assert.match(await refused(client, 'get_send', { id: ID.send }), /paths|handles/);
    assert.match(await refused(client, 'list_send', {}), /paths/);
    for (const [name, args] of changes(dir)) {
      if (args.id !== ID.git && args.itemId !== ID.git && !/^(lock|generate)$/.test(name)) assert.match(await refused(client, name, args), /paths|tenant|handles/, name);
    }
    assert.equal(bw().length, before, 'refused calls reached nothing');
    assert.ok(!http().some((x) => x.what.includes('members')));
  });

  test('one organisation: an id is good only when a list of that organisation gave it', async (t) => {
    const { client, bw, kept } = await day(t, { tenant: ACME });
    for (const id of [ID.foreign, ID.mine, ID.git, 'globex', 'github']) assert.equal(await refused(client, 'get', { object: 'password', id }), 'handles: unknown-handle', id);
    assert.deepEqual(bw(), [], 'nothing before a list');
    assert.deepEqual(names(await json(client, 'list', { type: 'items' })), ['GitHub', 'Bank', 'Company card']);
    assert.equal(await ok(client, 'get', { object: 'password', id: ID.git }), V.password);
    const before = bw().length;
    for (const [name, args] of [['get', { object: 'item', id: ID.foreign }], ['get', { object: 'password', id: 'globex' }], ['delete', { object: 'item', id: ID.foreign }], ['edit_item', { id: ID.foreign, name: 'x' }],
      ['restore', { object: 'item', id: ID.foreign }], ['create_attachment', { filePath: '/tmp/f', itemId: ID.foreign }], ['get', { object: 'attachment', id: 'f', itemid: ID.foreign }]])
      assert.equal(await refused(client, name, args), 'handles: unknown-handle', name);
    assert.match(await refused(client, 'move', { itemId: ID.git, organizationId: GLOBEX, collectionIds: [ID.other] }), /tenant/);
    assert.match(await refused(client, 'device_approval_approve_all', { organizationId: GLOBEX }), /tenant/);
    assert.equal(bw().length, before, 'refused calls reached nothing');
    assert.deepEqual(names(await json(client, 'list', { type: 'organizations' })), ['Acme']);
    assert.deepEqual(names(await json(client, 'list', { type: 'collections' })), ['Team']);
    assert.equal(JSON.parse(await ok(client, 'get', { object: 'organization', id: ACME })).name, 'Acme');
    assert.match(await refused(client, 'get', { object: 'organization', id: GLOBEX }), /tenant/);
    // Filters are joined by OR in bw: what another organisation owns is cut from the answer all the same.
    assert.ok(!JSON.stringify(await json(client, 'list', { type: 'items', collectionid: ID.other })).includes(V.foreign));
    await ok(client, 'delete', { object: 'item', id: ID.bank });
    const made = await json(client, 'create_item', { name: 'New', type: 1, login: { username: 'x', password: V.fresh } });
    assert.equal(await ok(client, 'get', { object: 'password', id: made.id }), V.fresh, 'what it made it may read');
    assert.ok(kept().items.find((x) => x.id === ID.bank).deletedDate && !kept().items.find((x) => x.id === ID.foreign).deletedDate);
  });

  test('writes, moves, attachments and sends repeat whole items: masked; bullets never come back as a value', async (t) => {
    const { client, dir, kept } = await day(t, { mask_values: true });
    const answers = [];
    for (const [name, args] of changes(dir).filter(([n]) => /_item|item_|move|attachment|_send$|generate/.test(n))) answers.push([name, await ok(client, name, args)]);
    assert.deepEqual(answers.filter(([, a]) => values(a).length).map(([name, a]) => [name, values(a)]), []);
    assert.equal(JSON.parse(answers.find(([name]) => name === 'edit_item')[1]).login.username, 'alice');
    const before = kept();
    assert.match(await refused(client, 'edit_item', { id: ID.git, login: { password: BULLETS } }), /masked/);
    assert.match(await refused(client, 'edit_item', { id: ID.git, notes: BULLETS }), /masked/);
    assert.deepEqual(kept(), before);
    assert.equal(before.items.find((x) => x.id === ID.git).login.password, V.fresh);
  });

  test('open: every tool of the server works here', async (t) => {
    const { client, dir } = await day(t, { extends: 'open' });
    const all = [...changes(dir), ...looks, ['list', { type: 'organizations' }], ['get', { object: 'folder', id: ID.folder }], ['get_send', { id: ID.send }], ['list_send', {}]];
    assert.deepEqual(await offered(client), [...new Set(all.map(([name]) => name))].sort());
    assert.equal(new Set(all.map(([name]) => name)).size, 59);
    const last = ['delete_send', 'lock', 'get_send', 'list_send'];
    for (const [name, args] of all.filter(([n]) => !last.includes(n))) await ok(client, name, args);
    for (const name of ['list_send', 'get_send', 'delete_send', 'lock']) await ok(client, ...all.find(([n]) => n === name));
  });
});
