import { objectAt } from '../../providers/shared/usage-fields.ts';
import type { Ask, Conversation, Reasoning, Sampling, Tool } from '../hub/ask.ts';
import { readGrammar, TEXT_SCHEMA } from '../hub/custom-tools.ts';
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
  wordOf,
} from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import { splitId } from '../hub/opaque.ts';
import type { TextPart, Turn } from '../hub/parts.ts';
import { readChoice, readEndUser, readLevel, readShape, toolbox } from '../hub/read-common.ts';
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
      throw new UnreadableRequest(`"messages[].role" may not be "${wordOf(message.role)}".`);
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
    const custom = tool.type === 'custom' ? objectAt(tool, 'custom') : null;
    const fn = objectAt(tool, 'function');
    if (custom !== null) tools.push(customTool(custom));
    else if (fn === null) losses.lose(`tools[].type=${wordOf(tool.type)}`);
    else
      tools.push({
        name: textAt(fn, 'name'),
        description: stringAt(fn, 'description'),
        schema: fn.parameters ?? { type: 'object', properties: {} },
        strict: booleanOf(fn.strict),
        cache: null,
        custom: null,
      });
  }
  return tools;
}

/** A tool that takes text, possibly one of a grammar. */
function customTool(custom: JsonObject): Tool {
  const format = objectAt(custom, 'format');
  const grammar = format === null ? null : readGrammar(objectAt(format, 'grammar') ?? {});
  return {
    name: textAt(custom, 'name'),
    description: stringAt(custom, 'description'),
    schema: TEXT_SCHEMA,
    strict: null,
    cache: null,
    custom: { grammar },
  };
}

const chosenName = (choice: JsonObject): string | null => {
  const named = objectAt(choice, 'function') ?? objectAt(choice, 'custom');
  return named === null ? null : textAt(named, 'name');
};

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

function readOutput(body: JsonObject): Ask['output'] {
  const format = objectAt(body, 'response_format') ?? {};
  return readShape(format.type, objectAt(format, 'json_schema'));
}

/** The level, or what OpenRouter's `reasoning` says of it. */
function readReasoning(body: JsonObject): Reasoning | null {
  const more = objectAt(body, 'reasoning');
  const effort = stringAt(body, 'reasoning_effort') ?? (more === null ? null : stringAt(more, 'effort'));
  const budgetTokens = countOf(more?.max_tokens);
  if (effort === null && budgetTokens === null) return null;
  return { effort: readLevel(effort), budgetTokens, visible: more?.exclude !== true };
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
    toolbox: toolbox(body, readTools(body, losses), readChoice(body.tool_choice, chosenName, losses)),
    sampling: readSampling(body, losses),
    output: readOutput(body),
    reasoning: readReasoning(body),
    endUser: readEndUser(body),
  };
}
