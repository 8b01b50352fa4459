/**
 * A release date at the end of a model id: `-20250929` and `@20250929` (Anthropic, Vertex AI), `-2025-08-07`
 * (OpenAI). Nothing else counts: `-latest`, `-preview` or `-5` make another model.
 */
const DATED_SUFFIX =
  /[-@](20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$|-(20\d{2})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** The id without its release date, or null when it carries none. */
export function withoutReleaseDate(modelId: string): string | null {
  const match = DATED_SUFFIX.exec(modelId);
  return match && match.index > 0 ? modelId.slice(0, match.index) : null;
}

/** Whether two ids name the same model, release dates aside. */
export function isSameModel(a: string, b: string): boolean {
  const left = a.toLowerCase();
  const right = b.toLowerCase();
  return left === right || (withoutReleaseDate(left) ?? left) === (withoutReleaseDate(right) ?? right);
}
