import { isObject } from '../../providers/shared/usage-fields.ts';
import type { JsonDraft } from '../hub/json.ts';

/** Members that hold schemas by name, and those that hold them as lists. */
const NAMED = new Set(['properties', 'defs', '$defs']);
const LISTED = new Set(['anyOf', 'any_of', 'prefixItems']);

/** Members of this API's schemas that JSON Schema has no use for. */
const LEFT_OUT = new Set(['nullable', 'propertyOrdering', 'property_ordering']);

function memberOf(name: string, value: unknown): unknown {
  if (name === 'type' && typeof value === 'string') return value.toLowerCase();
  if (name === 'items') return jsonSchemaOf(value);
  if (NAMED.has(name) && isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, jsonSchemaOf(inner)]));
  if (LISTED.has(name) && Array.isArray(value)) return value.map(jsonSchemaOf);
  return /^(?:min|max)/.test(name) && typeof value === 'string' ? Number(value) : value;
}

/**
 * A schema of this API's own kind (types in capitals, `nullable`, counts as text) as JSON Schema, which every other
 * format takes.
 */
export function jsonSchemaOf(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const draft: JsonDraft = {};
  for (const [name, value] of Object.entries(schema))
    if (!LEFT_OUT.has(name)) draft[name === 'any_of' ? 'anyOf' : name] = memberOf(name, value);
  if (schema.nullable === true && typeof draft.type === 'string') draft.type = [draft.type, 'null'];
  return draft;
}
