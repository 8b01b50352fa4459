import { isObject } from '../../providers/shared/usage-fields.ts';
import type { Ask, Reasoning, Toolbox, ToolChoice } from '../hub/ask.ts';
import { noteAsFunction } from '../hub/custom-tools.ts';
import { budgetOf } from '../hub/effort.ts';
import type { UpstreamTraits } from '../hub/format.ts';
import { argumentsObject, type JsonDraft, put, wordOf } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import type {
  AssistantPart,
  CacheMark,
  ContentPart,
  MediaSource,
  ThinkingPart,
  Turn,
  UserPart,
} from '../hub/parts.ts';

const MIN_BUDGET_TOKENS = 1_024;
const THINKING = new Set(['thinking', 'redacted_thinking']);
const IMAGE_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);
/** The API takes temperatures up to 1, other formats up to 2. */
const MAX_TEMPERATURE = 1;

function withCache(block: JsonDraft, cache: CacheMark | null | undefined): JsonDraft {
  if (cache) block.cache_control = { type: 'ephemeral', ...(cache.ttl === null ? {} : { ttl: cache.ttl }) };
  return block;
}

function writeSource(source: MediaSource): JsonDraft {
  if (source.kind === 'url') return { type: 'url', url: source.url };
  return { type: 'base64', media_type: source.mediaType, data: source.data };
}

function writeDocument(part: Extract<ContentPart, { type: 'document' }>, losses: Losses): JsonDraft[] {
  const { source, name } = part;
  if (source.kind === 'base64' && source.mediaType !== 'application/pdf') {
    losses.lose(`document of type ${source.mediaType}`);
    return [];
  }
  const block: JsonDraft = { type: 'document', source: writeSource(source) };
  put(block, 'title', name);
  return [withCache(block, part.cache)];
}

function writeContent(part: ContentPart, losses: Losses): JsonDraft[] {
  switch (part.type) {
    case 'text':
      // The API refuses empty text; it says nothing anyway.
      return part.text === '' ? [] : [withCache({ type: 'text', text: part.text }, part.cache)];
    case 'image': {
      const { source } = part;
      if (source.kind === 'base64' && !IMAGE_TYPES.has(source.mediaType))
        losses.lose(`image of type ${source.mediaType}`);
      return [withCache({ type: 'image', source: writeSource(source) }, part.cache)];
    }
    case 'document':
      return writeDocument(part, losses);
    case 'audio':
      losses.lose('audio');
      return [];
  }
}

/** Ids of other providers may hold what this API refuses; a call and its result change alike. */
function safeId(id: string): string {
  return id.replaceAll(/[^a-zA-Z0-9_-]/g, '_');
}

function writeUserPart(part: UserPart, losses: Losses): JsonDraft[] {
  if (part.type !== 'tool-result') return writeContent(part, losses);
  const block: JsonDraft = {
    type: 'tool_result',
    tool_use_id: safeId(part.callId),
    content: part.parts.flatMap((inner) => writeContent(inner, losses)),
  };
  if (part.isError) block.is_error = true;
  return [withCache(block, part.cache)];
}

/** Thinking goes back to the format it came from, and to no other: nobody else could check it. */
function writeThinking({ opaque, text }: ThinkingPart, losses: Losses): JsonDraft[] {
  // What comes back passed through the client: thinking is all that it may be.
  if (opaque?.format === 'messages')
    return isObject(opaque.data) && THINKING.has(wordOf(opaque.data.type)) ? [opaque.data] : [];
  if (text !== '' || opaque !== null) losses.hint('thinking of another provider');
  return [];
}

function writeAssistantPart(part: AssistantPart, losses: Losses): JsonDraft[] {
  switch (part.type) {
    case 'tool-call': {
      const input = argumentsObject(part.arguments);
      return [withCache({ type: 'tool_use', id: safeId(part.id), name: part.name, input }, part.cache)];
    }
    case 'thinking':
      return writeThinking(part, losses);
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'image':
    case 'document':
      losses.lose(`assistant ${part.type}`);
      return [];
    default:
      return writeContent(part, losses);
  }
}

/** Results of tools come first in a turn: the API wants them right after the calls. */
function resultsFirst(blocks: JsonDraft[]): JsonDraft[] {
  const isResult = (block: JsonDraft): boolean => block.type === 'tool_result';
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
}

/** Turns of the same side that follow one another are one message here. */
function writeTurns(turns: readonly Turn[], losses: Losses): JsonDraft[] {
  const messages: { role: string; content: JsonDraft[] }[] = [];
  for (const turn of turns) {
    if (turn.role === 'user' && turn.instructs === true)
      losses.hint('instructions in the middle (told by the user)');
    const content =
      turn.role === 'user'
        ? turn.parts.flatMap((part) => writeUserPart(part, losses))
        : turn.parts.flatMap((part) => writeAssistantPart(part, losses));
    const last = messages.at(-1);
    if (last?.role === turn.role) last.content.push(...content);
    else if (content.length > 0) messages.push({ role: turn.role, content });
  }
  for (const message of messages)
    if (message.role === 'user') message.content = resultsFirst(message.content);
  return messages;
}

