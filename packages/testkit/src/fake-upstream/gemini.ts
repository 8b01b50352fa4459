import { type HeaderList, jsonAnswer, type Responder, sseAnswer } from './exchange.ts';

/** 1,000 in (400 cached), 50 for tools, 300 thought, 100 said. */
export const FULL_GEMINI_USAGE = {
  promptTokenCount: 1000,
  cachedContentTokenCount: 400,
  candidatesTokenCount: 100,
  thoughtsTokenCount: 300,
  toolUsePromptTokenCount: 50,
  totalTokenCount: 1450,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 1000 }],
  cacheTokensDetails: [{ modality: 'TEXT', tokenCount: 400 }],
  toolUsePromptTokensDetails: [{ modality: 'TEXT', tokenCount: 50 }],
};

export const GEMINI_HEADERS: HeaderList = [
  ['Server-Timing', 'gfet4t7; dur=321'],
  ['X-Gemini-Service-Tier', 'standard'],
];

export interface GeminiScript {
  model?: string;
  text?: string;
  functionCall?: { name: string; args: Record<string, unknown> };
  usage?: Record<string, unknown>;
}

const TEXT = 'Grüße, 世界! 🚀 from the fake';

function partsOf(script: GeminiScript): Record<string, unknown>[] {
  const text = { text: script.text ?? TEXT };
  return script.functionCall ? [text, { functionCall: script.functionCall }] : [text];
}

/** The body of a `generateContent` answer. */
export function geminiAnswer(script: GeminiScript = {}): Record<string, unknown> {
  return {
    candidates: [{ content: { parts: partsOf(script), role: 'model' }, finishReason: 'STOP', index: 0 }],
    usageMetadata: script.usage ?? FULL_GEMINI_USAGE,
    modelVersion: script.model ?? 'gemini-2.5-flash',
    responseId: 'r-test',
  };
}

/** The same answer in pieces: counts grow, the last piece has the final ones and the reason to finish. */
export function geminiChunks(script: GeminiScript = {}): Record<string, unknown>[] {
  const words = (script.text ?? TEXT).match(/\S+\s*/g) ?? [];
  const base = { modelVersion: script.model ?? 'gemini-2.5-flash', responseId: 'r-test' };
  const usage = (script.usage ?? FULL_GEMINI_USAGE) as Record<string, unknown>;
  const chunks = words.map((text, index) => ({
    candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0 }],
    usageMetadata: { promptTokenCount: usage.promptTokenCount, candidatesTokenCount: index + 1 },
    ...base,
  }));
  const last = script.functionCall ? [{ functionCall: script.functionCall }] : [{ text: '' }];
  return [
    ...chunks,
    {
      candidates: [{ content: { parts: last, role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: usage,
      ...base,
    },
  ];
}

/** One event as this API sends it: CRLF and no name. */
export function geminiEvent(data: Record<string, unknown>): string {
  return `data: ${JSON.stringify(data)}\r\n\r\n`;
}

/** What a stream without `alt=sse` is: one JSON array that grows. */
export function geminiArray(script: GeminiScript = {}): string {
  return `[${geminiChunks(script)
    .map((chunk) => JSON.stringify(chunk, null, 2))
    .join('\n,\n')}\n]\n`;
}

/** An error body of this API. */
export function geminiError(code: number, status: string, message: string): Record<string, unknown> {
  return { error: { code, message, status } };
}

export const GEMINI_MODELS = {
  models: [
    {
      name: 'models/gemini-2.5-flash',
      displayName: 'Gemini 2.5 Flash',
      supportedGenerationMethods: ['generateContent'],
    },
    { name: 'models/gemini-embedding-001', displayName: 'Gemini Embedding' },
  ],
};
export const GEMINI_EMBEDDING = { embeddings: [{ values: [0.25, -0.5] }, { values: [1, 0] }] };

/** Behaves like the API: generate (as asked), count, embed, models; 404 for the rest. */
export function geminiApi(script: GeminiScript = {}): Responder {
  return (exchange) => {
    const { path, target } = exchange.request;
    const json = (body: unknown, status = 200) =>
      jsonAnswer(body, { status, headers: GEMINI_HEADERS })(exchange);
    if (/\/models$/.test(path)) return json(GEMINI_MODELS);
    const [, model = '', action] = /^\/v1(?:beta)?\/models\/([^:]+)(?::(\w+))?$/.exec(path) ?? [];
    const filled = { model, ...script };
    switch (action) {
      case 'generateContent':
        return json(geminiAnswer(filled));
      case 'streamGenerateContent':
        return target.includes('alt=sse')
          ? sseAnswer(geminiChunks(filled).map(geminiEvent), { headers: GEMINI_HEADERS })(exchange)
          : json(geminiArray(filled));
      case 'countTokens':
        return json({ totalTokens: 31 });
      case 'embedContent':
        return json({ embedding: GEMINI_EMBEDDING.embeddings[0] });
      case 'batchEmbedContents':
        return json(GEMINI_EMBEDDING);
      case undefined:
        if (model !== '') return json(GEMINI_MODELS.models[0]);
        break;
    }
    return json(geminiError(404, 'NOT_FOUND', 'nothing here'), 404);
  };
}
