// A vault of SDK 2.x that speaks every revision, before agents of both SDKs and both kinds of revision, over every pair of transports:
// each pair settles on what it would without narrowgate, and the guards bite in either.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { bin, BULLETS, call, freePort, here, ready, run, serve, text, until, writeConfig } from './lib.mjs';

const script = join(here, 'servers/stateless.mjs');
const agents = {
  'SDK 1.x': [Client1, Http1, Stdio1, {}],
  'SDK 2.x, with a handshake': [Client2, Http2, Stdio2, { versionNegotiation: { mode: 'legacy' } }],
  'SDK 2.x, as it finds': [Client2, Http2, Stdio2, { versionNegotiation: { mode: 'auto' } }],
  'SDK 2.x, 2026-07-28': [Client2, Http2, Stdio2, { versionNegotiation: { mode: { pin: '2026-07-28' } } }],
};

for (const up of ['http', 'stdio']) for (const down of ['http', 'stdio'])
  test(`MASK-01, PATH-25: both kinds of revision at one vault, ${down} to ${up}`, async (t) => {
    let upstream = { command: [process.execPath, script, 'dual'] };
    if (up === 'http') {
      const port = await freePort();
      const p = run(t, [script, String(port), 'dual'], { command: process.execPath });
      await until('the vault', () => p.err.includes('listening'));
      upstream = { url: `http://127.0.0.1:${port}/mcp` };
    }
    const config = { upstreams: { vault: { catalog: join(here, 'servers/stateless.yaml'), ...upstream } },
      profiles: { agent: { mask_values: true, allowed_paths: ['dev/'] } }, default_profile: 'agent' };
    let url, file;
    if (down === 'http') {
      const s = await serve(t, config);
      await ready(s);
      url = new URL(s.url);
    } else {
      ({ file } = await writeConfig(t, config));
    }
    const found = {};
    for (const [name, [Client, Http, Stdio, options]] of Object.entries(agents)) {
      const client = new Client({ name: 'agent', version: '1' }, { capabilities: {}, ...options });
      await client.connect(url ? new Http(url) : new Stdio({ command: bin, args: ['stdio', '-c', file], stderr: 'pipe' }));
      t.after(() => client.close());
      found[name] = client.getNegotiatedProtocolVersion?.() ?? client.transport.protocolVersion ?? 'unknown';
      assert.ok((await client.listTools()).tools.some((x) => x.name === 'read_secret'), name);
      assert.deepEqual(JSON.parse(text(await call(client, 'list_secrets'))).total, 2, name);
      assert.deepEqual(JSON.parse(text(await call(client, 'read_secret', { path: 'dev/a' }))), { path: 'dev/a', value: BULLETS }, name);
      assert.equal((await call(client, 'read_secret', { path: 'prod/c' })).isError, true, name);
    }
    assert.notEqual(found['SDK 2.x, with a handshake'], '2026-07-28');
    assert.equal(found['SDK 2.x, as it finds'], '2026-07-28');
    assert.equal(found['SDK 2.x, 2026-07-28'], '2026-07-28');
  });
