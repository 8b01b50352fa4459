import { spawn } from 'node:child_process';

/**
 * Runs a program of the repository and returns what it said when it failed.
 * @param {string} root @param {string[]} args of Node
 * @returns {Promise<string[]>} lines of output; none when it succeeded
 */
export function failureOf(root, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => {
      const lines = output.trimEnd().split('\n');
      resolve(code === 0 ? [] : lines.filter((line) => line.trim() !== ''));
    });
  });
}
