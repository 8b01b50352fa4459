import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { Secret } from '../kernel/secret.ts';

/** How a value is written, checked and shown. `base` is the folder that a relative path starts from. */
export interface Kind<T> {
  /** Completes the sentence "expected …". */
  expected: string;
  /** What the command line help shows after the flag; null for switches, which need no value. */
  placeholder: string | null;
  schema: (base: string) => z.ZodType<T>;
  /** A value that did not pass is not quoted in the message about it. */
  secret?: true;
  /** How `config explain` prints a value; secrets are masked here. */
  show: (value: T) => string;
}

/** What a default may depend on. */
export interface DefaultContext {
  /** Where the data goes when nothing says otherwise. */
  defaultDataDir: string;
  /** The data directory in force. */
  dataDir: string;
}

export type Channel = 'flag' | 'environment' | 'file';

export interface SettingSpec<T> {
  kind: Kind<T>;
  default: T | ((context: DefaultContext) => T);
  /** How the documentation words a computed default. */
  defaultDoc?: string;
  group: SettingGroup;
  /** One line. */
  doc: string;
  /** Accepted environment names after the primary one. */
  aliases?: readonly string[];
  /** Where the value may come from; all three when left out. */
  channels?: readonly Channel[];
}

export type SettingGroup =
  | 'Server'
  | 'Storage'
  | 'Proxy'
  | 'Accounts'
  | 'Journal'
  | 'Access'
  | 'Network'
  | 'Nodes'
  | 'Logging and metrics';

/** Gives a row of the table its value type. */
export function setting<T>(spec: SettingSpec<T>): SettingSpec<T> {
  return spec;
}

/** Written as a number in the file, as digits elsewhere. */
export function wholeNumber(min: number, max: number): Kind<number> {
  const digits = z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number);
  const schema = z.union([z.number(), digits]).pipe(z.int().min(min).max(max));
  return {
    expected: `a whole number from ${min} to ${max}, in digits only`,
    placeholder: 'number',
    schema: () => schema,
    show: String,
  };
}

/** The same, where nothing at all is a value too. */
export function optionalNumber(min: number, max: number): Kind<number | null> {
  return { ...wholeNumber(min, max), show: (value) => (value === null ? 'not set' : String(value)) };
}

const SWITCH_WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  yes: true,
  on: true,
  false: false,
  0: false,
  no: false,
  off: false,
};

export function switchKind(): Kind<boolean> {
  const word = z
    .string()
    .transform((text) => SWITCH_WORDS[text.toLowerCase()])
    .pipe(z.boolean());
  return {
    expected: 'true or false',
    placeholder: null,
    schema: () => z.union([z.boolean(), word]),
    show: String,
  };
}

export function oneOf<const T extends string>(values: readonly [T, ...T[]]): Kind<T> {
  return {
    expected: `one of ${values.join(', ')}`,
    placeholder: values.join('|'),
    schema: () => z.enum(values),
    show: String,
  };
}

/** A folder; a relative one starts where the setting was written: the working directory, or the file's folder. */
export function folder(): Kind<string> {
  return {
    expected: 'the path of a folder',
    placeholder: 'dir',
    schema: (base) => path().transform((text) => resolve(base, text)),
    show: String,
  };
}

/** A file; a relative path starts where a relative folder would. */
export function filePath(): Kind<string | null> {
  return {
    expected: 'the path of a file',
    placeholder: 'file',
    schema: (base) => path().transform((text) => resolve(base, text)),
    show: (value) => value ?? '(not set)',
  };
}

/** An address to listen on. A URL or a port in it is a mistake worth naming, not something to guess at. */
export function hostName(): Kind<string> {
  return {
    expected: 'an IP address or host name, without scheme and port',
    placeholder: 'address',
    schema: () =>
      z.union([z.ipv4(), z.ipv6(), z.string().regex(/^(?=.{1,253}$)[a-z\d]([a-z\d.-]*[a-z\d])?$/i)]),
    show: String,
  };
}

