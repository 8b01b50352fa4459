const KEY = 'tallygate.project';

/** A browser may refuse its storage; then nothing is remembered. */
function tried<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    return otherwise;
  }
}

/** The project that was chosen last in this browser; null for all of them. */
export const rememberedProject = (storage: Pick<Storage, 'getItem'> = localStorage): string | null =>
  tried(() => storage.getItem(KEY), null);

/** Null forgets it: nothing is remembered for somebody else, or of another workspace. */
export function rememberProject(
  project: string | null,
  storage: Pick<Storage, 'setItem' | 'removeItem'> = localStorage,
): void {
  tried(() => (project === null ? storage.removeItem(KEY) : storage.setItem(KEY, project)), undefined);
}
