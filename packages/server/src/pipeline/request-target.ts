import type { IncomingMessage } from 'node:http';
import type { DataRoute } from './call.ts';

const NONE: readonly string[] = [];

/** The path of a request target, and its query with the question mark; empty when there is none. */
export function splitTarget(url: string): { path: string; query: string } {
  const at = url.indexOf('?');
  return at === -1 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at) };
}

/** The path as the upstream knows it. */
export function upstreamRoutePath(path: string, route: DataRoute): string {
  return route.templated ? path.slice(route.prefix.length) : route.path;
}

/** A name or value of a query as it is meant; one that is not properly encoded is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

const nameOf = (pair: string): string => decoded(pair.split('=', 1)[0] ?? '');

function pairsOf(query: string): string[] {
  return query === '' ? [] : query.slice(1).split('&');
}

/** The query without one parameter, however its name is spelt; every other byte stays. */
export function withoutParameter(query: string, name: string): string {
  const pairs = pairsOf(query);
  const kept = pairs.filter((pair) => nameOf(pair) !== name);
  if (kept.length === pairs.length) return query;
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

/** What a client presents in the query, where its dialect allows that. */
export function credentialInQuery(request: IncomingMessage, route: DataRoute): readonly string[] {
  if (route.credentialQuery === null) return NONE;
  return parameterValues(splitTarget(request.url ?? '').query, route.credentialQuery);
}

/** Values of one parameter, in order. */
function parameterValues(query: string, name: string): string[] {
  return pairsOf(query)
    .filter((pair) => nameOf(pair) === name)
    .map((pair) => decoded(pair.slice(pair.indexOf('=') + 1 || pair.length)));
}
