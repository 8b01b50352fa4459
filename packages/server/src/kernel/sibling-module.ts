/**
 * The URL of a module beside the caller's, for starting a worker thread: sources run as `.ts` in development
 * and as `.js` once built, and a URL, unlike an import specifier, is not rewritten by the compiler.
 * @param importMetaUrl the caller's `import.meta.url`
 * @param path relative path without extension, such as `./ledger-thread`
 */
export function siblingModule(importMetaUrl: string, path: string): URL {
  return new URL(`${path}${importMetaUrl.endsWith('.ts') ? '.ts' : '.js'}`, importMetaUrl);
}
