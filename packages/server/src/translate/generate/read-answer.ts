import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, type AnswerUsage, NO_USAGE, type StopReason } from '../hub/answer.ts';
import { countOf, type JsonObject, objectsOf, stringAt } from '../hub/json.ts';

const STOPS: ReadonlyMap<string, StopReason> = new Map<string, StopReason>([
  ['STOP', 'end'],
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'filtered'],
  ['RECITATION', 'filtered'],
  ['BLOCKLIST', 'filtered'],
  ['PROHIBITED_CONTENT', 'filtered'],
  ['SPII', 'filtered'],
]);

export function readUsage(usage: unknown): AnswerUsage {
  if (!isObject(usage)) return NO_USAGE;
  const prompt = countOf(usage.promptTokenCount);
  const cacheRead = countOf(usage.cachedContentTokenCount);
  const tools = countOf(usage.toolUsePromptTokenCount) ?? 0;
  const said = countOf(usage.candidatesTokenCount);
  const reasoning = countOf(usage.thoughtsTokenCount);
  return {
    inputUncached: prompt === null ? null : Math.max(0, prompt + tools - (cacheRead ?? 0)),
    cacheRead,
    cacheWrite: null,
    output: said === null && reasoning === null ? null : (said ?? 0) + (reasoning ?? 0),
    reasoning,
  };
}

/** Reads the pieces of an answer in order; each call is whole, text and thoughts grow. */
export class PieceReader {
  #part = -1;
  #kind: 'text' | 'thinking' | null = null;
  #calls = 0;
  #started = false;
  #finished = false;

  get finished(): boolean {
    return this.#finished;
  }

  read(answer: JsonObject): AnswerEvent[] {
    const events: AnswerEvent[] = [];
    if (!this.#started) {
      this.#started = true;
      events.push({
        type: 'start',
        id: stringAt(answer, 'responseId'),
        model: stringAt(answer, 'modelVersion'),
      });
    }
    const [candidate] = objectsOf(answer.candidates);
    if (candidate !== undefined) events.push(...this.#candidate(candidate));
    if (stringAt(objectAt(answer, 'promptFeedback') ?? {}, 'blockReason') !== null) {
      this.#finished = true;
      events.push({ type: 'stop', reason: 'filtered', sequence: null });
    }
    if (isObject(answer.usageMetadata))
      events.push({ type: 'usage', usage: readUsage(answer.usageMetadata) });
    return events;
  }

  #candidate(candidate: JsonObject): AnswerEvent[] {
    const events = objectsOf(objectAt(candidate, 'content')?.parts).flatMap((part) => this.#piece(part));
    for (const name of ['groundingMetadata', 'citationMetadata', 'urlContextMetadata'])
      if (isObject(candidate[name])) events.push({ type: 'loss', name });
    const reason = stringAt(candidate, 'finishReason');
    if (reason === null) return events;
    this.#finished = true;
    const stop = STOPS.get(reason) ?? 'end';
    events.push({ type: 'stop', reason: stop === 'end' && this.#calls > 0 ? 'tools' : stop, sequence: null });
    return events;
  }

  #piece(part: JsonObject): AnswerEvent[] {
    const call = objectAt(part, 'functionCall');
    const signature = stringAt(part, 'thoughtSignature');
    if (call !== null) return [...this.#sealed(signature, 'call'), ...this.#call(call)];
    const text = stringAt(part, 'text');
    if (text === null) return [{ type: 'loss', name: `part ${Object.keys(part).join('/')}` }];
    return [...this.#said(text, part.thought === true), ...this.#sealed(signature, 'text')];
  }

  #call(call: JsonObject): AnswerEvent[] {
    this.#part += 1;
    this.#kind = null;
    this.#calls += 1;
    const name = stringAt(call, 'name') ?? '';
    return [
      { type: 'call', part: this.#part, id: stringAt(call, 'id') ?? `call_${this.#calls}_${name}`, name },
      { type: 'arguments', part: this.#part, json: JSON.stringify(call.args ?? {}) },
    ];
  }

  #said(text: string, thought: boolean): AnswerEvent[] {
    if (text === '') return [];
    const kind = thought ? 'thinking' : 'text';
    const events: AnswerEvent[] = [];
    if (this.#kind !== kind) {
      this.#part += 1;
      this.#kind = kind;
      // A thought is marked as this format's, so that nobody takes it for another provider's later.
      if (thought)
        events.push({
          type: 'opaque',
          part: this.#part,
          opaque: { format: 'generate', data: { thought: true } },
        });
    }
    events.push({ type: kind, part: this.#part, text });
    return events;
  }

  #sealed(signature: string | null, on: 'call' | 'text'): AnswerEvent[] {
    if (signature === null) return [];
    this.#part += 1;
    this.#kind = null;
    return [{ type: 'opaque', part: this.#part, opaque: { format: 'generate', data: { signature, on } } }];
  }
}

/** Reads a whole answer of `generateContent`, or the list of pieces that a stream without events is. */
export function readAnswer(body: unknown): AnswerEvent[] {
  const reader = new PieceReader();
  const pieces = Array.isArray(body) ? objectsOf(body) : isObject(body) ? [body] : [];
  const events = pieces.flatMap((piece) => reader.read(piece));
  if (!reader.finished)
    return [{ type: 'error', error: { status: 502, message: 'The answer has no candidates.' } }];
  return [...events, { type: 'end' }];
}
