import { isObject } from '../../providers/shared/usage-fields.ts';
import type { AnswerUsage } from './answer.ts';
import type { OutputShape, Tool, Toolbox, ToolChoice } from './ask.ts';
import { booleanOf, countOf, type JsonObject, stringAt } from './json.ts';
import type { Losses } from './losses.ts';

/** What two formats of one family say in the same words. */

/** `auto`, `none`, `required`, or a certain tool, whose name stands where the format has it. */
export function readChoice(
  choice: unknown,
  nameOf: (choice: JsonObject) => string | null,
  losses: Losses,
): ToolChoice | null {
  if (choice === undefined || choice === null) return null;
  if (choice === 'required') return { kind: 'any' };
  if (choice === 'none' || choice === 'auto') return { kind: choice };
  const name = isObject(choice) ? nameOf(choice) : null;
  if (name !== null) return { kind: 'tool', name };
  losses.lose('tool_choice');
  return null;
}

export function toolbox(body: JsonObject, tools: Tool[], choice: ToolChoice | null): Toolbox {
  return { tools, choice, parallel: booleanOf(body.parallel_tool_calls) };
}

/** An answer by a schema, or as any JSON; `schema` is where the format keeps the schema's name and text. */
export function readShape(type: unknown, schema: JsonObject | null): OutputShape | null {
  if (type === 'json_object') return { kind: 'json' };
  if (type !== 'json_schema' || schema === null) return null;
  return {
    kind: 'schema',
    name: stringAt(schema, 'name') ?? 'answer',
    description: stringAt(schema, 'description'),
    schema: schema.schema ?? {},
    strict: booleanOf(schema.strict),
  };
}

/** The level of thinking; `none` is off. */
export const readLevel = (effort: string | null): string | null => (effort === 'none' ? 'off' : effort);

export function readEndUser(body: JsonObject): string | null {
  return stringAt(body, 'safety_identifier') ?? stringAt(body, 'user');
}

/** Usage of a format whose input includes what was read from a cache and what was written to one. */
export function usageWithin(given: {
  input: number | null;
  cacheRead: number | null;
  cacheWrite: number | null;
  output: unknown;
  reasoning: unknown;
}): AnswerUsage {
  const { input, cacheRead, cacheWrite } = given;
  return {
    inputUncached: input === null ? null : Math.max(0, input - (cacheRead ?? 0) - (cacheWrite ?? 0)),
    cacheRead,
    cacheWrite,
    output: countOf(given.output),
    reasoning: countOf(given.reasoning),
  };
}
