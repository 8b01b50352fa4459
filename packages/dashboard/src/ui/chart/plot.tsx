import 'uplot/dist/uPlot.min.css';
import { type RefObject, useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { type ChartModel, chartMax, stackTotals } from './chart-model.ts';
import { drawModel } from './draw-series.ts';
import classes from './plot.module.css';

export interface PlotProps {
  model: ChartModel;
  height: number;
  /** Changes when colours do, so that the canvas is painted anew. */
  themeKey: string;
  /** Days are UTC days; everything finer is shown in local time. */
  utc: boolean;
  formatAxis: (value: number) => string;
  onHover: (bucket: number | null) => void;
  onBrush: (fromMs: number, toMs: number) => void;
  label: string;
}

/** The canvas: axes, cursor and brush by uPlot, bars and lines by ourselves. */
export function Plot(props: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const width = useWidth(host);
  const { height, themeKey, utc, model } = props;

  // biome-ignore lint/correctness/useExhaustiveDependencies: themeKey stands for the colours read from the page
  useEffect(() => {
    if (host.current === null || width === 0) return;
    const made = new uPlot(
      plotOptions(host.current, { width, height, utc }, () => latest.current),
      dataOf(latest.current.model),
      host.current,
    );
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [width, height, themeKey, utc]);

  useEffect(() => {
    plot.current?.setData(dataOf(model));
  }, [model]);

  return <div ref={host} className={classes.plot} style={{ height }} role="img" aria-label={props.label} />;
}

function useWidth(host: RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (host.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(host.current);
    return () => observer.disconnect();
  }, [host]);
  return width;
}

/** 24-hour clock and day before month, as everywhere else; a new day is said below. See uPlot's axis docs for the columns. */
const TIME_AXIS: uPlot.Axis.Values = [
  [86_400_000, '{D} {MMM}', null, null, null, null, null, null, 1],
  [3_600_000, '{HH}:{mm}', '\n{D} {MMM}', null, '\n{D} {MMM}', null, null, null, 1],
  [60_000, '{HH}:{mm}', '\n{D} {MMM}', null, '\n{D} {MMM}', null, null, null, 1],
  [1000, '{HH}:{mm}:{ss}', '\n{D} {MMM}', null, '\n{D} {MMM}', null, null, null, 1],
];

/** uPlot needs one series to carry the scale; its path is never drawn. */
function dataOf(model: ChartModel): uPlot.AlignedData {
  return [model.times, stackTotals(model.series, model.times.length)];
}

function plotOptions(
  host: HTMLElement,
  size: { width: number; height: number; utc: boolean },
  props: () => PlotProps,
): uPlot.Options {
  const style = getComputedStyle(host);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  const band = document.createElement('div');
  band.className = classes.band ?? '';
  return {
    width: size.width,
    height: size.height,
    ms: 1,
    ...(size.utc ? { tzDate: (ts: number) => uPlot.tzDate(new Date(ts), 'Etc/UTC') } : {}),
    padding: [12, 10, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: () => xRange(props().model) },
      y: { range: () => [0, (chartMax(props().model) || 1) * 1.06] },
    },
    series: [{}, { paths: () => null, points: { show: false } }],
    axes: [
      {
        stroke: color('--tg-ink-3'),
        font,
        grid: { show: false },
        ticks: { show: false },
        gap: 6,
        size: 38,
        space: 68,
        values: TIME_AXIS,
      },
      {
        stroke: color('--tg-ink-3'),
        font,
        size: 56,
        gap: 8,
        space: 44,
        grid: { stroke: color('--tg-line'), width: 1 },
        ticks: { show: false },
        values: (_, splits) => splits.map((split) => props().formatAxis(split)),
      },
    ],
    cursor: {
      y: false,
      x: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: 6 },
    },
    hooks: {
      init: [(u) => void u.over.append(band)],
      draw: [(u) => drawModel(u, props().model, color)],
      setCursor: [(u) => hover(u, band, props())],
      setSelect: [(u) => brush(u, props())],
    },
  };
}

function xRange(model: ChartModel): [number, number] {
  const first = model.times[0] ?? 0;
  return [first, (model.times.at(-1) ?? first) + model.stepMs];
}

function hover(u: uPlot, band: HTMLElement, { model, onHover }: PlotProps): void {
  const left = u.cursor.left ?? -1;
  if (left < 0) {
    band.style.display = 'none';
    onHover(null);
    return;
  }
  const start = model.times[0] ?? 0;
  const bucket = Math.min(model.times.length - 1, Math.floor((u.posToVal(left, 'x') - start) / model.stepMs));
  const x = u.valToPos(start + bucket * model.stepMs, 'x');
  band.style.display = 'block';
  band.style.left = `${x}px`;
  band.style.width = `${Math.max(2, u.valToPos(start + (bucket + 1) * model.stepMs, 'x') - x)}px`;
  onHover(bucket);
}

function brush(u: uPlot, { onBrush }: PlotProps): void {
  const { left, width } = u.select;
  if (width <= 0) return;
  const from = u.posToVal(left, 'x');
  const to = u.posToVal(left + width, 'x');
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onBrush(from, to);
}
