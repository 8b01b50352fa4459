import { type AnswerEvent, type AnswerUsage, type StopReason, totalInput } from '../hub/answer.ts';
import { type AnswerPart, collectAnswer } from '../hub/collect-answer.ts';
import type { AnswerContext } from '../hub/format.ts';
import { argumentsObject, type JsonDraft, put } from '../hub/json.ts';
import { sealOpaque } from '../hub/opaque.ts';
import type { Opaque } from '../hub/parts.ts';

const FINISHES: Readonly<Record<StopReason, string>> = {
  end: 'STOP',
  length: 'MAX_TOKENS',
  tools: 'STOP',
  'stop-sequence': 'STOP',
  refusal: 'SAFETY',
  filtered: 'SAFETY',
  pause: 'STOP',
  'context-full': 'MAX_TOKENS',
};

export const finishText = (reason: StopReason): string => FINISHES[reason];

/** Usage as clients of this format count it: thoughts stand beside what was said. */
export function writeUsage(usage: AnswerUsage): JsonDraft {
  const prompt = totalInput(usage) ?? 0;
  const output = usage.output ?? 0;
  const thoughts = Math.min(usage.reasoning ?? 0, output);
  const draft: JsonDraft = {
    promptTokenCount: prompt,
    candidatesTokenCount: output - thoughts,
    totalTokenCount: prompt + output,
  };
  put(draft, 'cachedContentTokenCount', usage.cacheRead);
  if (usage.reasoning !== null) draft.thoughtsTokenCount = thoughts;
  return draft;
}

/** Seals what comes before a call once more on the call: some clients leave thoughts out of the next turn. */
export class Signatures {
  #pending: Opaque[] = [];
  #text = 0;
  #calls = 0;

  said(characters: number): void {
    this.#text += characters;
  }

  /** @param before what of it went out already, in pieces */
  thought(text: string, opaque: Opaque | null, before = ''): JsonDraft {
    const part: JsonDraft = { text, thought: true };
    if (opaque === null) return part;
    const placed = { ...opaque, before: { text: this.#text, calls: this.#calls } };
    this.#pending.push({ ...placed, text: before + text });
    part.thoughtSignature = sealOpaque([placed]);
    return part;
  }

  call(id: string, name: string, json: string): JsonDraft {
    this.#calls += 1;
    const part: JsonDraft = { functionCall: { id, name, args: argumentsObject(json) } };
    if (this.#pending.length > 0) part.thoughtSignature = sealOpaque(this.#pending);
    this.#pending = [];
    return part;
  }
}

function writePart(part: AnswerPart, signatures: Signatures): JsonDraft {
  if (part.type === 'thinking') return signatures.thought(part.text, part.opaque);
  if (part.type === 'tool-call') return signatures.call(part.id, part.name, part.arguments);
  signatures.said(part.text.length);
  return { text: part.text };
}

/** One answer, or one piece of it. */
export function generateAnswer(
  context: AnswerContext,
  known: { id: string | null; model: string | null; parts: JsonDraft[]; stop: StopReason | null },
): JsonDraft {
  const candidate: JsonDraft = { content: { role: 'model', parts: known.parts }, index: 0 };
  if (known.stop !== null) candidate.finishReason = finishText(known.stop);
  return {
    candidates: [candidate],
    modelVersion: known.model ?? context.model,
    responseId: known.id ?? context.requestId,
  };
}

/** Writes a whole answer of `generateContent`. */
export function writeAnswer(events: readonly AnswerEvent[], context: AnswerContext): JsonDraft {
  const { id, model, stop, usage, parts } = collectAnswer(events);
  const signatures = new Signatures();
  const written = parts.map((part) => writePart(part, signatures));
  const answer = generateAnswer(context, { id, model, stop, parts: written });
  return { ...answer, usageMetadata: writeUsage(usage) };
}
