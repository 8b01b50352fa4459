import Anthropic from '@anthropic-ai/sdk';
import { anthropicApi, anthropicMessage } from '@tallygate/testkit/fake-upstream/anthropic';
import { type Responder, sseAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import { startTranslationWorld, type TranslationWorld } from '@tallygate/testkit/translation-world';
import OpenAI from 'openai';
import type { RunnableToolFunctionWithParse } from 'openai/lib/RunnableFunction';
import { afterEach, describe, expect, it } from 'vitest';

let world: TranslationWorld;
afterEach(() => world.stop());

/** Answers each request in turn; what every one of them must be is checked afterwards. */
async function startScript(provider: string, answers: Responder[]): Promise<void> {
  let turn = 0;
  const responder: Responder = (exchange) => {
    const answer = answers[turn];
    turn += 1;
    if (answer === undefined) throw new Error('the agent asked once too often');
    return answer(exchange);
  };
  world = await startTranslationWorld({ provider, responder });
}
const bodies = () => world.upstream.requests.map((request) => request.json());

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: 'llama', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const usageChunk = (prompt: number) =>
  `data: ${JSON.stringify({ id: 'c1', model: 'llama', choices: [], usage: { prompt_tokens: prompt, completion_tokens: 7, total_tokens: prompt + 7 } })}\n\n`;
const call = (index: number, id: string, name: string) => ({
  tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }],
});
const args = (index: number, text: string) => ({ tool_calls: [{ index, function: { arguments: text } }] });

