import { z } from 'zod';

const MAX_ENTRIES = 100;

/** An address or a CIDR range. IPv4 is written as such: clients that arrive as `::ffff:1.2.3.4` count as `1.2.3.4`. */
export const addressRangeSchema = z
  .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
    error: 'must be an IPv4 or IPv6 address or a range such as 10.0.0.0/8 or 2001:db8::/32',
  })
  .refine(
    (text) => !text.includes('/') || /\/(?:0|[1-9]\d{0,2})$/.test(text),
    'must end in a whole number of bits',
  )
  .refine((text) => !/^::ffff:/i.test(text), 'write IPv4 addresses as such, not as ::ffff:…');

/** As browsers send it: scheme, host and port in lower case, no path, no default port. */
export const originSchema = z
  .string()
  .max(300)
  .regex(
    /^[a-z][a-z0-9+.-]{0,30}:\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/,
    'must be an origin such as https://app.example.com: lower case, no path, no trailing slash',
  )
  .refine(
    (text) => !/^(https:.*[^0-9]443|http:.*[^0-9]80)$/.test(text),
    'leave out the default port: browsers do not send it',
  );

/** `*` stands for any run of characters. */
export const modelPatternSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\s]+$/u, 'must not contain blanks or control characters');

const providerNameSchema = z.string().min(1).max(64);

function listOf(entry: z.ZodType<string>) {
  return z
    .array(entry)
    .max(MAX_ENTRIES)
    .transform((values) => [...new Set(values)])
    .default([]);
}

/** What narrows a key. An empty list limits nothing. */
export const keyRestrictionsRequest = z
  .object({
    /** Client addresses the key may be used from. */
    addresses: listOf(addressRangeSchema),
    /** Origins of web pages that may use it; a request that names none is refused then. */
    origins: listOf(originSchema),
    /** Models it may ask for. */
    models: listOf(modelPatternSchema),
    /** Providers (`anthropic`) or presets (`ollama`) whose accounts may serve it. */
    providers: listOf(providerNameSchema),
  })
  .strict();

export const keyRestrictionsView = z.object({
  addresses: z.array(z.string()),
  origins: z.array(z.string()),
  models: z.array(z.string()),
  providers: z.array(z.string()),
});
export type KeyRestrictions = z.infer<typeof keyRestrictionsView>;

export const NO_RESTRICTIONS: KeyRestrictions = { addresses: [], origins: [], models: [], providers: [] };
