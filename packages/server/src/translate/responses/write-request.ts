import { isObject } from '../../providers/shared/usage-fields.ts';
import type { Ask, OutputShape, Reasoning, Tool, Toolbox, ToolChoice } from '../hub/ask.ts';
import { customInput, functionDescription } from '../hub/custom-tools.ts';
import { effortOf } from '../hub/effort.ts';
import type { UpstreamTraits } from '../hub/format.ts';
import { type JsonDraft, put } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import { urlOf } from '../hub/media.ts';
import type {
  AssistantPart,
  AssistantTurn,
  ContentPart,
  ThinkingPart,
  ToolResultPart,
  Turn,
  UserTurn,
} from '../hub/parts.ts';

const MIN_OUTPUT_TOKENS = 16;
const MAX_END_USER_CHARS = 64;

function writeContent(part: ContentPart, losses: Losses): JsonDraft[] {
  if (part.type !== 'audio' && part.cache) losses.hint('cache_control');
  switch (part.type) {
    case 'text':
      return [{ type: 'input_text', text: part.text }];
    case 'image':
      return [{ type: 'input_image', image_url: urlOf(part.source), detail: 'auto' }];
    case 'document': {
      const { source } = part;
      const file: JsonDraft = { type: 'input_file' };
      if (source.kind === 'url') file.file_url = source.url;
      else Object.assign(file, { filename: part.name ?? 'document.pdf', file_data: urlOf(source) });
      return [file];
    }
    case 'audio':
      losses.lose('audio');
      return [];
  }
}

/** What a writer of items must know: the calls of custom tools, where the API takes them as such, by their ids. */
interface Target {
  customs: ReadonlySet<string>;
  losses: Losses;
}

function writeResult(part: ToolResultPart, to: Target): JsonDraft {
  const { losses } = to;
  if (part.isError) losses.hint('tool_result.is_error');
  if (part.cache) losses.hint('cache_control');
  const content = part.parts.flatMap((inner) => writeContent(inner, losses));
  const plain = content.every(({ type }) => type === 'input_text');
  const output = plain ? content.map(({ text }) => String(text)).join('\n') : content;
  const type = to.customs.has(part.callId) ? 'custom_tool_call_output' : 'function_call_output';
  return { type, call_id: part.callId, output };
}

function writeUser({ parts, instructs }: UserTurn, to: Target): JsonDraft[] {
  const items: JsonDraft[] = [];
  const content: JsonDraft[] = [];
  for (const part of parts) {
    if (part.type === 'tool-result') items.push(writeResult(part, to));
    else content.push(...writeContent(part, to.losses));
  }
  const role = instructs === true ? 'developer' : 'user';
  if (content.length > 0) items.push({ type: 'message', role, content });
  return items;
}

const message = (content: JsonDraft): JsonDraft => ({
  type: 'message',
  role: 'assistant',
  content: [content],
});

/** Reasoning goes back to the format it came from. What comes back passed through the client: it may be nothing else. */
function writeThinking({ opaque, text }: ThinkingPart, losses: Losses): JsonDraft[] {
  if (opaque?.format === 'responses')
    return isObject(opaque.data) && opaque.data.type === 'reasoning' ? [opaque.data] : [];
  if (text !== '' || opaque !== null) losses.hint('thinking of another provider');
  return [];
}

/** An item of what the model said, in the order it said it: reasoning stands right before what came of it. */
function writeSpoken(part: AssistantPart, { customs, losses }: Target): JsonDraft[] {
  if ('cache' in part && part.cache) losses.hint('cache_control');
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [message({ type: 'output_text', text: part.text, annotations: [] })];
    case 'refusal':
      return [message({ type: 'refusal', refusal: part.text })];
    case 'tool-call': {
      const json = part.arguments === '' ? '{}' : part.arguments;
      const call = { call_id: part.id, name: part.name };
      return customs.has(part.id)
        ? [{ type: 'custom_tool_call', ...call, input: customInput(json) }]
        : [{ type: 'function_call', ...call, arguments: json }];
    }
    case 'thinking':
      return writeThinking(part, losses);
    default:
      losses.lose(`assistant ${part.type}`);
      return [];
  }
}

function writeAssistant({ parts }: AssistantTurn, to: Target): JsonDraft[] {
  return parts.flatMap((part) => writeSpoken(part, to));
}

