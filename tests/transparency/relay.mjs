// A relay that passes everything on but for one fault: what a careless proxy does. It proves that the comparison sees such things.
import http from 'node:http';

const content = (block, change) => block.replace(/^data: (.*)$/m, (line, text) => {
  let m;
  try { m = JSON.parse(text); } catch { return line; }
  return change(m) ? `data: ${JSON.stringify(m)}` : line;
});
const method = (block) => /"method":"([^"]*)"/.exec(block)?.[1];

// Of each fault: where the comparison must find it, and what it does to a head { status, headers }, to the blocks (events) of a stream, or to a body.
export const FAULTS = {
  'drops a header': { finds: /^PUT\.allow/, head: (h) => { delete h.headers.allow; } },
  'drops the session id of answers': { finds: /^tools\/list\.session/, head: (h, m) => { if (m?.method === 'tools/list') delete h.headers['mcp-session-id']; } },
  'says another status': { finds: /^initialized\.status/, head: (h) => { if (h.status === 202) h.status = 200; } },
  'calls a stream JSON': { finds: /^ping\.type/, head: (h, m) => { if (m?.method === 'ping') h.headers['content-type'] = 'application/json'; } },
  'buffers a stream': { finds: /^call test_tool_with_progress\.events\.\d\.early/, whole: true },
  'drops a content block': { finds: /^call test_multiple_content_types.*content/, block: (b) => [content(b, (m) => m.result?.content?.length > 1 && m.result.content.pop())] },
  'reorders events': { finds: /^call test_tool_with_progress\.events\.\d\.data\.params\.progress/, block(b, state) {
    if (method(b) !== 'notifications/progress') return [b];
    if (state.held) { const held = state.held; state.held = undefined; state.done = true; return [b, held]; }
    if (state.done) return [b];
    state.held = b;
    return [];
  } },
  'drops a notification': { finds: /^call test_tool_with_logging\.events/, block: (b, state) => (method(b) === 'notifications/message' && !state.done ? ((state.done = true), []) : [b]) },
  'drops event ids': { finds: /^call test_simple_text\.events\.\d\.id/, block: (b) => [b.replace(/^id: .*\n/m, '')] },
  'drops retry times': { finds: /\.retry/, block: (b) => [b.replace(/^retry: .*\n/m, '')] },
  'drops priming events': { finds: /^call test_simple_text\.events\.\d\.empty/, block: (b) => (/^data: $/m.test(b) ? [] : [b]) },
  'loses a member': { finds: /isError/, block: (b) => [content(b, (m) => m.result?.isError && delete m.result.isError)] },
  'says another code': { finds: /^read nothing.*code/, block: (b) => [content(b, (m) => m.error && (m.error.code = -32603))] },
  'writes a number anew': { finds: /params\.total/, block: (b) => [content(b, (m) => m.params?.total === 100 && (m.params.total = 100.5))] },
};

async function pump(up, res, fault) {
  const state = {};
  const stream = (up.headers['content-type'] ?? '').includes('text/event-stream');
  let rest = '';
  let all = '';
  up.setEncoding('utf8');
  for await (const piece of up) {
    if (!stream) { res.write(piece); continue; }
    rest += piece;
    for (let at; (at = rest.indexOf('\n\n')) >= 0; rest = rest.slice(at + 2)) {
      const out = (fault?.block ? fault.block(rest.slice(0, at), state) : [rest.slice(0, at)]).map((b) => `${b}\n\n`).join('');
      if (fault?.whole) all += out;
      else if (out) res.write(out);
    }
  }
  res.end(all + rest);
}

// { url, stop }: a relay before `target` with the fault of that name, or none.
export async function startRelay(target, name) {
  const fault = FAULTS[name];
  const { hostname, port, pathname } = new URL(target);
  const server = http.createServer(async (req, res) => {
    let body = '';
    for await (const d of req) body += d;
    let m;
    try { m = JSON.parse(body); } catch { m = undefined; }
    const up = http.request({ hostname, port, path: pathname, method: req.method, headers: { ...req.headers, host: `${hostname}:${port}` }, agent: false }, (answer) => {
      const head = { status: answer.statusCode, headers: { ...answer.headers } };
      delete head.headers['content-length'];
      delete head.headers['transfer-encoding'];
      fault?.head?.(head, m);
      res.writeHead(head.status, head.headers);
      if (!fault?.whole) res.flushHeaders();
      pump(answer, res, fault).catch(() => res.destroy());
    });
    up.on('error', () => res.destroy());
    res.on('close', () => up.destroy());
    up.end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}${pathname}`, stop() { server.closeAllConnections(); server.close(); } };
}
