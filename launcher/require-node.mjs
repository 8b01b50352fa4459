// Syntax that very old runtimes still parse: this file exists to tell them that they are too old.

/** The oldest Node that the launcher itself runs on. */
export const LAUNCHER_MIN_MAJOR = 18;

/**
 * True when the launcher can run on this version of Node; else says on standard error what to do, and makes
 * the process exit with 1.
 * @param {string} version such as `20.11.0`
 */
export function requireNode(version) {
  if (Number(version.split('.')[0]) >= LAUNCHER_MIN_MAJOR) return true;
  process.stderr.write(
    `Tallygate cannot start: this is Node.js ${version}.\n` +
      `  Why: the launcher needs Node.js ${LAUNCHER_MIN_MAJOR} or newer; from there it fetches the version that the server runs on.\n` +
      '  Fix: install a current Node.js (https://nodejs.org, or your package manager) and run the command again.\n',
  );
  process.exitCode = 1;
  return false;
}
