import type { ListedModel } from '../provider.ts';

const MAX_PAGE = 1_000;

/** One page of a list: after or before an id, as the API cuts it. */
function pageOf(
  models: readonly ListedModel[],
  query: URLSearchParams,
): { page: ListedModel[]; more: boolean } {
  const asked = Number(query.get('limit') ?? MAX_PAGE);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MAX_PAGE) : MAX_PAGE;
  const before = query.get('before_id');
  if (before !== null) {
    const end = models.findIndex(({ id }) => id === before);
    const start = Math.max(0, end - limit);
    return { page: models.slice(start, Math.max(0, end)), more: start > 0 };
  }
  const start = models.findIndex(({ id }) => id === query.get('after_id')) + 1;
  return { page: models.slice(start, start + limit), more: start + limit < models.length };
}

/** The list of models as `GET /v1/models` of this API gives it. */
export function listModels(
  models: readonly ListedModel[],
  { query }: { query: URLSearchParams },
): Record<string, unknown> {
  const { page, more } = pageOf(models, query);
  const data = page.map(({ id, sinceMs }) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: new Date(sinceMs).toISOString(),
  }));
  return { data, has_more: more, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
}
