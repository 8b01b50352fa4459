import { suggest } from '@tallygate/server/config/suggest';
import { CliError } from '../cli-error.ts';
import { printable } from '../output/style.ts';

interface Named {
  id: string;
  name: string;
}

/**
 * The one a person named: by id, or by name when only one has it.
 * @throws CliError `resource_not_found`, `ambiguous_name`
 */
export function findResource<T extends Named>(wanted: string, all: readonly T[], what: string): T {
  const byId = all.find((item) => item.id === wanted);
  if (byId !== undefined) return byId;
  const byName = all.filter((item) => item.name === wanted);
  const [only] = byName;
  if (only !== undefined && byName.length === 1) return only;
  if (byName.length > 1) {
    throw new CliError('ambiguous_name', `${byName.length} ${what}s are called ${printable(wanted)}.`, {
      fix: `Give the id instead: ${byName.map((item) => item.id).join(', ')}`,
    });
  }
  const near = suggest(
    wanted,
    all.map((item) => item.name),
  );
  throw new CliError('resource_not_found', `There is no ${what} with that id or name: ${printable(wanted)}`, {
    fix: near === null ? `See: tallygate ${what}s list` : `Did you mean ${near}?`,
  });
}
