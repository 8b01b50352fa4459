import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chatFormat } from './chat/format.ts';
import { generateFormat } from './generate/format.ts';
import type { Format } from './hub/format.ts';
import type { JsonObject } from './hub/json.ts';
import { Losses } from './hub/losses.ts';
import type { FormatId } from './hub/parts.ts';
import { messagesFormat } from './messages/format.ts';
import { responsesFormat } from './responses/format.ts';

const FORMATS = [messagesFormat, chatFormat, responsesFormat, generateFormat];
const LETTERS: Record<FormatId, string> = { messages: 'M', chat: 'C', responses: 'R', generate: 'G' };
const PAIRS = FORMATS.flatMap((client) =>
  FORMATS.filter((other) => other !== client).map((upstream) => [client, upstream] as const),
);
const DOCS = new URL('../../../../docs/translation.md', import.meta.url);

const PNG = 'iVBORw0KGgo=';
const SCHEMA = { type: 'object', properties: {} };
const user = {
  messages: (...content: object[]) => ({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }, ...content] }],
  }),
  chat: (...content: object[]) => ({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }, ...content] }],
  }),
  responses: (...content: object[]) => ({
    input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }, ...content] }],
  }),
  generate: (...parts: object[]) => ({ contents: [{ role: 'user', parts: [{ text: 'Hi' }, ...parts] }] }),
};
const toolsOf: Record<FormatId, JsonObject> = {
  messages: { tools: [{ name: 'f', input_schema: SCHEMA }] },
  chat: { tools: [{ type: 'function', function: { name: 'f', parameters: SCHEMA } }] },
  responses: { tools: [{ type: 'function', name: 'f', parameters: SCHEMA }] },
  generate: { tools: [{ functionDeclarations: [{ name: 'f', parametersJsonSchema: SCHEMA }] }] },
};
/** A call, and a result that holds a picture or failed. */
function called(result: { picture?: true; failed?: true }): Partial<Record<FormatId, JsonObject>> {
  const media = result.picture
    ? [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }]
    : [];
  const outcome = {
    type: 'tool_result',
    tool_use_id: 'c1',
    content: [{ type: 'text', text: 'x' }, ...media],
    ...(result.failed ? { is_error: true } : {}),
  };
  const picture = result.picture ? [{ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }] : [];
  const parts = result.picture ? { parts: [{ inlineData: { mimeType: 'image/png', data: PNG } }] } : {};
  const response = { name: 'f', response: result.failed ? { error: 'x' } : { output: 'x' }, ...parts };
  return {
    messages: {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'f', input: {} }] },
        { role: 'user', content: [outcome] },
      ],
    },
    ...(result.failed
      ? {}
      : {
          responses: {
            input: [
              { role: 'user', content: 'Hi' },
              { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
              {
                type: 'function_call_output',
                call_id: 'c1',
                output: [{ type: 'input_text', text: 'x' }, ...picture],
              },
            ],
          },
        }),
    generate: {
      contents: [
        { role: 'user', parts: [{ text: 'Hi' }] },
        { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] },
        { role: 'user', parts: [{ functionResponse: response }] },
      ],
    },
  };
}

