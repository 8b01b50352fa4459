import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { anthropicApi, anthropicError, MULTIBYTE_TEXT } from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import { startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { APICallError, embed, generateText, jsonSchema, streamText, tool } from 'ai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.anthropic.clear();
  world.openai.clear();
  world.anthropic.respond(anthropicApi());
  world.openai.respond(openAiApi());
});

const anthropic = () => createAnthropic({ baseURL: `${world.gate.url}/v1`, apiKey: world.gate.key });
const openai = () => createOpenAI({ baseURL: `${world.gate.url}/v1`, apiKey: world.gate.key });
const OPENAI_TEXT = 'Grüße, 世界! 🚀 from the fake';
const ask = { prompt: 'Hello', maxRetries: 0 };

describe('the Vercel AI SDK with only its base URL changed (CF-01)', () => {
  it('generates text with Anthropic, chat completions and responses', async () => {
    const models = [anthropic()('claude-sonnet-4-5'), openai().chat('gpt-5'), openai().responses('gpt-5')];
    const texts: string[] = [];
    for (const model of models) texts.push((await generateText({ model, ...ask })).text);
    expect(texts).toEqual([MULTIBYTE_TEXT, OPENAI_TEXT, OPENAI_TEXT]);
  });

  it('streams text with Anthropic, chat completions and responses', async () => {
    const models = [anthropic()('claude-sonnet-4-5'), openai().chat('gpt-5'), openai().responses('gpt-5')];
    const texts: string[] = [];
    for (const model of models) {
      let text = '';
      for await (const part of streamText({ model, ...ask }).textStream) text += part;
      texts.push(text);
    }
    expect(texts).toEqual([MULTIBYTE_TEXT, OPENAI_TEXT, OPENAI_TEXT]);
    const rows = await world.gate.untilRows(3);
    for (const row of rows)
      expect(row).toMatchObject({ status: 'ok', settleStatus: 'final', priceStatus: 'priced' });
  });

  it('calls a tool', async () => {
    world.anthropic.respondOnce(anthropicApi({ toolUse: { name: 'weather', input: { city: 'Zürich' } } }));
    const cities: string[] = [];
    await generateText({
      model: anthropic()('claude-sonnet-4-5'),
      ...ask,
      tools: {
        weather: tool({
          inputSchema: jsonSchema<{ city: string }>({
            type: 'object',
            properties: { city: { type: 'string' } },
          }),
          execute: async ({ city }) => {
            cities.push(city);
            return 'sunny';
          },
        }),
      },
    });
    expect(cities).toEqual(['Zürich']);
  });

  it('embeds', async () => {
    const { embedding } = await embed({
      model: openai().embedding('text-embedding-3-small'),
      value: 'x',
      maxRetries: 0,
    });
    expect(embedding).toEqual([0.25, -0.5, 0.125]);
  });

  it('reports errors of upstream and gate as its own class, with their status', async () => {
    world.anthropic.respond(jsonAnswer(anthropicError('rate_limit_error', 'slow down'), { status: 429 }));
    const limited = await generateText({ model: anthropic()('claude-sonnet-4-5'), ...ask }).catch(
      (e: unknown) => e,
    );
    expect(APICallError.isInstance(limited)).toBe(true);
    expect(limited).toMatchObject({ statusCode: 429, message: 'slow down' });
    const stranger = createAnthropic({ baseURL: `${world.gate.url}/v1`, apiKey: 'wrong' });
    const refused = await generateText({ model: stranger('claude-sonnet-4-5'), ...ask }).catch(
      (e: unknown) => e,
    );
    expect(refused).toMatchObject({ statusCode: 401 });
  });
});
