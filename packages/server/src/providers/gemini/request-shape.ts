import type { TokenBucket } from '@tallygate/contract/usage';
import { LIST_TERMS, type RequestShape } from '../../accounting/request-shape.ts';
import { readMember } from '../shared/read-field.ts';
import { readAsked, readObjects } from '../shared/scan-content.ts';

/** What frames a turn is shorter than the JSON that frames it here; this is for the frame of the whole. */
const TEMPLATE_TOKENS = 16;
/** 258 tokens a tile of 768 pixels (docs, "Understand and count tokens"); 4,096 pixels square are 36 tiles. */
const IMAGE_TOKENS = 10_000;
/** Passes over the context that the provider's own tools may add. */
const MAX_TOOL_TURNS = 10;
const OWN_TOOLS = [
  'googleSearch',
  'googleSearchRetrieval',
  'codeExecution',
  'urlContext',
  'fileSearch',
  'googleMaps',
];
const MAX_DEPTH = 64;

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The API takes both spellings of a name (protobuf JSON mapping). */
function member(holder: unknown, name: string): unknown {
  return readMember(holder, name) ?? readMember(holder, snake(name));
}

/** Parts that carry media, and parts that only name it. */
function countMedia(value: unknown, depth = 0): { inline: number; named: number } {
  const found = { inline: 0, named: 0 };
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return found;
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'inlineData' || name === 'inline_data') found.inline += 1;
    else if (name === 'fileData' || name === 'file_data') found.named += 1;
    else {
      const deeper = countMedia(inner, depth + 1);
      found.inline += deeper.inline;
      found.named += deeper.named;
    }
  }
  return found;
}

function toolUses(body: unknown): number {
  const own = readObjects(body, 'tools').filter((tool) =>
    OWN_TOOLS.some((name) => member(tool, name) != null),
  );
  return own.length * MAX_TOOL_TURNS;
}

/** The largest of all spellings, since only the provider knows which one it takes. */
function limitOf(body: unknown, name: string): number | null {
  const given = ['generationConfig', 'generation_config']
    .map((config) => readMember(body, config))
    .flatMap((config) => [readAsked(config, name), readAsked(config, snake(name))])
    .filter((count) => count !== null);
  return given.length === 0 ? null : Math.max(...given);
}

/** What a request of this API can come to at most. Its output limit is inside `generationConfig` and is not lowered. */
export function geminiShape(body: unknown, bodyBytes: number): RequestShape {
  const media = countMedia(body);
  const inputBuckets: TokenBucket[] = ['inputUncached'];
  if (media.inline + media.named > 0) inputBuckets.push('inputImage', 'inputAudio');
  return {
    inputTokens: bodyBytes + media.inline * IMAGE_TOKENS + TEMPLATE_TOKENS,
    reachesBeyondBody: media.named > 0 || member(body, 'cachedContent') != null,
    inputBuckets,
    outputTokens: limitOf(body, 'maxOutputTokens'),
    // Models that give images or sound do so without being asked; for others these have no rate.
    outputBuckets: ['outputVisible', 'outputReasoning', 'outputAudio', 'outputImage'],
    choices: Math.max(1, limitOf(body, 'candidateCount') ?? 1),
    toolUses: toolUses(body),
    terms: [LIST_TERMS],
    outputMember: null,
    minOutputTokens: 1,
  };
}
