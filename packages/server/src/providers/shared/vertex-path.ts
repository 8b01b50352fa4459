/** True for a base path on Vertex AI that leads to the models of this publisher. */
export function isVertexPath(basePath: string, publisher: string): boolean {
  return basePath.endsWith(`/publishers/${publisher}`);
}
