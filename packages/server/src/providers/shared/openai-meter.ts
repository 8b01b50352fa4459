import type { NormalizedUsage } from '../../accounting/usage.ts';
import type { ApiFlavor, EventKind, UsageMeter } from '../provider.ts';
import { countWebSearches, normaliseOpenaiUsage, type OpenaiShape, usageOf } from './openai-usage.ts';
import { readString } from './read-field.ts';
import { errorTypeOf, isObject, type JsonObject, objectAt, parseObject } from './usage-fields.ts';

const NO_MARKERS: UsageMeter['markers'] = { usage: [], content: [], terminal: [] };

const CHAT_MARKERS: UsageMeter['markers'] = {
  // Matches `prompt_tokens`, `completion_tokens` and `total_tokens`, however the JSON is spaced, and never the
  // `"usage":null` of every other chunk. Text of the model cannot contain it: its quotes are escaped.
  usage: ['_tokens"', '"error"'],
  content: ['"delta"'],
  terminal: ['[DONE]'],
};

const RESPONSES_MARKERS: UsageMeter['markers'] = {
  usage: ['response.created', '"error"'],
  content: ['.delta"'],
  terminal: ['response.completed', 'response.incomplete', 'response.failed'],
};

/** What all three wire formats keep of an answer. */
abstract class OpenaiMeter implements UsageMeter {
  abstract readonly markers: UsageMeter['markers'];
  protected readonly shape: OpenaiShape;
  protected complete = false;
  protected lastUsage: unknown = null;
  protected webSearches: number | null = null;
  readonly #priceProvider: string | null;
  #model: string | null = null;
  #serviceTier: string | null = null;
  #error: string | null = null;

  constructor(shape: OpenaiShape, priceProvider: string | null) {
    this.shape = shape;
    this.#priceProvider = priceProvider;
  }

  abstract event(name: string | null, data: string): EventKind;
  abstract body(text: string): void;

  usage(): NormalizedUsage | null {
    return normaliseOpenaiUsage({
      shape: this.shape,
      priceProvider: this.#priceProvider,
      usage: this.lastUsage,
      model: this.#model,
      serviceTier: this.#serviceTier,
      webSearches: this.webSearches,
      complete: this.complete,
    });
  }

  model(): string | null {
    return this.#model;
  }

  streamError(): string | null {
    return this.#error;
  }

  /** Takes model, tier and error from a chunk or a body; the last one named holds. */
  protected note(answer: JsonObject): void {
    this.#model = readString(answer, 'model') ?? this.#model;
    const tier = readString(answer, 'service_tier') ?? readString(usageOf(answer), 'service_tier');
    this.#serviceTier = tier ?? this.#serviceTier;
    this.#error ??= errorTypeOf(answer.error);
  }
}

const CHAT_CONTENT = [
  'content',
  'reasoning_content',
  'reasoning',
  'refusal',
  'tool_calls',
  'function_call',
  'audio',
];

/** Whether a delta carries something for the reader; the opening `{ role, content: "" }` does not. */
function hasContent(chunk: JsonObject): boolean {
  if (!Array.isArray(chunk.choices)) return false;
  return chunk.choices.some((choice: unknown) => {
    const delta = objectAt(choice, 'delta');
    return delta !== null && CHAT_CONTENT.some((key) => isPresent(delta[key]));
  });
}

function isPresent(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return !Array.isArray(value) || value.length > 0;
}

function isFinished(chunk: JsonObject): boolean {
  const { choices } = chunk;
  if (!Array.isArray(choices)) return true;
  return choices.every((choice: unknown) => readString(choice, 'finish_reason') !== null);
}

class ChatMeter extends OpenaiMeter {
  readonly markers = CHAT_MARKERS;

  event(_name: string | null, data: string): EventKind {
    if (data === '[DONE]') {
      this.complete = this.lastUsage !== null;
      return 'terminal';
    }
    const chunk = parseObject(data);
    if (!chunk) return null;
    this.note(chunk);
    const usage = usageOf(chunk);
    if (isObject(usage)) {
      // Cumulative where it comes more than once (vLLM): the last one holds, nothing is added.
      this.lastUsage = usage;
      this.complete ||= isFinished(chunk);
    }
    return hasContent(chunk) ? 'content' : null;
  }

  body(text: string): void {
    const answer = parseObject(text);
    if (!answer) return;
    this.note(answer);
    this.lastUsage = usageOf(answer);
    this.complete = true;
  }
}

const TERMINAL_RESPONSES: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
]);

class ResponsesMeter extends OpenaiMeter {
  readonly markers = RESPONSES_MARKERS;

  event(name: string | null, data: string): EventKind {
    if (name?.endsWith('.delta')) return 'content';
    const event = parseObject(data);
    const type = readString(event, 'type') ?? name;
    if (!event || type === null) return null;
    if (type.endsWith('.delta')) return 'content';
    if (type === 'error') {
      this.note({
        error: isObject(event.error) ? event.error : { type: readString(event, 'code') ?? 'error' },
      });
      return null;
    }
    const response = objectAt(event, 'response');
    if (!response) return null;
    if (!TERMINAL_RESPONSES.has(type)) {
      this.note({ ...response, error: null });
      return null;
    }
    this.#take(response);
    if (type === 'response.failed') this.note({ error: response.error ?? {} });
    return 'terminal';
  }

  body(text: string): void {
    const response = parseObject(text);
    if (response) this.#take(response);
  }

  #take(response: JsonObject): void {
    this.note(response);
    this.lastUsage = response.usage ?? null;
    this.webSearches = countWebSearches(response);
    this.complete = true;
  }
}

class EmbeddingsMeter extends OpenaiMeter {
  readonly markers = NO_MARKERS;

  event(): EventKind {
    return null;
  }

  body(text: string): void {
    const answer = parseObject(text);
    if (!answer) return;
    this.note(answer);
    this.lastUsage = answer.usage ?? null;
    this.complete = true;
  }
}

/** Meters nothing: for calls that are not billed. */
class UnmeteredMeter implements UsageMeter {
  readonly markers = NO_MARKERS;
  event(): EventKind {
    return null;
  }
  body(): void {}
  usage(): null {
    return null;
  }
  model(): null {
    return null;
  }
  streamError(): null {
    return null;
  }
}

/**
 * A meter for one answer in an OpenAI wire format. Flavors other than `openai.chat`, `openai.responses` and
 * `openai.embeddings` are not billed, and their meter sees nothing.
 */
export function createOpenaiMeter(flavor: ApiFlavor, variant: { priceProvider: string | null }): UsageMeter {
  switch (flavor) {
    case 'openai.chat':
      return new ChatMeter('chat', variant.priceProvider);
    case 'openai.responses':
      return new ResponsesMeter('responses', variant.priceProvider);
    case 'openai.embeddings':
      return new EmbeddingsMeter('embeddings', variant.priceProvider);
    default:
      return new UnmeteredMeter();
  }
}
