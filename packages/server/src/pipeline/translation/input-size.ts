import type { Ask } from '../../translate/hub/ask.ts';
import type { ContentPart, Turn } from '../../translate/hub/parts.ts';

/** What a picture or a page is taken for; what it really comes to, the upstream's usage says. */
const MEDIA_TOKENS = 1_600;

/** How large the input of a request is, as far as tokens go. */
export interface InputSize {
  textBytes: number;
  /** Tokens of what is not text. */
  mediaTokens: number;
}

function addContent(size: InputSize, part: ContentPart): void {
  if (part.type === 'text') size.textBytes += Buffer.byteLength(part.text);
  else size.mediaTokens += MEDIA_TOKENS;
}

function addTurn(size: InputSize, turn: Turn): void {
  for (const part of turn.parts) {
    if (part.type === 'tool-call')
      size.textBytes += Buffer.byteLength(part.name) + Buffer.byteLength(part.arguments);
    else if (part.type === 'tool-result') for (const inner of part.parts) addContent(size, inner);
    else if (part.type === 'thinking' || part.type === 'refusal')
      size.textBytes += Buffer.byteLength(part.text);
    else addContent(size, part);
  }
}

/** Measures a request; base64 counts as what it stands for. */
export function inputSize({ conversation, toolbox }: Ask): InputSize {
  const size: InputSize = { textBytes: 0, mediaTokens: 0 };
  for (const part of conversation.system) addContent(size, part);
  for (const turn of conversation.turns) addTurn(size, turn);
  if (toolbox.tools.length > 0) size.textBytes += Buffer.byteLength(JSON.stringify(toolbox.tools));
  return size;
}
