import { customArguments } from '../hub/custom-tools.ts';
import { type JsonObject, objectsOf, stringAt, textAt, wordOf } from '../hub/json.ts';
import type { Losses } from '../hub/losses.ts';
import { sourceOf } from '../hub/media.ts';
import { openOpaque } from '../hub/opaque.ts';
import type { AssistantPart, ContentPart, ThinkingPart, ToolCallPart, ToolResultPart } from '../hub/parts.ts';

function readImage(part: JsonObject, losses: Losses): ContentPart[] {
  const url = stringAt(part, 'image_url');
  const detail = stringAt(part, 'detail');
  if (detail !== null && detail !== 'auto') losses.hint('input_image.detail');
  if (url !== null) return [{ type: 'image', source: sourceOf(url) }];
  losses.lose('input_image.file_id');
  return [];
}

function readFile(part: JsonObject, losses: Losses): ContentPart[] {
  const data = stringAt(part, 'file_data') ?? stringAt(part, 'file_url');
  if (data !== null) return [{ type: 'document', source: sourceOf(data), name: stringAt(part, 'filename') }];
  losses.lose('input_file.file_id');
  return [];
}

function readPart(part: JsonObject, losses: Losses): ContentPart[] {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return [{ type: 'text', text: textAt(part, 'text') }];
    case 'input_image':
      return readImage(part, losses);
    case 'input_file':
      return readFile(part, losses);
    default:
      losses.lose(`content[].type=${wordOf(part.type)}`);
      return [];
  }
}

export function readContent(content: unknown, losses: Losses): ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return objectsOf(content).flatMap((part) => readPart(part, losses));
}

export function readSpoken(content: unknown, losses: Losses): AssistantPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return objectsOf(content).flatMap((part): AssistantPart[] =>
    part.type === 'refusal'
      ? [{ type: 'refusal', text: stringAt(part, 'refusal') ?? '' }]
      : readPart(part, losses),
  );
}

/** What can be read of a reasoning item. */
export function thoughtOf(item: JsonObject): string {
  const texts = (value: unknown): string[] => objectsOf(value).map((part) => stringAt(part, 'text') ?? '');
  const summary = texts(item.summary).join('\n\n');
  return summary === '' ? texts(item.content).join('') : summary;
}

/** A reasoning item: what the gate sealed, or an item of this very format. */
export function readReasoningItem(item: JsonObject): ThinkingPart[] {
  const text = thoughtOf(item);
  const sealed = openOpaque(stringAt(item, 'encrypted_content') ?? '');
  if (sealed === null) return [{ type: 'thinking', text, opaque: { format: 'responses', data: item } }];
  return sealed.map((opaque) => ({ type: 'thinking', text, opaque }));
}

/** A call; a custom tool takes text, which travels as the one argument of a function. */
export function readCall(item: JsonObject): ToolCallPart {
  const custom = item.type === 'custom_tool_call';
  return {
    type: 'tool-call',
    id: textAt(item, 'call_id'),
    name: textAt(item, 'name'),
    ...(custom ? { custom } : {}),
    arguments: custom ? customArguments(stringAt(item, 'input') ?? '') : (stringAt(item, 'arguments') ?? ''),
  };
}

export function readOutput(item: JsonObject, losses: Losses): ToolResultPart {
  return {
    type: 'tool-result',
    callId: textAt(item, 'call_id'),
    parts: readContent(item.output, losses),
    isError: false,
  };
}
