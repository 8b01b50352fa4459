import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerCheckpoint, LedgerStore } from '@tallygate/server/store/store';

/** What a commit left in the file. */
export interface CommitLine {
  ids: string[];
  statuses: string[];
  checkpoint: LedgerCheckpoint;
}

/** Every commit that the store in this folder took; a half-written last line is none. */
export function committedLines(folder: string): CommitLine[] {
  const path = join(folder, 'commits.jsonl');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CommitLine);
}

/**
 * A ledger store in a file, one line for each commit, for threads and processes that tests kill. While a file
 * `store-fails` is in the folder every call fails; a file `thread-dies` kills the thread at its next commit.
 */
export function openFileLedgerStore(folder: string): LedgerStore {
  dropHalfLine(join(folder, 'commits.jsonl'));
  const lines = committedLines(folder);
  const ids = new Set(lines.flatMap((line) => line.ids));
  const checkpoints = new Map(lines.map(({ checkpoint }) => [checkpoint.nodeId, checkpoint]));
  const work = (): void => {
    if (existsSync(join(folder, 'store-fails'))) {
      throw Object.assign(new Error('the store is away'), { code: 'SQLITE_BUSY' });
    }
  };
  return {
    rowsPerCommit: 64,
    async readCheckpoint(nodeId) {
      work();
      return checkpoints.get(nodeId) ?? null;
    },
    async commit(events, checkpoint) {
      work();
      if (existsSync(join(folder, 'thread-dies'))) process.exit(1);
      const fresh = events.filter((event) => !ids.has(event.id));
      for (const event of fresh) ids.add(event.id);
      checkpoints.set(checkpoint.nodeId, checkpoint);
      const line: CommitLine = {
        ids: fresh.map((event) => event.id),
        statuses: fresh.map((event) => event.status),
        checkpoint,
      };
      appendFileSync(join(folder, 'commits.jsonl'), `${JSON.stringify(line)}\n`);
      return { inserted: fresh.length };
    },
  };
}

/** What a killed process left of a commit is no commit, as in any store. */
function dropHalfLine(path: string): void {
  if (!existsSync(path)) return;
  const bytes = readFileSync(path);
  truncateSync(path, bytes.lastIndexOf(0x0a) + 1);
}
