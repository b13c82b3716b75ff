// The main job, over every pair of transports and with both SDK generations: lists come back filtered, values masked,
// a write refused with a reason, a path outside refused, another tenant refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BULLETS, bin, call, connect, demoVault, leaks, ready, serve, text, writeConfig } from './lib.mjs';

const profile = { extends: 'observer', allowed_paths: ['integrations/', 'apps/'], denied_paths: ['integrations/smtp/'], tenant: 'acme' };
const configure = (upstream) => ({ upstreams: { vault: { catalog: 'demo', ...upstream } }, profiles: { agent: profile }, default_profile: 'agent' });

async function place(t, down, up) {
  const upstream = up === 'http' ? { url: (await demoVault(t)).url } : { command: [bin, 'demo-vault'] };
  if (down === 'http') {
    const s = await serve(t, configure(upstream));
    await ready(s);
    return { url: s.url };
  }
  return { args: ['stdio', '-c', (await writeConfig(t, configure(upstream))).file] };
}

async function theMainJob(t, client) {
  const tools = (await client.listTools()).tools;
  const names = tools.map((x) => x.name).sort();
  assert.deepEqual(names, ['describe_secret', 'get_env_bundle', 'lease_secret', 'list_secrets', 'list_tenants', 'read_secret', 'redeem_lease']);
  assert.ok(tools.every((x) => !x.inputSchema.properties?.tenant), 'the locked tenant argument is not offered');

  const list = await call(client, 'list_secrets');
  const paths = list.structuredContent.items.map((i) => i.path).sort();
  assert.deepEqual(paths, ['apps/reporting/env', 'integrations/salesforce/oauth', 'integrations/stripe/api-key']);
  assert.equal(list.structuredContent.total, 3);
  assert.deepEqual(JSON.parse(text(list)), list.structuredContent, 'text and structuredContent tell the same');

  const read = await call(client, 'read_secret', { path: 'integrations/stripe/api-key' });
  assert.equal(read.structuredContent.value, BULLETS);
  assert.equal(read.structuredContent.path, 'integrations/stripe/api-key');
  assert.equal(read.structuredContent.version, 1);
  assert.equal(JSON.parse(text(read)).value, BULLETS);

  const bundle = await call(client, 'get_env_bundle', { path: 'apps/reporting/env' });
  assert.deepEqual(bundle.structuredContent, { DB_HOST: BULLETS, DB_PASSWORD: BULLETS, SMTP_TOKEN: BULLETS });

  const lease = await call(client, 'lease_secret', { path: 'integrations/stripe/api-key' });
  const redeemed = await call(client, 'redeem_lease', { lease_handle: lease.structuredContent.lease_handle });
  assert.equal(redeemed.structuredContent.value, BULLETS);

  const everything = [list, read, bundle, redeemed];
  const refused = async (name, args, guard, rule) => {
    const r = await call(client, name, args);
    everything.push(r);
    assert.equal(r.isError, true, `${name} ${JSON.stringify(args)} is refused`);
    assert.equal(r.structuredContent, undefined);
    const why = r._meta['narrowgate.dev/refusal'];
    assert.equal(why.rule, rule);
    assert.equal(why.guard, guard);
    assert.equal(why.profile, 'agent');
    assert.match(why.id, /^[0-9a-f]{32}$/);
  };
  await refused('write_secret', { path: 'integrations/stripe/api-key', value: 'x' }, 'readonly', 'read-only');
  await refused('read_secret', { path: 'infra/db/primary/credentials' }, 'paths', 'allowed-paths');
  await refused('read_secret', { path: 'integrations/smtp/password' }, 'paths', 'denied-paths');
  await refused('read_secret', { path: 'integrations/../infra/db/primary/credentials' }, 'paths', 'path-form');
  await refused('read_secret', { path: 'integrations/stripe/api-key', tenant: 'globex' }, 'tenant', 'tenant');
  await refused('redeem_lease', { lease_handle: 'lease_00000000000000000000000000000000' }, 'handles', 'unknown-handle');
  await assert.rejects(client.readResource({ uri: 'demo://secrets/globex/integrations/stripe/api-key' }));
  const resource = await client.readResource({ uri: 'demo://secrets/acme/integrations/stripe/api-key' });
  assert.equal(resource.contents[0].text, BULLETS);
  everything.push(resource, await client.listResources());
  assert.deepEqual(leaks(JSON.stringify(everything)), []);
  assert.ok(!JSON.stringify(everything).includes('globex'), 'the other tenant is not named');
}

for (const sdk of [1, 2])
  for (const down of ['http', 'stdio'])
    for (const up of ['http', 'stdio'])
      test(`SDK ${sdk}.x, ${down} to ${up}`, async (t) => {
        const client = await connect(t, sdk, await place(t, down, up));
        await theMainJob(t, client);
      });

test('stdio as a drop-in: no file, flags only', async (t) => {
  const client = await connect(t, 1, { args: ['stdio', '--profile', 'observer', '--catalog', 'demo', '--allow', 'integrations/', '--tenant', 'acme', '--', bin, 'demo-vault'] });
  const list = await call(client, 'list_secrets', { prefix: 'integrations/' });
  assert.equal(list.structuredContent.total, 3);
  assert.deepEqual(leaks(JSON.stringify(await call(client, 'read_secret', { path: 'integrations/smtp/password' }))), []);
});

test('the catalog is chosen by the server\'s name', async (t) => {
  const client = await connect(t, 1, { args: ['stdio', '--', bin, 'demo-vault'] });
  const read = await call(client, 'read_secret', { path: 'integrations/stripe/api-key' });
  assert.equal(read.structuredContent.value, BULLETS);
  assert.match(client.childLog(), /catalog demo/);
});
