import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import type {
  Ask,
  Conversation,
  OutputShape,
  Reasoning,
  Sampling,
  Tool,
  Toolbox,
  ToolChoice,
} from '../hub/ask.ts';
import {
  booleanOf,
  countOf,
  type JsonObject,
  listAt,
  numberOf,
  objectOf,
  objectsOf,
  stringAt,
  textAt,
} from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import { splitId } from '../hub/opaque.ts';
import type { TextPart, Turn } from '../hub/parts.ts';
import { UnreadableRequest } from '../hub/unreadable-request.ts';
import { readAssistant, readContent, readTexts } from './read-parts.ts';

const READ = new Set([
  'model',
  'stream',
  'stream_options',
  'messages',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'n',
  'response_format',
  'reasoning_effort',
  'reasoning',
  'user',
  'safety_identifier',
]);
const HINTS = new Set([
  'store',
  'metadata',
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
  'prediction',
  'verbosity',
  'moderation',
]);

function readToolMessage(message: JsonObject, losses: Losses): Turn {
  const { id } = splitId(textAt(message, 'tool_call_id'));
  const parts = readTexts(message.content, losses);
  return { role: 'user', parts: [{ type: 'tool-result', callId: id, parts, isError: false }] };
}

function readMessage(message: JsonObject, losses: Losses): Turn {
  switch (message.role) {
    case 'user':
      return { role: 'user', parts: readContent(message.content, losses) };
    case 'assistant':
      return { role: 'assistant', parts: readAssistant(message, losses) };
    case 'tool':
      return readToolMessage(message, losses);
    case 'system':
    case 'developer':
      return { role: 'user', instructs: true, parts: readTexts(message.content, losses) };
    default:
      throw new UnreadableRequest(`"messages[].role" may not be "${String(message.role)}".`);
  }
}

function readConversation(body: JsonObject, losses: Losses): Conversation {
  const system: TextPart[] = [];
  const turns: Turn[] = [];
  for (const value of listAt(body, 'messages')) {
    const message = objectOf(value, 'messages[]');
    const leads = turns.length === 0 && (message.role === 'system' || message.role === 'developer');
    if (stringAt(message, 'name') !== null) losses.hint('messages[].name');
    if (leads) system.push(...readTexts(message.content, losses));
    else turns.push(readMessage(message, losses));
  }
  return { system, turns };
}

function readTools(body: JsonObject, losses: Losses): Tool[] {
  const tools: Tool[] = [];
  for (const tool of objectsOf(body.tools)) {
    const fn = objectAt(tool, 'function');
    if (fn === null) losses.lose(`tools[].type=${String(tool.type)}`);
    else
      tools.push({
        name: textAt(fn, 'name'),
        description: stringAt(fn, 'description'),
        schema: fn.parameters ?? { type: 'object', properties: {} },
        strict: booleanOf(fn.strict),
        cache: null,
      });
  }
  return tools;
}

function readChoice(choice: unknown, losses: Losses): ToolChoice | null {
  if (choice === undefined || choice === null) return null;
  if (choice === 'required') return { kind: 'any' };
  if (choice === 'none' || choice === 'auto') return { kind: choice };
  const fn = isObject(choice) ? objectAt(choice, 'function') : null;
  if (fn !== null) return { kind: 'tool', name: textAt(fn, 'name') };
  losses.lose('tool_choice');
  return null;
}

function readToolbox(body: JsonObject, losses: Losses): Toolbox {
  return {
    tools: readTools(body, losses),
    choice: readChoice(body.tool_choice, losses),
    parallel: booleanOf(body.parallel_tool_calls),
  };
}

/** A penalty of 0 is none. */
const penaltyOf = (value: unknown): number | null => numberOf(value) || null;

function readSampling(body: JsonObject, losses: Losses): Sampling {
  const { stop } = body;
  if ((countOf(body.n) ?? 1) > 1) losses.lose('n');
  return {
    maxOutputTokens: countOf(body.max_completion_tokens) ?? countOf(body.max_tokens),
    temperature: numberOf(body.temperature),
    topP: numberOf(body.top_p),
    topK: countOf(body.top_k),
    stop: [stop].flat().filter((text): text is string => typeof text === 'string'),
    seed: numberOf(body.seed),
    presencePenalty: penaltyOf(body.presence_penalty),
    frequencyPenalty: penaltyOf(body.frequency_penalty),
  };
}

function readOutput(body: JsonObject): OutputShape | null {
  const format = objectAt(body, 'response_format');
  if (format?.type === 'json_object') return { kind: 'json' };
  const schema = format?.type === 'json_schema' ? objectAt(format, 'json_schema') : null;
  if (schema === null) return null;
  return {
    kind: 'schema',
    name: stringAt(schema, 'name') ?? 'answer',
    description: stringAt(schema, 'description'),
    schema: schema.schema ?? {},
    strict: booleanOf(schema.strict),
  };
}

/** The level, or what OpenRouter's `reasoning` says of it. */
function readReasoning(body: JsonObject): Reasoning | null {
  const more = objectAt(body, 'reasoning');
  const effort = stringAt(body, 'reasoning_effort') ?? (more === null ? null : stringAt(more, 'effort'));
  const budgetTokens = countOf(more?.max_tokens);
  if (effort === null && budgetTokens === null) return null;
  return { effort: effort === 'none' ? 'off' : effort, budgetTokens, visible: more?.exclude !== true };
}

/** Reads a request of Chat Completions. */
export function readRequest(
  body: JsonObject,
  target: { model: string; stream: boolean },
  losses: Losses,
): Ask {
  losses.unread(body, READ, { hints: HINTS });
  return {
    ...target,
    conversation: readConversation(body, losses),
    toolbox: readToolbox(body, losses),
    sampling: readSampling(body, losses),
    output: readOutput(body),
    reasoning: readReasoning(body),
    endUser: stringAt(body, 'safety_identifier') ?? stringAt(body, 'user'),
  };
}
