import { isObject } from '../../providers/shared/usage-fields.ts';
import { type JsonObject, stringAt } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import { openOpaque } from '../hub/opaque.ts';
import type { AssistantPart, ContentPart, Opaque, ToolCallPart, ToolResultPart } from '../hub/parts.ts';
import { placeOpaques } from '../hub/place-opaques.ts';
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

/** What the gate sealed, each once: on a thought, and again with its text on the call after it. */
function sealedIn(parts: readonly JsonObject[]): Opaque[] {
  const found = new Map<string, Opaque>();
  for (const part of parts) {
    for (const { text = '', ...opaque } of openOpaque(stringAt(part, 'thoughtSignature') ?? '') ?? []) {
      const key = JSON.stringify(opaque);
      const said = text === '' && part.thought === true ? (stringAt(part, 'text') ?? '') : text;
      found.set(key, { ...opaque, text: said === '' ? (found.get(key)?.text ?? '') : said });
    }
  }
  return [...found.values()];
}

function readCall(call: JsonObject, ids: CallIds): ToolCallPart {
  const name = stringAt(call, 'name') ?? '';
  const id = ids.call(stringAt(call, 'id'), name);
  return { type: 'tool-call', id, name, arguments: JSON.stringify(call.args ?? {}) };
}

/** A part of this format's own, with its signature before it. */
function readOwn(part: JsonObject, ids: CallIds, losses: Losses): AssistantPart[] {
  const call = camelAt(part, 'functionCall');
  const signature = stringAt(part, 'thoughtSignature');
  if (part.thought === true) {
    const text = stringAt(part, 'text') ?? '';
    return [{ type: 'thinking', text, opaque: { format: 'generate', data: { thought: true } } }];
  }
  const data = { signature, on: call === null ? 'text' : 'call' };
  const before: AssistantPart[] =
    signature === null ? [] : [{ type: 'thinking', text: '', opaque: { format: 'generate', data } }];
  return [...before, ...(call === null ? readContent(part, losses) : [readCall(call, ids)])];
}

/** What the model said. Where the gate sealed something, it goes back to where it stood. */
export function readModelParts(given: readonly JsonObject[], ids: CallIds, losses: Losses): AssistantPart[] {
  const parts = given.map(camelCase);
  const sealed = sealedIn(parts);
  if (sealed.length === 0) return parts.flatMap((part) => readOwn(part, ids, losses));
  const spoken = parts.filter((part) => part.thought !== true);
  const calls = spoken
    .map((part) => camelAt(part, 'functionCall'))
    .filter((call) => call !== null)
    .map((call) => readCall(call, ids));
  const contents = spoken
    .filter((part) => part.functionCall === undefined)
    .flatMap((part) => readContent(part, losses));
  const text = contents.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return [...placeOpaques(sealed, text, calls), ...contents.filter(({ type }) => type !== 'text')];
}