function customCalls(turns: readonly Turn[]): Set<string> {
  const ids = new Set<string>();
  for (const { parts } of turns)
    for (const part of parts) if (part.type === 'tool-call' && part.custom === true) ids.add(part.id);
  return ids;
}

function writeInput(turns: readonly Turn[], traits: UpstreamTraits, losses: Losses): JsonDraft[] {
  const to: Target = { customs: traits.oldNames ? new Set() : customCalls(turns), losses };
  if (turns.at(-1)?.role === 'assistant') losses.lose('a last message of the assistant (prefill)');
  return turns.flatMap((turn) => (turn.role === 'user' ? writeUser(turn, to) : writeAssistant(turn, to)));
}

function writeChoice(choice: ToolChoice, customs: ReadonlySet<string>): unknown {
  if (choice.kind === 'tool')
    return { type: customs.has(choice.name) ? 'custom' : 'function', name: choice.name };
  return choice.kind === 'any' ? 'required' : choice.kind;
}

function writeCustom({ name, description, custom }: Tool): JsonDraft {
  const draft: JsonDraft = { type: 'custom', name };
  put(draft, 'description', description);
  if (custom?.grammar) draft.format = { type: 'grammar', ...custom.grammar };
  return draft;
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
    const entry: JsonDraft = { type: 'function', name: tool.name };
    put(entry, 'description', functionDescription(tool, losses));
    entry.parameters = tool.schema;
    entry.strict = tool.strict ?? false; // unlike elsewhere, strict is what this API takes silence for
    return entry;
  });
  if (choice !== null) body.tool_choice = writeChoice(choice, customs);
  put(body, 'parallel_tool_calls', parallel);
}

/** Reasoning comes back encrypted and goes along with the next turn: nothing is stored at the provider. */
function writeReasoning(reasoning: Reasoning | null, body: JsonDraft, losses: Losses): void {
  if (reasoning === null) return;
  if (reasoning.effort === 'off') return losses.hint('reasoning=off');
  const draft: JsonDraft = {};
  put(draft, 'effort', effortOf(reasoning));
  if (reasoning.visible === true) draft.summary = 'auto';
  if (Object.keys(draft).length > 0) body.reasoning = draft;
  body.include = ['reasoning.encrypted_content'];
}

function writeSampling({ sampling }: Ask, body: JsonDraft, losses: Losses): void {
  const { maxOutputTokens } = sampling;
  put(
    body,
    'max_output_tokens',
    maxOutputTokens === null ? null : Math.max(MIN_OUTPUT_TOKENS, maxOutputTokens),
  );
  put(body, 'temperature', sampling.temperature);
  put(body, 'top_p', sampling.topP);
  if (sampling.topK !== null) losses.hint('top_k');
  if (sampling.stop.length > 0) losses.lose('stop sequences');
  if (sampling.seed !== null) losses.hint('seed');
  if (sampling.presencePenalty) losses.lose('presence_penalty');
  if (sampling.frequencyPenalty) losses.lose('frequency_penalty');
}

function writeShape(output: OutputShape | null, body: JsonDraft): void {
  if (output === null) return;
  if (output.kind === 'json') {
    body.text = { format: { type: 'json_object' } };
    return;
  }
  const format: JsonDraft = { type: 'json_schema', name: output.name, schema: output.schema };
  put(format, 'description', output.description);
  put(format, 'strict', output.strict);
  body.text = { format };
}

/** Writes a request of the Responses API. */
export function writeRequest(ask: Ask, traits: UpstreamTraits, losses: Losses): JsonDraft {
  const { system, turns } = ask.conversation;
  const body: JsonDraft = { model: ask.model };
  for (const part of system) writeContent(part, losses);
  if (system.length > 0) body.instructions = system.map(({ text }) => text).join('\n\n');
  body.input = writeInput(turns, traits, losses);
  body.store = false;
  writeTools(ask.toolbox, traits, body, losses);
  writeSampling(ask, body, losses);
  writeShape(ask.output, body);
  writeReasoning(ask.reasoning, body, losses);
  if (ask.endUser !== null) {
    if (ask.endUser.length <= MAX_END_USER_CHARS) body.safety_identifier = ask.endUser;
    else losses.hint('metadata.user_id');
  }
  if (ask.stream) body.stream = true;
  return body;
}
