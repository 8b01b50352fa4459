type Parts = Record<string, unknown>;

/** What a part of several values says: a time, a header, or a fallback. */
function partText({ name, pattern, value, from, to, timeZone, model, pool }: Parts): string {
  if (from !== undefined) return `${from} to ${to}, ${timeZone}`;
  if (name !== undefined) return `${name} ${pattern ?? value}`;
  return [model, pool].filter((part) => part !== undefined).join(' in ');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return partText(value as Parts);
  if (Array.isArray(value)) return value.map(textOf).join(' or ');
  return JSON.stringify(value);
}

const WORDS: Readonly<Record<string, string>> = {
  keys: 'key',
  projects: 'project',
  users: 'user',
  models: 'model',
  headers: 'header',
  systemContains: 'system prompt contains',
  time: 'time',
  minTokens: 'tokens from',
  maxTokens: 'tokens up to',
  model: 'ask for',
  pool: 'pool',
  setHeaders: 'set headers',
  removeHeaders: 'remove headers',
  maxOutputTokens: 'output at most',
  deny: 'refuse',
  ownKey: "client's own key",
  fallbacks: 'then',
};

/** Conditions or actions, one line each. Ids are shown by name where `names` has one. */
export function partLines(parts: object, names: ReadonlyMap<string, string>): string[] {
  return Object.entries(parts).map(([name, value]) => {
    const text = textOf(value);
    const named = [...names].reduce((line, [id, shown]) => line.replaceAll(id, shown), text);
    return name === 'ownKey' ? (WORDS.ownKey ?? name) : `${WORDS[name] ?? name}: ${named}`;
  });
}
