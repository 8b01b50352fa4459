import {
  type AnswerError,
  type AnswerEvent,
  type AnswerUsage,
  NO_USAGE,
  type StopReason,
} from '../hub/answer.ts';
import { customInput } from '../hub/custom-tools.ts';
import type { AnswerContext, StreamWriter } from '../hub/format.ts';
import type { JsonDraft } from '../hub/json.ts';
import { lossComment } from '../hub/losses.ts';
import { PartSequence, type SequencedEvent } from '../hub/sequence-parts.ts';
import { codeOf } from './errors.ts';
import {
  callItem,
  isCustomTool,
  itemId,
  messageItem,
  outputText,
  reasoningItem,
  refusalPart,
  responseObject,
} from './write-answer.ts';

type Open = Extract<SequencedEvent, { type: 'open' }>;
type Fill = Extract<SequencedEvent, { type: 'fill' }>;
type Close = Extract<SequencedEvent, { type: 'close' }>;

/** Writes the events of the Responses API. */
export class ResponsesWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #sequence = new PartSequence();
  #number = 0;
  #head: { id: string | null; model: string | null } | null = null;
  readonly #output: JsonDraft[] = [];
  #call = { id: '', name: '' };
  #stop: StopReason = 'end';
  #usage: AnswerUsage = NO_USAGE;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(event: AnswerEvent): string {
    if ('part' in event) return this.#start(null, null) + this.#parts(this.#sequence.push(event));
    switch (event.type) {
      case 'start':
        return this.#start(event.id, event.model);
      case 'stop':
        this.#stop = event.reason;
        return '';
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'ping':
        return ': ping\n\n';
      case 'loss':
        return lossComment(event.name);
      case 'error':
        return this.#fail(event.error);
      case 'end':
        return this.#end();
    }
  }

  #frame(type: string, data: JsonDraft): string {
    const text = JSON.stringify({ type, sequence_number: this.#number, ...data });
    this.#number += 1;
    return `event: ${type}\ndata: ${text}\n\n`;
  }

  #response(stop: StopReason | null): JsonDraft {
    const { id = null, model = null } = this.#head ?? {};
    return responseObject(this.#context, { id, model, stop, usage: this.#usage, output: this.#output });
  }

  #start(id: string | null, model: string | null): string {
    if (this.#head !== null) return '';
    this.#head = { id, model };
    const response = this.#response(null);
    return this.#frame('response.created', { response }) + this.#frame('response.in_progress', { response });
  }

  #parts(events: readonly SequencedEvent[]): string {
    let text = '';
    for (const event of events) {
      if (event.type === 'open') text += this.#open(event);
      else text += event.type === 'fill' ? this.#fill(event) : this.#close(event);
    }
    return text;
  }

  get #index(): number {
    return this.#output.length;
  }

  #at(kind: 'msg' | 'rs' | 'fc' | 'ctc'): JsonDraft {
    return { item_id: itemId(kind, this.#context, this.#index), output_index: this.#index };
  }

  #added(item: JsonDraft): string {
    return this.#frame('response.output_item.added', { output_index: this.#index, item });
  }

  #open(event: Open): string {
    const index = this.#index;
    switch (event.kind) {
      case 'call': {
        this.#call = event;
        const item = callItem(this.#context, index, { ...event, json: '' });
        const emptied = item.type === 'function_call' ? { arguments: '' } : { input: '' };
        return this.#added({ ...item, ...emptied, status: 'in_progress' });
      }
      case 'thinking': {
        const item = reasoningItem(itemId('rs', this.#context, index), '', null);
        const part = { type: 'summary_text', text: '' };
        const head = this.#added(item);
        return (
          head +
          this.#frame('response.reasoning_summary_part.added', { ...this.#at('rs'), summary_index: 0, part })
        );
      }
      default: {
        const part = event.kind === 'text' ? outputText('') : refusalPart('');
        const item = {
          ...messageItem(itemId('msg', this.#context, index), part),
          content: [],
          status: 'in_progress',
        };
        const head = this.#added(item);
        return (
          head + this.#frame('response.content_part.added', { ...this.#at('msg'), content_index: 0, part })
        );
      }
    }
  }

  #fill({ kind, text: delta }: Fill): string {
    switch (kind) {
      case 'call':
        if (isCustomTool(this.#context, this.#call.name)) return '';
        return this.#frame('response.function_call_arguments.delta', { ...this.#at('fc'), delta });
      case 'thinking':
        return this.#frame('response.reasoning_summary_text.delta', {
          ...this.#at('rs'),
          summary_index: 0,
          delta,
        });
      case 'refusal':
        return this.#frame('response.refusal.delta', { ...this.#at('msg'), content_index: 0, delta });
      case 'text':
        return this.#frame('response.output_text.delta', {
          ...this.#at('msg'),
          content_index: 0,
          delta,
          logprobs: [],
        });
    }
  }

  #close(event: Close): string {
    switch (event.kind) {
      case 'call':
        return this.#closeCall(event);
      case 'thinking':
        return this.#closeThinking(event);
      default:
        return this.#closeMessage(event);
    }
  }

  #done(item: JsonDraft): string {
    const frame = this.#frame('response.output_item.done', { output_index: this.#index, item });
    this.#output.push(item);
    return frame;
  }

  #closeCall({ text }: Close): string {
    const item = callItem(this.#context, this.#index, { ...this.#call, json: text });
    if (item.type === 'function_call') {
      const { name, arguments: json } = item;
      const said = { ...this.#at('fc'), name, arguments: json };
      return this.#frame('response.function_call_arguments.done', said) + this.#done(item);
    }
    const input = customInput(text);
    return (
      this.#frame('response.custom_tool_call_input.delta', { ...this.#at('ctc'), delta: input }) +
      this.#frame('response.custom_tool_call_input.done', { ...this.#at('ctc'), input }) +
      this.#done(item)
    );
  }

  #closeThinking({ text, opaque }: Close): string {
    const at = { ...this.#at('rs'), summary_index: 0 };
    const part = { type: 'summary_text', text };
    return (
      this.#frame('response.reasoning_summary_text.done', { ...at, text }) +
      this.#frame('response.reasoning_summary_part.done', { ...at, part }) +
      this.#done(reasoningItem(itemId('rs', this.#context, this.#index), text, opaque))
    );
  }

  #closeMessage({ kind, text }: Close): string {
    const at = { ...this.#at('msg'), content_index: 0 };
    const part = kind === 'text' ? outputText(text) : refusalPart(text);
    const said =
      kind === 'text'
        ? this.#frame('response.output_text.done', { ...at, text, logprobs: [] })
        : this.#frame('response.refusal.done', { ...at, refusal: text });
    const item = messageItem(itemId('msg', this.#context, this.#index), part);
    return said + this.#frame('response.content_part.done', { ...at, part }) + this.#done(item);
  }

  #fail(error: AnswerError): string {
    const head = this.#start(null, null);
    const failed = { status: 'failed', error: { code: codeOf(error), message: error.message } };
    return head + this.#frame('response.failed', { response: { ...this.#response(null), ...failed } });
  }

  #end(): string {
    const rest = this.#start(null, null) + this.#parts(this.#sequence.finish());
    const response = this.#response(this.#stop);
    const type = response.status === 'completed' ? 'response.completed' : 'response.incomplete';
    return rest + this.#frame(type, { response });
  }
}
