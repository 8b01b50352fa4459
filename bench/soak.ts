import type { ChildProcess } from 'node:child_process';
import { measure, type Phase } from './phases.ts';
import { rssMb, sumOf } from './proc.ts';
import type { SoakResult } from './result-types.ts';
import { spread } from './stats.ts';
import type { Target } from './targets.ts';

const SAMPLE_MS = 2000;
const SLICE_MS = 5000;
/** Compilation and the caches of a fresh process are not growth. */
const WARM_UP_SHARE = 0.1;

interface SoakSession {
  targets: readonly Target[];
  load: ChildProcess;
  bystanders: { pids: number[] };
  finished: Map<string, number>;
}

/** Median of the last third over the median of the first third, warm-up left out; null with too few samples. */
export function growthOf(samples: readonly { rssMb: number }[]): number | null {
  const steady = samples.slice(Math.ceil(samples.length * WARM_UP_SHARE)).map((sample) => sample.rssMb);
  const third = Math.floor(steady.length / 3);
  if (third === 0) return null;
  const first = spread(steady.slice(0, third));
  const last = spread(steady.slice(-third));
  return first && last ? last.median / first.median : null;
}

/** Alternates JSON and streams on eight connections for `seconds` and watches the gate's memory. */
export async function soak(
  session: SoakSession,
  seconds: number,
  say: (text: string) => void,
): Promise<SoakResult> {
  const target = session.targets.find(({ name }) => name === 'tallygate');
  if (!target) throw new Error('--soak needs the target tallygate');
  const startedAt = performance.now();
  const samples: SoakResult['samples'] = [];
  const timer = setInterval(() => {
    const mb = sumOf(target.pids(), rssMb);
    if (mb !== null)
      samples.push({ atSeconds: Math.round((performance.now() - startedAt) / 1000), rssMb: mb });
  }, SAMPLE_MS);
  let completed = 0;
  let failed = 0;
  const slice = (shape: 'json' | 'sse'): Phase => ({
    name: shape,
    shape,
    connections: 8,
    promptBytes: 900,
    durationMs: SLICE_MS,
  });
  try {
    for (let turn = 0; performance.now() - startedAt < seconds * 1000; turn++) {
      const phase = slice(turn % 2 === 0 ? 'json' : 'sse');
      const { load } = await measure(session.load, target, phase, {
        round: -1,
        bystanders: session.bystanders,
        catchUp: false,
      });
      completed += load.completed;
      failed += load.failed + load.altered;
      const done = load.completed + load.failed + load.altered;
      session.finished.set(target.name, (session.finished.get(target.name) ?? 0) + done);
      say(
        `soak ${Math.round((performance.now() - startedAt) / 1000)} s  RSS ${Math.round(samples.at(-1)?.rssMb ?? 0)} MB`,
      );
    }
  } finally {
    clearInterval(timer);
  }
  return { seconds, samples, completed, failed, growth: growthOf(samples) };
}
