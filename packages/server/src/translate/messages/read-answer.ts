import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, type AnswerUsage, NO_USAGE, type StopReason } from '../hub/answer.ts';
import { countOf, type JsonObject, objectsOf, stringAt, wordOf } from '../hub/json.ts';

const STOPS: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ['end_turn', 'end'],
  ['max_tokens', 'length'],
  ['tool_use', 'tools'],
  ['stop_sequence', 'stop-sequence'],
  ['refusal', 'refusal'],
  ['pause_turn', 'pause'],
  ['model_context_window_exceeded', 'context-full'],
]);

export function readStop(reason: string): StopReason {
  return STOPS.get(reason) ?? 'end';
}

/** Usage of which later figures replace earlier ones, as the stream has them. */
export function readUsage(usage: unknown, before: AnswerUsage = NO_USAGE): AnswerUsage {
  if (!isObject(usage)) return before;
  const details = objectAt(usage, 'output_tokens_details');
  return {
    inputUncached: countOf(usage.input_tokens) ?? before.inputUncached,
    cacheRead: countOf(usage.cache_read_input_tokens) ?? before.cacheRead,
    cacheWrite: countOf(usage.cache_creation_input_tokens) ?? before.cacheWrite,
    output: countOf(usage.output_tokens) ?? before.output,
    reasoning: countOf(details?.thinking_tokens) ?? before.reasoning,
  };
}

/** One block of a whole answer. */
export function readBlock(block: JsonObject, part: number): AnswerEvent[] {
  switch (block.type) {
    case 'text': {
      const cited = Array.isArray(block.citations) && block.citations.length > 0;
      const text: AnswerEvent = { type: 'text', part, text: stringAt(block, 'text') ?? '' };
      return cited ? [text, { type: 'loss', name: 'citations' }] : [text];
    }
    case 'thinking':
      return [
        { type: 'thinking', part, text: stringAt(block, 'thinking') ?? '' },
        { type: 'opaque', part, opaque: { format: 'messages', data: block } },
      ];
    case 'redacted_thinking':
      return [{ type: 'opaque', part, opaque: { format: 'messages', data: block } }];
    case 'tool_use':
      return [
        { type: 'call', part, id: stringAt(block, 'id') ?? '', name: stringAt(block, 'name') ?? '' },
        { type: 'arguments', part, json: JSON.stringify(block.input ?? {}) },
      ];
    default:
      return [{ type: 'loss', name: `content of type ${wordOf(block.type)}` }];
  }
}

/** Reads a whole answer of the Messages API. */
export function readAnswer(body: unknown): AnswerEvent[] {
  if (!isObject(body))
    return [{ type: 'error', error: { status: 502, message: 'The answer is not an object.' } }];
  return [
    { type: 'start', id: stringAt(body, 'id'), model: stringAt(body, 'model') },
    ...objectsOf(body.content).flatMap(readBlock),
    {
      type: 'stop',
      reason: readStop(stringAt(body, 'stop_reason') ?? ''),
      sequence: stringAt(body, 'stop_sequence'),
    },
    { type: 'usage', usage: readUsage(body.usage) },
    { type: 'end' },
  ];
}
