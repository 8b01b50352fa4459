import type { MediaSource } from './parts.ts';

const DATA_URL = /^data:([^;,]+)(?:;[^;,]*)*;base64,/;

/** A data URL by its bytes, anything else as the address it is. */
export function sourceOf(url: string): MediaSource {
  const match = DATA_URL.exec(url);
  return match === null
    ? { kind: 'url', url }
    : { kind: 'base64', mediaType: match[1] ?? '', data: url.slice(match[0].length) };
}

/** The same as one URL. */
export function urlOf(source: MediaSource): string {
  return source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}
