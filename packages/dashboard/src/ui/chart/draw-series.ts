import type uPlot from 'uplot';
import type { ChartModel, ChartSeries } from './chart-model.ts';

/** Colours resolved for the canvas, which knows no CSS variables. */
export type ColorOf = (variable: string) => string;

/** Draws the model onto the plot's canvas. */
export function drawModel(u: uPlot, model: ChartModel, colorOf: ColorOf): void {
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  if (model.kind === 'stacked') drawStack(u, model, colorOf);
  else for (const series of model.series) drawLine(u, model, series, colorOf(series.color));
  ctx.restore();
}

function drawStack(u: uPlot, model: ChartModel, colorOf: ColorOf): void {
  const { ctx } = u;
  const zero = u.valToPos(0, 'y', true);
  model.times.forEach((at, i) => {
    const left = u.valToPos(at, 'x', true);
    const full = u.valToPos(at + model.stepMs, 'x', true) - left;
    const gap = Math.min(full * 0.22, 3 * devicePixelRatio);
    const width = Math.max(1, full - gap);
    let base = 0;
    for (const series of model.series) {
      const value = series.values[i] ?? 0;
      if (value <= 0) continue;
      const bottom = u.valToPos(base, 'y', true);
      base += value;
      const top = u.valToPos(base, 'y', true);
      ctx.fillStyle = colorOf(series.color);
      // A hair between two colours keeps them apart for every eye.
      const hair = bottom < zero && bottom - top > 3 * devicePixelRatio ? devicePixelRatio * 0.75 : 0;
      ctx.fillRect(left + gap / 2, top, width, Math.max(bottom - top - hair, 0.5));
    }
    if (base > 0 && model.partial[i] === true) {
      const top = u.valToPos(base, 'y', true);
      hatch(ctx, { left: left + gap / 2, top, width, height: zero - top }, colorOf('--tg-surface'));
    }
  });
}

/** Diagonal strokes over a bar that will still grow. */
function hatch(
  ctx: CanvasRenderingContext2D,
  box: { left: number; top: number; width: number; height: number },
  color: string,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.left, box.top, box.width, box.height);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.globalAlpha = 0.62;
  ctx.lineWidth = 2 * devicePixelRatio;
  const pitch = 5.5 * devicePixelRatio;
  ctx.beginPath();
  for (let x = box.left - box.height; x < box.left + box.width; x += pitch) {
    ctx.moveTo(x, box.top + box.height);
    ctx.lineTo(x + box.height, box.top);
  }
  ctx.stroke();
  ctx.restore();
}

/** A line that breaks where nothing is known; a bucket alone between two gaps is a dot. */
function drawLine(u: uPlot, model: ChartModel, series: ChartSeries, color: string): void {
  const { ctx } = u;
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.lineWidth = 1.75 * devicePixelRatio;
  ctx.lineJoin = 'round';
  ctx.beginPath();
  const alone: [number, number][] = [];
  model.times.forEach((at, i) => {
    const value = series.values[i] ?? null;
    if (value === null) return;
    const x = u.valToPos(at + model.stepMs / 2, 'x', true);
    const y = u.valToPos(value, 'y', true);
    const before = series.values[i - 1] ?? null;
    if (before === null) ctx.moveTo(x, y);
    else ctx.lineTo(x, y);
    if (before === null && (series.values[i + 1] ?? null) === null) alone.push([x, y]);
  });
  ctx.stroke();
  for (const [x, y] of alone) {
    ctx.beginPath();
    ctx.arc(x, y, 2.2 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  }
}
