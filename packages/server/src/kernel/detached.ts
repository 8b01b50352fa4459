/**
 * The same text, in memory of its own. A slice that V8 makes of a text points into the whole of it, which then stays for as
 * long as the slice does: of a prompt or a head, for as long as an answer takes. Halves of surrogate pairs are replaced.
 */
export function detached(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
