import type { RuleView } from '@tallygate/contract/api/rules';
import type { AdminApi } from '../../client/admin-api.ts';
import { findResource } from '../../client/find-resource.ts';

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Conditions or actions on one line. */
export function partsText(parts: object): string {
  const entries = Object.entries(parts);
  return entries.length === 0
    ? 'any'
    : entries.map(([name, value]) => `${name}=${valueText(value)}`).join(' ');
}

/** The rule of that id or name. @throws CliError when there is none */
export async function findRule(api: AdminApi, wanted: string): Promise<RuleView> {
  return findResource(wanted, (await api.rules.list()).rules, 'rule');
}
