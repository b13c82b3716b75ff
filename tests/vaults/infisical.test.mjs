// Infisical's own server (npm, unmodified) on stdio, with a REST API of ours behind it. A path is environment/folder/name, the tenant is the
// project. Lists hold values, references and imports reach other folders, writes repeat the value, a "rename" wipes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BULLETS, call } from '../scenario/lib.mjs';
import { backend, installed, offered, ok, place, refused } from './real.mjs';

const script = installed('@infisical/mcp/dist/index.js');
const SHOP = '7f3e0000-1111-4222-8333-00000000aaaa', BANK = '7f3e0000-1111-4222-8333-00000000bbbb';
const V = { db: 'infisical-db-5d1c', key: 'infisical-key-90ab', stripe: 'infisical-stripe-77f3', ledger: 'infisical-ledger-41e8', staging: 'infisical-staging-2c60',
  comment: 'infisical-comment-13', client: 'client-secret-of-the-test', token: 'access-token-of-the-test', fresh: 'infisical-fresh-e0d4', other: 'infisical-other-88c1' };
const READING = ['get-secret', 'list-projects', 'list-secrets'];
const WRITING = ['create-environment', 'create-folder', 'create-project', 'create-secret', 'delete-secret', 'invite-members-to-project', 'update-secret'];

