import { isObject } from '../../providers/shared/usage-fields.ts';
import { type JsonObject, stringAt } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import { openOpaque } from '../hub/opaque.ts';
import type { AssistantPart, ContentPart, Opaque, ThinkingPart, ToolResultPart } from '../hub/parts.ts';
import { camelAt, camelCase, camelList } from './camel-case.ts';

/**
 * Gives calls without an id one of their own, and results the id of the call they answer: by name, in order, as the
 * API pairs them.
 */
export class CallIds {
  #count = 0;
  readonly #open: { id: string; name: string }[] = [];

  call(id: string | null, name: string): string {
    this.#count += 1;
    const given = id ?? `call_${this.#count}_${name}`;
    this.#open.push({ id: given, name });
    return given;
  }

  result(id: string | null, name: string): string {
    const at = this.#open.findIndex((call) => (id === null ? call.name === name : call.id === id));
    const [call] = at === -1 ? [] : this.#open.splice(at, 1);
    return id ?? call?.id ?? `call_of_${name}`;
  }
}

function readMedia(part: JsonObject, losses: Losses): ContentPart[] {
  const inline = camelAt(part, 'inlineData');
  if (inline === null) {
    losses.lose(camelAt(part, 'fileData') === null ? `part ${Object.keys(part).join('/')}` : 'fileData');
    return [];
  }
  const mediaType = stringAt(inline, 'mimeType') ?? 'application/octet-stream';
  const data = stringAt(inline, 'data') ?? '';
  if (mediaType.startsWith('image/')) return [{ type: 'image', source: { kind: 'base64', mediaType, data } }];
  if (mediaType.startsWith('audio/')) return [{ type: 'audio', mediaType, data }];
  const name = stringAt(inline, 'displayName');
  return [{ type: 'document', source: { kind: 'base64', mediaType, data }, name }];
}

function readContent(part: JsonObject, losses: Losses): ContentPart[] {
  const text = stringAt(part, 'text');
  return text === null ? readMedia(part, losses) : [{ type: 'text', text }];
}

/** Text of a result: the member that says it, else all of it as JSON. */
function resultText(response: JsonObject): { text: string; isError: boolean } {
  const entries = Object.entries(response);
  const [[name, value] = ['', null]] = entries;
  const alone = entries.length === 1 && ['output', 'result', 'content', 'error'].includes(name);
  if (alone && typeof value === 'string') return { text: value, isError: name === 'error' };
  return { text: JSON.stringify(response), isError: alone && name === 'error' };
}

function readResult(result: JsonObject, ids: CallIds, losses: Losses): ToolResultPart {
  const name = stringAt(result, 'name') ?? '';
  const { text, isError } = resultText(isObject(result.response) ? result.response : {});
  const media = camelList(result.parts).flatMap((part) => readMedia(part, losses));
  return {
    type: 'tool-result',
    callId: ids.result(stringAt(result, 'id'), name),
    parts: [{ type: 'text', text }, ...media],
    isError,
  };
}

export function readUserParts(
  parts: readonly JsonObject[],
  ids: CallIds,
  losses: Losses,
): (ContentPart | ToolResultPart)[] {
  return parts.map(camelCase).flatMap((part): (ContentPart | ToolResultPart)[] => {
    const result = camelAt(part, 'functionResponse');
    return result === null ? readContent(part, losses) : [readResult(result, ids, losses)];
  });
}

/** What a signature stands for: what the gate sealed, or this format's own. */
function signed(part: JsonObject, on: 'call' | 'text'): Opaque[] {
  const signature = stringAt(part, 'thoughtSignature');
  if (signature === null) return [];
  return openOpaque(signature) ?? [{ format: 'generate', data: { signature, on } }];
}

const thinking = (opaque: Opaque, text = ''): ThinkingPart => ({ type: 'thinking', text, opaque });

/** What the model said. A seal may stand on a thought and again on the call after it: it counts once. */
export function readModelParts(parts: readonly JsonObject[], ids: CallIds, losses: Losses): AssistantPart[] {
  const seen = new Set<string>();
  const fresh = (opaque: Opaque): boolean => {
    const key = JSON.stringify(opaque);
    if (opaque.format !== 'generate' && seen.has(key)) return false;
    seen.add(key);
    return true;
  };
  return parts.map(camelCase).flatMap((part): AssistantPart[] => {
    const call = camelAt(part, 'functionCall');
    if (part.thought === true) {
      const sealed = signed(part, 'text').filter(fresh);
      const text = stringAt(part, 'text') ?? '';
      if (sealed.length === 0) return [thinking({ format: 'generate', data: { thought: true } }, text)];
      return sealed.map((opaque) => thinking(opaque, text));
    }
    const opaques = signed(part, call === null ? 'text' : 'call').filter(fresh);
    const before = opaques.map((opaque) => thinking(opaque));
    if (call === null) return [...before, ...readContent(part, losses)];
    const name = stringAt(call, 'name') ?? '';
    const id = ids.call(stringAt(call, 'id'), name);
    return [...before, { type: 'tool-call', id, name, arguments: JSON.stringify(call.args ?? {}) }];
  });
}
