import { ApiError, GoogleGenAI } from '@google/genai';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { geminiApi } from '@tallygate/testkit/fake-upstream/gemini';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let upstream: FakeUpstream;
let gate: Gate;
let client: GoogleGenAI;
beforeAll(async () => {
  upstream = await startFakeUpstream(geminiApi());
  gate = await startGate({ accounts: [{ provider: 'gemini', baseUrl: upstream.url }] });
  client = new GoogleGenAI({ apiKey: gate.key, httpOptions: { baseUrl: gate.url } });
});
afterAll(async () => {
  await gate?.stop();
  await upstream?.stop();
});

const MODEL = 'gemini-2.5-flash';
const TEXT = 'Grüße, 世界! 🚀 from the fake';

describe('the official Google GenAI SDK with only its base URL changed (X-04)', () => {
  it('generates', async () => {
    const answer = await client.models.generateContent({ model: MODEL, contents: 'Hello' });
    expect(answer.text).toBe(TEXT);
    expect(answer.usageMetadata?.totalTokenCount).toBe(1450);
    const [row] = await gate.untilRows(1);
    expect(row).toMatchObject({ status: 'ok', modelRequested: MODEL, priceStatus: 'priced' });
  });

  it('streams', async () => {
    let text = '';
    let pieces = 0;
    for await (const chunk of await client.models.generateContentStream({ model: MODEL, contents: 'Hi' })) {
      text += chunk.text ?? '';
      pieces += 1;
    }
    expect(text).toBe(TEXT);
    expect(pieces).toBeGreaterThan(2);
  });

  it('calls functions', async () => {
    upstream.respondOnce(geminiApi({ functionCall: { name: 'weather', args: { city: 'Zürich' } } }));
    const answer = await client.models.generateContent({ model: MODEL, contents: 'Weather?' });
    expect(answer.functionCalls).toMatchObject([{ name: 'weather', args: { city: 'Zürich' } }]);
  });

  it('counts, embeds and lists', async () => {
    expect((await client.models.countTokens({ model: MODEL, contents: 'Hi' })).totalTokens).toBe(31);
    const embedded = await client.models.embedContent({
      model: 'gemini-embedding-001',
      contents: ['a', 'b'],
    });
    expect(embedded.embeddings).toHaveLength(2);
    const names: (string | undefined)[] = [];
    for await (const model of await client.models.list()) names.push(model.name);
    expect(names).toContain('models/gemini-2.5-flash');
    expect((await client.models.get({ model: MODEL })).name).toBe('models/gemini-2.5-flash');
  });

  it('raises its own error for a key that is not ours', async () => {
    const stranger = new GoogleGenAI({ apiKey: 'AIza-unknown', httpOptions: { baseUrl: gate.url } });
    const error = await stranger.models
      .generateContent({ model: MODEL, contents: 'Hi' })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).status).toBe(401);
  });
});
