import type { NormalizedUsage } from '../../accounting/usage.ts';
import type { EventKind, UsageMeter } from '../provider.ts';
import { readString } from '../shared/read-field.ts';
import { isObject, type JsonObject, objectAt } from '../shared/usage-fields.ts';
import { normaliseGeminiUsage } from './usage.ts';

const MARKERS: UsageMeter['markers'] = {
  // Every event of this API carries its usage so far, so every event is looked at.
  usage: ['usageMetadata', 'finishReason', '"error"'],
  content: ['"parts"'],
  // The event with the reason to finish need not be the last one with usage: only the end of the stream is the end.
  terminal: [],
};

/** The `status` of an error (`UNAVAILABLE`), which says more than its number. */
function errorOf(answer: JsonObject): string | null {
  const { error } = answer;
  if (error === undefined || error === null) return null;
  return readString(error, 'status') ?? 'error';
}

function hasContent(answer: JsonObject): boolean {
  const { candidates } = answer;
  if (!Array.isArray(candidates)) return false;
  return candidates.some((candidate: unknown) => {
    const parts = objectAt(candidate, 'content')?.parts;
    return Array.isArray(parts) && parts.some((part: unknown) => isObject(part) && part.text !== '');
  });
}

/** Finished with every candidate, or refused before there were any. */
function isFinished(answer: JsonObject): boolean {
  if (readString(objectAt(answer, 'promptFeedback'), 'blockReason') !== null) return true;
  const { candidates } = answer;
  if (!Array.isArray(candidates) || candidates.length === 0) return false;
  return candidates.every((candidate: unknown) => readString(candidate, 'finishReason') !== null);
}

class GeminiMeter implements UsageMeter {
  readonly markers = MARKERS;
  #usage: unknown = null;
  #model: string | null = null;
  #error: string | null = null;
  #finished = false;

  event(_name: string | null, data: string): EventKind {
    const answer = parse(data);
    if (!isObject(answer)) return null;
    this.#take(answer);
    return hasContent(answer) ? 'content' : null;
  }

  /** A plain answer, or the list of answers that a stream without `alt=sse` is. */
  body(text: string): void {
    const answer = parse(text);
    if (Array.isArray(answer)) {
      for (const part of answer as unknown[]) if (isObject(part)) this.#take(part);
      return;
    }
    if (!isObject(answer)) return;
    this.#take(answer);
    this.#finished = true;
  }

  usage(): NormalizedUsage | null {
    return normaliseGeminiUsage(this.#usage, this.#model, this.#finished);
  }

  model(): string | null {
    return this.#model;
  }

  streamError(): string | null {
    return this.#error;
  }

  /** Counts are cumulative: the last ones hold, nothing is added. */
  #take(answer: JsonObject): void {
    this.#usage = answer.usageMetadata ?? this.#usage;
    this.#model = readString(answer, 'modelVersion') ?? this.#model;
    this.#error ??= errorOf(answer);
    this.#finished ||= isFinished(answer);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A meter for one answer of the Gemini API: whole, as events, or as a list. */
export function createGeminiMeter(): UsageMeter {
  return new GeminiMeter();
}
