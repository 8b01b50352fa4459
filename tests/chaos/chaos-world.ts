import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FsyncPolicy } from '@tallygate/server/journal/journal';
import { eventually } from '@tallygate/testkit/eventually';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { childEnvironment, PROGRAM_ARGUMENTS } from '@tallygate/testkit/gate-process';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { spawnTied } from '@tallygate/testkit/tied-process';
import type { ChaosDatabase } from './databases.ts';
import type { Dice } from './dice.ts';
import { judge, type Verdict } from './judge.ts';
import { LedgerAudit } from './ledger-audit.ts';
import { type CallRecord, Load, type LoadOptions } from './load.ts';
import type { Plan } from './plan.ts';
import { scriptedUpstream, sessionOf } from './scripted-upstream.ts';

export interface ChaosOptions {
  database: ChaosDatabase;
  fsync: FsyncPolicy;
  dice: Dice;
  /** Default 24. */
  clients?: number;
  /** More settings, by their environment names. */
  config?: Readonly<Record<string, string>>;
}

export interface Round {
  /** How many requests end before the kill; fewer when the server is slow. */
  endings: number;
  /** Keep the ledger from committing meanwhile, so that recovery has everything to do. */
  holdLedger?: boolean;
  /** Kill the next process too, this many times, somewhere in its recovery. */
  killsInRecovery?: number;
}

const CLIENTS = 24;
const LONGEST_LIFE_MS = 4000;

/** A server with two upstreams and a crowd of clients, to be killed again and again on one data directory. */
export class ChaosWorld {
  readonly gate: Gate;
  readonly #options: ChaosOptions;
  readonly #upstreams: readonly FakeUpstream[];
  readonly #plans: Map<string, Plan>;
  readonly #config: Readonly<Record<string, string>>;
  readonly #root: string;
  readonly #audit: LedgerAudit;
  #lives = 0;
  /** From the first sign of recovery until the server listens, as last seen. */
  #recoveryMs = 500;

  private constructor(parts: {
    gate: Gate;
    options: ChaosOptions;
    upstreams: readonly FakeUpstream[];
    plans: Map<string, Plan>;
    config: Readonly<Record<string, string>>;
    root: string;
  }) {
    this.gate = parts.gate;
    this.#options = parts.options;
    this.#upstreams = parts.upstreams;
    this.#plans = parts.plans;
    this.#config = parts.config;
    this.#root = parts.root;
    this.#audit = new LedgerAudit(parts.gate);
  }

  static async open(options: ChaosOptions): Promise<ChaosWorld> {
    const root = mkdtempSync(join(tmpdir(), 'tallygate-chaos-'));
    const plans = new Map<string, Plan>();
    const respond = scriptedUpstream(plans);
    const upstreams = [await startFakeUpstream(respond), await startFakeUpstream(respond)] as const;
    const dataDir = join(root, 'data');
    const config = {
      ...options.database.settings(dataDir),
      JOURNAL_FSYNC: options.fsync,
      // The judge compares what the upstream saw with what the client sent, one to one.
      RETRY_ATTEMPTS: '0',
      ...options.config,
    };
    const gate = await startGate({
      dataDir,
      config,
      projects: [{ slug: 'draining', disconnectPolicy: 'drain' }],
      accounts: [
        { provider: 'anthropic', baseUrl: upstreams[0].url },
        { provider: 'openai', baseUrl: upstreams[1].url },
      ],
      keys: [{}, { project: 'draining' }],
    });
    return new ChaosWorld({ gate, options, upstreams, plans, config, root });
  }

  /** Clients start to send. */
  load(more: Partial<Pick<LoadOptions, 'draw' | 'clients'>> = {}): Load {
    const [abort, drain] = this.gate.keys;
    return new Load({
      port: this.gate.port,
      keys: { abort: abort?.key ?? '', drain: drain?.key ?? '' },
      dice: this.#options.dice,
      clients: this.#options.clients ?? CLIENTS,
      prefix: `life${this.#lives++}`,
      plans: this.#plans,
      ...more,
    });
  }

