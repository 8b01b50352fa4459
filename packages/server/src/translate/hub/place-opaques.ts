import type { AssistantPart, Opaque, ToolCallPart } from './parts.ts';

/** Puts text and calls around what was sealed, as they stood when the upstream gave them. */
export function placeOpaques(
  opaques: readonly Opaque[],
  text: string,
  calls: readonly ToolCallPart[],
): AssistantPart[] {
  const parts: AssistantPart[] = [];
  let [textDone, callsDone] = [0, 0];
  const upTo = (textEnd: number, callsEnd: number): void => {
    if (textEnd > textDone) parts.push({ type: 'text', text: text.slice(textDone, textEnd) });
    parts.push(...calls.slice(callsDone, callsEnd));
    textDone = Math.max(textDone, textEnd);
    callsDone = Math.max(callsDone, callsEnd);
  };
  for (const opaque of opaques) {
    const { before = { text: textDone, calls: callsDone }, text: thought = '', ...sealed } = opaque;
    upTo(Math.min(before.text, text.length), before.calls);
    parts.push({ type: 'thinking', text: thought, opaque: sealed });
  }
  upTo(text.length, calls.length);
  return parts;
}
