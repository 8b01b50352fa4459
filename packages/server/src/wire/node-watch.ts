import type { SystemView } from '@tallygate/contract/api/system';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { CountsIn, NodeBeat, NodeRow, NodeStore } from '../store/ports/nodes.ts';
import { StartError } from './start-error.ts';

type Warning = SystemView['warnings'][number];

export interface NodeWatchDeps {
  nodes: NodeStore;
  self: Pick<NodeBeat, 'id' | 'process' | 'roles' | 'version'>;
  /** Where it will count what it serves; nowhere, when it serves no models. */
  countsIn: CountsIn;
  /** The operator has said that each node may count for itself. */
  eachForItself: boolean;
  clock: Clock;
  logger: Logger;
  /** Resolves after so long. */
  wait(ms: number): Promise<void>;
  timing?: NodeTiming;
}

export interface NodeTiming {
  beatMs: number;
  /** A node that is silent for so long counts as gone. */
  lifeMs: number;
  /** How long a start waits for a node to go that died without saying so. */
  patienceMs: number;
}

const TIMING: NodeTiming = { beatMs: 2_000, lifeMs: 8_000, patienceMs: 10_000 };

/** What keeps the limits from being those that were set; null when nothing does. */
export type Conflict = 'apart' | 'copy' | null;

/** Nodes that count, of which one counts for itself, know nothing of what the others let through. */
export function countsApart(countsIn: CountsIn, others: readonly Pick<NodeRow, 'countsIn'>[]): boolean {
  if (countsIn === 'nothing') return false;
  const counting = others.filter((other) => other.countsIn !== 'nothing');
  return counting.some((other) => other.countsIn === 'self' || countsIn === 'self');
}

/**
 * This process among those that use the store. Limits hold only when all that serve models count in one place: a node
 * that would count apart from others does not start, and one that finds itself apart later says so, is not ready, and
 * lets hard budgets do what they do while nobody can be asked.
 */
export class NodeWatch {
  readonly #deps: NodeWatchDeps;
  readonly #timing: NodeTiming;
  readonly #startedAtMs: number;
  #others: readonly NodeRow[] = [];
  #replaced = false;
  #joined = false;
  #told: Conflict = null;
  #timer: NodeJS.Timeout | null = null;
  #beating: Promise<void> = Promise.resolve();
  #stopped = false;
  #failing = false;

  constructor(deps: NodeWatchDeps) {
    this.#deps = deps;
    this.#timing = deps.timing ?? TIMING;
    this.#startedAtMs = deps.clock.now();
  }

  get conflict(): Conflict {
    if (this.#replaced) return 'copy';
    return countsApart(this.#deps.countsIn, this.#others) ? 'apart' : null;
  }

  /** False while hard budgets cannot be kept by what this process counts. */
  get limitsHold(): boolean {
    const { conflict } = this;
    return conflict === null || (conflict === 'apart' && this.#deps.eachForItself);
  }

  /**
   * Joins the others. First as one that counts nothing, so that a start in error disturbs nobody; then for good, and
   * looks once more: of two that start at the same moment at least one sees the other.
   * @throws StartError
   */
  async join(): Promise<void> {
    const { clock, countsIn, eachForItself, logger, wait } = this.#deps;
    const deadline = clock.monotonicMs() + this.#timing.patienceMs;
    for (let told = false; ; told = true) {
      await this.#beat('nothing');
      if (eachForItself || !countsApart(countsIn, this.#others)) break;
      if (clock.monotonicMs() >= deadline) return this.#refuse();
      if (!told) logger.warn('another node counts apart from this one: waiting for it to go');
      await wait(this.#timing.beatMs / 4);
    }
    await this.#beat(countsIn);
    if (!eachForItself && countsApart(countsIn, this.#others)) return this.#refuse();
    this.#tell();
    this.#schedule();
  }

  warnings(): Warning[] {
    const message = this.#message(this.conflict);
    return message === null ? [] : [message];
  }

  /** Why no traffic should come here; null when it may. */
  unreadyReason(): string | null {
    return this.limitsHold ? null : (this.warnings()[0]?.message ?? null);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#beating;
    await this.#deps.nodes.leave(this.#deps.self).catch((error: unknown) => {
      this.#deps.logger.warn('that this node ends could not be noted; it counts as gone soon', { error });
    });
  }

  async #refuse(): Promise<never> {
    const { nodes, self, countsIn } = this.#deps;
    const others = this.#others.filter((other) => other.countsIn !== 'nothing').length;
    await nodes.leave(self);
    throw new StartError(
      countsIn === 'self'
        ? `${others} other node(s) serve models on this database. Without REDIS_URL this one would count budgets and limits for itself, and together they would let through more than was set. Set REDIS_URL on every node, or TALLYGATE_LIMITS_PER_NODE=true to let each count for itself.`
        : 'Another node on this database runs without REDIS_URL and counts budgets and limits for itself. Stop it or set REDIS_URL there first, or set TALLYGATE_LIMITS_PER_NODE=true here to let them count apart.',
    );
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#beating = this.#beat(this.#deps.countsIn)
        .then(() => {
          this.#failing = false;
          this.#tell();
        })
        .catch((error: unknown) => {
          if (!this.#failing)
            this.#deps.logger.warn('other nodes cannot be looked for; it is tried again', { error });
          this.#failing = true;
        })
        .finally(() => {
          if (!this.#stopped) this.#schedule();
        });
    }, this.#timing.beatMs).unref();
  }

  async #beat(countsIn: CountsIn): Promise<void> {
    const { nodes, self } = this.#deps;
    const first = !this.#joined;
    const { others, replaced } = await nodes.beat({
      ...self,
      countsIn,
      startedAtMs: this.#startedAtMs,
      lifeMs: this.#timing.lifeMs,
    });
    this.#others = others;
    // The first time it is the process before this one; later somebody works with the same journal at the same time.
    if (!first && replaced !== null) this.#replaced = true;
    this.#joined = true;
  }

  #tell(): void {
    const { conflict } = this;
    if (conflict === this.#told) return;
    this.#told = conflict;
    const warning = this.#message(conflict);
    if (warning === null) this.#deps.logger.info('this node counts apart from no other any more');
    else this.#deps.logger.error(warning.message);
  }

  #message(conflict: Conflict): Warning | null {
    if (conflict === null) return null;
    if (conflict === 'copy')
      return {
        code: 'copied_data_dir',
        message:
          'Another process works with a copy of the data directory of this node: rows of one of them will be missing. Stop one, and give it an empty data directory.',
      };
    const what = 'Nodes on this database count budgets and limits apart from each other';
    return this.#deps.eachForItself
      ? {
          code: 'limits_per_node',
          message: `${what}, as TALLYGATE_LIMITS_PER_NODE says: together they let through more than was set.`,
        }
      : {
          code: 'nodes_apart',
          message: `${what}: hard budgets do here what their policy for outages says. Set REDIS_URL on every node that serves models.`,
        };
  }
}
