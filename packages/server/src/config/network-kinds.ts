import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { parseNetwork } from '../kernel/address-set.ts';
import { parseHostEntry } from '../kernel/host-entry.ts';
import { type Kind, printable, wholeNumber } from './setting.ts';

const MAX_ENTRIES = 256;
const MAX_LIST_CHARS = 16 * 1024;

/** Several entries: with commas between them, or a list in the settings file. */
export function listOf(
  accepts: (entry: string) => boolean,
  words: { expected: string; entry: string },
): Kind<string[]> {
  const split = z
    .string()
    .max(MAX_LIST_CHARS)
    .transform((text) =>
      text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    );
  const entries = z.array(z.string().max(2048).refine(accepts)).max(MAX_ENTRIES);
  return {
    expected: words.expected,
    placeholder: words.entry,
    schema: () => z.union([split.pipe(entries), entries]),
    show: (list) => (list.length === 0 ? '(none)' : list.join(', ')),
  };
}

export function networkList(): Kind<string[]> {
  return listOf((entry) => parseNetwork(entry) !== null, {
    expected: 'addresses and networks such as 10.0.0.0/8 or 2001:db8::1, with commas between them',
    entry: 'networks',
  });
}

export function destinationList(): Kind<string[]> {
  return listOf((entry) => parseNetwork(entry) !== null || parseHostEntry(entry) !== null, {
    expected:
      'hosts such as gpu.internal or gpu.internal:8000 and networks such as 10.1.0.0/16, with commas between them',
    entry: 'hosts',
  });
}

/** RFC 6454 §6.2: scheme, host and port, written as browsers send it. */
function isOrigin(text: string, schemes: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  // A host may hold characters that would end or widen a directive of the policy it is put into.
  return (
    /^[a-z\d.:[\]-]+$/.test(url.host) &&
    schemes.includes(url.protocol) &&
    `${url.protocol}//${url.host}` === text
  );
}

/** Origins that a policy may name. There is no wildcard on purpose. */
export function originList(schemes: readonly string[]): Kind<string[]> {
  return listOf((entry) => isOrigin(entry, schemes), {
    expected:
      'origins such as https://app.example.com, in lower case, without a path and without *, with commas between them',
    entry: 'origins',
  });
}

/** The same, or `*` for any. */
export function originListOrAny(): Kind<string[]> {
  return listOf((entry) => entry === '*' || isOrigin(entry, ['https:', 'http:']), {
    expected:
      'origins such as https://app.example.com, in lower case and without a path, with commas between them',
    entry: 'origins',
  });
}

/** One web origin, or none at all. */
export function originOrNone(): Kind<string | null> {
  return {
    expected: 'an origin such as https://gate.example.com, in lower case and without a path',
    placeholder: 'origin',
    schema: () =>
      z
        .string()
        .max(2048)
        .refine((text) => isOrigin(text, ['https:', 'http:'])),
    show: (origin) => origin ?? '(not set)',
  };
}

/** Host names without ports, as they stand in `Host`. */
export function hostNameList(): Kind<string[]> {
  return listOf((entry) => parseHostEntry(entry)?.port === null, {
    expected: 'host names such as gate.example.com, without scheme and port, with commas between them',
    entry: 'names',
  });
}

export function portOrNone(): Kind<number | null> {
  return {
    ...wholeNumber(0, 65_535),
    placeholder: 'port',
    show: (port) => (port === null ? '(not set)' : String(port)),
  };
}

/** Where a listener stands. */
export interface ListenAddress {
  host: string;
  port: number;
}

/** Reads `10.0.0.5:4101`, `[::1]:4101` or `localhost:4101`; null when it is none of these. */
export function parseListenAddress(text: string): ListenAddress | null {
  const match = /^(?:\[([\da-f:.]+)\]|([a-z\d](?:[a-z\d.-]*[a-z\d])?)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535 || (match?.[1] !== undefined && isIP(host) !== 6)) return null;
  return { host, port };
}

export function listenAddressOrNone(): Kind<ListenAddress | null> {
  return {
    expected: 'an address with a port, such as 127.0.0.1:4101 or [::1]:4101',
    placeholder: 'address:port',
    schema: () =>
      z
        .string()
        .max(300)
        .transform((text, context) => {
          const address = parseListenAddress(text);
          if (address !== null) return address;
          context.addIssue({ code: 'custom', message: 'is not an address with a port' });
          return z.NEVER;
        }),
    show: (value) =>
      value === null
        ? '(not set)'
        : `${value.host.includes(':') ? `[${value.host}]` : value.host}:${value.port}`,
  };
}

/** A file; a relative path starts where the setting was written. */
export function file(): Kind<string | null> {
  return {
    expected: 'the path of a file',
    placeholder: 'file',
    schema: (base) =>
      z
        .string()
        .min(1)
        .max(4096)
        .refine(printable)
        .transform((text) => resolve(base, text)),
    show: (path) => path ?? '(not set)',
  };
}

/** A web address without credentials. */
export function httpUrlOrNone(): Kind<string | null> {
  return {
    expected: 'an address that begins with https:// or http://, without user name and password',
    placeholder: 'url',
    schema: () =>
      z
        .url({ protocol: /^https?$/ })
        .max(2048)
        .refine((text) => URL.canParse(text) && new URL(text).username === '' && new URL(text).hash === ''),
    show: (value) => value ?? '(not set)',
  };
}

/** Words without spaces, with commas between them. */
export function wordList(): Kind<string[]> {
  return listOf((entry) => /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(entry), {
    expected: 'words without spaces, with commas between them',
    entry: 'words',
  });
}
