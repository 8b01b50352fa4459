import type { ConfigProblem } from './config-error.ts';
import type { Config } from './settings.ts';

/** Network settings that cannot all be meant. */
export function networkContradictions(config: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (config.egressAllowPrivate === 'never' && config.egressAllowHosts.length > 0) {
    problems.push({
      what: 'egressAllowPrivate is "never", but egressAllowHosts names destinations.',
      why: 'With "never" no upstream may be private, so the list would be ignored.',
      fix: 'Set egressAllowPrivate to "listed", or remove egressAllowHosts.',
    });
  }
  return problems;
}