/** Rows of the table: the feature, and a request of each format that has it. */
const FEATURES: readonly [name: string, requests: Partial<Record<FormatId, JsonObject>>][] = [
  ['tools, parallel calls and their results', toolsOf],
  [
    'a certain tool, or any, must be called',
    {
      messages: { ...toolsOf.messages, tool_choice: { type: 'tool', name: 'f' } },
      chat: { ...toolsOf.chat, tool_choice: { type: 'function', function: { name: 'f' } } },
      responses: { ...toolsOf.responses, tool_choice: { type: 'function', name: 'f' } },
      generate: {
        ...toolsOf.generate,
        toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
      },
    },
  ],
  [
    'one call at a time',
    {
      messages: { ...toolsOf.messages, tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      chat: { ...toolsOf.chat, parallel_tool_calls: false },
      responses: { ...toolsOf.responses, parallel_tool_calls: false },
    },
  ],
  ['pictures in results of tools', called({ picture: true })],
  ['that a tool failed', called({ failed: true })],
  [
    'the provider’s own tools (search, code)',
    {
      messages: { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      chat: { web_search_options: { search_context_size: 'low' } },
      responses: { tools: [{ type: 'web_search' }] },
      generate: { tools: [{ googleSearch: {} }] },
    },
  ],
  [
    'pictures as data',
    {
      messages: user.messages({
        type: 'image',
        source: { type: 'base64', media_type: 'image/png', data: PNG },
      }),
      chat: user.chat({ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }),
      responses: user.responses({ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }),
      generate: user.generate({ inlineData: { mimeType: 'image/png', data: PNG } }),
    },
  ],
  [
    'pictures by address',
    {
      messages: user.messages({ type: 'image', source: { type: 'url', url: 'https://x.invalid/a.png' } }),
      chat: user.chat({ type: 'image_url', image_url: { url: 'https://x.invalid/a.png' } }),
      responses: user.responses({ type: 'input_image', image_url: 'https://x.invalid/a.png' }),
    },
  ],
  [
    'PDF documents as data',
    {
      messages: user.messages({
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
      }),
      chat: user.chat({
        type: 'file',
        file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' },
      }),
      responses: user.responses({
        type: 'input_file',
        filename: 'a.pdf',
        file_data: 'data:application/pdf;base64,JVBERg==',
      }),
      generate: user.generate({ inlineData: { mimeType: 'application/pdf', data: 'JVBERg==' } }),
    },
  ],
  [
    'documents by address',
    {
      messages: user.messages({ type: 'document', source: { type: 'url', url: 'https://x.invalid/a.pdf' } }),
      responses: user.responses({ type: 'input_file', file_url: 'https://x.invalid/a.pdf' }),
    },
  ],
  [
    'sound',
    {
      chat: user.chat({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }),
      generate: user.generate({ inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }),
    },
  ],
  [
    'files kept at the provider',
    {
      messages: user.messages({ type: 'document', source: { type: 'file', file_id: 'file_1' } }),
      chat: user.chat({ type: 'file', file: { file_id: 'file_1' } }),
      responses: user.responses({ type: 'input_file', file_id: 'file_1' }),
      generate: user.generate({
        fileData: { fileUri: 'https://x.invalid/files/1', mimeType: 'application/pdf' },
      }),
    },
  ],
  [
    'answers by a JSON schema',
    {
      messages: { output_config: { format: { type: 'json_schema', schema: SCHEMA } } },
      chat: { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA } } },
      responses: { text: { format: { type: 'json_schema', name: 'a', schema: SCHEMA } } },
      generate: { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: SCHEMA } },
    },
  ],
  [
    'answers as any JSON',
    {
      chat: { response_format: { type: 'json_object' } },
      responses: { text: { format: { type: 'json_object' } } },
      generate: { generationConfig: { responseMimeType: 'application/json' } },
    },
  ],
  [
    'thinking, and how much',
    {
      messages: { thinking: { type: 'enabled', budget_tokens: 2000 } },
      chat: { reasoning_effort: 'low' },
      responses: { reasoning: { effort: 'low' } },
      generate: { generationConfig: { thinkingConfig: { thinkingBudget: 2000 } } },
    },
  ],
  [
    'stop sequences',
    {
      messages: { stop_sequences: ['END'] },
      chat: { stop: 'END' },
      generate: { generationConfig: { stopSequences: ['END'] } },
    },
  ],
  [
    'temperature above 1',
    {
      chat: { temperature: 1.5 },
      responses: { temperature: 1.5 },
      generate: { generationConfig: { temperature: 1.5 } },
    },
  ],
  ['top_k', { messages: { top_k: 5 }, generate: { generationConfig: { topK: 5 } } }],
  ['seed', { chat: { seed: 5 }, generate: { generationConfig: { seed: 5 } } }],
  ['penalties', { chat: { presence_penalty: 1 }, generate: { generationConfig: { presencePenalty: 1 } } }],
  ['several answers at once', { chat: { n: 2 }, generate: { generationConfig: { candidateCount: 2 } } }],
  [
    'probabilities of tokens',
    {
      chat: { logprobs: true },
      responses: { top_logprobs: 3 },
      generate: { generationConfig: { responseLogprobs: true } },
    },
  ],
  [
    'instructions in the middle',
    {
      messages: {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'system', content: 'x' },
        ],
      },
      chat: {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'developer', content: 'x' },
        ],
      },
      responses: {
        input: [
          { role: 'user', content: 'Hi' },
          { role: 'developer', content: 'x' },
        ],
      },
    },
  ],
  [
    'the beginning of the answer (prefill)',
    {
      messages: {
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Sure' },
        ],
      },
      generate: {
        contents: [
          { role: 'user', parts: [{ text: 'Hi' }] },
          { role: 'model', parts: [{ text: 'Sure' }] },
        ],
      },
    },
  ],
  [
    'cache markers',
    {
      messages: user.messages({ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }),
      chat: user.chat({ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }),
    },
  ],
  [
    'who the request is for',
    { messages: { metadata: { user_id: 'u' } }, chat: { user: 'u' }, responses: { safety_identifier: 'u' } },
  ],
  [
    'conversations kept at the provider',
    { responses: { previous_response_id: 'resp_1' }, generate: { cachedContent: 'cachedContents/1' } },
  ],
];

function outcome(client: Format, upstream: Format, feature: JsonObject | undefined): string {
  if (feature === undefined) return '–';
  const losses = new Losses();
  const base = {
    model: 'claude-opus-9',
    ...(client.id === 'messages' ? { max_tokens: 9000 } : {}),
    ...user[client.id](),
  };
  const ask = client.readRequest({ ...base, ...feature }, { model: 'claude-opus-9', stream: false }, losses);
  upstream.writeRequest(ask, { oldNames: false, defaultMaxOutputTokens: 9000 }, losses);
  if (losses.substance.size > 0) return 'refused';
  return losses.hints.size > 0 ? 'named' : 'yes';
}

describe('docs/translation.md says what each pair carries (X-04)', () => {
  const table = [
    ['feature', ...PAIRS.map(([client, upstream]) => `${LETTERS[client.id]}→${LETTERS[upstream.id]}`)],
    ['---', ...PAIRS.map(() => '---')],
    ...FEATURES.map(([name, requests]) => [
      name,
      ...PAIRS.map(([client, upstream]) => outcome(client, upstream, requests[client.id])),
    ]),
  ].map((row) => `| ${row.join(' | ')} |`);

  it.each(table)('%s', (row) => {
    expect(readFileSync(DOCS, 'utf8').split('\n')).toContain(row);
  });

  it('and of no other feature', () => {
    const rows = readFileSync(DOCS, 'utf8')
      .split('\n')
      .filter((line) => line.split(' | ').length === PAIRS.length + 1);
    expect(rows).toEqual(table);
  });
});
