// Ports for processes that are started later. They lie below the range the kernel takes its own from: a port from there, closed again to be
// handed to a child, may meanwhile have gone to anybody's outgoing connection.
import { createServer } from 'node:net';

const FIRST = 10000, LAST = 32767, STRIPE = 256; // a stripe for each test process: none hands out what another just did
const stripes = Math.floor((LAST - FIRST + 1) / STRIPE);
const base = FIRST + (process.pid % stripes) * STRIPE;
let next = 0;

const isFree = (port) => new Promise((done) => {
  const s = createServer().once('error', () => done(false)).listen(port, '127.0.0.1', () => s.close(() => done(true)));
});

export async function freePort() {
  for (let tries = 0; tries < STRIPE; tries++) {
    const port = base + (next++ % STRIPE);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${base} to ${base + STRIPE - 1}`);
}
