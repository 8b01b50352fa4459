const MAX_ID = 100;

/**
 * Reads which one thing of a list a link is about out of untrusted search parameters; the link of a notice names it.
 * @param name of the parameter
 */
export function parseOpened<Name extends string>(
  name: Name,
): (raw: Record<string, unknown>) => { [K in Name]?: string } {
  return (raw) => {
    const value = raw[name];
    const valid = typeof value === 'string' && value !== '' && value.length <= MAX_ID;
    return (valid ? { [name]: value } : {}) as { [K in Name]?: string };
  };
}
