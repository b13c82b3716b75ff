// A reference server serves this machine alone, and prints where.
const names = ['localhost', '127.0.0.1', '[::1]'];
const local = (url) => { try { return names.includes(new URL(url).hostname); } catch { return false; } };

// Host names this machine; so does Origin where there is one.
export const localOnly = (req) => local(`http://${req.headers.host}`) && (req.headers.origin === undefined || local(req.headers.origin));

export function listenLocal(server) {
  server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
  process.on('SIGTERM', () => process.exit(0));
}
