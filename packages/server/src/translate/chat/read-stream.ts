import { isObject, objectAt, parseObject } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, answerError, CUT_ANSWER } from '../hub/answer.ts';
import { CUSTOM_CLOSE, CUSTOM_OPEN, customPiece } from '../hub/custom-tools.ts';
import type { StreamReader } from '../hub/format.ts';
import { countOf, type JsonDraft, type JsonObject, objectsOf, stringAt, wordOf } from '../hub/json.ts';
import { statusOfError } from './errors.ts';
import { contentIn, readStop, readUsage, thinkingIn } from './read-answer.ts';

const [THINKING, TEXT, REFUSAL, FIRST_CALL] = [0, 1, 2, 3];
/** Members of reasoning details that grow piece by piece; others are replaced. */
const GROWING = new Set(['text', 'summary', 'data']);
const MAX_DETAILS = 1_000;

/** Reads the chunks of Chat Completions. */
export class ChatReader implements StreamReader {
  #started = false;
  #finished = false;
  #ended = false;
  #hasCalls = false;
  #refused = false;
  /** What goes back with the thinking that is under way; null when none is. */
  #thinking: JsonDraft | null = null;
  readonly #details = new Map<string, JsonDraft>();
  readonly #calls = new Set<number>();
  /** Calls of tools that take text: what they travel as is closed with the answer. */
  readonly #texts = new Set<number>();

  read(_name: string | null, data: string): AnswerEvent[] {
    if (this.#ended) return [];
    if (data === '[DONE]') return this.#end();
    if (data === '') return [{ type: 'ping' }];
    const chunk = parseObject(data);
    if (chunk === null) return [];
    if (isObject(chunk.error)) return this.#error(chunk.error);
    const events: AnswerEvent[] = [];
    if (!this.#started) {
      this.#started = true;
      events.push({ type: 'start', id: stringAt(chunk, 'id'), model: stringAt(chunk, 'model') });
    }
    const choice = objectsOf(chunk.choices).find(({ index }) => (countOf(index) ?? 0) === 0);
    if (choice !== undefined) events.push(...this.#choice(choice));
    const usage = chunk.usage ?? objectAt(chunk, 'x_groq')?.usage;
    if (isObject(usage)) events.push({ type: 'usage', usage: readUsage(usage) });
    return events;
  }

  end(): AnswerEvent[] {
    if (this.#ended) return [];
    if (this.#finished) return this.#end();
    this.#ended = true;
    return [CUT_ANSWER];
  }

  #end(): AnswerEvent[] {
    this.#ended = true;
    return [...this.#thought(), ...this.#closeTexts(), { type: 'end' }];
  }

  #error(error: JsonObject): AnswerEvent[] {
    this.#ended = true;
    return [answerError(statusOfError(error), stringAt(error, 'message'))];
  }

  #choice(choice: JsonObject): AnswerEvent[] {
    const delta = objectAt(choice, 'delta') ?? {};
    const events = [...this.#think(delta), ...this.#say(delta)];
    for (const [index, entry] of objectsOf(delta.tool_calls).entries())
      events.push(...this.#call(countOf(entry.index) ?? index, entry));
    const reason = stringAt(choice, 'finish_reason');
    if (reason === null) return events;
    this.#finished = true;
    const stop = this.#refused ? 'refusal' : readStop(reason, this.#hasCalls);
    const last = [...this.#thought(), ...this.#closeTexts()];
    return [...events, ...last, { type: 'stop', reason: stop, sequence: null }];
  }

  #think(delta: JsonObject): AnswerEvent[] {
    const own = thinkingIn(delta);
    const text = own?.text ?? contentIn(delta).thinking;
    const details = objectsOf(delta.reasoning_details);
    if (text === '' && details.length === 0) return [];
    this.#thinking ??= {};
    if (own !== null) this.#thinking.field = own.field;
    for (const detail of details) this.#detail(detail);
    return [{ type: 'thinking', part: THINKING, text }];
  }

  #detail(piece: JsonObject): void {
    const key = `${wordOf(piece.type)} ${wordOf(piece.index ?? 0)}`;
    const known = this.#details.get(key);
    if (known === undefined) {
      if (this.#details.size < MAX_DETAILS) this.#details.set(key, { ...piece });
      return;
    }
    for (const [name, value] of Object.entries(piece)) {
      const grows = GROWING.has(name) && typeof value === 'string' && typeof known[name] === 'string';
      if (value !== null) known[name] = grows ? `${String(known[name])}${value}` : value;
    }
  }

  /** The thinking before is complete: something else begins. */
  #thought(): AnswerEvent[] {
    const data = this.#thinking;
    if (data === null) return [];
    this.#thinking = null;
    if (this.#details.size > 0) data.details = [...this.#details.values()];
    this.#details.clear();
    return [{ type: 'opaque', part: THINKING, opaque: { format: 'chat', data } }];
  }

  #say(delta: JsonObject): AnswerEvent[] {
    const { text } = contentIn(delta);
    const refusal = stringAt(delta, 'refusal') ?? '';
    if (text === '' && refusal === '') return [];
    this.#refused ||= refusal !== '';
    const events = this.#thought();
    if (text !== '') events.push({ type: 'text', part: TEXT, text });
    if (refusal !== '') events.push({ type: 'refusal', part: REFUSAL, text: refusal });
    return events;
  }

  #call(index: number, entry: JsonObject): AnswerEvent[] {
    const custom = objectAt(entry, 'custom');
    const fn = custom ?? objectAt(entry, 'function') ?? {};
    const part = FIRST_CALL + index;
    const events = this.#thought();
    if (!this.#calls.has(index)) {
      this.#calls.add(index);
      this.#hasCalls = true;
      const id = stringAt(entry, 'id') ?? `call_${index}`;
      events.push({ type: 'call', part, id, name: stringAt(fn, 'name') ?? '' });
      if (custom !== null) {
        this.#texts.add(part);
        events.push({ type: 'arguments', part, json: CUSTOM_OPEN });
      }
    }
    const json = this.#texts.has(part)
      ? customPiece(stringAt(fn, 'input') ?? '')
      : (stringAt(fn, 'arguments') ?? '');
    if (json !== '') events.push({ type: 'arguments', part, json });
    return events;
  }

  #closeTexts(): AnswerEvent[] {
    const events = [...this.#texts].map((part) => ({ type: 'arguments' as const, part, json: CUSTOM_CLOSE }));
    this.#texts.clear();
    return events;
  }
}
