/** Writes the figures of the newest full run (or of the file named) between the markers in docs/performance.md. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { BenchResult } from './result-types.ts';
import { LATENCY, noiseLine, rowsOf, THROUGHPUT } from './text-table.ts';

const RESULTS = new URL('./results/', import.meta.url);
const DOCUMENT = new URL('../docs/performance.md', import.meta.url);
const BEGIN = '<!-- figures: written by bench/render.ts -->';
const END = '<!-- end of figures -->';

function readResult(file: string): BenchResult {
  return JSON.parse(readFileSync(new URL(file, RESULTS), 'utf8')) as BenchResult;
}

/** The newest result that was not a quick run. */
function newest(): BenchResult {
  const results = readdirSync(RESULTS)
    .filter((name) => name.endsWith('.json'))
    .map(readResult)
    .filter(({ quick }) => !quick)
    .sort((a, b) => a.startedAt.localeCompare(b.startedAt));
  const last = results.at(-1);
  if (!last) throw new Error('bench/results holds no full run: "npm run bench" makes one');
  return last;
}

function markdownTable(rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

function figures(result: BenchResult): string {
  const { machine } = result;
  const foreign = Math.max(0, ...result.measures.map((m) => m.foreignCores ?? 0));
  const ledger = result.ledger.map(
    (l) =>
      `Ledger of ${l.target}: ${l.rows} rows for ${l.finished} requests sent${l.exact ? ', exactly once each' : ' (DIFFERENT)'}.`,
  );
  const soak = result.soak
    ? [
        `Soak: ${result.soak.seconds} s, ${result.soak.completed} answers, ${result.soak.failed} failed; memory in the last third ${result.soak.growth?.toFixed(2) ?? '–'} × that of the first.`,
      ]
    : [];
  return [
    `Run of ${result.startedAt} at commit ${result.commit}: ${result.rounds} rounds, ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}, ${machine.pinned ? 'pinned' : 'not pinned'}. ${noiseLine(foreign)}`,
    '',
    markdownTable(rowsOf(THROUGHPUT, result)),
    '',
    markdownTable(rowsOf(LATENCY, result)),
    '',
    ...ledger,
    ...soak,
  ].join('\n');
}

const [file] = process.argv.slice(2);
const text = readFileSync(DOCUMENT, 'utf8');
const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
if (from < 0 || to < from) throw new Error('docs/performance.md has lost its markers');
const result = file ? readResult(file) : newest();
writeFileSync(DOCUMENT, `${text.slice(0, from + BEGIN.length)}\n${figures(result)}\n${text.slice(to)}`);
