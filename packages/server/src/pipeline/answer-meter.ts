import { brotliDecompress, unzip, zstdDecompress } from 'node:zlib';
import type { UsageMeter } from '../providers/provider.ts';
import { SseTap } from '../providers/shared/sse-tap.ts';

/** A body larger than this is forwarded but not metered: its row says that the usage is unknown. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_DECODED_BYTES = 64 * 1024 * 1024;

type Decoder = (
  bytes: Buffer,
  options: { maxOutputLength: number },
  done: (error: Error | null, decoded: Buffer) => void,
) => void;
const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', unzip],
  ['x-gzip', unzip],
  ['deflate', unzip],
  ['br', brotliDecompress],
  ['zstd', zstdDecompress],
]);

export interface AnswerShape {
  sse: boolean;
  /** `content-encoding` of the answer, null or `identity` when plain. */
  encoding: string | null;
}

/**
 * Meters one answer on the side. Plain event streams are read as they pass; JSON bodies and encoded answers are
 * kept (by reference) and read when they are complete. What is forwarded is never changed.
 */
export class AnswerMeter {
  readonly #meter: UsageMeter;
  readonly #tap: SseTap | null;
  readonly #shape: AnswerShape;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(meter: UsageMeter, shape: AnswerShape) {
    this.#meter = meter;
    this.#shape = shape.encoding === 'identity' ? { ...shape, encoding: null } : shape;
    this.#tap = shape.sse ? new SseTap(meter) : null;
  }

  /** True when the answer is a stream of events. */
  get sse(): boolean {
    return this.#tap !== null;
  }

  /** @returns `TAP_CONTENT` and `TAP_TERMINAL` bits; always 0 for what can only be read when complete */
  push(chunk: Buffer): number {
    if (this.#tap !== null && this.#shape.encoding === null) return this.#tap.push(chunk);
    this.#keptBytes += chunk.length;
    if (this.#keptBytes <= MAX_BODY_BYTES) this.#kept.push(chunk);
    else this.#kept = [];
    return 0;
  }

  /** Reads what was kept; `done` may be called synchronously. Never fails: what cannot be read stays unknown. */
  finish(done: () => void): void {
    if (this.#keptBytes === 0 || this.#keptBytes > MAX_BODY_BYTES) return done();
    const first = this.#kept[0];
    const bytes = this.#kept.length === 1 && first ? first : Buffer.concat(this.#kept, this.#keptBytes);
    this.#kept = [];
    this.#keptBytes = 0;
    if (this.#shape.encoding === null) {
      this.#read(bytes);
      return done();
    }
    const decode = DECODERS.get(this.#shape.encoding);
    if (!decode) return done();
    decode(bytes, { maxOutputLength: MAX_DECODED_BYTES }, (error, decoded) => {
      if (!error) this.#read(decoded);
      done();
    });
  }

  #read(bytes: Buffer): void {
    if (this.#tap) this.#tap.push(bytes);
    else this.#meter.body(bytes.toString('utf8'));
  }
}
