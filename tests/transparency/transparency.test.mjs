// The same conversation with a server directly, and with narrowgate in between: field by field the same, but for what is listed
// here with its reason. And a comparison that finds what a careless proxy would do.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startGate, startServer } from '../conformance/gate.mjs';
import { differences, play, timing } from './player.mjs';
import { FAULTS, startRelay } from './relay.mjs';

// What narrowgate says otherwise on purpose, in every revision.
const MEANT = [
  'no message.body.error.code: -32700 directly, -32600 through', // JSON-RPC 2.0 §5.1: it is JSON, but no request
  'unknown revision.body.error.code: -32000 directly, -32022 through', // with the list of revisions, which dual-era clients read
];

for (const [version, style] of [['2025-03-26', 'sse'], ['2025-06-18', 'sse'], ['2025-11-25', 'sse'], ['2025-11-25', 'json']]) {
  test(`${version}, ${style === 'sse' ? 'answers as streams' : 'answers as JSON'}: the same directly and through`, async (t) => {
    const server = await startServer('legacy', ...(style === 'json' ? ['json'] : []));
    t.after(server.stop);
    const gate = await startGate(server.url);
    t.after(gate.stop);
    let directly = await play(server.url, version);
    assert.ok(directly.size >= 35, `${directly.size} exchanges`);
    const kinds = new Set([...directly.values()].map((s) => s.type));
    assert.ok(kinds.has(style === 'json' ? 'application/json' : 'text/event-stream'));
    let found = differences(directly, await play(gate.url, version));
    for (let i = 0; i < 3 && found.some(timing); i++) { // a busy machine bunches events together; a proxy that does so does it always
      directly = await play(server.url, version);
      found = differences(directly, await play(gate.url, version));
    }
    assert.deepEqual(found, MEANT);
  });
}

// One server for all faults.
const server = await startServer('legacy');
after(() => server.stop());
const plain = await play(server.url, '2025-11-25');

test('two conversations with the server itself, and one through a relay without a fault, are the same', async (t) => {
  const relay = await startRelay(server.url);
  t.after(relay.stop);
  for (const url of [server.url, relay.url]) assert.deepEqual(differences(plain, await play(url, '2025-11-25')).filter((l) => !timing(l)), []);
});

for (const [name, { finds }] of Object.entries(FAULTS)) {
  test(`a relay that ${name} is found out`, async (t) => {
    const relay = await startRelay(server.url, name);
    t.after(relay.stop);
    const found = differences(plain, await play(relay.url, '2025-11-25'));
    assert.ok(found.some((line) => finds.test(line)), found.join('\n'));
  });
}
