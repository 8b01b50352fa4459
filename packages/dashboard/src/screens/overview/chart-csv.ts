import type { ChartModel } from '../../ui/chart/chart-model.ts';

/**
 * The chart as CSV (RFC 4180): one line a bucket, one column a series, gaps empty. Cells that a spreadsheet would
 * read as a formula are defused with an apostrophe.
 */
export function chartCsv(model: ChartModel): string {
  const head = ['bucket_start_utc', ...model.series.map((series) => series.label)];
  const rows = model.times.map((at, i) => [
    new Date(at).toISOString(),
    ...model.series.map((series) => (series.values[i] === null ? '' : String(series.values[i]))),
  ]);
  return [head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n');
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
