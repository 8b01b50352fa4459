import { describe, expect, it } from 'vitest';
import { geminiShape } from './request-shape.ts';

const bytes = (body: unknown): number => Buffer.byteLength(JSON.stringify(body));
const shapeOf = (body: unknown) => geminiShape(body, bytes(body));

describe('geminiShape (X-02)', () => {
  it('counts text by its bytes and takes the limits of either spelling', () => {
    const body = {
      contents: [{ parts: [{ text: 'Hello' }] }],
      generationConfig: { maxOutputTokens: 100, candidateCount: 3 },
    };
    expect(shapeOf(body)).toMatchObject({
      outputTokens: 100,
      choices: 3,
      reachesBeyondBody: false,
      toolUses: 0,
      inputBuckets: ['inputUncached'],
    });
    expect(shapeOf(body).inputTokens).toBeGreaterThanOrEqual(bytes(body));
    const snake = { contents: [], generation_config: { max_output_tokens: 7, maxOutputTokens: 5 } };
    expect(shapeOf(snake).outputTokens).toBe(7);
    expect(shapeOf({ contents: [] }).outputTokens).toBeNull();
    const both = { generationConfig: {}, generation_config: { max_output_tokens: '70', candidate_count: 8 } };
    expect(shapeOf(both)).toMatchObject({ outputTokens: 70, choices: 8 });
  });

  it('reckons with answers in images and sound, which models give without being asked', () => {
    expect(shapeOf({ contents: [] }).outputBuckets).toEqual(
      expect.arrayContaining(['outputVisible', 'outputReasoning', 'outputImage', 'outputAudio']),
    );
  });

  it('expects a lot of an image, and of what is only named', () => {
    const image = { contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }] };
    expect(shapeOf(image).inputTokens).toBeGreaterThan(10_000);
    expect(shapeOf(image).inputBuckets).toContain('inputImage');
    const nested = { contents: [{ parts: [{ function_response: { parts: [{ inline_data: {} }] } }] }] };
    expect(shapeOf(nested).inputTokens).toBeGreaterThan(10_000);
    expect(shapeOf({ contents: [{ parts: [{ fileData: { fileUri: 'x' } }] }] }).reachesBeyondBody).toBe(true);
    expect(shapeOf({ contents: [], cachedContent: 'cachedContents/1' }).reachesBeyondBody).toBe(true);
    expect(
      shapeOf({ contents: [], tools: [{ googleSearch: {} }, { functionDeclarations: [] }] }).toolUses,
    ).toBe(10);
  });
});
