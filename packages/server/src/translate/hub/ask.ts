import type { Grammar } from './custom-tools.ts';
import type { CacheMark, TextPart, Turn } from './parts.ts';

export interface Tool {
  name: string;
  description: string | null;
  /** JSON Schema of the arguments. */
  schema: unknown;
  strict: boolean | null;
  cache: CacheMark | null;
  /** Of a tool that takes text instead of arguments, under the schema of `custom-tools.ts`; null for all others. */
  custom: { grammar: Grammar | null } | null;
}

export type ToolChoice = { kind: 'auto' | 'none' | 'any' } | { kind: 'tool'; name: string };

export interface Toolbox {
  tools: readonly Tool[];
  choice: ToolChoice | null;
  /** Whether several calls may come at once; null leaves it to the model. */
  parallel: boolean | null;
}

export interface Sampling {
  maxOutputTokens: number | null;
  temperature: number | null;
  topP: number | null;
  topK: number | null;
  stop: readonly string[];
  seed: number | null;
  presencePenalty: number | null;
  frequencyPenalty: number | null;
}

export type OutputShape =
  | { kind: 'json' }
  | { kind: 'schema'; name: string; description: string | null; schema: unknown; strict: boolean | null };

/** How much to think. Formats say it as a level, as a number of tokens, or as both. */
export interface Reasoning {
  /** `off` for none. */
  effort: string | null;
  budgetTokens: number | null;
  /** Whether the client wants to read it; null when it did not say. */
  visible: boolean | null;
}

export interface Conversation {
  system: readonly TextPart[];
  turns: readonly Turn[];
}

/** A request, each feature by itself: a translator is one small function a feature and format. */
export interface Ask {
  model: string;
  stream: boolean;
  conversation: Conversation;
  toolbox: Toolbox;
  sampling: Sampling;
  output: OutputShape | null;
  reasoning: Reasoning | null;
  /** Who the request is for, as the client named them. */
  endUser: string | null;
}

export const NO_SAMPLING: Sampling = {
  maxOutputTokens: null,
  temperature: null,
  topP: null,
  topK: null,
  stop: [],
  seed: null,
  presencePenalty: null,
  frequencyPenalty: null,
};
