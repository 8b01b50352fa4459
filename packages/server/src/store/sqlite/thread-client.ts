import { Worker } from 'node:worker_threads';
import { AppError } from '../../kernel/errors.ts';
import { siblingModule } from '../../kernel/sibling-module.ts';
import {
  reviveFailure,
  type StorePart,
  type ThreadData,
  type ThreadReply,
  unpackResult,
} from './thread-protocol.ts';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Rows come and go in small batches: a small young generation keeps an idle thread small. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 8 };
/** A thread that nobody asks for this long ends and gives its memory back; the next question starts another. */
const RETIRE_AFTER_MS = 30_000;
/** Calls that may wait for one thread; more means the disk does not keep up. */
const MAX_WAITING = 2_000;

/** One thread with a connection; started by the first call, and again after it died. */
export class StoreThread {
  readonly #data: ThreadData;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #started: Promise<Worker> | null = null;
  #nextId = 1;
  #closing = false;
  #idleTimer: NodeJS.Timeout | undefined;
  readonly #retired = new WeakSet<Worker>();

  constructor(data: ThreadData) {
    this.#data = data;
  }

  /** How many calls are under way. */
  get load(): number {
    return this.#waiting.size;
  }

  get running(): boolean {
    return this.#worker !== null;
  }

  /** @throws whatever the method throws, with its error code; AppError `store_unavailable` when the thread dies */
  async call(part: StorePart, method: string, args: unknown[]): Promise<unknown> {
    if (this.#waiting.size >= MAX_WAITING) throw new AppError('store_unavailable');
    const id = this.#nextId++;
    const answered = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    answered.catch(() => {}); // it may be rejected while the thread is still starting
    try {
      const worker = await this.start();
      worker.ref();
      worker.postMessage({ id, part, method, args });
    } catch (error) {
      this.#waiting.delete(id);
      throw error;
    }
    return answered;
  }

  start(): Promise<Worker> {
    this.#started ??= this.#launch();
    return this.#started;
  }

  #launch(): Promise<Worker> {
    const worker = new Worker(siblingModule(import.meta.url, './thread'), {
      workerData: this.#data,
      resourceLimits: RESOURCE_LIMITS,
    });
    return new Promise((resolve, reject) => {
      worker.on('message', (reply: ThreadReply) => {
        if ('ready' in reply) {
          this.#worker = worker;
          resolve(worker);
        } else if ('id' in reply) this.#settle(worker, reply);
        else reject(reviveFailure(reply.failed));
      });
      const gone = (error: Error): void => {
        if (this.#retired.has(worker)) return;
        this.#worker = null;
        this.#started = null;
        reject(error);
        for (const waiting of this.#waiting.values()) waiting.reject(error);
        this.#waiting.clear();
      };
      worker.on('error', (cause) => gone(new AppError('store_unavailable', { cause })));
      worker.on('exit', () => gone(new AppError('store_unavailable')));
    });
  }

  #settle(worker: Worker, reply: Extract<ThreadReply, { id: number }>): void {
    if (this.#retired.has(worker)) return;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0 && !this.#closing) this.#idle(worker);
    if ('failed' in reply) waiting?.reject(reviveFailure(reply.failed));
    else waiting?.resolve(unpackResult(reply.result));
  }

  /** An idle store does not keep a process alive, and an idle thread does not keep its memory. */
  #idle(worker: Worker): void {
    worker.unref();
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.#waiting.size > 0 || this.#worker !== worker || this.#closing) return;
      this.#retired.add(worker);
      this.#worker = null;
      this.#started = null;
      worker.postMessage({ id: this.#nextId++, part: 'store', method: 'close', args: [] });
    }, RETIRE_AFTER_MS).unref();
  }

  async close(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const worker = this.#worker;
    if (worker === null) return;
    this.#closing = true;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.ref();
    await this.call('store', 'close', []);
    await exited;
  }
}
