/** The one-time code from the fragment of a one-time link, which never reaches a server log. */
export function codeFromHash(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, '')).get('code') ?? '';
}
