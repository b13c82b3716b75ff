// Streamable HTTP, every revision.
import { HANDSHAKE, playWire, STATELESS } from './play.mjs';

for (const revision of [...HANDSHAKE, STATELESS]) playWire({ way: 'http', revision });
playWire({ way: 'http', revision: '2025-03-26', batch: true });
