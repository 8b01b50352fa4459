import type { RouteRow } from '../admin/route.ts';

/** Which methods a path answers, for telling "not here" from "not this way" (RFC 9110 §15.5.6). */
export interface PathIndex {
  /** Methods of the rows with this path, HEAD included where GET is; empty when there is no such path. */
  methodsAt(path: string): string[];
}

/** Rows that match everything (`/*`) say nothing about a path and are left out. */
export function createPathIndex(rows: readonly RouteRow[]): PathIndex {
  const patterns = rows
    .filter((row) => !row.path.includes('*'))
    .map((row) => ({
      method: row.method,
      pattern: new RegExp(`^${row.path.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+')}$`),
    }));
  return {
    methodsAt(path) {
      const methods = patterns
        .filter(({ pattern }) => pattern.test(path))
        .map(({ method }) => method as string);
      return methods.includes('GET') ? ['HEAD', ...methods] : methods;
    },
  };
}
