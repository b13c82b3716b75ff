// A server of SDK 2.x for 2026-07-28: stateless requests, input_required rounds, listen streams, the tasks extension.
//   node modern.mjs        prints the URL it serves
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler, createRequestStateCodec, fromJsonSchema, inputRequired, McpServer, MissingRequiredClientCapabilityError, ProtocolError,
  ResourceNotFoundError,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { object, plainTools, prompt, prompts, read, resources, say, sleep, string, templates, text } from './content.mjs';
import { listenLocal, localOnly } from './local.mjs';

const TASKS = 'io.modelcontextprotocol/tasks';
const state = createRequestStateCodec({ key: randomUUID() + randomUUID() });
const form = (message, ...names) => inputRequired.elicit({ mode: 'form', message, requestedSchema: object(Object.fromEntries(names)) });
const askName = form('What is your name?', ['name', string()]);
const askModel = (question) => inputRequired.createMessage({ messages: [{ role: 'user', content: text(question) }], maxTokens: 100 });
const declared = (ctx) => ctx.mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {};
const need = (requiredCapabilities) => { throw new MissingRequiredClientCapabilityError({ requiredCapabilities }); };
const answer = (ctx, key) => { const r = ctx.mcpReq.inputResponses?.[key]; return r && typeof r === 'object' ? r : undefined; };
// Asks for `requests` until every one of them has its answer.
const rounds = (ctx, requests, done, requestState) => (Object.keys(requests).every((k) => answer(ctx, k)) ? done()
  : inputRequired({ inputRequests: requests, ...(requestState ? { requestState } : {}) }));

// Tasks: id -> { status, result or error, pending inputs, dates }. A task is in the table before its id is told.
const tasks = new Map();
const now = () => new Date().toISOString();
const ENDED = ['completed', 'failed', 'cancelled'];
function update(task, change) {
  if (!ENDED.includes(task.status)) Object.assign(task, change, { lastUpdatedAt: now() });
}
function startTask(work) {
  const task = { taskId: randomUUID(), status: 'working', createdAt: now(), lastUpdatedAt: now(), ttlMs: 600000, pollIntervalMs: 100 };
  const told = { resultType: 'task', ...task };
  tasks.set(task.taskId, task);
  work(task).then((result) => update(task, { status: 'completed', result }),
    (e) => update(task, { status: 'failed', error: { code: e.code ?? -32603, message: e.message } }));
  return told;
}
// Runs as a task where the client knows tasks, else at once.
const maybeTask = (ctx, work) => (declared(ctx).extensions?.[TASKS] ? startTask(work) : work({}));
const onlyTask = (ctx, work) => (declared(ctx).extensions?.[TASKS] ? startTask(work) : need({ extensions: { [TASKS]: {} } }));
// Parks a task until every one of its inputs is answered.
function park(task, inputRequests) {
  update(task, { status: 'input_required', inputRequests });
  return new Promise((resume) => { task.resume = resume; });
}

