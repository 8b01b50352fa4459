import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { type AnthropicScript, anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import type { Responder } from '@tallygate/testkit/fake-upstream/exchange';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { geminiApi } from '@tallygate/testkit/fake-upstream/gemini';
import { openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const TEXT = 'Grüße, 世界! 🚀 there';
const CITY = { city: 'Zürich' };
const SCHEMA = { type: 'object' as const, properties: { city: { type: 'string' } } };

interface Told {
  text?: string;
  call?: true;
}
/** What each upstream answers to the same question. */
const UPSTREAMS: Record<string, { models: string[]; api: (told: Told) => Responder }> = {
  anthropic: {
    models: ['on-messages'],
    api: ({ text, call }) => {
      const script: AnthropicScript = { text: text ?? 'I look.' };
      return anthropicApi(
        call ? { ...script, thinking: 'Hm …', toolUse: { name: 'weather', input: CITY } } : script,
      );
    },
  },
  openai: {
    models: ['on-responses'],
    api: ({ text, call }) =>
      openAiApi({
        text,
        ...(call ? { toolCall: { name: 'weather', arguments: JSON.stringify(CITY) } } : {}),
      }),
  },
  compatible: {
    models: ['on-chat'],
    api: ({ text, call }) =>
      openAiApi({
        text,
        ...(call ? { toolCall: { name: 'weather', arguments: JSON.stringify(CITY) } } : {}),
      }),
  },
  gemini: {
    models: ['on-generate'],
    api: ({ text, call }) =>
      geminiApi({
        text: text ?? 'I look.',
        ...(call ? { functionCall: { name: 'weather', args: CITY } } : {}),
      }),
  },
};

const upstreams: Record<string, FakeUpstream> = {};
let gate: Gate;
let anthropic: Anthropic;
let openai: OpenAI;
let genai: GoogleGenAI;
beforeAll(async () => {
  for (const [name, { api }] of Object.entries(UPSTREAMS)) upstreams[name] = await startFakeUpstream(api({}));
  gate = await startGate({
    config: { RETRY_ATTEMPTS: '0' },
    accounts: Object.entries(UPSTREAMS).map(([provider, { models }]) => ({
      provider,
      // It knows Chat Completions only.
      ...(provider === 'compatible' ? { preset: 'deepseek' } : {}),
      models,
      baseUrl: upstreams[provider]?.url ?? '',
    })),
  });
  anthropic = new Anthropic({ baseURL: gate.url, apiKey: gate.key, maxRetries: 0 });
  openai = new OpenAI({ baseURL: `${gate.url}/v1`, apiKey: gate.key, maxRetries: 0 });
  genai = new GoogleGenAI({ apiKey: gate.key, httpOptions: { baseUrl: gate.url } });
});
afterAll(async () => {
  await gate?.stop();
  await Promise.all(Object.values(upstreams).map((upstream) => upstream.stop()));
});
beforeEach(() => {
  for (const upstream of Object.values(upstreams)) upstream.clear();
});

/** What any client was told: text, and the calls with their arguments. */
interface Heard {
  text: string;
  calls: { name: string; args: unknown }[];
}

type Client = (model: string, stream: boolean) => Promise<Heard>;
const CLIENTS: Record<string, { own: string[]; ask: Client }> = {
  'Anthropic SDK': {
    own: ['anthropic'],
    async ask(model, stream) {
      const body = {
        model,
        max_tokens: 100,
        messages: [{ role: 'user' as const, content: 'Weather?' }],
        tools: [{ name: 'weather', input_schema: SCHEMA }],
      };
      const message = stream
        ? await anthropic.messages.stream(body).finalMessage()
        : await anthropic.messages.create(body);
      const texts = message.content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
      const calls = message.content.flatMap((block) =>
        block.type === 'tool_use' ? [{ name: block.name, args: block.input }] : [],
      );
      return { text: texts.join(''), calls };
    },
  },
  'OpenAI SDK, chat': {
    own: ['compatible', 'openai'],
    async ask(model, stream) {
      const body = {
        model,
        messages: [{ role: 'user' as const, content: 'Weather?' }],
        tools: [{ type: 'function' as const, function: { name: 'weather', parameters: SCHEMA } }],
      };
      const completion = stream
        ? await openai.chat.completions.stream(body).finalChatCompletion()
        : await openai.chat.completions.create(body);
      const message = completion.choices[0]?.message;
      const calls = (message?.tool_calls ?? []).flatMap((call) =>
        call.type === 'function'
          ? [{ name: call.function.name, args: JSON.parse(call.function.arguments) }]
          : [],
      );
      return { text: message?.content ?? '', calls };
    },
  },
  'OpenAI SDK, responses': {
    own: ['openai'],
    async ask(model, stream) {
      const body = {
        model,
        input: 'Weather?',
        tools: [{ type: 'function' as const, name: 'weather', parameters: SCHEMA, strict: false }],
      };
      const response = stream
        ? await openai.responses.stream(body).finalResponse()
        : await openai.responses.create(body);
      const calls = response.output.flatMap((item) =>
        item.type === 'function_call' ? [{ name: item.name, args: JSON.parse(item.arguments) }] : [],
      );
      return { text: response.output_text, calls };
    },
  },
  'Google GenAI SDK': {
    own: ['gemini'],
    async ask(model, stream) {
      const body = {
        model,
        contents: 'Weather?',
        config: { tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: SCHEMA }] }] },
      };
      const chunks = [];
      if (stream)
        for await (const chunk of await genai.models.generateContentStream(body)) chunks.push(chunk);
      else chunks.push(await genai.models.generateContent(body));
      const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
      const calls = parts.flatMap(({ functionCall: call }) =>
        call ? [{ name: call.name ?? '', args: call.args }] : [],
      );
      return { text: parts.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join(''), calls };
    },
  },
};

const PAIRS = Object.entries(CLIENTS).flatMap(([name, client]) =>
  Object.keys(UPSTREAMS)
    .filter((upstream) => !client.own.includes(upstream))
    .map((upstream) => [name, upstream, client.ask] as const),
);

describe.each([
  ['whole', false],
  ['streamed', true],
])('official SDKs on upstreams that do not speak their API, %s (X-04)', (_how, stream) => {
  it.each(PAIRS)('%s on %s: text', async (_name, upstream, ask) => {
    upstreams[upstream]?.respond(UPSTREAMS[upstream]?.api({ text: TEXT }) as Responder);
    const heard = await ask(UPSTREAMS[upstream]?.models[0] ?? '', stream);
    expect(heard).toEqual({ text: TEXT, calls: [] });
    expect(upstreams[upstream]?.requests).toHaveLength(1);
  });

  it.each(PAIRS)('%s on %s: a call', async (_name, upstream, ask) => {
    upstreams[upstream]?.respond(UPSTREAMS[upstream]?.api({ call: true }) as Responder);
    const heard = await ask(UPSTREAMS[upstream]?.models[0] ?? '', stream);
    expect(heard.calls).toEqual([{ name: 'weather', args: CITY }]);
  });
});
