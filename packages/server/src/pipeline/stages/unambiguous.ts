import { AppError } from '../../kernel/errors.ts';
import { findMember, repeatedMember } from '../../kernel/json-span.ts';
import { readMember } from '../../providers/shared/read-field.ts';
import type { SentBody } from '../call.ts';

/** What a request may cost goes by these, in any format: limits, terms, and what may name content that is not in the body. */
const COSTLY = [
  'model',
  'messages',
  'input',
  'contents',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'generationConfig',
  'generation_config',
  'n',
  'tools',
  'max_tool_calls',
  'mcp_servers',
  'service_tier',
  'serviceTier',
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
];
/** Rules, and what narrows a key, go by these as well. */
const ALSO_DECISIVE = [
  'system',
  'instructions',
  'systemInstruction',
  'system_instruction',
  'stream',
  'thinking',
  'metadata',
  'user',
];
const DECISIVE = new Set([...COSTLY, ...ALSO_DECISIVE]);
const LETTERS = new Set([...DECISIVE].map((name) => name.toLowerCase()));
const COSTLY_NAMES = new Set(COSTLY);
/** Members that hold some of these instead, and which. */
const HOLDERS = ['generationConfig', 'generation_config'];
const HELD_NAMES = new Set(['maxOutputTokens', 'max_output_tokens', 'candidateCount', 'candidate_count']);
const QUOTED = new Map([...COSTLY, ...HELD_NAMES].map((name) => [name, Buffer.from(`"${name}"`)]));
/** How any ASCII character of a name may be spelt as well. */
const ESCAPE = Buffer.from('\\u00');
/** A decisive name of a member, or how any character of one may be spelt as well. */
const NAMED = new RegExp(`"(${[...DECISIVE].join('|')})"[ \\t\\r\\n]*:|\\\\u00`, 'g');

const refused = (name: string, how: string): AppError =>
  new AppError('invalid_request', {
    detail: `The body names "${name}" ${how}, and servers differ in which one counts. Send it once.`,
  });

/** True when a decisive name may stand in the bytes more than once; most bodies end here, after one pass. */
function mayRepeat(body: Buffer): boolean {
  const seen = new Set<string>();
  for (const [, name] of body.toString('latin1').matchAll(NAMED)) {
    if (name === undefined || seen.has(name)) return true;
    seen.add(name);
  }
  return false;
}

/**
 * Some servers take `Model` for `model`.
 * @throws AppError `invalid_request`
 */
export function assertOwnLetters({ parsed }: Pick<SentBody, 'parsed'>): void {
  if (typeof parsed !== 'object' || parsed === null) return;
  for (const name in parsed) {
    if (!DECISIVE.has(name) && LETTERS.has(name.toLowerCase()))
      throw refused(name, 'in other letters than the API does');
  }
}

function standsTwice(body: Buffer, name: string): boolean {
  const quoted = QUOTED.get(name);
  return quoted !== undefined && body.indexOf(quoted, body.indexOf(quoted) + quoted.length) !== -1;
}

/** True when a name that the cost goes by may stand in the bytes more than once, by a few searches for those there are. */
function mayCostTwice(body: Buffer, parsed: object): boolean {
  if (body.includes(ESCAPE)) return true;
  for (const name in parsed) if (standsTwice(body, name)) return true;
  for (const holder of HOLDERS) {
    const held: unknown = readMember(parsed, holder);
    for (const name in Object(held)) if (standsTwice(body, name)) return true;
  }
  return false;
}

/** The first name that the cost goes by and that is there twice, at the top or in a member that holds some. */
function repeatedCost(body: Buffer): string | null {
  const repeated = repeatedMember(body, COSTLY_NAMES);
  if (repeated !== null) return repeated;
  for (const holder of HOLDERS) {
    const member = findMember(body, holder);
    const inside = member && repeatedMember(body.subarray(member.valueStart, member.valueEnd), HELD_NAMES);
    if (inside) return `${holder}.${inside}`;
  }
  return null;
}

/**
 * What a request may come to must be what the upstream reads, or a budget could be overshot.
 * @throws AppError `invalid_request`
 */
export function assertCostsOnce({ body, parsed }: SentBody): void {
  if (body === null || typeof parsed !== 'object' || parsed === null) return;
  if (!mayCostTwice(body, parsed)) return;
  const repeated = repeatedCost(body);
  if (repeated !== null) throw refused(repeated, 'more than once');
}

/**
 * Of a member that is there twice this parser keeps the last, and others keep the first. Looking for one takes about as
 * long as parsing does.
 * @throws AppError `invalid_request`
 */
export function assertNamedOnce({ body }: Pick<SentBody, 'body'>): void {
  const repeated = body !== null && mayRepeat(body) ? repeatedMember(body, DECISIVE) : null;
  if (repeated !== null) throw refused(repeated, 'more than once');
}
