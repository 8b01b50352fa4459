import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import type { Ask, OutputShape, Reasoning, Sampling, Tool, Toolbox, ToolChoice } from '../hub/ask.ts';
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
import type { Turn } from '../hub/parts.ts';
import { UnreadableRequest } from '../hub/unreadable-request.ts';
import { readAssistantPart, readCache, readText, readUserPart } from './read-parts.ts';

const READ = new Set([
  'model',
  'stream',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
]);
/** What they ask for changes what the answer costs or how the provider keeps it, not what it says. */
const HINTS = new Set([
  'service_tier',
  'cache_control',
  'context_management',
  'speed',
  'betas',
  'diagnostics',
]);

function readTurn(value: unknown, losses: Losses): Turn {
  const message = objectOf(value, 'messages[]');
  const { content } = message;
  const blocks: JsonObject[] =
    typeof content === 'string'
      ? [{ type: 'text', text: content }]
      : listAt(message, 'content').map((block) => objectOf(block, 'messages[].content[]'));
  if (message.role === 'assistant')
    return { role: 'assistant', parts: blocks.flatMap((block) => readAssistantPart(block, losses)) };
  if (message.role !== 'user' && message.role !== 'system')
    throw new UnreadableRequest('"messages[].role" must be "user" or "assistant".');
  const instructs = message.role === 'system';
  return { role: 'user', instructs, parts: blocks.flatMap((block) => readUserPart(block, losses)) };
}

function readTools(body: JsonObject, losses: Losses): Tool[] {
  const tools: Tool[] = [];
  for (const tool of objectsOf(body.tools)) {
    const type = stringAt(tool, 'type');
    if (type !== null && type !== 'custom') losses.lose(`tools[].type=${type}`);
    else
      tools.push({
        name: textAt(tool, 'name'),
        description: stringAt(tool, 'description'),
        schema: tool.input_schema ?? { type: 'object' },
        strict: booleanOf(tool.strict),
        cache: readCache(tool),
        custom: null,
      });
  }
  return tools;
}

function readChoice(choice: JsonObject | null): ToolChoice | null {
  const type = choice === null ? null : stringAt(choice, 'type');
  if (choice === null || type === null) return null;
  if (type === 'tool') return { kind: 'tool', name: textAt(choice, 'name') };
  return type === 'any' || type === 'none' ? { kind: type } : { kind: 'auto' };
}

function readToolbox(body: JsonObject, losses: Losses): Toolbox {
  const choice = objectAt(body, 'tool_choice');
  const single = choice === null ? null : booleanOf(choice.disable_parallel_tool_use);
  return {
    tools: readTools(body, losses),
    choice: readChoice(choice),
    parallel: single === null ? null : !single,
  };
}

function readSampling(body: JsonObject): Sampling {
  const { stop_sequences: stop } = body;
  return {
    maxOutputTokens: countOf(body.max_tokens),
    temperature: numberOf(body.temperature),
    topP: numberOf(body.top_p),
    topK: countOf(body.top_k),
    stop: Array.isArray(stop) ? stop.filter((text): text is string => typeof text === 'string') : [],
    seed: null,
    presencePenalty: null,
    frequencyPenalty: null,
  };
}

function readReasoning(body: JsonObject): Reasoning | null {
  const thinking = objectAt(body, 'thinking');
  const effort = stringAt(objectAt(body, 'output_config') ?? {}, 'effort');
  if (thinking === null) return effort === null ? null : { effort, budgetTokens: null, visible: null };
  if (thinking.type === 'disabled') return { effort: 'off', budgetTokens: null, visible: null };
  return { effort, budgetTokens: countOf(thinking.budget_tokens), visible: thinking.display !== 'omitted' };
}

function readOutput(body: JsonObject): OutputShape | null {
  const config = objectAt(body, 'output_config');
  const format = objectAt(config ?? {}, 'format') ?? objectAt(body, 'output_format');
  if (format === null || format.type !== 'json_schema') return null;
  return { kind: 'schema', name: 'answer', description: null, schema: format.schema, strict: true };
}

/** Reads a request of the Messages API. */
export function readRequest(
  body: JsonObject,
  target: { model: string; stream: boolean },
  losses: Losses,
): Ask {
  losses.unread(body, READ, { hints: HINTS });
  const { system } = body;
  const metadata = objectAt(body, 'metadata') ?? {};
  losses.unread(metadata, new Set(['user_id']), { at: 'metadata', hints: new Set(Object.keys(metadata)) });
  return {
    ...target,
    conversation: {
      system:
        typeof system === 'string'
          ? [{ type: 'text', text: system }]
          : (Array.isArray(system) ? system.filter(isObject) : []).map((block) => readText(block, losses)),
      turns: listAt(body, 'messages').map((message) => readTurn(message, losses)),
    },
    toolbox: readToolbox(body, losses),
    sampling: readSampling(body),
    output: readOutput(body),
    reasoning: readReasoning(body),
    endUser: stringAt(metadata, 'user_id'),
  };
}
