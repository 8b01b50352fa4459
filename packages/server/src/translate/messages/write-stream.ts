import { type AnswerEvent, type AnswerUsage, NO_USAGE, type StopReason } from '../hub/answer.ts';
import type { AnswerContext, StreamWriter } from '../hub/format.ts';
import type { JsonDraft } from '../hub/json.ts';
import { lossComment } from '../hub/losses.ts';
import { PartSequence, type SequencedEvent } from '../hub/sequence-parts.ts';
import { writeError } from './errors.ts';
import { messageId, signatureOf, stopText, writeUsage } from './write-answer.ts';

const frame = (type: string, data: JsonDraft): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

/** Writes the events of the Messages API. */
export class MessagesWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #sequence = new PartSequence();
  #started = false;
  #index = -1;
  #stop: { reason: StopReason; sequence: string | null } = { reason: 'end', sequence: null };
  #usage: AnswerUsage = NO_USAGE;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(event: AnswerEvent): string {
    if ('part' in event) return this.#start(null, null) + this.#blocks(this.#sequence.push(event));
    switch (event.type) {
      case 'start':
        return this.#start(event.id, event.model);
      case 'stop':
        this.#stop = event;
        return '';
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'ping':
        return this.#started ? frame('ping', {}) : '';
      case 'loss':
        return lossComment(event.name);
      case 'error': {
        const { type: _type, ...error } = writeError(event.error, null);
        return frame('error', error);
      }
      case 'end':
        return this.#end();
    }
  }

  #start(id: string | null, model: string | null): string {
    if (this.#started) return '';
    this.#started = true;
    const { requestId, estimatedInputTokens } = this.#context;
    return frame('message_start', {
      message: {
        id: messageId(id, requestId),
        type: 'message',
        role: 'assistant',
        model: model ?? this.#context.model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: writeUsage({ ...NO_USAGE, output: 1 }, estimatedInputTokens),
      },
    });
  }

  #blocks(events: readonly SequencedEvent[]): string {
    let text = '';
    for (const event of events) text += this.#block(event);
    return text;
  }

  #block(event: SequencedEvent): string {
    switch (event.type) {
      case 'open':
        this.#index += 1;
        return frame('content_block_start', { index: this.#index, content_block: opening(event) });
      case 'fill':
        return this.#delta(filling(event));
      case 'close': {
        const end = frame('content_block_stop', { index: this.#index });
        if (event.kind !== 'thinking' || event.opaque === null) return end;
        return this.#delta({ type: 'signature_delta', signature: signatureOf(event.opaque) }) + end;
      }
    }
  }

  #delta(delta: JsonDraft): string {
    return frame('content_block_delta', { index: this.#index, delta });
  }

  #end(): string {
    const rest = this.#start(null, null) + this.#blocks(this.#sequence.finish());
    const { reason, sequence } = this.#stop;
    const usage = writeUsage(this.#usage, this.#context.estimatedInputTokens);
    const delta = { stop_reason: stopText(reason), stop_sequence: sequence };
    return rest + frame('message_delta', { delta, usage }) + frame('message_stop', {});
  }
}

function opening(event: Extract<SequencedEvent, { type: 'open' }>): JsonDraft {
  if (event.kind === 'call') return { type: 'tool_use', id: event.id, name: event.name, input: {} };
  return event.kind === 'thinking'
    ? { type: 'thinking', thinking: '', signature: '' }
    : { type: 'text', text: '' };
}

function filling({ kind, text }: Extract<SequencedEvent, { type: 'fill' }>): JsonDraft {
  if (kind === 'call') return { type: 'input_json_delta', partial_json: text };
  return kind === 'thinking' ? { type: 'thinking_delta', thinking: text } : { type: 'text_delta', text };
}
