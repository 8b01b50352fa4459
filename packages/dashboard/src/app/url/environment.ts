import type { Environment } from '@tallygate/contract/api/projects';

/** Environments and their names on screen; complete by its type, see `request-status`. */
export const ENVIRONMENT_LABELS: Record<Environment, string> = {
  production: 'Production',
  staging: 'Staging',
  development: 'Development',
  test: 'Test',
};

export function isEnvironment(value: string): value is Environment {
  return Object.hasOwn(ENVIRONMENT_LABELS, value);
}
