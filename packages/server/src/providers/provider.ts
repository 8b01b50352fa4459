import type { ErrorCode } from '@tallygate/contract/errors';
import type { RequestShape } from '../accounting/request-shape.ts';
import type { NormalizedUsage } from '../accounting/usage.ts';
import type { Secret } from '../kernel/secret.ts';

/** Wire format of a call. Which adapters speak it is declared by them; nobody asks who they are. */
export type ApiFlavor = string;

/** Shape of errors that a client of this wire format understands. */
export type Dialect = 'anthropic' | 'openai' | 'gemini' | 'tallygate';

/** What an SSE event is for the meter's caller; `null` is everything else. */
export type EventKind = 'content' | 'terminal' | null;

/**
 * Reads the usage out of one answer. The caller hands it either a whole JSON body or the SSE events that
 * contain one of `markers`, in order; it sees the bytes on the side and never changes them. One meter an answer.
 */
export interface UsageMeter {
  /**
   * Byte strings; an SSE event that contains none of them is never shown to the meter (that is what keeps
   * metering cheap). They must cover every usage-bearing, first-content, error and terminal event.
   */
  readonly markers: { usage: readonly string[]; content: readonly string[]; terminal: readonly string[] };
  /** One SSE event: its `event:` name, null when absent, and its `data:` lines joined by newline. Never throws. */
  event(name: string | null, data: string): EventKind;
  /** A complete JSON body. Never throws: what cannot be read leaves the usage unknown. */
  body(text: string): void;
  /** What is known so far; may be called at any time, also after a stream was cut. Null when nothing billable was seen. */
  usage(): NormalizedUsage | null;
  /** Model named by the answer, known even before usage is. */
  model(): string | null;
  /** An error the answer carried inside a 200 (an SSE `error` event, `response.failed`): its type, else null. */
  streamError(): string | null;
}

/** What the gate needs to know of a request body. */
export interface RequestFacts {
  model: string | null;
  stream: boolean;
  /** Session of a coding agent or end user, when the client names one. */
  sessionId: string | null;
  /**
   * What calls that share a prompt cache have in common: the session, the user, or the opening words. Null when the
   * call has none of them. It chooses an account and is never stored.
   */
  affinity: string | null;
  /** True when usage has to be asked for by adding `stream_options.include_usage` (and its extra chunk withheld). */
  injectIncludeUsage: boolean;
}

/** A member of the body that limits the output. */
export interface OutputLimit {
  member: string;
  /** What the request asks for; null when it leaves it to the model. */
  current: number | null;
  /** The member's value with another limit. */
  lowered(limit: number): unknown;
}

/** What rules may look at in a body. Reading is put off until a rule asks. */
export interface RuleView {
  /** The text of the system prompt, its parts on lines of their own; empty when there is none. */
  system(): string;
  /** The end user that the request names. */
  user(): string | null;
  /** Empty where the output cannot be limited. */
  outputLimits(): readonly OutputLimit[];
}

export interface ProviderRoute {
  method: 'GET' | 'POST' | 'HEAD';
  /** Path as the upstream knows it, such as `/v1/messages`; `{model}` in it stands for a model's name. */
  path: string;
  flavor: ApiFlavor;
  /** False for calls that cost nothing and are not rows of usage (`count_tokens`, `models`). */
  metered: boolean;
  /** Format of the calls that this one is about: what lists models or counts tokens goes where they go. */
  serves?: ApiFlavor;
  /**
   * Writes the list of models as clients of the API read it; null when a single one was asked for that is not there.
   * Present on routes that list models.
   */
  listModels?(models: readonly ListedModel[], asked: { path: string; query: URLSearchParams }): unknown;
  /** True for a path that other APIs have, too: without the dialect's header or prefix it is not this route. */
  needsDialectHeader?: boolean;
}

/** A model that a key can use. */
export interface ListedModel {
  id: string;
  /** Who serves it: a provider's id or a preset's. */
  provider: string;
  /** Since when the account that serves it is here. */
  sinceMs: number;
}

/** A request as it goes upstream, headers and query as lists and text of their own. */
export interface EnvelopeRequest {
  flavor: ApiFlavor;
  /** Path as the wire format has it, such as `/v1/messages`. */
  path: string;
  /** With the question mark; empty when there is none. */
  query: string;
  /** Flat list of name, value. */
  headers: readonly string[];
  body: Buffer | null;
  model: string | null;
  stream: boolean;
}

/** Undoes the framing of an answer. */
export interface AnswerReframer {
  /** The bytes as the wire format has them, possibly none. @throws Error when they cannot be what they should be */
  push(chunk: Buffer): Buffer;
  /** What is left when the upstream has ended. */
  end(): Buffer;
}

