// What the conformance suite asks a server to have, for every revision: contents, resources, prompts, and the tools that only answer.
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
export const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA==';

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
export const text = (t) => ({ type: 'text', text: t });
export const say = (...content) => ({ content: content.map((c) => (typeof c === 'string' ? text(c) : c)) });
export const object = (properties = {}, required = Object.keys(properties)) => ({ type: 'object', properties, ...(required.length ? { required } : {}) });
export const string = (description) => ({ type: 'string', ...(description ? { description } : {}) });
const image = { type: 'image', data: PNG, mimeType: 'image/png' };
const embedded = (uri, mimeType, body) => ({ type: 'resource', resource: { uri, mimeType, text: body } });

// The schema that a server must hand on whole.
const wholeSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: {
    name: { type: 'string' }, address: { $ref: '#/$defs/address' }, contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' }, email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

// name: { description, inputSchema, run(arguments) }: tools without any traffic but their answer.
export const plainTools = {
  test_simple_text: { description: 'Answers with text', run: () => say('This is a simple text response for testing.') },
  test_image_content: { description: 'Answers with an image', run: () => say(image) },
  test_audio_content: { description: 'Answers with audio', run: () => say({ type: 'audio', data: WAV, mimeType: 'audio/wav' }) },
  test_embedded_resource: {
    description: 'Answers with an embedded resource',
    run: () => say(embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')),
  },
  test_multiple_content_types: {
    description: 'Answers with text, an image and a resource',
    run: () => say('Multiple content types test:', image, embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')),
  },
  test_error_handling: {
    description: 'Fails',
    run: () => ({ ...say('This tool intentionally returns an error for testing'), isError: true }),
  },
  json_schema_2020_12_tool: { description: 'Tool with JSON Schema 2020-12 features', inputSchema: wholeSchema, run: (a) => say(JSON.stringify(a)) },
};

export const resources = [
  { uri: 'test://static-text', name: 'static-text', description: 'A text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'static-binary', description: 'An image', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'watched-resource', description: 'A text to subscribe to', mimeType: 'text/plain' },
];
export const templates = [{ uriTemplate: 'test://template/{id}/data', name: 'template', description: 'Data by id', mimeType: 'application/json' }];

// The contents of a resource, or undefined.
export function read(uri) {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id) return [{ uri, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }];
  return {
    'test://static-text': [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
    'test://static-binary': [{ uri, mimeType: 'image/png', blob: PNG }],
    'test://watched-resource': [{ uri, mimeType: 'text/plain', text: 'Watched.' }],
  }[uri];
}

const argument = (name, description) => ({ name, description, required: true });
const user = (content) => ({ role: 'user', content });
export const prompts = [
  { name: 'test_simple_prompt', description: 'One message' },
  { name: 'test_prompt_with_arguments', description: 'Two arguments', arguments: [argument('arg1', 'First'), argument('arg2', 'Second')] },
  { name: 'test_prompt_with_embedded_resource', description: 'A resource inside', arguments: [argument('resourceUri', 'What to embed')] },
  { name: 'test_prompt_with_image', description: 'An image inside' },
];

// The messages of a prompt, or undefined.
export function prompt(name, a = {}) {
  return {
    test_simple_prompt: () => [user(text('This is a simple prompt for testing.'))],
    test_prompt_with_arguments: () => [user(text(`Prompt with arguments: arg1='${a.arg1}', arg2='${a.arg2}'`))],
    test_prompt_with_embedded_resource: () => [
      user(embedded(a.resourceUri, 'text/plain', 'Embedded resource content for testing.')), user(text('Please process the embedded resource above.'))],
    test_prompt_with_image: () => [user(image), user(text('Please analyze the image above.'))],
  }[name]?.();
}