const tools = {
  ...plainTools,
  test_tool_with_progress: {
    description: 'Reports progress three times',
    async run(_, ctx) {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined) await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
        await sleep(50);
      }
      return say('Done.');
    },
  },
  test_x_header: {
    description: 'An argument that travels in a header too',
    inputSchema: { ...object({ region: { type: 'string', 'x-mcp-header': 'Region' } }) },
    run: ({ region }) => say(`Region ${region}`),
  },
  test_missing_capability: { description: 'Needs a model', run: (_, ctx) => (declared(ctx).sampling ? say('There is one.') : need({ sampling: {} })) },
  test_streaming_elicitation: { description: 'Asks within a stream', run: (_, ctx) => rounds(ctx, { user_name: askName }, () => say('Thank you.')) },
  test_logging_tool: {
    description: 'Logs where it may',
    async run(_, ctx) {
      await ctx.mcpReq.log('info', 'Tool execution started');
      return say('Logged where allowed.');
    },
  },
  test_trigger_tool_change: { description: 'Says that the tools changed', run: () => { handler.notify.toolsChanged(); return say('Told.'); } },
  test_trigger_prompt_change: { description: 'Says that the prompts changed', run: () => { handler.notify.promptsChanged(); return say('Told.'); } },

  test_input_required_result_elicitation: {
    description: 'Asks for a name', run: (_, ctx) => rounds(ctx, { user_name: askName }, () => say(`Hello, ${answer(ctx, 'user_name').content?.name}!`)) },
  test_input_required_result_sampling: {
    description: 'Asks a model',
    run: (_, ctx) => rounds(ctx, { capital_question: askModel('What is the capital of France?') }, () => say(answer(ctx, 'capital_question').content.text)) },
  test_input_required_result_list_roots: {
    description: 'Asks for roots',
    run: (_, ctx) => rounds(ctx, { client_roots: inputRequired.listRoots() }, () => say(answer(ctx, 'client_roots').roots.map((r) => r.uri).join(' '))) },
  test_input_required_result_request_state: {
    description: 'Asks with state',
    run: async (_, ctx) => rounds(ctx, { confirm: form('Please confirm', ['ok', { type: 'boolean' }]) },
      () => say(ctx.mcpReq.requestState()?.step === 1 ? 'state-ok' : 'state lost'), await state.mint({ step: 1 })) },
  test_input_required_result_multiple_inputs: {
    description: 'Asks three at once',
    run: async (_, ctx) => rounds(ctx, { user_name: askName, greeting: askModel('Generate a greeting'), client_roots: inputRequired.listRoots() },
      () => say('All three are here.'), await state.mint({ step: 1 })) },
  test_input_required_result_multi_round: {
    description: 'Asks twice',
    async run(_, ctx) {
      const step = ctx.mcpReq.requestState()?.step ?? 0;
      if (step === 2 && answer(ctx, 'step2')) return say('Both are here.');
      if (step === 1 && answer(ctx, 'step1'))
        return inputRequired({ inputRequests: { step2: form('Step 2: What is your favorite color?', ['color', string()]) }, requestState: await state.mint({ step: 2 }) });
      return inputRequired({ inputRequests: { step1: form('Step 1: What is your name?', ['name', string()]) }, requestState: await state.mint({ step: 1 }) });
    },
  },
  test_input_required_result_tampered_state: {
    description: 'Seals its state',
    run: async (_, ctx) => rounds(ctx, { confirm: form('Please confirm', ['ok', { type: 'boolean' }]) }, () => say('Unbroken.'), await state.mint({ step: 1 })) },
  test_input_required_result_capabilities: {
    description: 'Asks only what the client can do',
    run: (_, ctx) => rounds(ctx, {
      ...(declared(ctx).sampling ? { question: askModel('Say hello') } : {}), ...(declared(ctx).elicitation ? { user_name: askName } : {}),
    }, () => say('Thank you.')) },

  greet: { description: 'Greets', inputSchema: object({ name: string() }), run: ({ name }) => say(`Hello, ${name}!`) },
  slow_compute: {
    description: 'Takes its time', inputSchema: object({ seconds: { type: 'number' }, label: string() }, ['seconds']),
    run: ({ seconds, label }, ctx) => maybeTask(ctx, async () => { await sleep(seconds * 1000); return say(`Computed ${label}`); }) },
  failing_job: {
    description: 'Fails, as a tool fails',
    run: (_, ctx) => onlyTask(ctx, async () => { await sleep(300); return { ...say('The job failed.'), isError: true }; }) },
  protocol_error_job: {
    description: 'Fails, as a server fails',
    run: (_, ctx) => onlyTask(ctx, async () => { await sleep(100); throw new ProtocolError(-32603, 'The job broke.'); }) },
  confirm_delete: {
    description: 'Asks before it goes on', inputSchema: object({ filename: string() }),
    run: ({ filename }, ctx) => onlyTask(ctx, async (task) => { await park(task, { confirm: form('Sure?', ['confirm', { type: 'boolean' }]) }); return say(`Gone: ${filename}`); }) },
  multi_input: {
    description: 'Asks for two names',
    run: (_, ctx) => onlyTask(ctx, async (task) => { await park(task, { first: askName, second: askName }); return say('Both are here.'); }) },
  test_tool_with_task: {
    description: 'Asks, then works',
    async run(_, ctx) {
      if (!declared(ctx).extensions?.[TASKS]) need({ extensions: { [TASKS]: {} } });
      const name = answer(ctx, 'user_name')?.content?.name;
      return rounds(ctx, { user_name: askName }, () => startTask(async () => { await sleep(100); return say(`Hello, ${name}!`); }), await state.mint({ step: 1 }));
    },
  },
};