function writeChoice(choice: ToolChoice | null): JsonDraft | null {
  if (choice === null) return null;
  return choice.kind === 'tool' ? { type: 'tool', name: choice.name } : { type: choice.kind };
}

function writeTools({ tools, choice, parallel }: Toolbox, body: JsonDraft, losses: Losses): void {
  if (tools.length === 0) return;
  body.tools = tools.map((tool) => {
    noteAsFunction(tool, losses);
    const entry: JsonDraft = { name: tool.name };
    put(entry, 'description', tool.description);
    entry.input_schema = tool.schema ?? { type: 'object', properties: {} };
    if (tool.strict === true) entry.strict = true;
    return withCache(entry, tool.cache);
  });
  const written = writeChoice(choice) ?? (parallel === false ? { type: 'auto' } : null);
  if (written !== null && parallel !== null && written.type !== 'none')
    written.disable_parallel_tool_use = !parallel;
  put(body, 'tool_choice', written);
}

/** Models from before thinking adapted itself: they are told a number of tokens. */
const TOLD_A_BUDGET = /claude-(?:[0-3]|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:-20\d{6}|-latest|[@:].*)?$)/;
const EFFORTS: ReadonlyMap<string, string> = new Map([
  ['minimal', 'low'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'xhigh'],
  ['max', 'max'],
]);

/** A call that is still to be answered was made without thinking: the API then takes none for its continuation. */
function callsWithoutThinking(messages: readonly { role?: unknown; content?: unknown }[]): boolean {
  const [turn, results] = messages.slice(-2);
  if (turn?.role !== 'assistant' || results?.role !== 'user') return false;
  const types = (turn.content as JsonDraft[]).map(({ type }) => type);
  return types.includes('tool_use') && !types.some((type) => wordOf(type).endsWith('thinking'));
}

function writeThinkingConfig(reasoning: Reasoning, body: JsonDraft, losses: Losses): boolean {
  if (TOLD_A_BUDGET.test(wordOf(body.model))) {
    // Thinking counts towards `max_tokens`: it may not take all of them.
    const budget = Math.min(
      Math.max(MIN_BUDGET_TOKENS, budgetOf(reasoning)),
      (body.max_tokens as number) - 1,
    );
    if (budget < MIN_BUDGET_TOKENS) {
      losses.hint('reasoning (the output limit leaves no room for it)');
      return false;
    }
    body.thinking = { type: 'enabled', budget_tokens: budget };
    return true;
  }
  body.thinking = { type: 'adaptive', ...(reasoning.visible === true ? { display: 'summarized' } : {}) };
  const effort = EFFORTS.get(reasoning.effort ?? '');
  if (effort !== undefined) body.output_config = { ...(body.output_config as JsonDraft | undefined), effort };
  return true;
}

function writeReasoning(reasoning: Reasoning | null, body: JsonDraft, losses: Losses): void {
  if (reasoning === null) return;
  if (reasoning.effort === 'off' || reasoning.effort === 'none') {
    body.thinking = { type: 'disabled' };
    return;
  }
  if (callsWithoutThinking(body.messages as JsonDraft[]))
    return losses.hint('reasoning (the calls under way were made without it)');
  if (!writeThinkingConfig(reasoning, body, losses)) return;
  // Thinking sets these two itself, and refuses any other value.
  for (const name of ['temperature', 'top_k']) {
    if (body[name] === undefined) continue;
    losses.hint(`${name} (set by thinking)`);
    delete body[name];
  }
}

function writeSampling({ sampling }: Ask, body: JsonDraft, losses: Losses): void {
  const { temperature } = sampling;
  if (temperature !== null && temperature > MAX_TEMPERATURE) losses.lose('temperature above 1');
  put(body, 'temperature', temperature === null ? null : Math.min(temperature, MAX_TEMPERATURE));
  put(body, 'top_p', sampling.topP);
  put(body, 'top_k', sampling.topK);
  if (sampling.stop.length > 0) body.stop_sequences = sampling.stop;
  if (sampling.seed !== null) losses.hint('seed');
  if (sampling.presencePenalty) losses.lose('presence_penalty');
  if (sampling.frequencyPenalty) losses.lose('frequency_penalty');
}

/** Writes a request of the Messages API. */
export function writeRequest(ask: Ask, traits: UpstreamTraits, losses: Losses): JsonDraft {
  const { conversation, output } = ask;
  const body: JsonDraft = {
    model: ask.model,
    max_tokens: ask.sampling.maxOutputTokens ?? traits.defaultMaxOutputTokens,
  };
  const system = conversation.system.flatMap((part) => writeContent(part, losses));
  if (system.length > 0) body.system = system;
  body.messages = writeTurns(conversation.turns, losses);
  writeTools(ask.toolbox, body, losses);
  writeSampling(ask, body, losses);
  if (output?.kind === 'schema')
    body.output_config = { format: { type: 'json_schema', schema: output.schema } };
  writeReasoning(ask.reasoning, body, losses);
  if (output?.kind === 'json') losses.lose('response_format=json_object');
  if (ask.endUser !== null) body.metadata = { user_id: ask.endUser };
  if (ask.stream) body.stream = true;
  return body;
}
