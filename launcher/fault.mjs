/** Something the person at the terminal can mend: what is wrong, why it matters, how to fix it. */
export class Fault extends Error {
  /**
   * @param {string} what
   * @param {string} why
   * @param {string} fix
   * @param {number} exitCode
   */
  constructor(what, why, fix, exitCode = 1) {
    super(`${what}\n  Why: ${why}\n  Fix: ${fix}`);
    this.name = 'Fault';
    this.exitCode = exitCode;
  }
}

/**
 * The fault behind a file system error of a write into the clone, or the error itself when it is another one.
 * @param {unknown} error
 * @param {string} folder
 * @returns {unknown}
 */
export function explainWriteError(error, folder) {
  const code = /** @type {{ code?: string }} */ (error)?.code ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return noSpace(folder);
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return notWritable(folder);
  return error;
}

/** @param {string} folder */
export function noSpace(folder) {
  return new Fault(
    `The disk that holds ${folder} is full.`,
    'Installing and building write about 700 MB there.',
    'Free some space ("df -h" shows how much there is) and run the command again.',
  );
}

/** @param {string} folder */
export function notWritable(folder) {
  return new Fault(
    `${folder} cannot be written.`,
    'Dependencies and build results are kept in the clone, and something has to be installed or built first.',
    'Run the command once as the user who owns the folder (after that it may be read-only), or give yourself write permission.',
  );
}
