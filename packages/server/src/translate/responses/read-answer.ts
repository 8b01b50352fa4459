import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, type AnswerUsage, answerError, NO_USAGE, type StopReason } from '../hub/answer.ts';
import { customArguments } from '../hub/custom-tools.ts';
import { countOf, type JsonObject, objectsOf, stringAt, wordOf } from '../hub/json.ts';
import { usageWithin } from '../hub/read-common.ts';
import { statusOfError } from './errors.ts';
import { thoughtOf } from './read-parts.ts';

/** Parts of one item are numbered after it. */
const PARTS_PER_ITEM = 1_000;

export const partNumber = (item: number, content = 0): number => item * PARTS_PER_ITEM + content;

export function readUsage(usage: unknown): AnswerUsage {
  if (!isObject(usage)) return NO_USAGE;
  const details = objectAt(usage, 'input_tokens_details');
  const input = countOf(usage.input_tokens);
  const cacheRead = countOf(details?.cached_tokens);
  const cacheWrite = countOf(details?.cache_write_tokens);
  const output = usage.output_tokens;
  const reasoning = objectAt(usage, 'output_tokens_details')?.reasoning_tokens;
  return usageWithin({ input, cacheRead, cacheWrite, output, reasoning });
}

/** A call of a tool of the client's own. */
export const isCall = ({ type }: JsonObject): boolean =>
  type === 'function_call' || type === 'custom_tool_call';

function stopOf(response: JsonObject): StopReason {
  const reason = stringAt(objectAt(response, 'incomplete_details') ?? {}, 'reason');
  if (reason === 'content_filter') return 'filtered';
  if (response.status === 'incomplete') return 'length';
  const items = objectsOf(response.output);
  const refused = items.some((item) => objectsOf(item.content).some(({ type }) => type === 'refusal'));
  if (refused) return 'refusal';
  return items.some(isCall) ? 'tools' : 'end';
}

/** How a response ended: its stop, its usage and its end, or its error. */
export function readEnd(response: JsonObject): AnswerEvent[] {
  const error = objectAt(response, 'error');
  if (response.status === 'failed' || error !== null) {
    return [answerError(statusOfError(error ?? {}), stringAt(error ?? {}, 'message'))];
  }
  return [
    { type: 'stop', reason: stopOf(response), sequence: null },
    { type: 'usage', usage: readUsage(response.usage) },
    { type: 'end' },
  ];
}

function readContent(content: JsonObject, part: number): AnswerEvent[] {
  if (content.type === 'refusal')
    return [{ type: 'refusal', part, text: stringAt(content, 'refusal') ?? '' }];
  if (content.type !== 'output_text')
    return [{ type: 'loss', name: `content of type ${wordOf(content.type)}` }];
  const events: AnswerEvent[] = [{ type: 'text', part, text: stringAt(content, 'text') ?? '' }];
  if (objectsOf(content.annotations).length > 0) events.push({ type: 'loss', name: 'annotations' });
  return events;
}

const callOf = (item: JsonObject, part: number): AnswerEvent => ({
  type: 'call',
  part,
  id: stringAt(item, 'call_id') ?? '',
  name: stringAt(item, 'name') ?? '',
});

/** One item of a whole answer. */
export function readItem(item: JsonObject, index: number): AnswerEvent[] {
  const part = partNumber(index);
  switch (item.type) {
    case 'message':
      return objectsOf(item.content).flatMap((content, at) => readContent(content, partNumber(index, at)));
    case 'reasoning':
      return [
        { type: 'thinking', part, text: thoughtOf(item) },
        { type: 'opaque', part, opaque: { format: 'responses', data: item } },
      ];
    case 'function_call':
      return [callOf(item, part), { type: 'arguments', part, json: stringAt(item, 'arguments') ?? '' }];
    case 'custom_tool_call':
      return [
        callOf(item, part),
        { type: 'arguments', part, json: customArguments(stringAt(item, 'input') ?? '') },
      ];
    default:
      return [{ type: 'loss', name: `output of type ${wordOf(item.type)}` }];
  }
}

/** Reads a whole answer of the Responses API. */
export function readAnswer(body: unknown): AnswerEvent[] {
  if (!isObject(body) || (body.status !== 'failed' && !Array.isArray(body.output)))
    return [{ type: 'error', error: { status: 502, message: 'The answer has no output.' } }];
  return [
    { type: 'start', id: stringAt(body, 'id'), model: stringAt(body, 'model') },
    ...objectsOf(body.output).flatMap(readItem),
    ...readEnd(body),
  ];
}
