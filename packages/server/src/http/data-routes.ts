import type { IncomingHttpHeaders } from 'node:http';
import type { UserHash } from '../identity/user-hash.ts';
import type { DataRoute } from '../pipeline/call.ts';
import type { Dialect, ProviderAdapter, ProviderRoute } from '../providers/provider.ts';

/** The paths of the data plane: which call leads upstream, and in which dialect errors are answered. */
export interface DataRoutes {
  /** Null when the path belongs to the data plane but names no route: 404, and nothing reaches an upstream. */
  find(method: string, path: string, headers: IncomingHttpHeaders): DataRoute | null;
  /** True for paths that the data plane owns, routed or not. */
  owns(path: string): boolean;
  /** Dialect for errors on a path without a route. */
  dialectOf(path: string, headers: IncomingHttpHeaders): Dialect;
  readonly rows: readonly DataRoute[];
}

const MODEL = '{model}';
/** What may stand for a model in a path: nothing that an upstream could read as another path. */
const MODEL_PATTERN = '[A-Za-z0-9][A-Za-z0-9._-]{0,199}';

/** The facts of a request; with a hash, the id of a session is not kept as it came. The affinity is never stored. */
function factsOf(
  adapter: ProviderAdapter,
  { flavor }: ProviderRoute,
  hash: UserHash | null,
): DataRoute['facts'] {
  if (hash === null) return (body, headers, path) => adapter.requestFacts(flavor, body, headers, path);
  return (body, headers, path) => {
    const facts = adapter.requestFacts(flavor, body, headers, path);
    return facts.sessionId === null ? facts : { ...facts, sessionId: hash.stored(facts.sessionId) };
  };
}

function toDataRoute(
  adapter: ProviderAdapter,
  route: ProviderRoute,
  prefix: string,
): Omit<DataRoute, 'facts'> {
  return {
    ...route,
    clientPath: `${prefix}${route.path}`,
    prefix,
    dialect: adapter.dialect,
    credentialQuery: adapter.credentialQuery,
    templated: route.path.includes(MODEL),
    ruleView: (body) => adapter.ruleView(route.flavor, body),
    inputBytes: (body, bodyBytes) => adapter.requestShape(route.flavor, body, bodyBytes, []).inputTokens,
  };
}

function templateOf(row: DataRoute): RegExp {
  const parts = row.clientPath.split(MODEL).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join(MODEL_PATTERN)}$`);
}

const rootOf = (path: string): string => `/${path.split('/')[1] ?? ''}`;

/** Rows whose path names a model, which no table of whole paths can hold. */
class TemplatedRows {
  readonly #rows: { row: DataRoute; pattern: RegExp }[] = [];

  add(row: DataRoute): void {
    this.#rows.push({ row, pattern: templateOf(row) });
  }

  find(method: string, path: string, speaks: (dialect: Dialect) => boolean): DataRoute | null {
    for (const { row, pattern } of this.#rows) {
      if (row.method !== method || !pattern.test(path)) continue;
      if (row.needsDialectHeader !== true || row.prefix !== '' || speaks(row.dialect)) return row;
    }
    return null;
  }
}

/**
 * Builds the table from what the adapters declare: each route at its own path, and again under `/<dialect>`,
 * which settles paths that two dialects share (`/v1/models`). Without the prefix the headers decide.
 */
export function createDataRoutes(
  adapters: readonly ProviderAdapter[],
  hash: UserHash | null = null,
): DataRoutes {
  const dialectHeaders = new Map(adapters.map((adapter) => [adapter.dialect, adapter.dialectHeader]));
  /** The client sends the dialect's header, or no dialect's header where this one has none. */
  function speaks(dialect: Dialect, headers: IncomingHttpHeaders): boolean {
    const own = dialectHeaders.get(dialect) ?? null;
    if (own !== null) return headers[own] !== undefined;
    return [...dialectHeaders.values()].every((other) => other === null || headers[other] === undefined);
  }

  const rows: DataRoute[] = [];
  const byPath = new Map<string, DataRoute[]>();
  const templated = new TemplatedRows();
  for (const adapter of adapters) {
    for (const route of adapter.routes) {
      for (const prefix of ['', `/${adapter.dialect}`]) {
        const row = { ...toDataRoute(adapter, route, prefix), facts: factsOf(adapter, route, hash) };
        const key = `${row.method} ${row.clientPath}`;
        const known = byPath.get(key) ?? [];
        if (known.some((other) => other.flavor === row.flavor)) continue; // another adapter of the same dialect
        byPath.set(key, [...known, row]);
        rows.push(row);
        if (row.templated) templated.add(row);
      }
    }
  }
  const roots = new Set(rows.map((row) => rootOf(row.clientPath)));
  return {
    rows,
    find(method, path, headers) {
      const found = byPath.get(`${method} ${path}`);
      if (found === undefined) return templated.find(method, path, (dialect) => speaks(dialect, headers));
      if (found.length === 1) return found[0] ?? null;
      return found.find((row) => speaks(row.dialect, headers)) ?? found[0] ?? null;
    },
    owns: (path) => roots.has(rootOf(path)),
    dialectOf(path, headers) {
      const prefixed = rows.find((row) => path.startsWith(`/${row.dialect}/`));
      if (prefixed) return prefixed.dialect;
      const inRoot = new Set(
        rows.filter((row) => rootOf(row.clientPath) === rootOf(path)).map((row) => row.dialect),
      );
      const [only] = inRoot;
      if (inRoot.size === 1 && only !== undefined) return only;
      const samePath = rows.find((row) => path === row.clientPath || path.startsWith(`${row.clientPath}/`));
      const sure = samePath ?? rows.find((row) => speaks(row.dialect, headers));
      return sure?.dialect ?? 'tallygate';
    },
  };
}
