import type { Ask, OutputShape, Tool, Toolbox, ToolChoice } from '../hub/ask.ts';
import { customInput, functionDescription } from '../hub/custom-tools.ts';
import { effortOf } from '../hub/effort.ts';
import type { UpstreamTraits } from '../hub/format.ts';
import type { JsonObject } from '../hub/json.ts';
import { type JsonDraft, put } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import { urlOf } from '../hub/media.ts';
import type { AssistantTurn, ContentPart, ToolResultPart, Turn, UserTurn } from '../hub/parts.ts';

const MAX_STOPS = 4;
const MAX_END_USER_CHARS = 64;
const AUDIO_FORMATS = new Set(['wav', 'mp3']);

function joined(parts: readonly ContentPart[], separator: string): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join(separator);
}

function writePart(part: ContentPart, losses: Losses): JsonDraft[] {
  if (part.type !== 'audio' && part.cache) losses.hint('cache_control');
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text }];
    case 'image':
      return [{ type: 'image_url', image_url: { url: urlOf(part.source) } }];
    case 'document': {
      if (part.source.kind === 'url') {
        losses.lose('document.source=url');
        return [];
      }
      const file = { filename: part.name ?? 'document.pdf', file_data: urlOf(part.source) };
      return [{ type: 'file', file }];
    }
    case 'audio': {
      const format = part.mediaType.replace(/^audio\/(?:x-)?/, '').replace('mpeg', 'mp3');
      if (!AUDIO_FORMATS.has(format)) losses.lose(`audio of type ${part.mediaType}`);
      return [{ type: 'input_audio', input_audio: { data: part.data, format } }];
    }
  }
}

/** A result is text here; what is not goes into the message of the user that follows. */
function writeResult(part: ToolResultPart, after: JsonDraft[], losses: Losses): JsonDraft {
  if (part.isError) losses.hint('tool_result.is_error');
  if (part.cache) losses.hint('cache_control');
  const media = part.parts.filter(({ type }) => type !== 'text');
  if (media.length > 0) {
    after.push({ type: 'text', text: `Part of the result of the tool call ${part.callId}:` });
    after.push(...media.flatMap((inner) => writePart(inner, losses)));
  }
  const texts = part.parts.filter(({ type }) => type === 'text');
  for (const text of texts) writePart(text, losses);
  return { role: 'tool', tool_call_id: part.callId, content: joined(texts, '\n') };
}

function writeUser({ parts, instructs }: UserTurn, losses: Losses): JsonDraft[] {
  const messages: JsonDraft[] = [];
  const content: JsonDraft[] = [];
  for (const part of parts)
    if (part.type === 'tool-result') messages.push(writeResult(part, content, losses));
  for (const part of parts) if (part.type !== 'tool-result') content.push(...writePart(part, losses));
  const [only] = content;
  const role = instructs === true ? 'system' : 'user';
  if (content.length === 1 && only?.type === 'text') messages.push({ role, content: only.text });
  else if (content.length > 0) messages.push({ role, content });
  return messages;
}

/** Thinking goes back under the name this upstream gave it; thinking of another provider means nothing here. */
function writeThinking({ parts }: AssistantTurn, message: JsonDraft, losses: Losses): void {
  for (const part of parts) {
    if (part.type !== 'thinking') continue;
    if (part.opaque?.format !== 'chat') {
      if (part.text !== '' || part.opaque !== null) losses.hint('thinking of another provider');
      continue;
    }
    const data = part.opaque.data as JsonObject;
    // What comes back passed through the client: nothing else of a message may be written with it.
    const field = data.field === 'reasoning' ? 'reasoning' : 'reasoning_content';
    if (data.field !== undefined) message[field] = `${String(message[field] ?? '')}${part.text}`;
    put(message, 'reasoning_details', data.details);
  }
}

function writeCalls({ parts }: AssistantTurn, traits: UpstreamTraits): JsonDraft[] {
  return parts
    .filter((part) => part.type === 'tool-call')
    .map(({ id, name, arguments: json, custom }) =>
      custom === true && !traits.oldNames
        ? { id, type: 'custom', custom: { name, input: customInput(json) } }
        : { id, type: 'function', function: { name, arguments: json === '' ? '{}' : json } },
    );
}

const SPOKEN = new Set(['text', 'refusal', 'tool-call', 'thinking']);

