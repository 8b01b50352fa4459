import { isObject } from '../../providers/shared/usage-fields.ts';
import { wordOf } from './json.ts';
import type { FormatId, Opaque } from './parts.ts';

/** Version of the envelope; three bytes, so that the text of the envelope always begins in the same way. */
const VERSION = 'tg1';
const FORMATS: ReadonlySet<string> = new Set<FormatId>(['messages', 'chat', 'responses', 'generate']);
/** `btoa` takes the bytes as arguments of a call: in slices, because a call takes only so many. */
const SLICE = 8_192;

function base64url(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += SLICE)
    binary += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const PREFIX = base64url(new TextEncoder().encode(VERSION));

/** Seals opaque data in a text of base64url characters only, which every format takes for a signature or an id. */
export function sealOpaque(opaques: readonly Opaque[]): string {
  return base64url(new TextEncoder().encode(VERSION + JSON.stringify(opaques)));
}

/** Opens what `sealOpaque` made; null for any other text, so that the signatures of others stay what they are. */
export function openOpaque(text: string): Opaque[] | null {
  if (!text.startsWith(PREFIX)) return null;
  try {
    const binary = atob(text.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return Array.isArray(value) && value.every(isOpaque) ? value : null;
  } catch {
    return null;
  }
}

function isOpaque(value: unknown): value is Opaque {
  return isObject(value) && FORMATS.has(wordOf(value.format)) && value.data !== undefined;
}

/** Stands between the id of a call and what rides on it. */
const ID_MARK = `__${PREFIX}`;

/** Ids of calls come back from every client: the last resort for what else would be lost. */
export function idWithOpaque(id: string, opaques: readonly Opaque[]): string {
  return opaques.length === 0 ? id : `${id}__${sealOpaque(opaques)}`;
}

/** The id as the upstream gave it, and what rode on it. */
export function splitId(text: string): { id: string; opaques: Opaque[] } {
  const at = text.indexOf(ID_MARK);
  const opaques = at === -1 ? null : openOpaque(text.slice(at + 2));
  return opaques === null ? { id: text, opaques: [] } : { id: text.slice(0, at), opaques };
}
