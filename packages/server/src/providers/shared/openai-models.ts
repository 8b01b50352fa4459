import type { ListedModel } from '../provider.ts';

/** The list of models as `GET /v1/models` of this wire format gives it. */
export function listModels(models: readonly ListedModel[]): Record<string, unknown> {
  const data = models.map(({ id, provider, sinceMs }) => ({
    id,
    object: 'model',
    created: Math.floor(sinceMs / 1000),
    owned_by: provider,
  }));
  return { object: 'list', data };
}
