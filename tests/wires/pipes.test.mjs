// Where all answers come on one pipe or stream: stdio, and HTTP+SSE (which 2026-07-28 does not have).
import { HANDSHAKE, playWire, STATELESS } from './play.mjs';

for (const revision of [...HANDSHAKE, STATELESS]) playWire({ way: 'stdio', revision });
for (const revision of HANDSHAKE) playWire({ way: 'sse', revision });
for (const way of ['stdio', 'sse']) playWire({ way, revision: '2025-03-26', batch: true });
