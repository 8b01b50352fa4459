import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { geminiApi } from '@tallygate/testkit/fake-upstream/gemini';
import { openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import { GEMINI, MESSAGES, PNG, RESPONSES, SCHEMA } from '@tallygate/testkit/translation-bodies';
import { startTranslationWorld, type TranslationWorld } from '@tallygate/testkit/translation-world';
import { afterEach, describe, expect, it } from 'vitest';

let world: TranslationWorld;
afterEach(() => world.stop());

const API = {
  anthropic: () => anthropicApi(),
  openai: () => openAiApi(),
  compatible: () => openAiApi(),
  gemini: () => geminiApi(),
};
async function sentFor(
  provider: keyof typeof API,
  path: string,
  body: object,
): Promise<{ target: string; body: unknown; dropped: string | undefined }> {
  world = await startTranslationWorld({ provider, responder: API[provider]() });
  const answer = await world.call(path, body).answer;
  expect([answer.status, answer.value('x-tallygate-error')]).toEqual([200, undefined]);
  const request = world.upstream.requests.at(-1);
  if (!request) throw new Error('nothing was sent');
  return { target: request.target, body: request.json(), dropped: answer.value('x-tallygate-dropped') };
}

describe('requests arrive as the upstream knows them, field by field (X-04)', () => {
  it('Messages to Responses', async () => {
    const { target, body, dropped } = await sentFor('openai', '/v1/messages', MESSAGES);
    expect([target, dropped]).toEqual(['/v1/responses', 'tool_result.is_error, top_k']);
    expect(body).toEqual({
      model: 'm',
      store: false,
      instructions: 'Be brief.',
      max_output_tokens: 5000,
      temperature: 0.5,
      top_p: 0.9,
      safety_identifier: 'user-1',
      include: ['reasoning.encrypted_content'],
      reasoning: { effort: 'medium', summary: 'auto' },
      text: { format: { type: 'json_schema', name: 'answer', schema: SCHEMA, strict: true } },
      tools: [
        { type: 'function', name: 'weather', description: 'Tells it', parameters: SCHEMA, strict: false },
      ],
      tool_choice: { type: 'function', name: 'weather' },
      input: [
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look' },
            { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' },
          ],
        },
        {
          type: 'message',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'I look.', annotations: [] }],
        },
        { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Bern"}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'sunny' },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go on' }] },
      ],
    });
  });

  it('Messages to Gemini', async () => {
    const { target, body, dropped } = await sentFor('gemini', '/v1/messages', {
      ...MESSAGES,
      model: 'gemini-2.5-pro',
      stream: true,
    });
    expect([target, dropped]).toEqual([
      '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
      'metadata.user_id',
    ]);
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      generationConfig: {
        maxOutputTokens: 5000,
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        responseMimeType: 'application/json',
        responseJsonSchema: SCHEMA,
        thinkingConfig: { thinkingBudget: 3000, includeThoughts: true },
      },
      tools: [
        {
          functionDeclarations: [{ name: 'weather', description: 'Tells it', parametersJsonSchema: SCHEMA }],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } },
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'Look' },
            { inlineData: { mimeType: 'image/png', data: PNG } },
            { inlineData: { mimeType: 'application/pdf', data: 'JVBERg==' } },
          ],
        },
        {
          role: 'model',
          parts: [
            { text: 'I look.' },
            { functionCall: { id: 'call_1', name: 'weather', args: { city: 'Bern' } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'call_1', name: 'weather', response: { error: 'sunny' } } },
            { text: 'Go on' },
          ],
        },
      ],
    });
  });

  const IN_MESSAGES = {
    max_tokens: 5000,
    top_p: 0.9,
    system: [{ type: 'text', text: 'Be brief.' }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Bern' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'sunny' }] },
          { type: 'text', text: 'Go on' },
        ],
      },
    ],
  };

  it('Responses to Messages; thinking is off for calls that were made without it', async () => {
    const { target, body, dropped } = await sentFor('anthropic', '/v1/responses', RESPONSES);
    expect([target, dropped]).toEqual([
      '/v1/messages',
      'store, text.verbosity, reasoning (the calls under way were made without it)',
    ]);
    const [first, ...rest] = IN_MESSAGES.messages;
    const pdf = {
      type: 'document',
      title: 'a.pdf',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
    };
    expect(body).toEqual({
      ...IN_MESSAGES,
      model: 'm',
      temperature: 0.5,
      metadata: { user_id: 'user-1' },
      output_config: { format: { type: 'json_schema', schema: SCHEMA } },
      tools: [{ name: 'weather', description: 'Tells it', input_schema: SCHEMA, strict: true }],
      tool_choice: { type: 'tool', name: 'weather', disable_parallel_tool_use: true },
      messages: [{ role: 'user', content: [...(first?.content ?? []), pdf] }, ...rest],
    });
  });

  it('Gemini to Messages, with names in either spelling, schemas made JSON Schema, and ids for calls without', async () => {
    const path = '/v1beta/models/claude-next:generateContent';
    const asked = { ...GEMINI, contents: GEMINI.contents.slice(0, 1) };
    const { body, dropped } = await sentFor('anthropic', path, asked);
    expect(dropped).toBe('safetySettings, temperature (set by thinking)');
    expect(body).toEqual({
      model: 'claude-next',
      max_tokens: 5000,
      top_p: 0.9,
      stop_sequences: ['END'],
      system: IN_MESSAGES.system,
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: {
        format: {
          type: 'json_schema',
          schema: { type: 'object', properties: { city: { type: ['string', 'null'] } } },
        },
      },
      tools: [{ name: 'weather', description: 'Tells it', input_schema: SCHEMA }],
      tool_choice: { type: 'tool', name: 'weather' },
      messages: IN_MESSAGES.messages.slice(0, 1),
    });
    await world.stop();
    const { body: whole } = await sentFor('anthropic', path, {
      contents: GEMINI.contents,
      tools: GEMINI.tools,
    });
    const id = 'call_1_weather';
    expect((whole as { messages: object[] }).messages.slice(1)).toMatchObject([
      {
        role: 'assistant',
        content: [{ text: 'I look.' }, { type: 'tool_use', id, input: { city: 'Bern' } }],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: id, content: [{ text: 'sunny' }] }, { text: 'Go on' }],
      },
    ]);
  });

  const IN_CHAT = [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
      ],
    },
    {
      role: 'assistant',
      content: 'I look.',
      tool_calls: [
        {
          id: 'call_1_weather',
          type: 'function',
          function: { name: 'weather', arguments: '{"city":"Bern"}' },
        },
      ],
    },
    { role: 'tool', tool_call_id: 'call_1_weather', content: 'sunny' },
    { role: 'user', content: 'Go on' },
  ];

  it('Gemini to Chat Completions', async () => {
    const { target, body } = await sentFor(
      'compatible',
      '/v1beta/models/llama:streamGenerateContent?alt=sse',
      GEMINI,
    );
    expect(target).toBe('/v1/chat/completions');
    expect(body).toEqual({
      model: 'llama',
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 5000,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['END'],
      reasoning_effort: 'low',
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'answer',
          schema: { type: 'object', properties: { city: { type: ['string', 'null'] } } },
        },
      },
      tools: [
        { type: 'function', function: { name: 'weather', description: 'Tells it', parameters: SCHEMA } },
      ],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      messages: IN_CHAT,
    });
  });

  it('Chat Completions to Gemini; instructions in between are told by the user and named', async () => {
    const { body, dropped } = await sentFor('gemini', '/v1/chat/completions', {
      model: 'gemini-2.5-pro',
      reasoning_effort: 'none',
      seed: 7,
      response_format: { type: 'json_object' },
      messages: [...IN_CHAT, { role: 'developer', content: 'Now in French' }],
    });
    expect(dropped).toBe('instructions in the middle (told by the user)');
    expect(body).toMatchObject({
      generationConfig: {
        seed: 7,
        responseMimeType: 'application/json',
        thinkingConfig: { thinkingBudget: 0 },
      },
      contents: [
        { role: 'user' },
        { role: 'model' },
        {
          role: 'user',
          parts: [
            { functionResponse: { name: 'weather', response: { output: 'sunny' } } },
            { text: 'Go on' },
            { text: 'Now in French' },
          ],
        },
      ],
    });
  });

  it('instructions in between stay instructions where the format has them', async () => {
    const messages = [...MESSAGES.messages.slice(0, 1), { role: 'system', content: 'Now in French' }];
    const { body, dropped } = await sentFor('openai', '/v1/messages', {
      model: 'm',
      max_tokens: 9,
      messages,
    });
    expect(dropped).toBeUndefined();
    expect((body as { input: object[]; max_output_tokens: number }).input[1]).toEqual({
      type: 'message',
      role: 'developer',
      content: [{ type: 'input_text', text: 'Now in French' }],
    });
    expect(body).toMatchObject({ max_output_tokens: 16 }); // this API refuses less
  });

  it('Codex: a custom tool travels as a function and comes back as what it is', async () => {
    const call = { name: 'apply_patch', input: { input: '*** Begin Patch' } };
    world = await startTranslationWorld({
      provider: 'anthropic',
      responder: anthropicApi({ toolUse: call }),
    });
    const body = {
      model: 'm',
      input: [
        { role: 'user', content: 'Fix it' },
        { type: 'custom_tool_call', call_id: 'call_0', name: 'apply_patch', input: 'first' },
        { type: 'custom_tool_call_output', call_id: 'call_0', output: 'done' },
      ],
      tools: [
        {
          type: 'custom',
          name: 'apply_patch',
          format: { type: 'grammar', syntax: 'lark', definition: 'start: /./' },
        },
      ],
    };
    const whole = await world.call('/v1/responses', body).answer;
    expect(whole.value('x-tallygate-dropped')).toBe('tools[].format');
    const { output } = whole.json() as { output: object[] };
    expect(output.at(-1)).toMatchObject({
      type: 'custom_tool_call',
      call_id: 'toolu_01Test',
      name: 'apply_patch',
      input: '*** Begin Patch',
    });
    expect(world.upstream.requests[0]?.json()).toMatchObject({
      tools: [{ name: 'apply_patch', input_schema: { required: ['input'] } }],
      messages: [
        {},
        { content: [{ type: 'tool_use', id: 'call_0', input: { input: 'first' } }] },
        { content: [{ tool_use_id: 'call_0' }] },
      ],
    });
    const { text } = await world.call('/v1/responses', { ...body, stream: true }).answer;
    expect(text).toMatch(/response\.custom_tool_call_input\.done\n.*"input":"\*\*\* Begin Patch"/);
    expect(text).not.toContain('function_call_arguments');
  });
});
