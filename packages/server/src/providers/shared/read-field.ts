/** Reads a string member of an unknown JSON value; null when absent, of another type, or longer than `maxLength`. */
export function readString(value: unknown, key: string, maxLength = 256): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const field = (value as Record<string, unknown>)[key];
  return typeof field === 'string' && field !== '' && field.length <= maxLength ? field : null;
}

/** Reads a member of an unknown JSON value; undefined when the value is not an object. */
export function readMember(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

/** A header's single value; null when absent or repeated. */
export function readHeader(headers: NodeJS.Dict<string | string[]>, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' && value.length <= 256 ? value : null;
}

/** Ids of a `{ data: [{ id }] }` list, the shape both Anthropic and OpenAI use for models; at most 500. */
export function readModelIds(body: unknown): string[] {
  const data = readMember(body, 'data');
  if (!Array.isArray(data)) return [];
  return data
    .slice(0, 500)
    .map((entry) => readString(entry, 'id'))
    .filter((id): id is string => id !== null);
}
