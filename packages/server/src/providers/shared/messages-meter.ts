import type { NormalizedUsage } from '../../accounting/usage.ts';
import type { EventKind, UsageMeter } from '../provider.ts';
import { normaliseMessagesUsage } from './messages-usage.ts';
import { readString } from './read-field.ts';
import { errorTypeOf, isObject, type JsonObject, objectAt, parseObject } from './usage-fields.ts';

const MARKERS: UsageMeter['markers'] = {
  usage: ['"usage"', '"error"'],
  content: ['content_block_delta'],
  terminal: ['message_stop'],
};

/** A usage has a dozen fields; a stream may not make us keep ever more of them. */
const MAX_USAGE_FIELDS = 64;

/**
 * Lays a later usage over an earlier one, field by field: counts are cumulative and are never added, null says
 * nothing, 0 is a value.
 */
function overlay(earlier: JsonObject, later: JsonObject): JsonObject {
  const merged = new Map(Object.entries(earlier));
  for (const [key, value] of Object.entries(later)) {
    if (value === null || (merged.size >= MAX_USAGE_FIELDS && !merged.has(key))) continue;
    const before = merged.get(key);
    merged.set(key, isObject(before) && isObject(value) ? overlay(before, value) : value);
  }
  return Object.fromEntries(merged);
}

/** True when laying it over nothing would give the same again. */
function isPlain(usage: JsonObject): boolean {
  const values = Object.values(usage);
  return values.length <= MAX_USAGE_FIELDS && !values.includes(null);
}

class MessagesMeter implements UsageMeter {
  readonly markers = MARKERS;
  #usage: JsonObject | null = null;
  /** A usage that is no object: nothing can be laid over it. */
  #oddUsage: unknown = null;
  #model: string | null = null;
  #error: string | null = null;
  /** The final usage came. */
  #final = false;
  #deltaUsage = false;

  event(name: string | null, data: string): EventKind {
    if (name === 'content_block_delta') return 'content';
    const event = parseObject(data);
    const type = readString(event, 'type') ?? name;
    if (!event) return null;
    switch (type) {
      case 'content_block_delta':
        return 'content';
      case 'message_start':
        this.#start(event);
        return null;
      case 'message_delta':
        this.#delta(event);
        return null;
      case 'message_stop':
        this.#final ||= this.#deltaUsage;
        return 'terminal';
      case 'error':
        this.#error ??= errorTypeOf(event.error ?? {});
        return null;
      default:
        return null;
    }
  }

  body(text: string): void {
    const message = parseObject(text);
    if (!message) return;
    this.#model = readString(message, 'model') ?? this.#model;
    this.#error ??= errorTypeOf(message.error);
    this.#lay(message.usage);
    this.#final = true;
  }

  usage(): NormalizedUsage | null {
    return normaliseMessagesUsage({
      usage: this.#usage ?? this.#oddUsage,
      model: this.#model,
      serviceTier: null,
      complete: this.#final,
    });
  }

  model(): string | null {
    return this.#model;
  }

  streamError(): string | null {
    return this.#error;
  }

  #start(event: JsonObject): void {
    const message = objectAt(event, 'message');
    if (!message) return;
    this.#model = readString(message, 'model') ?? this.#model;
    this.#lay(message.usage);
  }

  #delta(event: JsonObject): void {
    const delta = objectAt(event, 'delta');
    // A fallback may change the model while the answer is on its way.
    this.#model = readString(delta, 'model') ?? this.#model;
    if (!isObject(event.usage)) return;
    this.#lay(event.usage);
    this.#deltaUsage = true;
    if (readString(delta, 'stop_reason') !== null) this.#final = true;
  }

  #lay(usage: unknown): void {
    if (!isObject(usage)) this.#oddUsage ??= usage ?? null;
    else if (this.#usage === null && isPlain(usage)) this.#usage = usage;
    else this.#usage = overlay(this.#usage ?? {}, usage);
  }
}

/** A meter for one answer of the Messages API, streamed or not. */
export function createMessagesMeter(): UsageMeter {
  return new MessagesMeter();
}
