/** What content of a request is not plain text. */
export interface ContentScan {
  /** Images, wherever they come from. */
  images: number;
  /** Bytes of images inside the body: they are not text, and their tokens do not grow with them. */
  imageBytes: number;
  audio: boolean;
  /** Content whose size the body does not tell: a page or a file behind an address or an id, a PDF. */
  beyondBody: boolean;
  /** Shortest-lived and longest-lived cache writes asked for. */
  cache5m: boolean;
  cache1h: boolean;
}

type Json = Readonly<Record<string, unknown>>;

const IMAGE_TYPES = new Set(['image', 'image_url', 'input_image']);
const AUDIO_TYPES = new Set(['input_audio', 'audio']);
/** A document that holds text has `source.type` of `text` or `content`; the rest is pages that are rendered. */
const FILE_TYPES = new Set(['document', 'file', 'input_file', 'item_reference', 'container_upload']);
const TEXT_SOURCES = new Set(['text', 'content']);

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/**
 * Members that lead from a body to the parts of its messages. What looks like an image anywhere else, in the schema of
 * a tool or the arguments of a call, is text to the model, however long.
 */
const LEADS_TO_PARTS = new Set(['messages', 'system', 'content', 'output', 'source']);

/** Walks a whole parsed body. Anything that looks like media is taken for it: counting too much is safe. */
export function scanContent(body: unknown): ContentScan {
  const scan: ContentScan = {
    images: 0,
    imageBytes: 0,
    audio: false,
    beyondBody: false,
    cache5m: false,
    cache1h: false,
  };
  const found: Found = { parts: [], rest: [] };
  if (isObject(body)) {
    // `input` holds messages here alone: in a call of a tool it holds arguments.
    for (const name in body) push(body[name], name === 'input' ? found.parts : listFor(name, found));
    look(body, false, scan);
  }
  walk(found.parts, found, scan);
  walk(found.rest, { parts: found.rest, rest: found.rest }, scan);
  return scan;
}

/** What is still to be looked at: where the API takes parts of messages, and elsewhere. */
interface Found {
  parts: unknown[];
  rest: unknown[];
}

const listFor = (name: string, { parts, rest }: Found): unknown[] =>
  LEADS_TO_PARTS.has(name) ? parts : rest;

/** Text is most of a body and has nothing to look into. */
function push(value: unknown, to: unknown[]): void {
  if (isObject(value)) to.push(value);
}

/** No copies are made, since histories have many parts. */
function walk(waiting: unknown[], found: Found, scan: ContentScan): void {
  const part = waiting !== found.rest;
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (Array.isArray(value)) addItems(value as unknown[], waiting);
    else if (isObject(value)) {
      look(value, part, scan);
      for (const name in value) push(value[name], listFor(name, found));
    }
  }
}

function addItems(list: readonly unknown[], waiting: unknown[]): void {
  for (let i = 0; i < list.length; i++) push(list[i], waiting);
}

function look(value: Json, part: boolean, scan: ContentScan): void {
  const { type, cache_control: cache } = value;
  if (isObject(cache)) {
    if (cache.ttl === '1h') scan.cache1h = true;
    else scan.cache5m = true;
  }
  if (typeof type !== 'string') return;
  if (IMAGE_TYPES.has(type)) {
    scan.images += 1;
    if (part) scan.imageBytes += inlineBytes(value);
  } else if (AUDIO_TYPES.has(type)) scan.audio = true;
  else if (FILE_TYPES.has(type)) {
    const source = value.source;
    if (!(isObject(source) && typeof source.type === 'string' && TEXT_SOURCES.has(source.type)))
      scan.beyondBody = true;
  }
}

/** Length of base64 inside an image part, in either format. */
function inlineBytes(part: Json): number {
  const { source, image_url: url } = part;
  if (isObject(source) && typeof source.data === 'string') return source.data.length;
  const address = isObject(url) ? url.url : url;
  return typeof address === 'string' && address.startsWith('data:image/') ? address.length : 0;
}

/** A whole number of a body's member; null when it is none. */
export function readCount(body: unknown, name: string): number | null {
  const value = isObject(body) ? body[name] : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

const NUMBER_TEXT = /^\+?\d[\d_]{0,30}(?:\.\d{0,10})?$/;

/**
 * An amount that a request asks for, rounded up; null when it names none, or one below zero. Many servers read "100",
 * 100.0 and 1_00 as 100, so what looks like a number counts as that number here as well.
 */
export function readAsked(body: unknown, name: string): number | null {
  const given = isObject(body) ? body[name] : undefined;
  const text = typeof given === 'string' ? given.trim() : null;
  const amount = text !== null && NUMBER_TEXT.test(text) ? Number(text.replaceAll('_', '')) : given;
  if (typeof amount !== 'number' || !(amount >= 0)) return null;
  return Math.min(Math.ceil(amount), Number.MAX_SAFE_INTEGER);
}

/** Items of a list member that are objects. */
export function readObjects(body: unknown, name: string): Json[] {
  const value = isObject(body) ? body[name] : undefined;
  return Array.isArray(value) ? (value as unknown[]).filter(isObject) : [];
}
