import { objectAt, parseObject } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, type AnswerUsage, answerError, CUT_ANSWER, NO_USAGE } from '../hub/answer.ts';
import type { StreamReader } from '../hub/format.ts';
import { countOf, type JsonDraft, type JsonObject, stringAt } from '../hub/json.ts';
import { statusOfError } from './errors.ts';
import { readBlock, readStop, readUsage } from './read-answer.ts';

/** Reads the events of the Messages API. */
export class MessagesReader implements StreamReader {
  #usage: AnswerUsage = NO_USAGE;
  /** Thinking blocks by index: they go back whole, signature and all. */
  readonly #thinking = new Map<number, JsonDraft>();
  #ended = false;

  read(name: string | null, data: string): AnswerEvent[] {
    if (data === '') return [];
    const event = parseObject(data);
    if (event === null || this.#ended) return [];
    const index = countOf(event.index) ?? 0;
    switch (stringAt(event, 'type') ?? name) {
      case 'message_start':
        return this.#start(objectAt(event, 'message') ?? {});
      case 'content_block_start':
        return this.#block(index, objectAt(event, 'content_block') ?? {});
      case 'content_block_delta':
        return this.#delta(index, objectAt(event, 'delta') ?? {});
      case 'content_block_stop':
        return this.#blockEnd(index);
      case 'message_delta':
        return this.#messageDelta(event);
      case 'message_stop':
        this.#ended = true;
        return [{ type: 'end' }];
      case 'ping':
        return [{ type: 'ping' }];
      case 'error':
        return this.#error(objectAt(event, 'error') ?? {});
      default:
        return [];
    }
  }

  end(): AnswerEvent[] {
    if (this.#ended) return [];
    this.#ended = true;
    return [CUT_ANSWER];
  }

  #start(message: JsonObject): AnswerEvent[] {
    this.#usage = readUsage(message.usage);
    return [{ type: 'start', id: stringAt(message, 'id'), model: stringAt(message, 'model') }];
  }

  #block(index: number, block: JsonObject): AnswerEvent[] {
    switch (block.type) {
      case 'thinking':
        this.#thinking.set(index, { ...block });
        return [{ type: 'thinking', part: index, text: stringAt(block, 'thinking') ?? '' }];
      case 'tool_use': {
        const [call] = readBlock(block, index);
        return call === undefined ? [] : [call];
      }
      default:
        return readBlock(block, index);
    }
  }

  #delta(index: number, delta: JsonObject): AnswerEvent[] {
    switch (delta.type) {
      case 'text_delta':
        return [{ type: 'text', part: index, text: stringAt(delta, 'text') ?? '' }];
      case 'input_json_delta':
        return [{ type: 'arguments', part: index, json: stringAt(delta, 'partial_json') ?? '' }];
      case 'thinking_delta':
        return this.#thought(index, stringAt(delta, 'thinking') ?? '');
      case 'signature_delta': {
        const block = this.#thinking.get(index);
        if (block) block.signature = `${String(block.signature ?? '')}${stringAt(delta, 'signature') ?? ''}`;
        return [];
      }
      case 'citations_delta':
        return [{ type: 'loss', name: 'citations' }];
      default:
        return [];
    }
  }

  #thought(index: number, text: string): AnswerEvent[] {
    const block = this.#thinking.get(index);
    if (block) block.thinking = `${String(block.thinking ?? '')}${text}`;
    return [{ type: 'thinking', part: index, text }];
  }

  #blockEnd(index: number): AnswerEvent[] {
    const block = this.#thinking.get(index);
    this.#thinking.delete(index);
    return block ? [{ type: 'opaque', part: index, opaque: { format: 'messages', data: block } }] : [];
  }

  #messageDelta(event: JsonObject): AnswerEvent[] {
    const delta = objectAt(event, 'delta') ?? {};
    this.#usage = readUsage(event.usage, this.#usage);
    const events: AnswerEvent[] = [{ type: 'usage', usage: this.#usage }];
    const reason = stringAt(delta, 'stop_reason');
    if (reason !== null)
      events.unshift({ type: 'stop', reason: readStop(reason), sequence: stringAt(delta, 'stop_sequence') });
    return events;
  }

  #error(error: JsonObject): AnswerEvent[] {
    this.#ended = true;
    return [answerError(statusOfError(stringAt(error, 'type')), stringAt(error, 'message'))];
  }
}
