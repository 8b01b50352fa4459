export interface RecordingOptions {
  outIsTerminal?: boolean;
  columns?: number;
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  homeDir?: string;
  input?: string;
  now?: Date;
}

/** A terminal that keeps what was written; the shape is the command line's `Terminal`. */
export function recordingTerminal(options: RecordingOptions = {}) {
  const written = { out: '', error: '' };
  const interrupts = new Set<() => void>();
  return {
    written,
    /** As Ctrl-C does. */
    interrupt: () => {
      for (const listener of interrupts) listener();
    },
    writeOut: (text: string) => {
      written.out += text;
    },
    writeError: (text: string) => {
      written.error += text;
    },
    outIsTerminal: options.outIsTerminal ?? false,
    errorIsTerminal: false,
    columns: options.columns ?? 80,
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    runtime: 'Node.js 24.0.0, linux x64',
    homeDir: options.homeDir ?? '/nonexistent',
    uid: process.getuid?.() ?? null,
    now: () => options.now ?? new Date('2026-11-22T12:00:00.000Z'),
    readInput: async (maxBytes: number) => {
      const input = options.input ?? '';
      if (Buffer.byteLength(input) > maxBytes) throw new RangeError('too long');
      return input;
    },
    readLine: async () => (options.input ?? '').split('\n', 1)[0] ?? '',
    inputIsTerminal: options.input === undefined,
    onInterrupt: (listener: () => void) => {
      interrupts.add(listener);
      return () => void interrupts.delete(listener);
    },
  };
}
