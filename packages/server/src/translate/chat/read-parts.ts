import { objectAt } from '../../providers/shared/usage-fields.ts';
import { customArguments } from '../hub/custom-tools.ts';
import { type JsonObject, objectsOf, stringAt, textAt, wordOf } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import { sourceOf } from '../hub/media.ts';
import { openOpaque, splitId } from '../hub/opaque.ts';
import type {
  AssistantPart,
  CacheMark,
  ContentPart,
  ImagePart,
  Opaque,
  TextPart,
  ToolCallPart,
} from '../hub/parts.ts';
import { placeOpaques } from '../hub/place-opaques.ts';
import { UnreadableRequest } from '../hub/unreadable-request.ts';

/** Type of the entry of `reasoning_details` that carries what other formats need back. */
export const SEALED = 'tallygate.sealed';

/** Some clients mark what to cache here as the Messages API has it. */
function readCache(part: JsonObject): CacheMark | null {
  const mark = objectAt(part, 'cache_control');
  return mark === null ? null : { ttl: stringAt(mark, 'ttl') };
}

function readImage(part: JsonObject, losses: Losses): ImagePart[] {
  const image = objectAt(part, 'image_url');
  if (image === null) throw new UnreadableRequest('"image_url" must be an object.');
  const detail = stringAt(image, 'detail');
  if (detail !== null && detail !== 'auto') losses.hint('image_url.detail');
  return [{ type: 'image', source: sourceOf(textAt(image, 'url')), cache: readCache(part) }];
}

function readFile(part: JsonObject, losses: Losses): ContentPart[] {
  const file = objectAt(part, 'file');
  const data = file === null ? null : stringAt(file, 'file_data');
  if (file === null || data === null) {
    losses.lose('file.file_id');
    return [];
  }
  return [
    { type: 'document', source: sourceOf(data), name: stringAt(file, 'filename'), cache: readCache(part) },
  ];
}

function readPart(part: JsonObject, losses: Losses): ContentPart[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: textAt(part, 'text'), cache: readCache(part) }];
    case 'image_url':
      return readImage(part, losses);
    case 'file':
      return readFile(part, losses);
    case 'input_audio': {
      const audio = objectAt(part, 'input_audio') ?? {};
      return [{ type: 'audio', mediaType: `audio/${textAt(audio, 'format')}`, data: textAt(audio, 'data') }];
    }
    default:
      losses.lose(`content[].type=${wordOf(part.type)}`);
      return [];
  }
}

export function readContent(content: unknown, losses: Losses): ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return objectsOf(content).flatMap((part) => readPart(part, losses));
}

export function readTexts(content: unknown, losses: Losses): TextPart[] {
  const texts: TextPart[] = [];
  for (const part of readContent(content, losses)) {
    if (part.type === 'text') texts.push(part);
    else losses.lose(`${part.type} where only text may stand`);
  }
  return texts;
}

function readCalls(message: JsonObject, losses: Losses): { call: ToolCallPart; opaques: Opaque[] }[] {
  const calls: { call: ToolCallPart; opaques: Opaque[] }[] = [];
  for (const entry of objectsOf(message.tool_calls)) {
    const custom = entry.type === 'custom' ? objectAt(entry, 'custom') : null;
    const fn = custom ?? objectAt(entry, 'function');
    if (fn === null) {
      losses.lose(`tool_calls[].type=${wordOf(entry.type)}`);
      continue;
    }
    const { id, opaques } = splitId(textAt(entry, 'id'));
    const name = textAt(fn, 'name');
    const call: ToolCallPart =
      custom === null
        ? { type: 'tool-call', id, name, arguments: stringAt(fn, 'arguments') ?? '' }
        : {
            ...{ type: 'tool-call', id, name, custom: true },
            arguments: customArguments(stringAt(custom, 'input') ?? ''),
          };
    calls.push({ call, opaques });
  }
  return calls;
}

function sealedIn(message: JsonObject): Opaque[] | null {
  const entries = objectsOf(message.reasoning_details).filter(({ type }) => type === SEALED);
  if (entries.length === 0) return null;
  return entries.flatMap((entry) => openOpaque(stringAt(entry, 'data') ?? '') ?? []);
}

/** Thinking of this format's own: the text, under the name that the upstream gives it. */
function ownThinking(message: JsonObject): AssistantPart[] {
  for (const field of ['reasoning_content', 'reasoning'])
    if (typeof message[field] === 'string' && message[field] !== '')
      return [{ type: 'thinking', text: message[field], opaque: { format: 'chat', data: { field } } }];
  return [];
}

/** An assistant's message: what it thought, said and called. */
export function readAssistant(message: JsonObject, losses: Losses): AssistantPart[] {
  const calls = readCalls(message, losses);
  const contents = readContent(message.content ?? '', losses);
  if (message.audio !== undefined && message.audio !== null) losses.lose('assistant audio');
  const refusal = stringAt(message, 'refusal');
  const refused: AssistantPart[] = refusal ? [{ type: 'refusal', text: refusal }] : [];
  const opaques = sealedIn(message) ?? calls.flatMap((entry) => entry.opaques);
  const plain = calls.map(({ call }) => call);
  if (opaques.length === 0 || contents.some(({ type }) => type !== 'text'))
    return [...ownThinking(message), ...contents, ...refused, ...plain];
  const text = contents.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return [...placeOpaques(opaques, text, plain), ...refused];
}
