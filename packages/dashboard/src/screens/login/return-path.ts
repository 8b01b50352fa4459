/** Where to go after sign-in: a path of this dashboard. Anything that could lead to another origin means the front page. */
export function safeReturnPath(path: string | undefined): string {
  if (path === undefined || !/^\/(?![/\\])/.test(path)) return '/';
  return /^\/(login|setup|join)\b/.test(path) ? '/' : path;
}
