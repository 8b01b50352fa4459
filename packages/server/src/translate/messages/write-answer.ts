import { type AnswerEvent, type AnswerUsage, type StopReason, totalInput } from '../hub/answer.ts';
import { type AnswerPart, collectAnswer } from '../hub/collect-answer.ts';
import type { AnswerContext } from '../hub/format.ts';
import { argumentsObject, type JsonDraft, put } from '../hub/json.ts';
import { sealOpaque } from '../hub/opaque.ts';
import type { Opaque } from '../hub/parts.ts';

const STOPS: Readonly<Record<StopReason, string>> = {
  end: 'end_turn',
  length: 'max_tokens',
  tools: 'tool_use',
  'stop-sequence': 'stop_sequence',
  refusal: 'refusal',
  filtered: 'refusal',
  pause: 'pause_turn',
  'context-full': 'model_context_window_exceeded',
};

export const stopText = (reason: StopReason): string => STOPS[reason];

/** Usage as clients of this format count it: what was read from a cache stands beside `input_tokens`. */
export function writeUsage(usage: AnswerUsage, estimatedInputTokens: number): JsonDraft {
  const known = totalInput(usage) !== null;
  const draft: JsonDraft = {
    input_tokens: known ? (usage.inputUncached ?? 0) : estimatedInputTokens,
    cache_creation_input_tokens: usage.cacheWrite ?? 0,
    cache_read_input_tokens: usage.cacheRead ?? 0,
    output_tokens: usage.output ?? 0,
  };
  if (usage.reasoning !== null) put(draft, 'output_tokens_details', { thinking_tokens: usage.reasoning });
  return draft;
}

/** The signature that carries what the upstream needs to take the thinking back. */
export function signatureOf(opaque: Opaque): string {
  return sealOpaque([opaque]);
}

function writeBlock(part: AnswerPart): JsonDraft[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'thinking': {
      const signature = part.opaque === null ? '' : signatureOf(part.opaque);
      return [{ type: 'thinking', thinking: part.text, signature }];
    }
    case 'tool-call':
      return [{ type: 'tool_use', id: part.id, name: part.name, input: argumentsObject(part.arguments) }];
  }
}

export function messageId(id: string | null, requestId: string): string {
  return id?.startsWith('msg_') ? id : `msg_${id ?? requestId}`;
}

/** Writes a whole answer of the Messages API. */
export function writeAnswer(events: readonly AnswerEvent[], context: AnswerContext): JsonDraft {
  const whole = collectAnswer(events);
  return {
    id: messageId(whole.id, context.requestId),
    type: 'message',
    role: 'assistant',
    model: whole.model ?? context.model,
    content: whole.parts.flatMap(writeBlock),
    stop_reason: stopText(whole.stop),
    stop_sequence: whole.sequence,
    usage: writeUsage(whole.usage, context.estimatedInputTokens),
  };
}
