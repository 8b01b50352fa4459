import { CliError } from './cli-error.ts';
import type { AdminApi } from './client/admin-api.ts';
import type { Settings } from './config/settings.ts';
import type { Terminal } from './io/terminal.ts';
import { type Style, styleFor } from './output/style.ts';
import { type Column, renderPairs, renderTable } from './output/table.ts';

/** Options every command takes. */
export interface GlobalOptions {
  dataDir: string | undefined;
  server: string | undefined;
  adminKeyEnv: string | undefined;
  /** Slug or id; the first workspace when none is named. */
  workspace: string | undefined;
  json: boolean;
  color: boolean;
  configFile: string | undefined;
  /** Setting flags given to a command that takes them, by the name of the setting. */
  settings: Readonly<Record<string, string | boolean>>;
}

/** What every handler works with. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly globals: GlobalOptions;
  readonly json: boolean;
  readonly style: Style;
  /** Writes a line to standard output. */
  line(text: string): void;
  /** Writes a note to standard error: never part of the result. */
  note(text: string): void;
  /** With `--json`, writes the value as one line of JSON; otherwise what `text` returns. */
  result(value: unknown, text: () => string): void;
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string;
  pairs(pairs: readonly (readonly [string, string])[]): string;
  /** The settings as the server would resolve them. Resolved once. */
  settings(): Promise<Settings>;
  /**
   * The administrative interface, over whichever way is open (docs/cli.md, "How it reaches the server").
   * `write` may create a data directory that is not there yet; `read` refuses.
   */
  connect(access: 'read' | 'write'): Promise<AdminApi>;
  /** The credential in the named variable. @throws CliError `credential_missing` */
  secretFromEnvironment(variable: string): string;
  /** The credential on standard input. @throws CliError `credential_missing` */
  secretFromInput(): Promise<string>;
  close(): Promise<void>;
}

const MAX_SECRET_BYTES = 64 * 1024;

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

async function secretFromInput(terminal: Terminal): Promise<string> {
  if (terminal.inputIsTerminal) {
    throw new CliError('credential_missing', 'Standard input is a terminal, where the key would be shown.', {
      fix: 'Pipe it in: cat key-file | tallygate … --api-key-stdin',
      exitCode: 2,
    });
  }
  const text = (await terminal.readInput(MAX_SECRET_BYTES)).trim();
  if (text === '') throw new CliError('credential_missing', 'Standard input holds no key.');
  return text;
}

/** The context of one invocation. `close` releases whatever `connect` opened. */
export function createContext(terminal: Terminal, globals: GlobalOptions): CommandContext {
  const style = styleFor(terminal, 'out', globals.color);
  const opened: AdminApi[] = [];
  const settings = once(async () => {
    const { resolveSettings } = await import('./config/settings.ts');
    return resolveSettings(terminal, globals);
  });
  return {
    terminal,
    globals,
    json: globals.json,
    style,
    line: (text) => terminal.writeOut(`${text}\n`),
    note: (text) => terminal.writeError(`${text}\n`),
    result(value, text) {
      terminal.writeOut(globals.json ? `${JSON.stringify(value)}\n` : text());
    },
    table: (rows, columns) => renderTable(rows, columns, terminal.outIsTerminal),
    pairs: (pairs) => renderPairs(pairs, terminal.outIsTerminal),
    settings,
    async connect(access) {
      const { connectAdmin } = await import('./client/connect-admin.ts');
      const api = await connectAdmin({ terminal, globals, settings, access });
      opened.push(api);
      return api;
    },
    secretFromEnvironment(variable) {
      const value = terminal.env[variable]?.trim();
      if (value) return value;
      throw new CliError('credential_missing', `The environment variable ${variable} is not set or empty.`, {
        fix: `Set it first: export ${variable}=…`,
        exitCode: 2,
      });
    },
    secretFromInput: () => secretFromInput(terminal),
    async close() {
      for (const api of opened.splice(0)) await api.close();
    },
  };
}
