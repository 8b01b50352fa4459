/** Everything a command knows of the process it runs in. Nothing else in this package touches `process`. */
export interface Terminal {
  writeOut(text: string): void;
  writeError(text: string): void;
  /** Standard output is a terminal: aligned tables; otherwise tab-separated lines. */
  outIsTerminal: boolean;
  errorIsTerminal: boolean;
  columns: number;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Such as `Node.js 24.1.0, linux x64`. */
  runtime: string;
  homeDir: string;
  /** Null where the system has no user ids. */
  uid: number | null;
  now(): Date;
  /**
   * Standard input as text.
   * @throws RangeError when it is longer than `maxBytes`
   */
  readInput(maxBytes: number): Promise<string>;
  /** One line of standard input, without its end; empty when there is none. @throws RangeError as `readInput` */
  readLine(maxBytes: number): Promise<string>;
  inputIsTerminal: boolean;
  /** Calls back once on Ctrl-C or a termination request, which then do not end the process. @returns stops listening */
  onInterrupt(listener: () => void): () => void;
}
