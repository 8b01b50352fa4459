import { isObject, objectAt } from '../../providers/shared/usage-fields.ts';
import { type JsonObject, objectsOf, stringAt, textAt, wordOf } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import { openOpaque } from '../hub/opaque.ts';
import type {
  AssistantPart,
  CacheMark,
  ContentPart,
  DocumentPart,
  MediaSource,
  TextPart,
  ThinkingPart,
  ToolCallPart,
  ToolResultPart,
  UserPart,
} from '../hub/parts.ts';

export function readCache(block: JsonObject): CacheMark | null {
  const mark = objectAt(block, 'cache_control');
  return mark === null ? null : { ttl: stringAt(mark, 'ttl') };
}

export function readText(block: JsonObject, losses: Losses): TextPart {
  if (Array.isArray(block.citations) && block.citations.length > 0) losses.hint('citations');
  return { type: 'text', text: textAt(block, 'text'), cache: readCache(block) };
}

function readSource(block: JsonObject, losses: Losses): MediaSource | null {
  const source = objectAt(block, 'source');
  if (source?.type === 'base64')
    return {
      kind: 'base64',
      mediaType: stringAt(source, 'media_type') ?? 'application/octet-stream',
      data: textAt(source, 'data'),
    };
  if (source?.type === 'url') return { kind: 'url', url: textAt(source, 'url') };
  losses.lose(`${wordOf(block.type)}.source=${wordOf(source?.type)}`);
  return null;
}

/** A document of plain text is text; its title and context stand before it. */
function documentText(block: JsonObject, text: string): TextPart {
  const heading = [stringAt(block, 'title'), stringAt(block, 'context')].filter((line) => line !== null);
  return { type: 'text', text: [...heading, text].join('\n'), cache: readCache(block) };
}

function readDocument(block: JsonObject, losses: Losses): ContentPart[] {
  const source = objectAt(block, 'source');
  if (objectAt(block, 'citations')?.enabled === true) losses.lose('document.citations');
  if (source?.type === 'text') return [documentText(block, textAt(source, 'data'))];
  if (source?.type === 'content') {
    if (typeof source.content === 'string') return [documentText(block, source.content)];
    return objectsOf(source.content).flatMap((inner) => readContent(inner, losses));
  }
  const media = readSource(block, losses);
  if (media === null) return [];
  if (stringAt(block, 'context') !== null) losses.lose('document.context');
  const name = stringAt(block, 'title');
  const document: DocumentPart = { type: 'document', source: media, name, cache: readCache(block) };
  return [document];
}

function readContent(block: JsonObject, losses: Losses): ContentPart[] {
  switch (block.type) {
    case 'text':
      return [readText(block, losses)];
    case 'image': {
      const source = readSource(block, losses);
      return source === null ? [] : [{ type: 'image', source, cache: readCache(block) }];
    }
    case 'document':
      return readDocument(block, losses);
    default:
      losses.lose(`content[].type=${wordOf(block.type)}`);
      return [];
  }
}

function readResult(block: JsonObject, losses: Losses): ToolResultPart {
  const { content } = block;
  const parts: ContentPart[] =
    typeof content === 'string'
      ? [{ type: 'text', text: content }]
      : objectsOf(content).flatMap((inner) => readContent(inner, losses));
  return {
    type: 'tool-result',
    callId: textAt(block, 'tool_use_id'),
    parts,
    isError: block.is_error === true,
    cache: readCache(block),
  };
}

export function readUserPart(block: JsonObject, losses: Losses): UserPart[] {
  return block.type === 'tool_result' ? [readResult(block, losses)] : readContent(block, losses);
}

function readCall(block: JsonObject): ToolCallPart {
  const { input } = block;
  return {
    type: 'tool-call',
    id: textAt(block, 'id'),
    name: textAt(block, 'name'),
    arguments: JSON.stringify(isObject(input) ? input : {}),
    cache: readCache(block),
  };
}

/** A signature of the gate's gives back what the upstream's own format had; any other belongs to this format. */
function readThinking(block: JsonObject): ThinkingPart[] {
  const sealed = openOpaque(stringAt(block, 'signature') ?? '');
  const text = stringAt(block, 'thinking') ?? '';
  if (sealed === null) return [{ type: 'thinking', text, opaque: { format: 'messages', data: block } }];
  return sealed.map((opaque) => ({ type: 'thinking', text, opaque }));
}

export function readAssistantPart(block: JsonObject, losses: Losses): AssistantPart[] {
  switch (block.type) {
    case 'tool_use':
      return [readCall(block)];
    case 'thinking':
      return readThinking(block);
    case 'redacted_thinking':
      return [{ type: 'thinking', text: '', opaque: { format: 'messages', data: block } }];
    default:
      return readContent(block, losses);
  }
}