describe('Claude Code on an OpenAI-compatible upstream (X-04)', () => {
  const READ = {
    type: 'object' as const,
    properties: { file_path: { type: 'string' } },
    required: ['file_path'],
  };
  const TURN = {
    model: 'llama',
    max_tokens: 32_000,
    system: [
      {
        type: 'text' as const,
        text: 'You are a coding agent.',
        cache_control: { type: 'ephemeral' as const },
      },
      { type: 'text' as const, text: 'Environment: …' },
    ],
    tools: [
      { name: 'Read', description: 'Reads a file', input_schema: READ },
      {
        name: 'Bash',
        description: 'Runs a command',
        input_schema: { type: 'object' as const, properties: {} },
      },
    ],
    thinking: { type: 'enabled' as const, budget_tokens: 31_999 },
    metadata: { user_id: 'user_0000_account__session_5f1c9f0e-3f52-4d6e-9a51-0d7f1c2b3a4d' },
    betas: ['claude-code-20250219', 'interleaved-thinking-2025-05-14'],
  };

  it('completes a task over several turns with parallel calls; every field upstream is as it must be', async () => {
    await startScript('compatible', [
      sseAnswer([
        ': OPENROUTER PROCESSING\n\n',
        chunk({ role: 'assistant', reasoning_content: 'Two files ' }),
        chunk({ reasoning_content: 'to read.' }),
        chunk({ content: 'Reading …' }),
        chunk(call(0, 'call_a', 'Read')),
        chunk(args(0, '{"file_path":')),
        chunk(args(0, '"/a.ts"}')),
        chunk(call(1, 'call_b', 'Bash')),
        chunk(args(1, '{}')),
        chunk({}, 'tool_calls'),
        usageChunk(900),
        'data: [DONE]\n\n',
      ]),
      sseAnswer([
        chunk({ content: 'Both ' }),
        chunk({ content: 'are fine.' }, 'stop'),
        usageChunk(950),
        'data: [DONE]\n\n',
      ]),
    ]);
    const client = new Anthropic({ baseURL: world.gate.url, apiKey: world.gate.key, maxRetries: 0 });
    const messages: Anthropic.Beta.BetaMessageParam[] = [{ role: 'user', content: 'Check the files' }];
    const ran: unknown[] = [];
    let message: Anthropic.Beta.BetaMessage;
    do {
      message = await client.beta.messages.stream({ ...TURN, messages }).finalMessage();
      messages.push({ role: 'assistant', content: message.content });
      const results = message.content.flatMap((block) => {
        if (block.type !== 'tool_use') return [];
        ran.push([block.name, block.input]);
        return [
          {
            type: 'tool_result' as const,
            tool_use_id: block.id,
            content: `result of ${block.name}`,
            is_error: block.name === 'Bash',
          },
        ];
      });
      if (results.length > 0) messages.push({ role: 'user', content: results });
    } while (message.stop_reason === 'tool_use');

    expect(ran).toEqual([
      ['Read', { file_path: '/a.ts' }],
      ['Bash', {}],
    ]);
    expect(message.content).toEqual([{ type: 'text', text: 'Both are fine.' }]);
    expect(message.usage).toMatchObject({ input_tokens: 950, output_tokens: 7 });
    const base = {
      model: 'llama',
      max_tokens: 32_000,
      stream: true,
      stream_options: { include_usage: true },
      reasoning_effort: 'high',
      user: TURN.metadata.user_id,
      tools: [
        { type: 'function', function: { name: 'Read', description: 'Reads a file', parameters: READ } },
        {
          type: 'function',
          function: {
            name: 'Bash',
            description: 'Runs a command',
            parameters: { type: 'object', properties: {} },
          },
        },
      ],
    };
    const opening = [
      { role: 'system', content: 'You are a coding agent.\n\nEnvironment: …' },
      { role: 'user', content: 'Check the files' },
    ];
    expect(bodies()).toEqual([
      { ...base, messages: opening },
      {
        ...base,
        messages: [
          ...opening,
          {
            role: 'assistant',
            content: 'Reading …',
            reasoning_content: 'Two files to read.',
            tool_calls: [
              {
                id: 'call_a',
                type: 'function',
                function: { name: 'Read', arguments: '{"file_path":"/a.ts"}' },
              },
              { id: 'call_b', type: 'function', function: { name: 'Bash', arguments: '{}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'call_a', content: 'result of Read' },
          { role: 'tool', tool_call_id: 'call_b', content: 'result of Bash' },
        ],
      },
    ]);
    const rows = await world.gate.untilRows(2);
    expect(rows.map(({ status, sessionId }) => [status, sessionId])).toEqual(
      Array(2).fill(['ok', '5f1c9f0e-3f52-4d6e-9a51-0d7f1c2b3a4d']),
    );
  });
});

const WEATHER = { type: 'object', properties: { city: { type: 'string' } } };
const SCRIPT = {
  thinking: 'Which city?',
  text: 'I look.',
  toolUse: { name: 'weather', input: { city: 'Zürich' } },
};
const TOLD = { text: 'It is sunny.', stopReason: 'end_turn' };
/** What the upstream of Messages must get in the second turn. */
const SECOND_TURN = [
  { role: 'user', content: [{ type: 'text', text: 'Weather in Zürich?' }] },
  { role: 'assistant', content: anthropicMessage(SCRIPT).content },
  {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'toolu_01Test', content: [{ type: 'text', text: 'sunny' }] },
    ],
  },
];

describe('OpenAI agents on an Anthropic upstream (X-04)', () => {
  const openai = () => new OpenAI({ baseURL: `${world.gate.url}/v1`, apiKey: world.gate.key, maxRetries: 0 });

  it.each([
    ['whole', false],
    ['streamed', true],
  ] as const)('Chat Completions: the SDK runs the tools itself, %s', async (_how, stream) => {
    await startScript('anthropic', [anthropicApi(SCRIPT), anthropicApi(TOLD)]);
    const asked: unknown[] = [];
    const weather: RunnableToolFunctionWithParse<object> = {
      type: 'function',
      function: {
        name: 'weather',
        description: 'Tells it',
        parameters: WEATHER,
        parse: (text) => JSON.parse(text) as object,
        function: (input) => {
          asked.push(input);
          return 'sunny';
        },
      },
    };
    const body = {
      model: 'claude-sonnet-4-5',
      max_completion_tokens: 20_000,
      reasoning_effort: 'medium' as const,
      messages: [{ role: 'user' as const, content: 'Weather in Zürich?' }],
      tools: [weather],
    };
    const chat = openai().chat.completions;
    const runner = stream ? chat.runTools({ ...body, stream }) : chat.runTools(body);
    expect(await runner.finalContent()).toBe('It is sunny.');
    expect(asked).toEqual([{ city: 'Zürich' }]);
    const base = {
      model: 'claude-sonnet-4-5',
      max_tokens: 20_000,
      thinking: { type: 'enabled', budget_tokens: 8192 },
      tools: [{ name: 'weather', description: 'Tells it', input_schema: WEATHER }],
      tool_choice: { type: 'auto' },
      ...(stream ? { stream: true } : {}),
    };
    expect(bodies()).toEqual([
      { ...base, messages: SECOND_TURN.slice(0, 1) },
      { ...base, messages: SECOND_TURN },
    ]);
  });

  it.each([
    ['whole', false],
    ['streamed', true],
  ] as const)('Responses: reasoning items come back as the thinking they were, %s', async (_how, stream) => {
    await startScript('anthropic', [anthropicApi(SCRIPT), anthropicApi(TOLD)]);
    const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: 'Weather in Zürich?' }];
    const ask = async () => {
      const body = {
        model: 'claude-sonnet-4-5',
        input,
        store: false,
        include: ['reasoning.encrypted_content' as const],
        max_output_tokens: 20_000,
        reasoning: { effort: 'medium' as const, summary: 'auto' as const },
        tools: [{ type: 'function' as const, name: 'weather', parameters: WEATHER, strict: false }],
      };
      return stream ? openai().responses.stream(body).finalResponse() : openai().responses.create(body);
    };
    const first = await ask();
    expect(first.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call']);
    expect(first.output[0]).toMatchObject({ summary: [{ text: 'Which city?' }] });
    input.push(...(first.output as OpenAI.Responses.ResponseInputItem[]));
    for (const item of first.output)
      if (item.type === 'function_call')
        input.push({ type: 'function_call_output', call_id: item.call_id, output: 'sunny' });
    expect((await ask()).output_text).toBe('It is sunny.');
    expect(bodies()[1]).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: 20_000,
      thinking: { type: 'enabled', budget_tokens: 8192 },
      tools: [{ name: 'weather', input_schema: WEATHER }],
      messages: SECOND_TURN,
      ...(stream ? { stream: true } : {}),
    });
  });
});

