/** A host that an operator named, with or without a port. */
export interface HostEntry {
  /** As `bareHost` writes it. */
  host: string;
  /** Null stands for every port. */
  port: number | null;
}

/** A host without brackets and without the dots that end a fully qualified name, in lower case. */
export function bareHost(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.+$/, '')
    .toLowerCase();
}

/**
 * Reads `gpu.internal`, `gpu.internal:8000`, `10.0.0.5:8000` or `[::1]:11434`.
 * @returns null when it is none of these
 */
export function parseHostEntry(text: string): HostEntry | null {
  const match = /^(\[[\da-f:.]+\]|[a-z\d](?:[a-z\d._-]*[a-z\d])?)(?::(\d{1,5}))?$/i.exec(text);
  if (!match || !URL.canParse(`http://${match[1]}`)) return null;
  const port = match[2] === undefined ? null : Number(match[2]);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  return { host: bareHost(new URL(`http://${match[1]}`).hostname), port };
}
