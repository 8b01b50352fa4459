/**
 * `npm run bench`: direct, nginx, a bare Node proxy and Tallygate, interleaved in one run on one pinned core.
 * The method and how to read the figures stand in docs/performance.md, which `bench/render.ts` fills.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { canPin, endChild, forkModule, LOAD_CORE, nextMessage } from './child.ts';
import { type Measure, measure, type Phase, phases } from './phases.ts';
import type { BenchResult, LedgerCheck } from './result-types.ts';
import { soak } from './soak.ts';
import { summarize } from './summary.ts';
import {
  directTarget,
  type LoopDelay,
  startBare,
  startNginx,
  startTallygate,
  type Target,
} from './targets.ts';
import { textTable } from './text-table.ts';

/** As long as it takes until V8 has compiled what is busy: some 25,000 requests. What it compiles while it is measured counts double. */
const WARM_UP_MS = 6000;
const WARM_UP_PHASES: readonly Phase['name'][] = ['json', 'sse', 'json-c1'];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

async function startTargets(names: readonly string[], upstreamPort: number): Promise<Target[]> {
  const targets: Target[] = [directTarget(upstreamPort)];
  if (names.includes('nginx')) {
    const nginx = await startNginx(upstreamPort);
    if (nginx) targets.push(nginx);
    else say('nginx is not installed: its column stays empty.');
  }
  if (names.includes('bare')) targets.push(await startBare(upstreamPort));
  for (const [name, deciding] of [
    ['tallygate', 'keys'],
    ['tallygate+budgets', 'budgets'],
    ['tallygate+limits', 'limits'],
  ] as const)
    if (names.includes(name)) targets.push(await startTallygate(upstreamPort, deciding));
  return targets;
}

interface Session {
  targets: Target[];
  load: ReturnType<typeof forkModule>;
  bystanders: { pids: number[] };
  /** Requests that clients saw finished, by target. */
  finished: Map<string, number>;
}

function countFinished(session: Session, target: Target, done: number): void {
  session.finished.set(target.name, (session.finished.get(target.name) ?? 0) + done);
}

/** Compiled code and open connections before anything is measured. */
async function warmUp(session: Session, list: readonly Phase[]): Promise<void> {
  for (const target of session.targets) {
    for (const phase of list.filter(({ name }) => WARM_UP_PHASES.includes(name))) {
      const run = { ...phase, durationMs: WARM_UP_MS };
      const { load } = await measure(session.load, target, run, {
        round: -1,
        bystanders: session.bystanders,
        catchUp: true,
      });
      countFinished(session, target, load.completed + load.altered + load.failed);
    }
  }
}

async function runRounds(session: Session, list: readonly Phase[], rounds: number): Promise<Measure[]> {
  const measures: Measure[] = [];
  for (let round = 0; round < rounds; round++) {
    // The order turns round, so that nobody always runs on the hotter or the quieter machine.
    const order = round % 2 === 0 ? session.targets : session.targets.toReversed();
    for (const phase of list) {
      for (const target of order) {
        const context = { round, bystanders: session.bystanders, catchUp: true };
        const done = await measure(session.load, target, phase, context);
        countFinished(session, target, done.load.completed + done.load.altered + done.load.failed);
        measures.push(done);
        const { completed, failed, altered } = done.load;
        const trouble = failed + altered > 0 ? `  FAILED ${failed}, ALTERED ${altered}` : '';
        say(
          `round ${round + 1}  ${phase.name.padEnd(9)} ${target.name.padEnd(10)} ${completed} answers${trouble}`,
        );
      }
    }
  }
  return measures;
}

async function checkLedgers(session: Session): Promise<LedgerCheck[]> {
  const checks: LedgerCheck[] = [];
  for (const target of session.targets) {
    const finished = session.finished.get(target.name) ?? 0;
    const found = await target.verify(finished);
    if (found) checks.push({ target: target.name, finished, ...found, exact: found.rows === finished });
  }
  return checks;
}

async function loopDelays(targets: readonly Target[]): Promise<Record<string, LoopDelay>> {
  const delays: Record<string, LoopDelay> = {};
  for (const target of targets) {
    const delay = await target.loopDelay();
    if (delay) delays[target.name] = delay;
  }
  return delays;
}

function describeMachine(): BenchResult['machine'] {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryMb: Math.round(totalmem() / 1024 / 1024),
    kernel: release(),
    node: process.version,
    pinned: canPin(),
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      targets: { type: 'string', default: 'nginx,bare,tallygate,tallygate+budgets,tallygate+limits' },
      soak: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  const upstream = forkModule('./mock-upstream.ts', [], LOAD_CORE);
  const load = forkModule('./load.ts', [], LOAD_CORE);
  const [{ port }] = await Promise.all([nextMessage<{ port: number }>(upstream), nextMessage(load)]);
  const targets = await startTargets(values.targets.split(','), port);
  const bystanders = { pids: [upstream.pid ?? 0, load.pid ?? 0] };
  const session: Session = { targets, load, bystanders, finished: new Map() };
  const startedAt = new Date();
  try {
    const list = phases(values.quick);
    await warmUp(session, list);
    const measures = await runRounds(session, list, rounds);
    const delays = await loopDelays(targets);
    const soaked = values.soak ? await soak(session, Number(values.soak), say) : null;
    const ledger = await checkLedgers(session);
    const result: BenchResult = {
      startedAt: startedAt.toISOString(),
      commit: commit(),
      rounds,
      quick: values.quick,
      machine: describeMachine(),
      summary: summarize(measures),
      loopDelays: delays,
      ledger,
      soak: soaked,
      measures,
    };
    const folder = new URL('./results/', import.meta.url);
    mkdirSync(folder, { recursive: true });
    const file = values.out ?? `${result.startedAt.slice(0, 10)}-${result.commit}.json`;
    writeFileSync(new URL(file, folder), `${JSON.stringify(result, null, 1)}\n`);
    say(textTable(result));
    say(`\nwritten to bench/results/${file}; "node bench/render.ts" puts it into docs/performance.md`);
    return ledger.every(({ exact }) => exact) ? 0 : 1;
  } finally {
    for (const target of targets) await target.stop();
    await Promise.all([endChild(load), endChild(upstream)]);
  }
}

process.exitCode = await main();
