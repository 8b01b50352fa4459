import type { ListedModel } from '../provider.ts';

const MAX_PAGE = 1_000;
const ONE_MODEL = /\/models\/([^/:?]+)$/;

function modelOf({ id }: ListedModel): Record<string, unknown> {
  return {
    name: `models/${id}`,
    baseModelId: id,
    displayName: id,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
  };
}

/** The list of models as this API gives it, or the one that the path names. */
export function listModels(
  models: readonly ListedModel[],
  { path, query }: { path: string; query: URLSearchParams },
): Record<string, unknown> | null {
  const [, name] = ONE_MODEL.exec(path) ?? [];
  if (name !== undefined) {
    const one = models.find(({ id }) => id === decodeURIComponent(name));
    return one === undefined ? null : modelOf(one);
  }
  const asked = Number(query.get('pageSize') ?? MAX_PAGE);
  const size = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MAX_PAGE) : MAX_PAGE;
  const start = Number(query.get('pageToken') ?? 0) || 0;
  const next = start + size;
  const page = { models: models.slice(start, next).map(modelOf) };
  return next < models.length ? { ...page, nextPageToken: String(next) } : page;
}
