import { objectAt } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, type AnswerUsage, NO_USAGE, type StopReason } from '../hub/answer.ts';
import { customInput } from '../hub/custom-tools.ts';
import type { AnswerContext, StreamWriter } from '../hub/format.ts';
import type { JsonDraft } from '../hub/json.ts';
import { lossComment } from '../hub/losses.ts';
import { PartSequence, type SequencedEvent } from '../hub/sequence-parts.ts';
import { writeError } from '../hub/write-common.ts';
import { isCustomTool, Sealing, stopText, writeUsage } from './write-answer.ts';

const frame = (data: JsonDraft): string => `data: ${JSON.stringify(data)}\n\n`;

/** Writes the chunks of Chat Completions. */
export class ChatWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #usageAsked: boolean;
  readonly #sequence = new PartSequence();
  readonly #sealing = new Sealing();
  #head: { id: string; model: string } | null = null;
  #call = -1;
  /** Whether the call under way is one of text, which is given out whole. */
  #custom = false;
  #stop: StopReason = 'end';
  #usage: AnswerUsage = NO_USAGE;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#usageAsked = objectAt(context.request, 'stream_options')?.include_usage === true;
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
        return frame(writeError(event.error));
      case 'end':
        return this.#end();
    }
  }

  #start(id: string | null, model: string | null): string {
    if (this.#head !== null) return '';
    const { requestId } = this.#context;
    this.#head = { id: `chatcmpl-${id ?? requestId}`, model: model ?? this.#context.model };
    return this.#delta({ role: 'assistant', content: '' });
  }

  #chunk(choices: JsonDraft[], usage: JsonDraft | null): string {
    return frame({
      id: this.#head?.id,
      object: 'chat.completion.chunk',
      created: this.#context.startedAtSeconds,
      model: this.#head?.model,
      choices,
      ...(this.#usageAsked ? { usage } : {}),
    });
  }

  #delta(delta: JsonDraft, finish: string | null = null): string {
    return this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: finish }], null);
  }

  #parts(events: readonly SequencedEvent[]): string {
    let text = '';
    for (const event of events) text += this.#part(event);
    return text;
  }

  #part(event: SequencedEvent): string {
    if (event.type === 'close') return this.#close(event);
    if (event.type === 'fill') return this.#fill(event);
    if (event.kind !== 'call') return '';
    this.#call += 1;
    this.#custom = isCustomTool(this.#context, event.name);
    const id = this.#sealing.idOf(event.id);
    const { name } = event;
    return this.#callDelta(
      this.#custom
        ? { id, type: 'custom', custom: { name, input: '' } }
        : { id, type: 'function', function: { name, arguments: '' } },
    );
  }

  #callDelta(entry: JsonDraft): string {
    return this.#delta({ tool_calls: [{ index: this.#call, ...entry }] });
  }

  #close({ kind, text, opaque }: Extract<SequencedEvent, { type: 'close' }>): string {
    if (kind === 'call' && this.#custom) return this.#callDelta({ custom: { input: customInput(text) } });
    return opaque === null ? '' : this.#delta({ reasoning_details: [this.#sealing.seal(opaque)] });
  }

  #fill({ kind, text }: Extract<SequencedEvent, { type: 'fill' }>): string {
    switch (kind) {
      case 'call':
        return this.#custom ? '' : this.#callDelta({ function: { arguments: text } });
      case 'thinking':
        return this.#delta({ reasoning_content: text });
      case 'refusal':
        return this.#delta({ refusal: text });
      case 'text':
        this.#sealing.said(text.length);
        return this.#delta({ content: text });
    }
  }

  #end(): string {
    const rest = this.#start(null, null) + this.#parts(this.#sequence.finish());
    const usage = this.#usageAsked ? this.#chunk([], writeUsage(this.#usage)) : '';
    return `${rest}${this.#delta({}, stopText(this.#stop))}${usage}data: [DONE]\n\n`;
  }
}
