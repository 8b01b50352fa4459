/**
 * Whether a text matches a pattern in which `*` stands for any run of characters. Two pointers instead of a regular
 * expression: whoever chooses the text cannot make the time grow beyond pattern times text.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let p = 0;
  while (at < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = at;
    } else if (p < pattern.length && pattern[p] === text[at]) {
      p += 1;
      at += 1;
    } else if (star !== -1) {
      p = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** A pattern that is asked again and again. */
export interface Glob {
  test(text: string): boolean;
}

/** Makes a `*` pattern ready to be asked; matching is case-sensitive. */
export function compileGlob(pattern: string): Glob {
  return { test: (text) => matchesGlob(pattern, text) };
}
