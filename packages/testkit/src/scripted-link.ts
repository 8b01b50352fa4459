import { RedisLink, RedisUnavailable } from '@tallygate/server/limits/redis/redis-link';
import type { Script } from '@tallygate/server/limits/redis/script';

/** What was asked of Redis: a script, or a command by its name. */
export interface Asked {
  what: Script | string;
  keys: readonly string[];
  args: readonly string[];
}

/** A connection that goes nowhere: a test gives every answer, at the moment it wants. */
export class ScriptedLink extends RedisLink {
  readonly asked: Asked[] = [];
  isUp = true;
  /** @returns what Redis says; throw `unavailable` for nothing */
  answer: (asked: Asked) => unknown = () => 'ok';

  constructor() {
    super({ url: 'redis://127.0.0.1:1', deadlineMs: 1, patienceMs: 1, onChange: () => undefined });
  }

  override get up(): boolean {
    return this.isUp;
  }

  override connect(): void {}

  override decide(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#ask({ what: script, keys, args });
  }

  override run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#ask({ what: script, keys, args });
  }

  override beat(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#ask({ what: script, keys, args });
  }

  override command(name: string, ...args: readonly string[]): Promise<unknown> {
    return this.#ask({ what: name, keys: [], args });
  }

  /** What was asked with one script. */
  of(script: Script): Asked[] {
    return this.asked.filter(({ what }) => what === script);
  }

  async #ask(asked: Asked): Promise<unknown> {
    this.asked.push(asked);
    return this.answer(asked);
  }
}

export const unavailable = (): RedisUnavailable => new RedisUnavailable('no answer within 1 ms');
