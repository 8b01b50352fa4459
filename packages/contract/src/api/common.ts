import { z } from 'zod';

/** Exact decimal string of US dollars, up to nine fraction digits. */
export const usdSchema = z.string().regex(/^-?\d+(\.\d{1,9})?$/);
export const idSchema = z.string().min(1).max(64);
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(100)
  // Those of Unicode's bidirectional algorithm as well (UAX #9 §2): they show a name as another one.
  .regex(/^[^\p{Cc}\u202A-\u202E\u2066-\u2069]+$/u, 'must not contain control characters');
export const slugSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes');
/** Instants on the wire are ISO 8601 in UTC. */
export const instantSchema = z.iso.datetime({ offset: true });

/** Query strings arrive as text: a list is given as repeated parameters or with commas. */
export const listParam = z
  .union([z.string(), z.array(z.string())])
  .transform((value) =>
    (Array.isArray(value) ? value : value.split(','))
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )
  .pipe(z.array(z.string().max(200)).max(50));

export const emptySchema = z.object({}).strict();