/** For servers that take a wire format at other paths, in another body or in frames of their own. */
export interface Envelope {
  /** @param baseQuery query of the account's base URL; @returns path and query without the base path */
  wrap(request: EnvelopeRequest, baseQuery: string): { path: string; headers: string[]; body: Buffer | null };
  /** Null when the answer is in the wire format as it comes. */
  openAnswer(answer: { status: number; contentType: string }): {
    contentType: string;
    reframer: AnswerReframer;
  } | null;
}

/** Puts a credential on a request that depends on the request: the headers with it, flat list of name, value. */
export type RequestSigner = (
  request: {
    method: string;
    path: string;
    headers: readonly string[];
    body: Buffer | null;
    origin: string;
  },
  nowMs: number,
) => string[];

export interface CompatiblePreset {
  id: string;
  name: string;
  baseUrl: string;
  credentialRequired: boolean;
  /** True for servers that normally stand on a private address (Ollama, vLLM). */
  private: boolean;
  /** Provider id in the price book; null when nothing there matches. */
  priceProvider: string | null;
  flavors: readonly ApiFlavor[];
}

/** How a provider tells what the input of a request comes to, without answering it. */
export interface InputCounting {
  /**
   * The question about a request as it would go upstream; null where it cannot be asked about this one.
   * @param path with the base path and the query of the account
   */
  request(flavor: ApiFlavor, body: unknown, path: string): { path: string; body: unknown } | null;
  /** Tokens out of the answer; null when it says none. */
  read(answer: unknown): number | null;
}

/** One folder, one adapter. */
export interface ProviderAdapter {
  readonly id: string;
  readonly name: string;
  readonly dialect: Dialect;
  /** Header that every client of the dialect sends and no other does; null when there is none. */
  readonly dialectHeader: string | null;
  /** Query parameter that clients may carry their credential in; it never goes further than the gate. */
  readonly credentialQuery: string | null;
  readonly defaultBaseUrl: string | null;
  readonly credentialRequired: boolean;
  /** Provider id in the price book for accounts without a preset of their own. */
  readonly priceProvider: string | null;
  readonly presets: readonly CompatiblePreset[];
  /** Formats that calls in another format are translated to, the best first. */
  readonly translatedTo: readonly ApiFlavor[];
  /** True where a server may know only the older names of its format (`max_tokens`). */
  readonly oldNames: boolean;
  readonly routes: readonly ProviderRoute[];
  /** Headers that carry this credential upstream, lower-case names. The client's own credentials are always removed. */
  credentialHeaders(credential: Secret | null): [name: string, value: string][];
  /** The headers (flat list of name, value) with an OAuth access token; null where accounts cannot sign in that way. */
  readonly oauthHeaders: ((headers: readonly string[], accessToken: Secret) => string[]) | null;
  /** How requests are signed with this credential, where a header does not do; null where one does. */
  signer?(credential: Secret | null): RequestSigner | null;
  /** Null for servers that speak the wire format as it is. */
  readonly envelope?: Envelope;
  /** Names of query parameters that the base URL may have. */
  readonly baseUrlQuery?: readonly string[];
  /** The adapter for accounts with this base path, where it makes a difference. */
  variantAt?(basePath: string): ProviderAdapter | null;
  /**
   * @param body the parsed JSON body, or null for calls without one
   * @param path without query, as the upstream knows it
   */
  requestFacts(
    flavor: ApiFlavor,
    body: unknown,
    headers: NodeJS.Dict<string | string[]>,
    path: string,
  ): RequestFacts;
  /**
   * The most a request can come to, read from its parsed body; asked for only where a budget wants to know.
   * @param headers as they go upstream: flat list of name, value
   */
  requestShape(flavor: ApiFlavor, body: unknown, bodyBytes: number, headers: readonly string[]): RequestShape;
  /** Asked before a request is sent, where the provider can tell what its input comes to. */
  readonly counting?: InputCounting;
  ruleView(flavor: ApiFlavor, body: unknown): RuleView;
  createMeter(flavor: ApiFlavor, variant: { priceProvider: string | null }): UsageMeter;
  /** Name of the response header that carries the provider's request id. */
  readonly requestIdHeader: string;
  /** A call that proves the credential and costs nothing. */
  readonly testCall: { method: 'GET'; path: string; originOf?(origin: string): string };
  /** Headers the test call needs besides the credential, flat list of name, value. */
  readonly testHeaders: readonly string[];
  /** Model ids out of the answer to `testCall`, at most 500. */
  readModels(body: unknown): string[];
}

/** Renders an error the way clients of the dialect expect it. */
export type ErrorRenderer = (error: {
  code: ErrorCode;
  status: number;
  message: string;
  requestId: string;
}) => {
  contentType: string;
  body: string;
};

/** A limit of the gate, as the headers of an API tell it. */
export interface LimitState {
  family: 'requests' | 'tokens' | 'input-tokens' | 'output-tokens';
  limit: number;
  left: number;
  msUntilReset: number;
}

/** The headers of one limit the way clients of the dialect read them: flat list of name, value. */
export type LimitHeaderWriter = (state: LimitState, nowMs: number) => string[];
