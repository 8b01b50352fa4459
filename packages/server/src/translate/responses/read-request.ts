import { objectAt } from '../../providers/shared/usage-fields.ts';
import type { Ask, Conversation, OutputShape, Reasoning, Tool } from '../hub/ask.ts';
import { NO_SAMPLING } from '../hub/ask.ts';
import { readGrammar, TEXT_SCHEMA } from '../hub/custom-tools.ts';
import {
  booleanOf,
  countOf,
  type JsonObject,
  numberOf,
  objectOf,
  objectsOf,
  stringAt,
  textAt,
  wordOf,
} from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import type { AssistantPart, TextPart, Turn, UserPart } from '../hub/parts.ts';
import { readChoice, readEndUser, readLevel, readShape, toolbox } from '../hub/read-common.ts';
import { UnreadableRequest } from '../hub/unreadable-request.ts';
import { readCall, readContent, readOutput, readReasoningItem, readSpoken } from './read-parts.ts';

const READ = new Set([
  'model',
  'stream',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'text',
  'reasoning',
  'user',
  'safety_identifier',
]);
const HINTS = new Set([
  'store',
  'include',
  'metadata',
  'client_metadata',
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'truncation',
  'stream_options',
  'context_management',
  'moderation',
]);

/** Gathers items into turns: what one side says in a row is one turn. */
class Turns {
  readonly list: Turn[] = [];

  user(parts: UserPart[], instructs = false): void {
    const last = this.list.at(-1);
    if (last?.role === 'user' && (last.instructs ?? false) === instructs) last.parts.push(...parts);
    else this.list.push({ role: 'user', instructs, parts });
  }

  assistant(parts: AssistantPart[]): void {
    const last = this.list.at(-1);
    if (last?.role === 'assistant') last.parts.push(...parts);
    else this.list.push({ role: 'assistant', parts });
  }
}

function texts(content: unknown, losses: Losses): TextPart[] {
  return readContent(content, losses).filter((part): part is TextPart => part.type === 'text');
}

function readMessage(item: JsonObject, to: { turns: Turns; system: TextPart[] }, losses: Losses): void {
  const { role } = item;
  if (role === 'user') return to.turns.user(readContent(item.content, losses));
  if (role === 'assistant') return to.turns.assistant(readSpoken(item.content, losses));
  if (role !== 'system' && role !== 'developer')
    throw new UnreadableRequest(`"input[].role" may not be "${wordOf(role)}".`);
  if (to.turns.list.length === 0) {
    to.system.push(...texts(item.content, losses));
    return;
  }
  to.turns.user(readContent(item.content, losses), true);
}

function readItem(item: JsonObject, to: { turns: Turns; system: TextPart[] }, losses: Losses): void {
  switch (item.type ?? 'message') {
    case 'message':
      return readMessage(item, to, losses);
    case 'function_call':
    case 'custom_tool_call':
      return to.turns.assistant([readCall(item)]);
    case 'function_call_output':
    case 'custom_tool_call_output':
      return to.turns.user([readOutput(item, losses)]);
    case 'reasoning':
      return to.turns.assistant(readReasoningItem(item));
    default:
      losses.lose(`input[].type=${wordOf(item.type)}`);
  }
}

function readConversation(body: JsonObject, losses: Losses): Conversation {
  const instructions = stringAt(body, 'instructions');
  const system: TextPart[] = instructions ? [{ type: 'text', text: instructions }] : [];
  const turns = new Turns();
  if (typeof body.input === 'string') turns.user([{ type: 'text', text: body.input }]);
  else if (Array.isArray(body.input))
    for (const item of body.input) readItem(objectOf(item, 'input[]'), { turns, system }, losses);
  else throw new UnreadableRequest('"input" must be a string or a list.');
  return { system, turns: turns.list };
}

function readTools(body: JsonObject, losses: Losses): Tool[] {
  const tools: Tool[] = [];
  for (const tool of objectsOf(body.tools)) {
    const custom = tool.type === 'custom';
    if (tool.type !== 'function' && !custom) {
      losses.lose(`tools[].type=${wordOf(tool.type)}`);
      continue;
    }
    tools.push({
      name: textAt(tool, 'name'),
      description: stringAt(tool, 'description'),
      schema: custom ? TEXT_SCHEMA : (tool.parameters ?? { type: 'object', properties: {} }),
      strict: custom ? null : booleanOf(tool.strict),
      cache: null,
      custom: custom ? { grammar: readGrammar(objectAt(tool, 'format') ?? {}) } : null,
    });
  }
  return tools;
}

const chosenName = (choice: JsonObject): string | null =>
  choice.type === 'function' || choice.type === 'custom' ? textAt(choice, 'name') : null;

function readText(body: JsonObject, losses: Losses): OutputShape | null {
  const text = objectAt(body, 'text') ?? {};
  losses.unread(text, new Set(['format']), { hints: new Set(['verbosity']), at: 'text' });
  const format = objectAt(text, 'format');
  return readShape(format?.type, format);
}

function readReasoning(body: JsonObject): Reasoning | null {
  const reasoning = objectAt(body, 'reasoning');
  const effort = reasoning === null ? null : stringAt(reasoning, 'effort');
  if (reasoning === null || effort === null) return null;
  const visible = stringAt(reasoning, 'summary') !== null;
  return { effort: readLevel(effort), budgetTokens: null, visible };
}

/** Reads a request of the Responses API. */
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
    sampling: {
      ...NO_SAMPLING,
      maxOutputTokens: countOf(body.max_output_tokens),
      temperature: numberOf(body.temperature),
      topP: numberOf(body.top_p),
    },
    output: readText(body, losses),
    reasoning: readReasoning(body),
    endUser: readEndUser(body),
  };
}
