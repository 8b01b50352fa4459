import { CarryBuffer } from './carry-buffer.ts';
import { eventEnd, parseEvent } from './sse-split.ts';

/** A partial event larger than this is let through: the chunk to withhold is small. */
const MAX_HELD_BYTES = 256 * 1024;
const USAGE = Buffer.from('"usage"');
const NO_CHOICES = /"choices"\s*:\s*\[\s*\]/;
const LF = 0x0a;

/** True for the extra chunk that OpenAI sends when usage was asked for: no choices, only usage. */
function isUsageChunk(event: Buffer): boolean {
  if (!event.includes(USAGE)) return false;
  try {
    const chunk: unknown = JSON.parse(parseEvent(event.toString('utf8')).data);
    if (typeof chunk !== 'object' || chunk === null) return false;
    const { choices, usage } = chunk as { choices?: unknown; usage?: unknown };
    return Array.isArray(choices) && choices.length === 0 && typeof usage === 'object' && usage !== null;
  } catch {
    return false;
  }
}

/**
 * Takes the usage chunk out of a stream whose client did not ask for it, because the gate did on its behalf.
 * Every other byte passes unchanged and in order; only the bytes of an incomplete event wait for the rest.
 */
export class UsageChunkFilter {
  readonly whole = false;
  readonly #carry = new CarryBuffer();
  #open = false;

  /** @returns the bytes to forward now, possibly none */
  push(chunk: Buffer): Buffer {
    if (this.#open || this.#passesWhole(chunk)) return chunk;
    this.#carry.append(chunk);
    const bytes = this.#carry.view();
    const kept: Buffer[] = [];
    let start = 0;
    for (let end = eventEnd(bytes, 0); end !== -1; end = eventEnd(bytes, start)) {
      const event = bytes.subarray(start, end);
      if (!isUsageChunk(event)) kept.push(event);
      start = end;
    }
    const rest = bytes.subarray(start);
    if (rest.length > MAX_HELD_BYTES) {
      this.#open = true;
      kept.push(rest);
      return Buffer.concat(kept);
    }
    const forward = Buffer.concat(kept); // copies: the carry is reused
    const remainder = Buffer.from(rest);
    this.#carry.reset();
    this.#carry.append(remainder);
    return forward;
  }

  /** The usual chunk: whole events, none of them without choices. It is forwarded as it is, without a copy. */
  #passesWhole(chunk: Buffer): boolean {
    const last = chunk.length - 1;
    if (this.#carry.length > 0 || chunk[last] !== LF || chunk[last - 1] !== LF) return false;
    return !NO_CHOICES.test(chunk.toString('latin1'));
  }

  /** What was held when the stream ended inside an event. */
  end(): Buffer {
    const rest = Buffer.from(this.#carry.view());
    this.#carry.reset();
    return this.#open ? Buffer.alloc(0) : rest;
  }

  received(): readonly Buffer[] {
    return [];
  }

  losses(): readonly string[] {
    return [];
  }
}