function writeAssistant(turn: AssistantTurn, traits: UpstreamTraits, losses: Losses): JsonDraft[] {
  const message: JsonDraft = { role: 'assistant' };
  const texts = turn.parts.filter((part) => part.type === 'text');
  const refusal = turn.parts.find((part) => part.type === 'refusal');
  const calls = writeCalls(turn, traits);
  for (const part of turn.parts) {
    if (!SPOKEN.has(part.type)) losses.lose(`assistant ${part.type}`);
    if ('cache' in part && part.cache) losses.hint('cache_control');
  }
  message.content = texts.length === 0 ? null : joined(texts, '');
  if (refusal !== undefined) message.refusal = refusal.text;
  writeThinking(turn, message, losses);
  if (calls.length > 0) message.tool_calls = calls;
  const empty = texts.length === 0 && calls.length === 0 && refusal === undefined;
  return empty ? [] : [message];
}

function writeMessages(ask: Ask, traits: UpstreamTraits, losses: Losses): JsonDraft[] {
  const { system, turns } = ask.conversation;
  const messages: JsonDraft[] = [];
  for (const part of system) writePart(part, losses);
  if (system.length > 0) messages.push({ role: 'system', content: joined(system, '\n\n') });
  for (const turn of turns)
    messages.push(...(turn.role === 'user' ? writeUser(turn, losses) : writeAssistant(turn, traits, losses)));
  if (endsWithAssistant(turns)) losses.lose('a last message of the assistant (prefill)');
  return messages;
}

function endsWithAssistant(turns: readonly Turn[]): boolean {
  return turns.at(-1)?.role === 'assistant';
}

function writeChoice(choice: ToolChoice, customs: ReadonlySet<string>): unknown {
  if (choice.kind !== 'tool') return choice.kind === 'any' ? 'required' : choice.kind;
  const { name } = choice;
  return customs.has(name) ? { type: 'custom', custom: { name } } : { type: 'function', function: { name } };
}

function writeCustom({ name, description, custom }: Tool): JsonDraft {
  const draft: JsonDraft = { name };
  put(draft, 'description', description);
  if (custom?.grammar) draft.format = { type: 'grammar', grammar: custom.grammar };
  return { type: 'custom', custom: draft };
}

function writeTools(
  { tools, choice, parallel }: Toolbox,
  traits: UpstreamTraits,
  body: JsonDraft,
  losses: Losses,
): void {
  if (tools.length === 0) return;
  const customs = new Set(
    traits.oldNames ? [] : tools.filter(({ custom }) => custom).map(({ name }) => name),
  );
  body.tools = tools.map((tool) => {
    if (tool.cache !== null) losses.hint('cache_control');
    if (customs.has(tool.name)) return writeCustom(tool);
    const fn: JsonDraft = { name: tool.name };
    put(fn, 'description', functionDescription(tool, losses));
    fn.parameters = tool.schema;
    put(fn, 'strict', tool.strict);
    return { type: 'function', function: fn };
  });
  if (choice !== null) body.tool_choice = writeChoice(choice, customs);
  put(body, 'parallel_tool_calls', parallel);
}

function writeSampling({ sampling }: Ask, traits: UpstreamTraits, body: JsonDraft, losses: Losses): void {
  put(body, traits.oldNames ? 'max_tokens' : 'max_completion_tokens', sampling.maxOutputTokens);
  put(body, 'temperature', sampling.temperature);
  put(body, 'top_p', sampling.topP);
  put(body, 'seed', sampling.seed);
  put(body, 'presence_penalty', sampling.presencePenalty);
  put(body, 'frequency_penalty', sampling.frequencyPenalty);
  if (sampling.topK !== null) losses.hint('top_k');
  if (sampling.stop.length > MAX_STOPS) losses.lose('stop sequences beyond four');
  if (sampling.stop.length > 0) body.stop = sampling.stop.slice(0, MAX_STOPS);
}

function writeOutput(output: OutputShape | null, body: JsonDraft): void {
  if (output === null) return;
  if (output.kind === 'json') {
    body.response_format = { type: 'json_object' };
    return;
  }
  const schema: JsonDraft = { name: output.name, schema: output.schema };
  put(schema, 'description', output.description);
  put(schema, 'strict', output.strict);
  body.response_format = { type: 'json_schema', json_schema: schema };
}

/** Writes a request of Chat Completions. */
export function writeRequest(ask: Ask, traits: UpstreamTraits, losses: Losses): JsonDraft {
  const body: JsonDraft = { model: ask.model, messages: writeMessages(ask, traits, losses) };
  writeTools(ask.toolbox, traits, body, losses);
  writeSampling(ask, traits, body, losses);
  writeOutput(ask.output, body);
  if (ask.reasoning?.effort === 'off') losses.hint('reasoning=off');
  else if (ask.reasoning !== null) put(body, 'reasoning_effort', effortOf(ask.reasoning));
  if (ask.endUser !== null) {
    if (ask.endUser.length <= MAX_END_USER_CHARS) body.user = ask.endUser;
    else losses.hint('metadata.user_id');
  }
  if (ask.stream) {
    body.stream = true;
    body.stream_options = { include_usage: true };
  }
  return body;
}
