import { describe, expect, it } from 'vitest';
import { geminiAdapter } from './adapter.ts';
import { geminiCounting } from './counting.ts';

const body = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], systemInstruction: { parts: [] } };
const ask = (path: string, change: object = {}, flavor = 'gemini.generate') =>
  geminiCounting.request(flavor, { ...body, ...change }, path);

describe('what the Gemini API counts (X-02)', () => {
  it.each([
    ['/v1beta/models/gemini-2.5-pro:generateContent', '/v1beta/models/gemini-2.5-pro:countTokens'],
    ['/v1/models/gemini-2.5-pro:streamGenerateContent?alt=sse', '/v1/models/gemini-2.5-pro:countTokens'],
    ['/base/v1beta/models/g:streamGenerateContent?a=1&alt=sse', '/base/v1beta/models/g:countTokens?a=1'],
  ])('%s is asked about at %s', (path, counted) => {
    expect(ask(path)?.path).toBe(counted);
  });

  it('the whole request is asked about, with the model that the path names', () => {
    expect(ask('/v1beta/models/gemini-2.5-pro:generateContent')?.body).toEqual({
      generateContentRequest: { ...body, model: 'models/gemini-2.5-pro' },
    });
  });

  it('what is not in the request, and other calls, are not asked about', () => {
    const path = '/v1beta/models/g:generateContent';
    expect(ask(path, { cachedContent: 'cachedContents/1' })).toBeNull();
    expect(ask(path, {}, 'gemini.embed')).toBeNull();
    expect(ask('/v1beta/models/g:embedContent')).toBeNull();
    expect(geminiCounting.request('gemini.generate', 'text', path)).toBeNull();
  });

  it('reads the number, and nothing else', () => {
    const read = (answer: unknown) => geminiCounting.read(answer);
    expect([
      read({ totalTokens: 31 }),
      read({ totalTokens: -1 }),
      read({ totalTokens: '31' }),
      read(null),
    ]).toEqual([31, null, null, null]);
  });

  it('on Vertex AI nobody is asked: its count has another form', () => {
    expect(geminiAdapter.counting).toBe(geminiCounting);
    const path = '/v1/projects/p/locations/l/publishers/google';
    expect(geminiAdapter.variantAt?.(path)?.counting).toBeUndefined();
    expect(geminiAdapter.variantAt?.(path)).not.toBeNull();
  });
});