// Folders by project, environment and path; `prod:/app` imports `prod:/payments`, and BOTH refers to it.
function vault() {
  const folders = {
    [`${SHOP} prod /app`]: { DB_URL: V.db, API_KEY: V.key, BOTH: 'key=${prod.payments.STRIPE}' },
    [`${SHOP} prod /payments`]: { STRIPE: V.stripe }, [`${SHOP} staging /app`]: { DB_URL: V.staging }, [`${BANK} prod /app`]: { LEDGER: V.ledger },
  };
  const imports = { [`${SHOP} prod /app`]: ['/payments'] };
  const fold = (path) => `/${path.split('/').filter(Boolean).join('/')}`;
  const place = (o) => `${o.workspaceId} ${o.environment} ${fold(o.secretPath ?? '/')}`;
  const expand = (project, value) => value.replace(/\$\{(\w+)\.(\w+)\.(\w+)\}/g, (_, env, folder, name) => folders[`${project} ${env} /${folder}`][name]);
  const row = (o, path, name, value, full = true) => ({ id: `id-${name}`, _id: `id-${name}`, workspace: o.workspaceId, environment: o.environment, version: 3, type: 'shared',
    secretKey: name, secretValue: o.expandSecretReferences === 'true' ? expand(o.workspaceId, value) : value, secretValueHidden: false, secretComment: full ? `see ${V.comment}` : '',
    secretPath: path, skipMultilineEncoding: false, tags: [], metadata: null, secretMetadata: [{ key: 'rotated-from', value: V.comment }],
    createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-02-01T00:00:00.000Z' });
  const missing = (name) => [404, { statusCode: 404, message: `Secret with name '${name}' not found`, error: 'NotFound' }];
  const secrets = (method, name, o) => {
    const at = place(o), folder = folders[at], path = fold(o.secretPath ?? '/');
    if (!folder) return [404, { statusCode: 404, message: `Folder with path '${o.secretPath}' in environment with slug '${o.environment}' not found`, error: 'NotFound' }];
    const brought = (o.includeImports === 'true' ? imports[at] ?? [] : []).map((p) => ({ secretPath: p, environment: o.environment, folderId: 'id-of-folder',
      secrets: Object.entries(folders[`${o.workspaceId} ${o.environment} ${p}`]).map(([k, v]) => row(o, p, k, v)) }));
    if (!name) return [200, { secrets: Object.entries(folder).map(([k, v]) => row(o, path, k, v)), imports: brought }];
    if (method === 'GET') {
      const imported = brought.flatMap((i) => i.secrets).find((s) => s.secretKey === name);
      return folder[name] !== undefined ? [200, { secret: row(o, path, name, folder[name]) }] : imported ? [200, { secret: imported }] : missing(name);
    }
    if (method !== 'POST' && folder[name] === undefined) return missing(name);
    if (method === 'DELETE') {
      const gone = row(o, path, name, folder[name]);
      delete folder[name];
      return [200, { secret: gone }];
    }
    folder[name] = o.secretValue;
    return [200, { secret: row(o, path, name, folder[name]) }];
  };
  const answer = (what, url, body, headers) => {
    if (what === 'POST /api/v1/auth/universal-auth/login') {
      if (body.clientSecret !== V.client) return [401, { message: 'Invalid credentials' }];
      return [200, { accessToken: V.token, expiresIn: 7200, accessTokenMaxTTL: 7200, tokenType: 'Bearer' }];
    }
    if (headers.authorization !== `Bearer ${V.token}`) return [401, { message: 'Token missing' }];
    const [, method, name] = /^(\w+) \/api\/v3\/secrets\/raw(?:\/(.+))?$/.exec(what) ?? [];
    if (method) return secrets(method, name && decodeURIComponent(name), method === 'GET' ? Object.fromEntries(url.searchParams) : body);
    if (what === 'GET /api/v1/workspace') {
      return [200, { workspaces: [[SHOP, 'shop'], [BANK, 'bank']].map(([id, slug]) => ({ id, name: slug, slug, orgId: 'org-1', type: 'secret-manager', hasDeleteProtection: true,
        environments: [{ id: `env-${slug}`, name: 'Production', slug: 'prod' }] })) }];
    }
    if (what === 'POST /api/v2/workspace') return [200, { project: { id: 'new-project', name: body.projectName, slug: body.slug, orgId: 'org-1' } }];
    if (what === `POST /api/v1/workspace/${SHOP}/environments`) return [200, { message: 'ok', workspace: SHOP, environment: { id: 'env-new', name: body.name, slug: body.slug, position: 4, projectId: SHOP } }];
    if (what === 'POST /api/v1/folders') return [200, { folder: { id: 'folder-new', name: body.name, envId: 'env-shop', path: `${body.path}/${body.name}` } }];
    if (what === `POST /api/v2/workspace/${SHOP}/memberships`) return [200, { success: true, memberships: [{ id: 'm-1', userId: 'u-1', projectId: SHOP }] }];
    return [404, { message: `Route ${what} not found` }];
  };
  return { folders, answer };
}

async function day(t, profile) {
  const v = vault(), b = await backend(t, v.answer);
  const client = await place(t, { catalog: 'infisical', command: [process.execPath, script], profile, secrets: Object.values(V), mine: { CLIENT_SECRET: V.client },
    env: { INFISICAL_HOST_URL: b.url, INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: 'client-1', INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: '${CLIENT_SECRET}' } });
  // What was asked for; how the server logs in apart.
  const asked = () => b.seen.filter((x) => !x.what.includes('/auth/'));
  return { client, asked, folders: v.folders };
}

const app = { projectId: SHOP, environmentSlug: 'prod', secretPath: '/app' };
const json = (s) => JSON.parse(s.slice(s.search(/[[{]/)));
const values = (o) => Object.values(V).filter((v) => JSON.stringify(o).includes(v));

// Every call that changes something, as an agent would make it.
const changes = [
  ['create-secret', { ...app, secretName: 'NEW', secretValue: V.fresh }], ['update-secret', { ...app, secretName: 'API_KEY', secretValue: V.fresh }],
  ['update-secret', { ...app, secretName: 'API_KEY', newSecretName: 'KEY' }], ['delete-secret', { ...app, secretName: 'API_KEY' }],
  ['create-folder', { projectId: SHOP, environment: 'prod', path: '/app', name: 'x' }], ['create-environment', { projectId: SHOP, name: 'Test', slug: 'test' }],
  ['create-project', { projectName: 'x', type: 'secret-manager' }], ['invite-members-to-project', { projectId: SHOP, emails: ['mallory@evil.test'] }],
];

test('reader: values are read, references and imports too; nothing is changed', async (t) => {
  const { client, asked } = await day(t, { extends: 'reader' });
  assert.deepEqual(await offered(client), READING);
  const got = json(await ok(client, 'get-secret', { ...app, secretName: 'DB_URL' }));
  assert.equal(got.secretValue, V.db);
  assert.equal(json(await ok(client, 'get-secret', { ...app, secretName: 'BOTH' })).secretValue, `key=${V.stripe}`, 'the vault expands by default');
  const listed = json(await ok(client, 'list-secrets', app));
  assert.deepEqual(listed.secrets.map((s) => [s.secretKey, s.secretValue]), [['DB_URL', V.db], ['API_KEY', V.key], ['BOTH', `key=${V.stripe}`]]);
  assert.deepEqual(listed.imports.map((i) => [i.secretPath, i.secrets]), [['/payments', [{ secretKey: 'STRIPE', secretValue: V.stripe }]]]);
  assert.deepEqual(json(await ok(client, 'list-projects', {})).map((p) => p.slug), ['shop', 'bank']);
  for (const [name, args] of changes) assert.match(await refused(client, name, args), /read-only|actions/);
  await assert.rejects(call(client, 'get-secret', { ...app, secretName: 'GONE' }), /not find|not found/);
  assert.ok(asked().length === 5 && asked().every((x) => x.what.startsWith('GET')));
  assert.deepEqual([asked()[0].query.expandSecretReferences, asked()[0].query.includeImports], ['true', 'true'], 'nothing forced without a path rule');
});

for (const profile of ['observer', 'rotator']) {
  test(`${profile}: names are seen, values nowhere: in lists, imports, comments, errors; nothing is changed`, async (t) => {
    const { client, asked, folders } = await day(t, { extends: profile });
    assert.deepEqual(await offered(client), READING);
    const got = json(await ok(client, 'get-secret', { ...app, secretName: 'DB_URL' }));
    assert.deepEqual([got.secretKey, got.secretValue, got.secretPath, got.environment, got.version], ['DB_URL', BULLETS, '/app', 'prod', 3]);
    const listed = json(await ok(client, 'list-secrets', app));
    assert.deepEqual(listed.secrets.map((s) => [s.secretKey, s.secretValue]), [['DB_URL', BULLETS], ['API_KEY', BULLETS], ['BOTH', BULLETS]]);
    assert.deepEqual(listed.imports.map((i) => [i.secretPath, i.environment, i.secrets]), [['/payments', 'prod', [{ secretKey: 'STRIPE', secretValue: BULLETS }]]]);
    assert.deepEqual(values([got, listed]), []);
    assert.deepEqual(json(await ok(client, 'list-projects', { type: 'all' })).map((p) => [p.id, p.environments[0].slug]), [[SHOP, 'prod'], [BANK, 'prod']]);
    for (const [name, args] of changes) assert.match(await refused(client, name, args), /read-only|actions/);
    await assert.rejects(call(client, 'get-secret', { ...app, secretName: 'GONE' }), (e) => /not find/.test(e.message) && values(e.message).length === 0);
    assert.ok(asked().length === 4 && asked().every((x) => x.what.startsWith('GET')), 'refused calls reached nothing');
    assert.equal(folders[`${SHOP} prod /app`].API_KEY, V.key);
  });
}

test('one folder of one project: references and imports are off, everything else is refused before the vault hears of it', async (t) => {
  const { client, asked } = await day(t, { allowed_paths: ['prod/app/'], tenant: SHOP });
  const tool = (await client.listTools()).tools.find((x) => x.name === 'get-secret');
  assert.ok(!tool.inputSchema.properties.projectId && !tool.inputSchema.required.includes('projectId'), 'the locked project is no argument');
  const here = { environmentSlug: 'prod', secretPath: 'app/' };
  assert.equal(json(await ok(client, 'get-secret', { ...here, secretName: 'DB_URL' })).secretValue, V.db, 'the project is filled in');
  for (const more of [{}, { expandSecretReferences: true, includeImports: true }]) {
    const both = json(await ok(client, 'get-secret', { ...here, secretName: 'BOTH', ...more }));
    const listed = json(await ok(client, 'list-secrets', { ...here, ...more }));
    assert.equal(both.secretValue, 'key=${prod.payments.STRIPE}', 'a reference stays one');
    assert.deepEqual([listed.secrets.length, listed.imports], [3, []]);
    assert.deepEqual(values([both, listed]).filter((v) => ![V.db, V.key, V.comment].includes(v)), []);
  }
  await assert.rejects(call(client, 'get-secret', { ...here, secretName: 'STRIPE' }), /not found|not find/, 'no fallback to the imported folder');
  assert.deepEqual(json(await ok(client, 'list-projects', {})).map((p) => p.id), [SHOP]);

  assert.equal(await refused(client, 'get-secret', { ...here, secretPath: '/payments', secretName: 'STRIPE' }), 'paths: allowed-paths');
  assert.equal(await refused(client, 'get-secret', { ...here, environmentSlug: 'staging', secretName: 'DB_URL' }), 'paths: allowed-paths');
  assert.equal(await refused(client, 'get-secret', { environmentSlug: 'prod', secretName: 'DB_URL' }), 'paths: allowed-paths');
  assert.equal(await refused(client, 'get-secret', { ...here, secretPath: '/app/../payments', secretName: 'STRIPE' }), 'paths: path-form');
  assert.equal(await refused(client, 'get-secret', { ...here, secretName: '../payments/STRIPE' }), 'paths: path-form');
  assert.equal(await refused(client, 'list-secrets', { ...here, secretPath: '/payments' }), 'paths: allowed-paths');
  assert.equal(await refused(client, 'get-secret', { ...here, projectId: BANK, secretName: 'LEDGER' }), 'tenant: tenant');
  assert.equal(await refused(client, 'list-secrets', { ...here, projectId: BANK }), 'tenant: tenant');
  assert.equal(await refused(client, 'create-secret', { ...here, secretPath: '/payments', secretName: 'X', secretValue: 'x' }), 'paths: allowed-paths');
  assert.equal(await refused(client, 'delete-secret', { ...here, secretPath: '/payments', secretName: 'STRIPE' }), 'paths: allowed-paths');
  assert.equal(await refused(client, 'create-folder', { environment: 'prod', path: '/', name: 'x' }), 'paths: allowed-paths');
  assert.equal(await refused(client, 'create-environment', { name: 'Test', slug: 'test' }), 'paths: allowed-paths');
  assert.equal(await refused(client, 'create-project', { projectName: 'x', type: 'secret-manager' }), 'tenant: tenant');
  assert.equal(await refused(client, 'invite-members-to-project', { emails: ['mallory@evil.test'] }), 'paths: path-missing');

  assert.equal(json(await ok(client, 'create-secret', { ...here, secretName: 'NEW', secretValue: V.fresh })).secretValue, V.fresh);
  assert.match(await ok(client, 'delete-secret', { ...here, secretName: 'NEW' }), /deleted successfully: NEW/);
  assert.match(await ok(client, 'create-folder', { environment: 'prod', path: '/app', name: 'jobs' }), /created successfully/);
  for (const x of asked().filter((y) => y.what !== 'GET /api/v1/workspace')) {
    const o = { ...x.query, ...x.body };
    assert.deepEqual([o.workspaceId ?? o.projectId, o.environment], [SHOP, 'prod'], x.what);
    assert.match(o.secretPath ?? o.path, /^\/?app\/?$/, x.what);
    if (x.what.startsWith('GET')) assert.deepEqual([o.expandSecretReferences, o.includeImports], ['false', 'false']);
  }
});

test('writer: what a write repeats is masked; a rename, which would wipe, needs the right to delete', async (t) => {
  const { client, asked, folders } = await day(t, { extends: 'writer', tenant: SHOP, actions: ['list', 'meta', 'read', 'write'] });
  const here = { environmentSlug: 'prod', secretPath: '/app' }, at = folders[`${SHOP} prod /app`];
  const made = json(await ok(client, 'create-secret', { ...here, secretName: 'NEW', secretValue: V.fresh }));
  assert.deepEqual([made.secretKey, made.secretValue, at.NEW], ['NEW', BULLETS, V.fresh]);
  const changed = json(await ok(client, 'update-secret', { ...here, secretName: 'NEW', secretValue: V.other }));
  assert.deepEqual([changed.secretKey, changed.secretValue, at.NEW], ['NEW', BULLETS, V.other]);
  assert.deepEqual(values([made, changed]), []);
  assert.match(await refused(client, 'update-secret', { ...here, secretName: 'API_KEY', newSecretName: 'KEY' }), /actions/);
  assert.match(await refused(client, 'update-secret', { ...here, secretName: 'API_KEY', secretValue: '' }), /actions/);
  assert.match(await refused(client, 'update-secret', { ...here, secretName: 'API_KEY', secretValue: BULLETS }), /masked/);
  assert.match(await refused(client, 'delete-secret', { ...here, secretName: 'API_KEY' }), /actions/);
  assert.match(await refused(client, 'create-project', { projectName: 'x', type: 'secret-manager' }), /actions/);
  assert.equal(at.API_KEY, V.key, 'nothing was wiped');
  assert.deepEqual(asked().map((x) => x.what), ['POST /api/v3/secrets/raw/NEW', 'PATCH /api/v3/secrets/raw/NEW']);
});

test('a lock on the project alone: no project is made beside it, nobody is let into another', async (t) => {
  const { client, asked } = await day(t, { tenant: SHOP });
  assert.equal(await refused(client, 'create-project', { projectName: 'exit', type: 'secret-manager' }), 'tenant: tenant');
  assert.equal(await refused(client, 'invite-members-to-project', { projectId: BANK, emails: ['mallory@evil.test'] }), 'tenant: tenant');
  assert.equal(await refused(client, 'create-folder', { projectId: BANK, environment: 'prod', name: 'x' }), 'tenant: tenant');
  assert.deepEqual(asked(), []);
  assert.match(await ok(client, 'invite-members-to-project', { emails: ['bob@shop.test'] }), /m-1/);
  assert.match(await ok(client, 'create-environment', { name: 'Test', slug: 'test' }), /env-new/);
  assert.match(await ok(client, 'create-folder', { environment: 'prod', name: 'x' }), /folder-new/);
  assert.deepEqual(asked().map((x) => x.body.projectId ?? x.body.workspaceId), [SHOP, SHOP, SHOP]);
});

test('open: the whole list of tools works, and a project is made', async (t) => {
  const { client, asked, folders } = await day(t, { extends: 'open' });
  assert.deepEqual(await offered(client), [...READING, ...WRITING].sort());
  for (const [name, args] of changes) await ok(client, name, args);
  assert.ok(!('API_KEY' in folders[`${SHOP} prod /app`]) && asked().length === changes.length);
});
