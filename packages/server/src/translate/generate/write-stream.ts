import { type AnswerEvent, type AnswerUsage, NO_USAGE, type StopReason } from '../hub/answer.ts';
import type { AnswerContext, StreamWriter } from '../hub/format.ts';
import type { JsonDraft } from '../hub/json.ts';
import { PartSequence, type SequencedEvent } from '../hub/sequence-parts.ts';
import { writeError } from './errors.ts';
import { generateAnswer, Signatures, writeUsage } from './write-answer.ts';

/** Writes the pieces of `streamGenerateContent`: as events, or as one list where the client asked for none. */
export class GenerateWriter implements StreamWriter {
  readonly #context: AnswerContext;
  readonly #sequence = new PartSequence();
  readonly #signatures = new Signatures();
  #id: string | null = null;
  #model: string | null = null;
  #call = { id: '', name: '' };
  #stop: StopReason = 'end';
  #usage: AnswerUsage = NO_USAGE;
  readonly #lost: string[] = [];
  #first = true;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  write(event: AnswerEvent): string {
    if ('part' in event) return this.#parts(this.#sequence.push(event));
    switch (event.type) {
      case 'start':
        this.#id = event.id;
        this.#model = event.model;
        return '';
      case 'stop':
        this.#stop = event.reason;
        return '';
      case 'usage':
        this.#usage = event.usage;
        return '';
      case 'ping':
        // Some clients of this API cannot read comments; between the pieces of a list a line break says nothing.
        return this.#context.events || this.#first ? '' : '\n';
      case 'loss':
        this.#lost.push(event.name);
        return '';
      case 'error':
        return this.#frame(writeError(event.error)) + this.#close();
      case 'end':
        return this.#end();
    }
  }

  #frame(data: JsonDraft): string {
    const text = JSON.stringify(data);
    if (this.#context.events) return `data: ${text}\n\n`;
    const before = this.#first ? '[' : ',\n';
    this.#first = false;
    return before + text;
  }

  #close(): string {
    return this.#context.events ? '' : ']';
  }

  #piece(parts: JsonDraft[], stop: StopReason | null = null): JsonDraft {
    return generateAnswer(this.#context, { id: this.#id, model: this.#model, parts, stop });
  }

  #parts(events: readonly SequencedEvent[]): string {
    let text = '';
    for (const event of events) text += this.#part(event);
    return text;
  }

  #part(event: SequencedEvent): string {
    switch (event.type) {
      case 'open':
        if (event.kind === 'call') this.#call = event;
        return '';
      case 'fill':
        if (event.kind === 'call') return ''; // arguments are never in pieces here
        if (event.kind !== 'thinking') this.#signatures.said(event.text.length);
        return this.#frame(
          this.#piece([
            event.kind === 'thinking' ? { text: event.text, thought: true } : { text: event.text },
          ]),
        );
      case 'close':
        if (event.kind === 'call')
          return this.#frame(
            this.#piece([this.#signatures.call(this.#call.id, this.#call.name, event.text)]),
          );
        if (event.kind !== 'thinking' || event.opaque === null) return '';
        return this.#frame(this.#piece([this.#signatures.thought('', event.opaque, event.text)]));
    }
  }

  #end(): string {
    const rest = this.#parts(this.#sequence.finish());
    const last = { ...this.#piece([{ text: '' }], this.#stop), usageMetadata: writeUsage(this.#usage) };
    const dropped = this.#lost.length === 0 ? {} : { tallygateDropped: this.#lost };
    return rest + this.#frame({ ...last, ...dropped }) + this.#close();
  }
}
