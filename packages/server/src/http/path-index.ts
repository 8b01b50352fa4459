import type { RouteRow } from '../admin/route.ts';

/** Which methods a path answers, for telling "not here" from "not this way" (RFC 9110 §15.5.6). */
export interface PathIndex {
  /**
   * Methods of the rows with this path, HEAD included where GET is; empty when there is no such path. `publicOnly`
   * knows the rows of `both` alone.
   */
  methodsAt(path: string, publicOnly: boolean): string[];
}

/** Rows that match everything (`/*`) say nothing about a path and are left out. */
export function createPathIndex(rows: readonly RouteRow[]): PathIndex {
  const patterns = rows
    .filter((row) => !row.path.includes('*'))
    .map((row) => ({
      method: row.method,
      open: row.listener === 'both',
      pattern: new RegExp(`^${row.path.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+')}$`),
    }));
  return {
    methodsAt(path, publicOnly) {
      const methods = patterns
        .filter(({ pattern, open }) => (open || !publicOnly) && pattern.test(path))
        .map(({ method }) => method as string);
      return methods.includes('GET') ? ['HEAD', ...methods] : methods;
    },
  };
}
