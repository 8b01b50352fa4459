import type { CommandContext } from './context.ts';
import type { Option, Positional } from './options/option.ts';

type OptionTable = Record<string, Option<unknown>>;
type PositionalTable = Record<string, Positional<unknown>>;

/** What the handler receives: one property an option and one a positional argument, parsed. */
export type ArgsOf<O extends OptionTable, P extends PositionalTable> = {
  [K in keyof O]: O[K] extends Option<infer T> ? T : never;
} & { [K in keyof P]: P[K] extends Positional<infer T> ? T : never };

export interface Example {
  /** As typed, without the program's name. */
  command: string;
  explains: string;
}

/** One command, declared: help, documentation and parsing are all derived from this object. */
export interface CommandDefinition {
  /** Words after the program's name, such as `keys create`. */
  name: string;
  /** One line in the list of commands. */
  summary: string;
  description: string;
  options: OptionTable;
  positionals: PositionalTable;
  examples: readonly Example[];
  /** Takes every setting of the server as an option too (`--port`, …), as `start` does. */
  takesSettings: boolean;
  /** @returns the exit code, when it is not 0 */
  handler(context: CommandContext, args: Record<string, unknown>): Promise<number | undefined>;
}

/** Declares a command; the handler's arguments are typed by the options and positionals it names. */
export function defineCommand<
  const O extends OptionTable = Record<never, never>,
  const P extends PositionalTable = Record<never, never>,
>(definition: {
  name: string;
  summary: string;
  description: string;
  options?: O;
  positionals?: P;
  examples: readonly Example[];
  takesSettings?: boolean;
  handler(context: CommandContext, args: ArgsOf<O, P>): Promise<number | undefined>;
}): CommandDefinition {
  return {
    name: definition.name,
    summary: definition.summary,
    description: definition.description,
    options: definition.options ?? {},
    positionals: definition.positionals ?? {},
    examples: definition.examples,
    takesSettings: definition.takesSettings ?? false,
    // The parser fills every declared name with what its own `read` returned, so the shape is this one.
    handler: (context, args) => definition.handler(context, args as ArgsOf<O, P>),
  };
}
