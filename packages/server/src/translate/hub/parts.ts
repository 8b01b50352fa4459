/** Wire formats that are translated into one another, by what they are called and not by who invented them. */
export type FormatId = 'messages' | 'chat' | 'responses' | 'generate';

/**
 * What only the format it came from can read: a signature of thinking, an encrypted reasoning item. Other formats
 * carry it through the client sealed in a text (`opaque.ts`) and give it back unchanged.
 */
export interface Opaque {
  format: FormatId;
  data: unknown;
  /** Where it stood, for clients whose format keeps no order: characters of text and calls before it. */
  before?: { text: number; calls: number };
  /** What can be read of it, for clients that leave thoughts out of the next turn. */
  text?: string;
}

/** Asks the upstream to keep the prompt up to here; `ttl` as the client wrote it. */
export interface CacheMark {
  ttl: string | null;
}

export interface TextPart {
  type: 'text';
  text: string;
  cache?: CacheMark | null;
}

export type MediaSource =
  | { kind: 'base64'; mediaType: string; data: string }
  | { kind: 'url'; url: string; mediaType?: string | null };

export interface ImagePart {
  type: 'image';
  source: MediaSource;
  cache?: CacheMark | null;
}

export interface DocumentPart {
  type: 'document';
  source: MediaSource;
  name: string | null;
  cache?: CacheMark | null;
}

export interface AudioPart {
  type: 'audio';
  mediaType: string;
  data: string;
}

/** What the model is given to look at or to read, besides results of tools. */
export type ContentPart = TextPart | ImagePart | DocumentPart | AudioPart;

export interface ToolCallPart {
  type: 'tool-call';
  id: string;
  name: string;
  /** The arguments as JSON text; empty for none. */
  arguments: string;
  /** True for the call of a tool that takes text: the arguments hold it as `custom-tools.ts` has it. */
  custom?: boolean;
  cache?: CacheMark | null;
}

export interface ToolResultPart {
  type: 'tool-result';
  callId: string;
  parts: readonly ContentPart[];
  isError: boolean;
  cache?: CacheMark | null;
}

/**
 * Thinking that can be read, and what its own format needs to take it back. Opaque data that belongs to the part
 * after it (a signature of a call) stands in one without text.
 */
export interface ThinkingPart {
  type: 'thinking';
  text: string;
  opaque: Opaque | null;
}

export interface RefusalPart {
  type: 'refusal';
  text: string;
}

export type UserPart = ContentPart | ToolResultPart;
export type AssistantPart = ContentPart | ToolCallPart | ThinkingPart | RefusalPart;

export interface UserTurn {
  role: 'user';
  /** Instructions in the middle of a conversation; formats without a place for them have the user say them. */
  instructs?: boolean;
  parts: UserPart[];
}

export interface AssistantTurn {
  role: 'assistant';
  parts: AssistantPart[];
}

export type Turn = UserTurn | AssistantTurn;
