/** Field names are tokens (RFC 9110 §5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What no field value and no reason phrase may hold: control characters other than the tab (RFC 9110 §5.5). */
const NOT_IN_VALUES = /[^\t\x20-\x7e\x80-\xff]/;

export const isToken = (text: string): boolean => TOKEN.test(text);
export const isFieldValue = (text: string): boolean => !NOT_IN_VALUES.test(text);

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** The part of a text between two places, without the blanks around it. */
export function trimmedSlice(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}
