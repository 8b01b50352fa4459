const MAX_NAME_LENGTH = 128;

/**
 * Remembers what a function says about a name. The same few names come with every request, but anybody may send others:
 * when `maxNames` are known, or a name is long, it is worked out each time and not kept.
 * @param of depends on nothing but the name
 */
export function nameTable<T>(of: (name: string) => T, maxNames: number): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const value = of(name);
    if (known.size < maxNames && name.length <= MAX_NAME_LENGTH) known.set(name, value);
    return value;
  };
}
