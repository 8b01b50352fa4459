import type { TokenBucket } from '@tallygate/contract/usage';
import { LIST_TERMS, type RequestShape } from '../../accounting/request-shape.ts';
import { readMember, readString } from './read-field.ts';
import { readAsked, readObjects, scanContent } from './scan-content.ts';

/** What frames a turn is shorter than the JSON that frames it here; this is for the frame of the whole. */
const TEMPLATE_TOKENS = 16;
/** Instructions that come with tools (docs, "Tool use": at most some hundreds). */
const TOOL_TEMPLATE_TOKENS = 1_000;
/** High-resolution images take up to 4,784 (docs, "Vision"). */
const IMAGE_TOKENS = 5_000;
/** The server stops a loop of its tools after ten turns (docs, "Server tools": pause_turn). */
const MAX_TOOL_TURNS = 10;
/** Typed tools that the client runs itself; a type that is not here counts as one of the server's. */
const CLIENT_TOOLS = /^(custom|bash_|text_editor_|computer_|memory_|tool_search_)/;

function serverToolUses(body: unknown): number {
  let uses = 0;
  for (const tool of readObjects(body, 'tools')) {
    const type = readString(tool, 'type');
    if (type === null || CLIENT_TOOLS.test(type)) continue;
    uses += readAsked(tool, 'max_uses') ?? MAX_TOOL_TURNS;
  }
  if (readObjects(body, 'mcp_servers').length > 0) uses += MAX_TOOL_TURNS;
  return uses;
}

const toolTemplate = (body: unknown): number =>
  readObjects(body, 'tools').length > 0 ? TOOL_TEMPLATE_TOKENS : 0;

function minOutput(body: unknown): number {
  // `budget_tokens` must be below `max_tokens` (docs, "Extended thinking").
  return (readAsked(readMember(body, 'thinking'), 'budget_tokens') ?? 0) + 1;
}

/** What a Messages request can come to at most. */
export function messagesShape(body: unknown, bodyBytes: number): RequestShape {
  const scan = scanContent(body);
  const inputBuckets: TokenBucket[] = ['inputUncached'];
  if (scan.cache5m) inputBuckets.push('cacheWrite5m');
  if (scan.cache1h) inputBuckets.push('cacheWrite1h');
  const asked = {
    ...LIST_TERMS,
    speed: readString(body, 'speed'),
    geo: readString(body, 'inference_geo'),
  };
  return {
    inputTokens:
      bodyBytes - scan.imageBytes + scan.images * IMAGE_TOKENS + TEMPLATE_TOKENS + toolTemplate(body),
    reachesBeyondBody: scan.beyondBody || readMember(body, 'container') != null,
    inputBuckets,
    outputTokens: readAsked(body, 'max_tokens'),
    outputBuckets: ['outputVisible', 'outputReasoning'],
    choices: 1,
    toolUses: serverToolUses(body),
    terms: asked.speed === null && asked.geo === null ? [LIST_TERMS] : [LIST_TERMS, asked],
    outputMember: 'max_tokens',
    minOutputTokens: minOutput(body),
  };
}
