// Progress goes to standard error: standard output belongs to the program that is launched.
const HEARTBEAT_MS = 15_000;

/**
 * Says what takes time while it does: on a terminal with a running clock, elsewhere as plain lines.
 * @template T
 * @param {string} label
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withProgress(label, work) {
  const terminal = process.stderr.isTTY === true;
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const line = (/** @type {string} */ text) =>
    process.stderr.write(terminal ? `\r\u001b[2K${text}` : `${text}\n`);
  line(`${label} …`);
  const timer = setInterval(() => line(`${label} … ${seconds()} s`), terminal ? 1000 : HEARTBEAT_MS);
  timer.unref();
  try {
    const result = await work();
    line(`${label}: done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s${terminal ? '\n' : ''}`);
    return result;
  } catch (error) {
    line(`${label}: failed${terminal ? '\n' : ''}`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
