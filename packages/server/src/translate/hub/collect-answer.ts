import { type AnswerError, type AnswerEvent, type AnswerUsage, NO_USAGE, type StopReason } from './answer.ts';
import type { RefusalPart, TextPart, ThinkingPart, ToolCallPart } from './parts.ts';
import { PartSequence, type SequencedEvent } from './sequence-parts.ts';

export type AnswerPart = TextPart | ThinkingPart | ToolCallPart | RefusalPart;

export interface WholeAnswer {
  id: string | null;
  model: string | null;
  parts: AnswerPart[];
  stop: StopReason;
  sequence: string | null;
  usage: AnswerUsage;
  error: AnswerError | null;
}

/** Puts the pieces of an answer together. */
export function collectAnswer(events: readonly AnswerEvent[]): WholeAnswer {
  const sequence = new PartSequence();
  const whole: WholeAnswer = {
    id: null,
    model: null,
    parts: [],
    stop: 'end',
    sequence: null,
    usage: NO_USAGE,
    error: null,
  };
  const sequenced: SequencedEvent[] = [];
  for (const event of events) {
    if ('part' in event) sequenced.push(...sequence.push(event));
    else note(whole, event);
  }
  sequenced.push(...sequence.finish());
  let call = { id: '', name: '' };
  for (const event of sequenced) {
    if (event.type === 'open' && event.kind === 'call') call = event;
    if (event.type === 'close') whole.parts.push(partOf(event, call));
  }
  return whole;
}

function note(whole: WholeAnswer, event: Exclude<AnswerEvent, { part: number }>): void {
  switch (event.type) {
    case 'start':
      whole.id = event.id;
      whole.model = event.model;
      break;
    case 'stop':
      whole.stop = event.reason;
      whole.sequence = event.sequence;
      break;
    case 'usage':
      whole.usage = event.usage;
      break;
    case 'error':
      whole.error = event.error;
      break;
  }
}

function partOf(
  { kind, text, opaque }: Extract<SequencedEvent, { type: 'close' }>,
  { id, name }: { id: string; name: string },
): AnswerPart {
  if (kind === 'call') return { type: 'tool-call', id, name, arguments: text };
  return kind === 'thinking' ? { type: 'thinking', text, opaque } : { type: kind, text };
}