describe('Claude clients on an upstream of Responses (X-04)', () => {
  it('encrypted reasoning rides in the signature and goes back as the item it was', async () => {
    const reasoning = { summary: 'Which city?', encrypted: 'gAAAAABencrypted+/==' };
    const toolCall = { name: 'weather', arguments: '{"city":"Zürich"}' };
    await startScript('openai', [openAiApi({ reasoning, toolCall }), openAiApi({ text: 'It is sunny.' })]);
    const client = new Anthropic({ baseURL: world.gate.url, apiKey: world.gate.key, maxRetries: 0 });
    const tools = [{ name: 'weather', input_schema: { ...WEATHER, type: 'object' as const } }];
    const base = {
      model: 'gpt-5',
      max_tokens: 20_000,
      tools,
      thinking: { type: 'enabled' as const, budget_tokens: 4000 },
    };
    const question = { role: 'user' as const, content: 'Weather in Zürich?' };
    const first = await client.messages.stream({ ...base, messages: [question] }).finalMessage();
    expect(first.content).toMatchObject([
      { type: 'thinking', thinking: 'Which city?' },
      { type: 'tool_use', id: 'call_test', input: { city: 'Zürich' } },
    ]);
    const result = { type: 'tool_result' as const, tool_use_id: 'call_test', content: 'sunny' };
    await client.messages.create({
      ...base,
      messages: [
        question,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [result] },
      ],
    });
    expect(bodies()[1]).toEqual({
      model: 'gpt-5',
      store: false,
      max_output_tokens: 20_000,
      include: ['reasoning.encrypted_content'],
      reasoning: { effort: 'medium', summary: 'auto' },
      tools: [{ type: 'function', name: 'weather', parameters: WEATHER, strict: false }],
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Weather in Zürich?' }] },
        {
          type: 'reasoning',
          id: 'rs_test',
          summary: [{ type: 'summary_text', text: 'Which city?' }],
          encrypted_content: reasoning.encrypted,
        },
        { type: 'function_call', call_id: 'call_test', name: 'weather', arguments: '{"city":"Zürich"}' },
        { type: 'function_call_output', call_id: 'call_test', output: 'sunny' },
      ],
    });
  });
});