export function text(maxLength: number): Kind<string | null> {
  return {
    expected: `a text of 1 to ${maxLength} characters without control characters`,
    placeholder: 'text',
    schema: () => z.string().max(maxLength).refine(printable),
    show: (value) => value ?? '(not set)',
  };
}

export function secretText(maxLength: number): Kind<Secret | null> {
  return {
    expected: `a text of 1 to ${maxLength} characters`,
    placeholder: 'secret',
    secret: true,
    schema: () =>
      z
        .string()
        .min(1)
        .max(maxLength)
        .transform((value) => new Secret(value)),
    show: (value) => (value === null ? '(not set)' : '(set, hidden)'),
  };
}

const MIN_KEY_CHARS = 32;
const MIN_DISTINCT_CHARS = 8;

/** A key that clients send: long enough not to be guessed, of characters that fit into a header. */
export function clientKey(): Kind<Secret | null> {
  return {
    ...secretText(512),
    expected: `a key of ${MIN_KEY_CHARS} to 512 visible ASCII characters that is no simple repetition ("openssl rand -base64 32" makes one)`,
    schema: () =>
      z
        .string()
        .regex(/^[\x21-\x7e]{32,512}$/)
        .refine((value) => new Set(value).size >= MIN_DISTINCT_CHARS)
        .transform((value) => new Secret(value)),
  };
}

/** A secret nobody guesses: 32 bytes or more, and not one character over and over. */
export function longSecret(): Kind<Secret | null> {
  const varied = (text: string): boolean => new Set(text).size >= 10;
  return {
    ...secretText(1024),
    expected: 'at least 32 random bytes of text ("openssl rand -base64 32" makes one)',
    schema: () =>
      z
        .string()
        .max(1024)
        .refine((text) => Buffer.byteLength(text) >= 32 && varied(text))
        .transform((value) => new Secret(value)),
  };
}

/** 32 bytes as 64 hexadecimal digits or as base64 (either alphabet, padded or not). */
export function keyOf32Bytes(): Kind<Secret | null> {
  const hex = z.string().regex(/^[\da-f]{64}$/i);
  const base64 = z.string().regex(/^[A-Za-z\d+/_-]{43}=?$/);
  return {
    ...secretText(64),
    expected: '32 bytes, as 64 hexadecimal digits or as base64 ("openssl rand -base64 32" makes one)',
    schema: () => z.union([hex, base64]).transform((value) => new Secret(value)),
  };
}

/** A secret as a whole: the user part of a database URL carries a password. */
export function databaseUrl(): Kind<Secret> {
  return {
    expected: 'a database URL, such as sqlite:./tallygate.db or postgres://user:password@host:5432/name',
    placeholder: 'url',
    secret: true,
    schema: (base) =>
      z
        .string()
        .max(2048)
        .regex(/^[a-z][a-z\d+]*:.+$/i)
        .transform((url) => new Secret(absoluteFileUrl(url, base))),
    show: (value) => maskUrl(value.reveal()),
  };
}

function path(): z.ZodString {
  return z.string().min(1).max(4096).refine(printable);
}

/** True for text without control characters. */
export function printable(value: string): boolean {
  return !/\p{Cc}/u.test(value);
}

/** `sqlite:data.db` and `sqlite://data.db` name the same file: relative ones become absolute here. */
function absoluteFileUrl(url: string, base: string): string {
  const match = /^sqlite:(?:\/\/(?=.))?(.+)$/i.exec(url);
  const file = match?.[1];
  if (file === undefined || file === ':memory:') return url;
  return `sqlite:${isAbsolute(file) ? file : resolve(base, file)}`;
}

/** The URL without its password and without any parameter that might be one. */
export function maskUrl(url: string): string {
  if (/^sqlite:/i.test(url)) return url;
  return url
    .replace(/^([a-z][a-z\d+]*:\/\/[^/?#@:]*):[^/?#]*@/i, '$1:****@')
    .replace(/([?&][^=&#]*(?:pass|secret|key|token)[^=&#]*)=[^&#]*/gi, '$1=****');
}
