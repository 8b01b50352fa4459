import type { Envelope } from '../provider.ts';

const PLAIN_VERSION = '/v1';
/** Operations that stand below a deployment in the dated API; the others stand beside the deployments. */
const OF_DEPLOYMENT = new Set(['/chat/completions', '/embeddings']);

/** Two queries as one. */
function joined(base: string, query: string): string {
  if (base === '') return query;
  return query === '' ? base : `${base}&${query.slice(1)}`;
}

/**
 * Azure OpenAI takes the OpenAI wire format at paths of its own. With an `api-version` in the base URL these are the
 * dated ones, where a model is named by its deployment in the path; without one it is the versionless API.
 */
export const azureEnvelope: Envelope = {
  wrap({ path, query, headers, body, model }, baseQuery) {
    const operation = path.startsWith(PLAIN_VERSION) ? path.slice(PLAIN_VERSION.length) : path;
    const dated = baseQuery !== '';
    const deployment =
      dated && OF_DEPLOYMENT.has(operation) ? `/deployments/${encodeURIComponent(model ?? '')}` : '';
    const version = dated ? '' : PLAIN_VERSION;
    return {
      path: `/openai${version}${deployment}${operation}${joined(baseQuery, query)}`,
      headers: [...headers],
      body,
    };
  },
  openAnswer: () => null,
};
