import { isObject } from '../../providers/shared/usage-fields.ts';
import type { JsonObject } from '../hub/json.ts';

const camel = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** One level of an object under the names of the API's JSON, which clients may also write with underscores. */
export function camelCase(value: unknown): JsonObject {
  if (!isObject(value)) return {};
  const entries = Object.entries(value);
  if (entries.every(([name]) => !name.includes('_'))) return value;
  return Object.fromEntries(entries.map(([name, member]) => [camel(name), member]));
}

/** The same, null when there is no such object. */
export function camelAt(holder: JsonObject, name: string): JsonObject | null {
  return isObject(holder[name]) ? camelCase(holder[name]) : null;
}

/** A list of objects, each read in the same way. */
export function camelList(value: unknown): JsonObject[] {
  if (isObject(value)) return [camelCase(value)]; // some clients leave out the list around a single entry
  return Array.isArray(value) ? value.filter(isObject).map(camelCase) : [];
}