const promptMore = { name: 'test_input_required_result_prompt', description: 'Asks for its context' };
const taskParams = z.object({ taskId: z.string() }).passthrough();

function taskMethods(s) {
  const on = (method, run) => s.setRequestHandler(method, { params: taskParams }, (params, ctx) => {
    if (!declared(ctx).extensions?.[TASKS]) need({ extensions: { [TASKS]: {} } });
    const task = tasks.get(params.taskId);
    if (!task) throw new ProtocolError(-32602, 'Task not found');
    return run(task, params, ctx);
  });
  on('tasks/get', ({ resume, ...task }) => ({ resultType: 'complete', ...task }));
  on('tasks/cancel', (task) => { update(task, { status: 'cancelled', inputRequests: undefined }); return { resultType: 'complete' }; });
  on('tasks/update', (task, params, ctx) => {
    const given = ctx.mcpReq.inputResponses ?? params.inputResponses ?? {};
    if (task.status !== 'input_required') return { resultType: 'complete' };
    task.inputRequests = Object.fromEntries(Object.entries(task.inputRequests).filter(([k]) => !(k in given)));
    if (!Object.keys(task.inputRequests).length) { update(task, { status: 'working', inputRequests: undefined }); task.resume(); }
    return { resultType: 'complete' };
  });
}

function make() {
  const server = new McpServer({ name: 'conformance-modern', version: '1.0.0' }, {
    capabilities: {
      tools: { listChanged: true }, resources: { listChanged: true }, prompts: { listChanged: true }, logging: {}, completions: {}, extensions: { [TASKS]: {} } },
    requestState: { verify: state.verify },
  });
  for (const [name, { description, inputSchema = object(), run }] of Object.entries(tools)) server.registerTool(name, { description, inputSchema: fromJsonSchema(inputSchema) }, run);
  const s = server.server;
  // The high-level server knows the tools' headers; calls come here, since it would make a tool's protocol error a tool result.
  s.setRequestHandler('tools/call', ({ params }, ctx) => {
    const tool = tools[params.name];
    if (!tool) throw new ProtocolError(-32602, `Unknown tool: ${params.name}`);
    return tool.run(params.arguments ?? {}, ctx);
  });
  s.setRequestHandler('resources/list', () => ({ resources }));
  s.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: templates }));
  s.setRequestHandler('resources/read', ({ params }) => {
    const contents = read(params.uri);
    if (!contents) throw new ResourceNotFoundError(params.uri);
    return { contents };
  });
  s.setRequestHandler('prompts/list', () => ({ prompts: [...prompts, promptMore] }));
  s.setRequestHandler('prompts/get', ({ params }, ctx) => {
    if (params.name === promptMore.name)
      return rounds(ctx, { user_context: form('What context should the prompt use?', ['context', string()]) },
        () => ({ messages: [{ role: 'user', content: text(`In the context of ${answer(ctx, 'user_context').content?.context}.`) }] }));
    const messages = prompt(params.name, params.arguments);
    if (!messages) throw new ProtocolError(-32602, `Unknown prompt: ${params.name}`);
    return { messages };
  });
  s.setRequestHandler('completion/complete', () => ({ completion: { values: ['testing', 'tester'], total: 2, hasMore: false } }));
  taskMethods(s);
  return server;
}

const handler = createMcpHandler(make, { legacy: 'reject' });
const node = toNodeHandler(handler);
listenLocal(createServer((req, res) => {
  if (localOnly(req)) return node(req, res);
  return res.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message: 'Not a local request' } }));
}));
