import { objectAt, parseObject } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, answerError, CUT_ANSWER } from '../hub/answer.ts';
import { CUSTOM_CLOSE, CUSTOM_OPEN, customPiece } from '../hub/custom-tools.ts';
import type { StreamReader } from '../hub/format.ts';
import { countOf, type JsonObject, stringAt } from '../hub/json.ts';
import { statusOfError } from './errors.ts';
import { isCall, partNumber, readEnd, readItem } from './read-answer.ts';

/** Reads the events of the Responses API. */
export class ResponsesReader implements StreamReader {
  #ended = false;
  /** Parts of which a piece came: what is said again when they are done is passed over. */
  readonly #seen = new Set<number>();
  /** Summaries of reasoning by item: a new paragraph stands apart. */
  readonly #paragraphs = new Map<number, number>();

  read(name: string | null, data: string): AnswerEvent[] {
    const event = this.#ended || data === '' ? null : parseObject(data);
    if (event === null) return [];
    const item = countOf(event.output_index) ?? 0;
    switch (stringAt(event, 'type') ?? name) {
      case 'response.created':
        return [this.#start(objectAt(event, 'response') ?? {})];
      case 'response.output_item.added':
        return this.#added(item, objectAt(event, 'item') ?? {});
      case 'response.output_text.delta':
        return this.#said('text', partNumber(item, countOf(event.content_index) ?? 0), event);
      case 'response.refusal.delta':
        return this.#said('refusal', partNumber(item, countOf(event.content_index) ?? 0), event);
      case 'response.reasoning_text.delta':
        return this.#said('thinking', partNumber(item), event);
      case 'response.reasoning_summary_text.delta':
        return this.#summary(item, event);
      case 'response.function_call_arguments.delta':
        this.#seen.add(partNumber(item));
        return [{ type: 'arguments', part: partNumber(item), json: stringAt(event, 'delta') ?? '' }];
      case 'response.custom_tool_call_input.delta':
        return this.#input(partNumber(item), event);
      case 'response.custom_tool_call_input.done':
        return this.#seen.has(partNumber(item))
          ? [{ type: 'arguments', part: partNumber(item), json: CUSTOM_CLOSE }]
          : [];
      case 'response.output_item.done':
        return this.#done(item, objectAt(event, 'item') ?? {});
      default:
        return this.#ending(event, name);
    }
  }

  end(): AnswerEvent[] {
    if (this.#ended) return [];
    this.#ended = true;
    return [CUT_ANSWER];
  }

  #start(response: JsonObject): AnswerEvent {
    return { type: 'start', id: stringAt(response, 'id'), model: stringAt(response, 'model') };
  }

  #ending(event: JsonObject, name: string | null): AnswerEvent[] {
    const type = stringAt(event, 'type') ?? name;
    if (type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed') {
      this.#ended = true;
      return readEnd(objectAt(event, 'response') ?? {});
    }
    if (type !== 'error') return [];
    this.#ended = true;
    const error = objectAt(event, 'error') ?? event;
    return [answerError(statusOfError(error), stringAt(error, 'message'))];
  }

  #added(index: number, item: JsonObject): AnswerEvent[] {
    if (!isCall(item)) return [];
    const [call] = readItem(item, index);
    return call === undefined ? [] : [call];
  }

  /** A piece of a custom tool's text. */
  #input(part: number, event: JsonObject): AnswerEvent[] {
    const opening = this.#seen.has(part) ? '' : CUSTOM_OPEN;
    this.#seen.add(part);
    return [{ type: 'arguments', part, json: opening + customPiece(stringAt(event, 'delta') ?? '') }];
  }

  #said(type: 'text' | 'refusal' | 'thinking', part: number, event: JsonObject): AnswerEvent[] {
    this.#seen.add(part);
    return [{ type, part, text: stringAt(event, 'delta') ?? '' }];
  }

  #summary(item: number, event: JsonObject): AnswerEvent[] {
    const paragraph = countOf(event.summary_index) ?? 0;
    const before = this.#paragraphs.get(item) ?? 0;
    this.#paragraphs.set(item, paragraph);
    const gap = paragraph > before ? '\n\n' : '';
    const [said] = this.#said('thinking', partNumber(item), event);
    return said?.type === 'thinking' ? [{ ...said, text: gap + said.text }] : [];
  }

  /** The item as a whole: what it says beyond its pieces, and what they left out. */
  #done(index: number, item: JsonObject): AnswerEvent[] {
    return readItem(item, index).filter((event) => {
      if (!('part' in event)) return true;
      if (event.type === 'call') return false;
      return event.type === 'opaque' || !this.#seen.has(event.part);
    });
  }
}
