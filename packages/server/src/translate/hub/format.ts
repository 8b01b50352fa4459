import type { AnswerError, AnswerEvent } from './answer.ts';
import type { Ask } from './ask.ts';
import type { JsonDraft, JsonObject } from './json.ts';
import type { Losses } from './losses.ts';
import type { FormatId } from './parts.ts';

/** What a writer must know of the upstream. */
export interface UpstreamTraits {
  /** The server may know only the older names of the format. */
  oldNames: boolean;
  /** Output limit for a format that demands one, when the client named none. */
  defaultMaxOutputTokens: number;
}

/** What a writer of answers must know of the request. */
export interface AnswerContext {
  /** Id for an answer that has none. */
  requestId: string;
  model: string;
  startedAtSeconds: number;
  /** What the input is thought to come to, for formats that say so before the upstream has. */
  estimatedInputTokens: number;
  /** The client's own request, of which some formats repeat a part. */
  request: JsonObject;
  /** Whether the client reads a list of events, or (Gemini without `alt=sse`) one JSON array. */
  events: boolean;
}

export interface StreamReader {
  /** One event: its name and data. Never throws. */
  read(name: string | null, data: string): AnswerEvent[];
  /** The bytes ended. A stream that broke off says so in an error. */
  end(): AnswerEvent[];
}

export interface StreamWriter {
  /** The bytes that the client gets for it, as text. */
  write(event: AnswerEvent): string;
}

/** One wire format, both ways. Two of them make a translator. */
export interface Format {
  readonly id: FormatId;
  /** @throws UnreadableRequest */
  readRequest(body: JsonObject, target: { model: string; stream: boolean }, losses: Losses): Ask;
  writeRequest(ask: Ask, traits: UpstreamTraits, losses: Losses): JsonDraft;
  /** Path and query that the request goes to. */
  pathOf(ask: Pick<Ask, 'model' | 'stream'>): string;
  readAnswer(body: unknown): AnswerEvent[];
  writeAnswer(events: readonly AnswerEvent[], context: AnswerContext): JsonDraft;
  createReader(): StreamReader;
  createWriter(context: AnswerContext): StreamWriter;
  /** How tokens are counted without an answer; null where the API has no call for that. */
  readonly count: {
    /** The request that is to be counted, out of the body of the call. */
    read(body: JsonObject): JsonObject;
    write(tokens: number): JsonDraft;
  } | null;
  /** What an error body says, when it is one. */
  readError(body: unknown): string | null;
  writeError(error: AnswerError, requestId: string): JsonDraft;
}
