function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
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
