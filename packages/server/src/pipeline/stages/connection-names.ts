/**
 * Names that a Connection header declares hop-by-hop (RFC 9110 §7.6.1), lower-case; null in the usual case that it
 * names none.
 */
export function connectionNames(value: string | undefined): ReadonlySet<string> | null {
  if (value === undefined || /^(keep-alive|close)$/i.test(value)) return null;
  const names = value
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  return new Set(names.filter((name) => name !== 'close' && name !== 'keep-alive'));
}
