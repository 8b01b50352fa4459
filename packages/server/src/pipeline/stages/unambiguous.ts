import { AppError } from '../../kernel/errors.ts';
import { repeatedMember } from '../../kernel/json-span.ts';
import type { SentBody } from '../call.ts';

/** Members that rules, budgets, limits and what narrows a key go by, in any format. */
const DECISIVE = new Set([
  'model',
  'messages',
  'system',
  'input',
  'instructions',
  'contents',
  'systemInstruction',
  'system_instruction',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'generationConfig',
  'generation_config',
  'n',
  'stream',
  'tools',
  'max_tool_calls',
  'mcp_servers',
  'thinking',
  'service_tier',
  'speed',
  'inference_geo',
  'previous_response_id',
  'conversation',
  'prompt',
  'prediction',
  'modalities',
  'web_search_options',
  'container',
  'cachedContent',
  'cached_content',
  'metadata',
  'user',
]);
const LETTERS = new Set([...DECISIVE].map((name) => name.toLowerCase()));
/** How any ASCII character of a name may be spelt as well. */
const ESCAPE = Buffer.from('\\u00');
const QUOTED = new Map([...DECISIVE].map((name) => [name, Buffer.from(`"${name}"`)]));

const refused = (name: string, how: string): AppError =>
  new AppError('invalid_request', {
    detail: `The body names "${name}" ${how}, and servers differ in which one counts. Send it once.`,
  });

/** True when the name may stand in the bytes more than once; most bodies end here, after a few searches. */
function mayRepeat(bytes: Buffer, name: string): boolean {
  const quoted = QUOTED.get(name);
  if (quoted === undefined) return false;
  const first = bytes.indexOf(quoted);
  return first === -1 || bytes.indexOf(quoted, first + quoted.length) !== -1;
}

/**
 * Makes sure that the upstream reads what was judged here. Of a member that is there twice this parser keeps the last
 * and others keep the first; some take `Model` for `model`.
 * @throws AppError `invalid_request`
 */
export function assertUnambiguous({ body, parsed }: SentBody): void {
  if (body === null || typeof parsed !== 'object' || parsed === null) return;
  let doubtful = body.includes(ESCAPE);
  for (const name in parsed) {
    if (DECISIVE.has(name)) doubtful ||= mayRepeat(body, name);
    else if (LETTERS.has(name.toLowerCase())) throw refused(name, 'in other letters than the API does');
  }
  const repeated = doubtful ? repeatedMember(body, DECISIVE) : null;
  if (repeated !== null) throw refused(repeated, 'more than once');
}
