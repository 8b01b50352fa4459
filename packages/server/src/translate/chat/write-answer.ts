import { objectAt } from '../../providers/shared/usage-fields.ts';
import { type AnswerEvent, type AnswerUsage, type StopReason, totalInput } from '../hub/answer.ts';
import { type AnswerPart, collectAnswer, type WholeAnswer } from '../hub/collect-answer.ts';
import { customInput } from '../hub/custom-tools.ts';
import type { AnswerContext } from '../hub/format.ts';
import { type JsonDraft, objectsOf, put } from '../hub/json.ts';
import { idWithOpaque, sealOpaque } from '../hub/opaque.ts';
import type { Opaque, ToolCallPart } from '../hub/parts.ts';
import { SEALED } from './read-parts.ts';

const STOPS: Readonly<Record<StopReason, string>> = {
  end: 'stop',
  length: 'length',
  tools: 'tool_calls',
  'stop-sequence': 'stop',
  refusal: 'content_filter',
  filtered: 'content_filter',
  pause: 'stop',
  'context-full': 'length',
};

export const stopText = (reason: StopReason): string => STOPS[reason];

/** Usage as clients of this format count it: what was read from a cache is part of the prompt. */
export function writeUsage(usage: AnswerUsage): JsonDraft {
  const prompt = totalInput(usage) ?? 0;
  const output = usage.output ?? 0;
  const promptDetails: JsonDraft = { cached_tokens: usage.cacheRead ?? 0 };
  put(promptDetails, 'cache_write_tokens', usage.cacheWrite);
  const draft: JsonDraft = {
    prompt_tokens: prompt,
    completion_tokens: output,
    total_tokens: prompt + output,
    prompt_tokens_details: promptDetails,
  };
  if (usage.reasoning !== null) draft.completion_tokens_details = { reasoning_tokens: usage.reasoning };
  return draft;
}

/** What other formats need back, where a client keeps it that keeps the whole message. */
export function sealedDetail(opaque: Opaque): JsonDraft {
  return { type: SEALED, data: sealOpaque([opaque]) };
}

/** Notes what was sealed and where it stood, and puts it on the id of the call that follows. */
export class Sealing {
  #text = 0;
  #calls = 0;
  #pending: Opaque[] = [];

  said(characters: number): void {
    this.#text += characters;
  }

  seal(opaque: Opaque): JsonDraft {
    const placed = { ...opaque, before: { text: this.#text, calls: this.#calls } };
    this.#pending.push(placed);
    return sealedDetail(placed);
  }

  idOf(id: string): string {
    this.#calls += 1;
    const pending = this.#pending;
    this.#pending = [];
    return idWithOpaque(id, pending);
  }
}

/** Tools that take text instead of arguments, by the request. */
export function isCustomTool({ request }: AnswerContext, name: string): boolean {
  return objectsOf(request.tools).some(
    (tool) => tool.type === 'custom' && objectAt(tool, 'custom')?.name === name,
  );
}

function writeCall(id: string, { name, arguments: json }: ToolCallPart, context: AnswerContext): JsonDraft {
  if (isCustomTool(context, name)) return { id, type: 'custom', custom: { name, input: customInput(json) } };
  return { id, type: 'function', function: { name, arguments: json === '' ? '{}' : json } };
}

interface MessageDraft {
  text: string;
  thinking: string;
  refusal: string;
  details: JsonDraft[];
  calls: JsonDraft[];
}

function take(
  part: AnswerPart,
  draft: MessageDraft,
  { sealing, context }: { sealing: Sealing; context: AnswerContext },
): void {
  switch (part.type) {
    case 'text':
      draft.text += part.text;
      return sealing.said(part.text.length);
    case 'thinking':
      draft.thinking += part.text;
      if (part.opaque !== null) draft.details.push(sealing.seal(part.opaque));
      return;
    case 'refusal':
      draft.refusal += part.text;
      return;
    case 'tool-call':
      draft.calls.push(writeCall(sealing.idOf(part.id), part, context));
  }
}

function writeMessage({ parts }: WholeAnswer, context: AnswerContext): JsonDraft {
  const sealing = new Sealing();
  const draft: MessageDraft = { text: '', thinking: '', refusal: '', details: [], calls: [] };
  for (const part of parts) take(part, draft, { sealing, context });
  const { text, thinking, refusal, details, calls } = draft;
  const message: JsonDraft = {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal !== '') ? null : text,
    refusal: refusal === '' ? null : refusal,
  };
  if (thinking !== '') message.reasoning_content = thinking;
  if (details.length > 0) message.reasoning_details = details;
  if (calls.length > 0) message.tool_calls = calls;
  return message;
}

/** Writes a whole answer of Chat Completions. */
export function writeAnswer(events: readonly AnswerEvent[], context: AnswerContext): JsonDraft {
  const whole = collectAnswer(events);
  return {
    id: `chatcmpl-${whole.id ?? context.requestId}`,
    object: 'chat.completion',
    created: context.startedAtSeconds,
    model: whole.model ?? context.model,
    choices: [
      {
        index: 0,
        message: writeMessage(whole, context),
        logprobs: null,
        finish_reason: stopText(whole.stop),
      },
    ],
    usage: writeUsage(whole.usage),
  };
}
