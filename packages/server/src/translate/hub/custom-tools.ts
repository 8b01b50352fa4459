import type { Tool } from './ask.ts';
import { argumentsObject, type JsonObject, stringAt } from './json.ts';
import type { Losses } from './losses.ts';

/** What the text of a custom tool has to be like. */
export interface Grammar {
  syntax: string;
  definition: string;
}

/** A tool that takes text. Where a format has none, the text travels as the one argument of a function. */
export const TEXT_SCHEMA = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };

/** Arguments of a custom tool's call, out of its text. */
export const customArguments = (input: string): string => JSON.stringify({ input });

/** Text of a custom tool's call, out of its arguments. */
export function customInput(json: string): string {
  return stringAt(argumentsObject(json), 'input') ?? json;
}

/** The same in pieces: what stands before the text, a piece of it, and what stands after. */
export const CUSTOM_OPEN = '{"input":"';
export const CUSTOM_CLOSE = '"}';
export const customPiece = (text: string): string => JSON.stringify(text).slice(1, -1);

export function readGrammar(format: JsonObject): Grammar | null {
  const [syntax, definition] = [stringAt(format, 'syntax'), stringAt(format, 'definition')];
  return syntax === null || definition === null ? null : { syntax, definition };
}

/**
 * What a tool is for, where it travels as a function. Nothing there enforces the grammar of a custom tool, so the model is
 * told it in words; that it is not enforced is named.
 */
export function functionDescription({ description, custom }: Tool, losses: Losses): string | null {
  if (custom === null || custom.grammar === null) return description;
  losses.hint('tools[].format');
  const { syntax, definition } = custom.grammar;
  const rule = `"input" has to follow this grammar (${syntax}):\n${definition}`;
  return description === null ? rule : `${description}\n\n${rule}`;
}
