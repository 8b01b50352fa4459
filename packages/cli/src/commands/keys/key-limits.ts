import type { KeyRestrictions } from '@tallygate/contract/api/keys';
import { list } from '../../options/option.ts';

const asGiven = (text: string): string => text.trim();

/** What narrows a key; each takes several values with commas. */
export const limitOptions = {
  addresses: list('CIDRS', 'Only from these addresses or ranges, such as 10.0.0.0/8', asGiven),
  origins: list('ORIGINS', 'Only from web pages of these origins, such as https://app.example.com', asGiven),
  models: list('PATTERNS', 'Only these models; * stands for any run of characters', asGiven),
  providers: list('NAMES', 'Only accounts of these providers or presets', asGiven),
};

/** The limits that were given; null when none was. */
export function limitsOf(given: KeyRestrictions): KeyRestrictions | null {
  const { addresses, origins, models, providers } = given;
  const limits = { addresses, origins, models, providers };
  return Object.values(limits).every((values) => values.length === 0) ? null : limits;
}

/** The limits in one line. */
export function limitsText(limits: KeyRestrictions): string {
  const parts = Object.entries(limits).filter(([, values]) => values.length > 0);
  return parts.length === 0
    ? 'none'
    : parts.map(([name, values]) => `${name}: ${values.join(' ')}`).join('; ');
}
