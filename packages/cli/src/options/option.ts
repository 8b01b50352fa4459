import { usageError } from '../cli-error.ts';

/** Turns the text of one value into what the handler gets. @throws CliError `usage_error` */
export type ParseValue<T> = (text: string, flag: string) => T;

/** One option of a command. Its flag is the key it is declared under, in kebab case. */
export interface Option<T> {
  kind: 'value' | 'list' | 'flag';
  /** What stands for the value in help, such as `NAME`; empty for a flag. */
  placeholder: string;
  description: string;
  required: boolean;
  /** Shown in help. */
  defaultText: string | null;
  read(raw: unknown, flag: string): T;
}

/** One positional argument of a command. */
export interface Positional<T> {
  placeholder: string;
  description: string;
  required: boolean;
  read(raw: string | undefined): T;
}

const asText: ParseValue<string> = (text, flag) => {
  if (text.trim() === '') throw usageError(`${flag} is empty.`, `Give a value after ${flag}.`);
  return text;
};

function missing(flag: string, placeholder: string): never {
  throw usageError(`${flag} is missing.`, `Add ${flag} ${placeholder}.`);
}

/** An option that may be left out. */
export function optional(placeholder: string, description: string): Option<string | undefined>;
export function optional<T>(
  placeholder: string,
  description: string,
  parse: ParseValue<T>,
): Option<T | undefined>;
export function optional(
  placeholder: string,
  description: string,
  parse: ParseValue<unknown> = asText,
): Option<unknown> {
  return {
    kind: 'value',
    placeholder,
    description,
    required: false,
    defaultText: null,
    read: (raw, flag) => (raw === undefined ? undefined : parse(String(raw), flag)),
  };
}

/** An option that must be given. */
export function required(placeholder: string, description: string): Option<string>;
export function required<T>(placeholder: string, description: string, parse: ParseValue<T>): Option<T>;
export function required(
  placeholder: string,
  description: string,
  parse: ParseValue<unknown> = asText,
): Option<unknown> {
  return {
    kind: 'value',
    placeholder,
    description,
    required: true,
    defaultText: null,
    read: (raw, flag) => (raw === undefined ? missing(flag, placeholder) : parse(String(raw), flag)),
  };
}

/** An option with a value of its own when left out; `defaultText` is parsed like any other value. */
export function withDefault<T>(
  defaultText: string,
  placeholder: string,
  description: string,
  parse: ParseValue<T>,
): Option<T> {
  return {
    kind: 'value',
    placeholder,
    description,
    required: false,
    defaultText,
    read: (raw, flag) => parse(raw === undefined ? defaultText : String(raw), flag),
  };
}

/** An option given several times, or once with commas; `[]` when left out. */
export function list(placeholder: string, description: string): Option<string[]>;
export function list<T>(placeholder: string, description: string, parseItem: ParseValue<T>): Option<T[]>;
export function list(
  placeholder: string,
  description: string,
  parseItem: ParseValue<unknown> = asText,
): Option<unknown[]> {
  return {
    kind: 'list',
    placeholder,
    description,
    required: false,
    defaultText: null,
    read(raw, flag) {
      const items = (Array.isArray(raw) ? raw : []).flatMap((text) => String(text).split(','));
      return items
        .map((item) => item.trim())
        .filter((item) => item !== '')
        .map((item) => parseItem(item, flag));
    },
  };
}

/** A switch without a value. */
export function flag(description: string): Option<boolean> {
  return {
    kind: 'flag',
    placeholder: '',
    description,
    required: false,
    defaultText: null,
    read: (raw) => raw === true,
  };
}

/** A positional argument that must be given. */
export function argument(placeholder: string, description: string): Positional<string>;
export function argument<T>(placeholder: string, description: string, parse: ParseValue<T>): Positional<T>;
export function argument(
  placeholder: string,
  description: string,
  parse: ParseValue<unknown> = asText,
): Positional<unknown> {
  return {
    placeholder,
    description,
    required: true,
    read(raw) {
      if (raw === undefined) throw usageError(`${placeholder} is missing.`, description);
      return parse(raw, placeholder);
    },
  };
}

/** `apiKeyEnv` → `--api-key-env`: the flag of the option declared under this key. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A positional argument that may be left out. */
export function optionalArgument(placeholder: string, description: string): Positional<string | undefined> {
  return { placeholder, description, required: false, read: (raw) => raw };
}
