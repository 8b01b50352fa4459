import { isObject, type JsonObject as SharedObject } from '../../providers/shared/usage-fields.ts';
import { UnreadableRequest } from './unreadable-request.ts';

export type JsonObject = SharedObject;
/** An object that a writer fills; members that are undefined are not written. */
export type JsonDraft = Record<string, unknown>;

export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function stringOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A value as a word to compare or to name; `String` throws for objects that have a `toString` of their own. */
export function wordOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'object' : String(value);
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A whole number of tokens from 0 up; null for anything else. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function booleanOf(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** The list a member must be. @throws UnreadableRequest */
export function listAt(holder: JsonObject, name: string): readonly unknown[] {
  const value = holder[name];
  if (!Array.isArray(value)) throw new UnreadableRequest(`"${name}" must be a list.`);
  return value;
}

/** The object an entry must be. @throws UnreadableRequest */
export function objectOf(value: unknown, name: string): JsonObject {
  if (!isObject(value)) throw new UnreadableRequest(`"${name}" must be an object.`);
  return value;
}

/** The text a member must be. @throws UnreadableRequest */
export function textAt(holder: JsonObject, name: string): string {
  const value = holder[name];
  if (typeof value !== 'string') throw new UnreadableRequest(`"${name}" must be a string.`);
  return value;
}

/** A string member, or null. */
export function stringAt(holder: JsonObject, name: string): string | null {
  return stringOf(holder[name]);
}

/** Puts a member only when it says something. */
export function put(draft: JsonDraft, name: string, value: unknown): void {
  if (value !== null && value !== undefined) draft[name] = value;
}

/** Arguments of a call as an object. A model may write what is no JSON: that stays readable under one name. */
export function argumentsObject(json: string): JsonObject {
  if (json.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : { _value: value };
  } catch {
    return { _invalid_json: json };
  }
}