  /** Load, kill, restart, and what the ledger says afterwards. */
  async killRound(round: Round): Promise<Verdict> {
    const { database } = this.#options;
    const release = round.holdLedger ? await database.hold(this.gate.dataDir) : null;
    const load = this.load();
    await load.until(round.endings, LONGEST_LIFE_MS);
    await sleep(this.#options.dice.between(0, 30));
    load.aboutToKill();
    await this.gate.kill9();
    const records = await load.finish();
    await release?.();
    for (let kill = 0; kill < (round.killsInRecovery ?? 0); kill++) await this.#dieInRecovery();
    await this.#restart();
    return this.verdict(records, { killed: true });
  }

  /** What the ledger, directly after a start, says of the requests of the life before. */
  async verdict(records: readonly CallRecord[], life: { killed: boolean }): Promise<Verdict> {
    const reached = await this.#reached();
    const rows = await this.#audit.newRows();
    const verdict = judge({ records, reached, rows, ...life });
    verdict.violations.push(...(await this.#audit.check()), ...this.#journalFindings());
    this.#plans.clear();
    return verdict;
  }

  /**
   * Reads every row again, waits until the journal has let go of all that is in the store, and stops the server in
   * order. An orderly end also fills Node's cache of compiled code, which killed processes never get to.
   */
  async lastCheck(): Promise<string[]> {
    const violations = await this.#audit.checkEveryRow();
    await eventually('the journal lets go of its old segments', () => this.#segments().length === 1);
    const code = await this.gate.terminate();
    return code === 0 ? violations : [...violations, `an orderly stop ended with ${code}`];
  }

  async stop(): Promise<void> {
    await this.gate.stop();
    await Promise.all(this.#upstreams.map((upstream) => upstream.stop()));
    await this.#options.database.drop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** What arrived at the upstreams since the last time, once everything that was sent has been read. */
  async #reached(): Promise<Map<string, number>> {
    const reached = new Map<string, number>();
    for (const upstream of this.#upstreams) {
      await eventually('the dead server is gone', () => upstream.openConnections() === 0);
      for (const request of upstream.requests) {
        const session = sessionOf(request);
        reached.set(session, (reached.get(session) ?? 0) + 1);
      }
      upstream.clear();
    }
    return reached;
  }

  async #restart(): Promise<void> {
    const startsRecovery = this.#untilRecovery();
    let startedAtMs = performance.now();
    void startsRecovery.then(() => {
      startedAtMs = performance.now();
    });
    await this.gate.restart();
    this.#recoveryMs = performance.now() - startedAtMs;
  }

  /** Starts the server and kills it after its journal was opened, most likely before it listens. */
  async #dieInRecovery(): Promise<void> {
    const startsRecovery = this.#untilRecovery();
    const child = spawnTied(
      process.execPath,
      [...PROGRAM_ARGUMENTS, 'start', '--data-dir', this.gate.dataDir, '--port', '0'],
      { env: childEnvironment(this.#config), stdio: 'ignore' },
    );
    const ended = once(child, 'exit');
    await Promise.race([startsRecovery, ended]);
    await sleep(this.#options.dice.between(0, Math.round(this.#recoveryMs)));
    child.kill('SIGKILL');
    const [, signal] = await ended;
    if (signal !== 'SIGKILL') throw new Error('the server ended by itself while it recovered');
  }

  /** A new segment is the first thing a process makes before it recovers. */
  #untilRecovery(): Promise<void> {
    return new Promise((resolve) => {
      const watcher = watch(this.#journalDir(), (_change, name) => {
        if (name?.endsWith('.seg') !== true) return;
        watcher.close();
        resolve();
      });
    });
  }

  #journalDir(): string {
    return join(this.gate.dataDir, 'journal');
  }

  #segments(): string[] {
    return readdirSync(this.#journalDir()).filter((name) => name.endsWith('.seg'));
  }

  #journalFindings(): string[] {
    const found: string[] = [];
    if (existsSync(join(this.#journalDir(), 'quarantine.jsonl'))) found.push('entries were set aside');
    if (/damaged/.test(this.gate.output())) found.push(`the journal is damaged: ${this.gate.output()}`);
    return found;
  }
}
