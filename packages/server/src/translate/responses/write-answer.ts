import { type AnswerEvent, type AnswerUsage, type StopReason, totalInput } from '../hub/answer.ts';
import { type AnswerPart, collectAnswer } from '../hub/collect-answer.ts';
import { customInput } from '../hub/custom-tools.ts';
import type { AnswerContext } from '../hub/format.ts';
import { type JsonDraft, objectsOf } from '../hub/json.ts';
import { sealOpaque } from '../hub/opaque.ts';
import type { Opaque } from '../hub/parts.ts';

/** Why an answer is incomplete; null when it is not. */
function incompleteReason(stop: StopReason): string | null {
  if (stop === 'length' || stop === 'context-full') return 'max_output_tokens';
  return stop === 'filtered' || stop === 'refusal' ? 'content_filter' : null;
}

export function writeUsage(usage: AnswerUsage): JsonDraft {
  const input = totalInput(usage) ?? 0;
  const output = usage.output ?? 0;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cacheRead ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
    total_tokens: input + output,
  };
}

/** Ids are the gate's: items are told apart by where they stand. */
export function itemId(
  kind: 'msg' | 'rs' | 'fc' | 'ctc',
  { requestId }: AnswerContext,
  index: number,
): string {
  return `${kind}_${requestId.replaceAll('-', '')}${index}`;
}

/** Tools that take text instead of arguments, by the request. */
export function isCustomTool({ request }: AnswerContext, name: string): boolean {
  return objectsOf(request.tools).some((tool) => tool.type === 'custom' && tool.name === name);
}

export const outputText = (text: string): JsonDraft => ({
  type: 'output_text',
  text,
  annotations: [],
  logprobs: [],
});
export const refusalPart = (refusal: string): JsonDraft => ({ type: 'refusal', refusal });

export function reasoningItem(id: string, text: string, opaque: Opaque | null): JsonDraft {
  const summary = text === '' ? [] : [{ type: 'summary_text', text }];
  const sealed = opaque === null ? null : sealOpaque([opaque]);
  return { id, type: 'reasoning', summary, encrypted_content: sealed };
}

export function messageItem(id: string, content: JsonDraft): JsonDraft {
  return { id, type: 'message', status: 'completed', role: 'assistant', content: [content] };
}

export function callItem(
  context: AnswerContext,
  index: number,
  call: { id: string; name: string; json: string },
): JsonDraft {
  const { id: call_id, name, json } = call;
  if (isCustomTool(context, name)) {
    const id = itemId('ctc', context, index);
    return { id, type: 'custom_tool_call', status: 'completed', call_id, name, input: customInput(json) };
  }
  const id = itemId('fc', context, index);
  return {
    id,
    type: 'function_call',
    status: 'completed',
    call_id,
    name,
    arguments: json === '' ? '{}' : json,
  };
}

function writeItem(part: AnswerPart, index: number, context: AnswerContext): JsonDraft {
  switch (part.type) {
    case 'text':
      return messageItem(itemId('msg', context, index), outputText(part.text));
    case 'refusal':
      return messageItem(itemId('msg', context, index), refusalPart(part.text));
    case 'thinking':
      return reasoningItem(itemId('rs', context, index), part.text, part.opaque);
    case 'tool-call':
      return callItem(context, index, { id: part.id, name: part.name, json: part.arguments });
  }
}

/** What the API repeats of a request, and what it says where the request is silent. */
const REPEATED: readonly (readonly [name: string, silent: unknown])[] = [
  ['instructions', null],
  ['max_output_tokens', null],
  ['metadata', {}],
  ['parallel_tool_calls', true],
  ['reasoning', { effort: null, summary: null }],
  ['temperature', 1],
  ['text', { format: { type: 'text' } }],
  ['tool_choice', 'auto'],
  ['tools', []],
  ['top_p', 1],
  ['user', null],
];

interface ResponseState {
  id: string | null;
  model: string | null;
  /** Null while the answer is on its way. */
  stop: StopReason | null;
  output: JsonDraft[];
  usage: AnswerUsage;
}

/** The response object. */
export function responseObject(context: AnswerContext, state: ResponseState): JsonDraft {
  const reason = state.stop === null ? null : incompleteReason(state.stop);
  const done = reason === null ? 'completed' : 'incomplete';
  return {
    id: `resp_${(state.id ?? context.requestId).replace(/^resp_/, '')}`,
    object: 'response',
    created_at: context.startedAtSeconds,
    status: state.stop === null ? 'in_progress' : done,
    background: false,
    error: null,
    incomplete_details: reason === null ? null : { reason },
    model: state.model ?? context.model,
    output: state.output,
    previous_response_id: null,
    store: false,
    truncation: 'disabled',
    usage: state.stop === null ? null : writeUsage(state.usage),
    ...Object.fromEntries(REPEATED.map(([name, silent]) => [name, context.request[name] ?? silent])),
  };
}

/** Writes a whole answer of the Responses API. */
export function writeAnswer(events: readonly AnswerEvent[], context: AnswerContext): JsonDraft {
  const { id, model, stop, usage, parts } = collectAnswer(events);
  const spoken = parts.filter((part) => !(part.type === 'text' && part.text === ''));
  const output = spoken.map((part, index) => writeItem(part, index, context));
  return responseObject(context, { id, model, stop, usage, output });
}
