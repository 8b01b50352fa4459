import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, type AnswerUsage, NO_USAGE, type StopReason } from '../hub/answer.ts';
import { customArguments } from '../hub/custom-tools.ts';
import { countOf, type JsonDraft, type JsonObject, objectsOf, stringAt, wordOf } from '../hub/json.ts';
import { usageWithin } from '../hub/read-common.ts';

const STOPS: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ['stop', 'end'],
  ['length', 'length'],
  ['tool_calls', 'tools'],
  ['function_call', 'tools'],
  ['content_filter', 'filtered'],
]);

/** Some servers say `stop` although calls are to be made. */
export function readStop(reason: string, hasCalls: boolean): StopReason {
  const stop = STOPS.get(reason) ?? 'end';
  return stop === 'end' && hasCalls ? 'tools' : stop;
}

export function readUsage(usage: unknown): AnswerUsage {
  if (!isObject(usage)) return NO_USAGE;
  const details = objectAt(usage, 'prompt_tokens_details');
  const prompt = countOf(usage.prompt_tokens);
  const cacheRead = countOf(details?.cached_tokens) ?? countOf(usage.prompt_cache_hit_tokens);
  const cacheWrite = countOf(details?.cache_write_tokens);
  const output = usage.completion_tokens;
  const reasoning = objectAt(usage, 'completion_tokens_details')?.reasoning_tokens;
  return usageWithin({ input: prompt, cacheRead, cacheWrite, output, reasoning });
}

/** Thinking under the name the upstream gives it. */
export function thinkingIn(message: JsonObject): { field: string; text: string } | null {
  for (const field of ['reasoning_content', 'reasoning']) {
    const text = stringAt(message, field);
    if (text) return { field, text };
  }
  return null;
}

/** Text of `content`, which some servers send in parts, thinking among them. */
export function contentIn(message: JsonObject): { text: string; thinking: string } {
  const { content } = message;
  if (typeof content === 'string') return { text: content, thinking: '' };
  let [text, thinking] = ['', ''];
  for (const part of objectsOf(content)) {
    if (part.type === 'text') text += stringAt(part, 'text') ?? '';
    else if (part.type === 'thinking')
      thinking += objectsOf(part.thinking)
        .map((inner) => stringAt(inner, 'text') ?? '')
        .join('');
  }
  return { text, thinking };
}

const [THINKING, TEXT, REFUSAL, FIRST_CALL] = [0, 1, 2, 3];

function readThinking(message: JsonObject): AnswerEvent[] {
  const own = thinkingIn(message);
  const { thinking } = contentIn(message);
  const details = objectsOf(message.reasoning_details);
  if (own === null && thinking === '' && details.length === 0) return [];
  const data: JsonDraft = own === null ? {} : { field: own.field };
  if (details.length > 0) data.details = details;
  return [
    { type: 'thinking', part: THINKING, text: own?.text ?? thinking },
    { type: 'opaque', part: THINKING, opaque: { format: 'chat', data } },
  ];
}

function readCalls(message: JsonObject): AnswerEvent[] {
  return objectsOf(message.tool_calls).flatMap((entry, index): AnswerEvent[] => {
    const custom = objectAt(entry, 'custom');
    const fn = custom ?? objectAt(entry, 'function');
    if (fn === null) return [{ type: 'loss', name: `tool call of type ${wordOf(entry.type)}` }];
    const part = FIRST_CALL + index;
    return [
      { type: 'call', part, id: stringAt(entry, 'id') ?? `call_${index}`, name: stringAt(fn, 'name') ?? '' },
      {
        ...{ type: 'arguments', part },
        json:
          custom === null
            ? (stringAt(fn, 'arguments') ?? '')
            : customArguments(stringAt(custom, 'input') ?? ''),
      },
    ];
  });
}

function readMessage(message: JsonObject): AnswerEvent[] {
  const events = readThinking(message);
  const { text } = contentIn(message);
  const refusal = stringAt(message, 'refusal');
  if (text !== '') events.push({ type: 'text', part: TEXT, text });
  if (refusal) events.push({ type: 'refusal', part: REFUSAL, text: refusal });
  for (const name of ['audio', 'annotations', 'images'])
    if (Object.keys(message[name] ?? {}).length > 0) events.push({ type: 'loss', name });
  events.push(...readCalls(message));
  return events;
}

/** Reads a whole answer of Chat Completions. */
export function readAnswer(body: unknown): AnswerEvent[] {
  const [choice] = isObject(body) ? objectsOf(body.choices) : [];
  if (!isObject(body) || choice === undefined)
    return [{ type: 'error', error: { status: 502, message: 'The answer has no choices.' } }];
  const message = objectAt(choice, 'message') ?? {};
  const reason = readStop(stringAt(choice, 'finish_reason') ?? '', objectsOf(message.tool_calls).length > 0);
  return [
    { type: 'start', id: stringAt(body, 'id'), model: stringAt(body, 'model') },
    ...readMessage(message),
    { type: 'stop', reason: stringAt(message, 'refusal') ? 'refusal' : reason, sequence: null },
    { type: 'usage', usage: readUsage(body.usage) },
    { type: 'end' },
  ];
}
