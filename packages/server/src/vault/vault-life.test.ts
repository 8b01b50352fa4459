import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialAt, VaultDisk } from '@tallygate/testkit/vault-disk';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { openKeyring } from './open-keyring.ts';
import { createVaultKeeper } from './vault-keeper.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-vault-life-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** What may happen to an installation; `writes` is how many more succeed before the process is killed. */
type Step =
  | { what: 'put'; row: number }
  | { what: 'put readable'; row: number }
  | { what: 'delete'; row: number }
  | { what: 'restart'; hours: number }
  | { what: 'rotate data key' | 'rotate master key'; writes: number };

const row = fc.nat(3);
const steps = fc.array(
  fc.oneof(
    fc.record({ what: fc.constant('put' as const), row }),
    fc.record({ what: fc.constant('put readable' as const), row }),
    fc.record({ what: fc.constant('delete' as const), row }),
    fc.record({ what: fc.constant('restart' as const), hours: fc.constantFrom(0, 1, 25) }),
    fc.record({
      what: fc.constantFrom('rotate data key' as const, 'rotate master key' as const),
      writes: fc.oneof(fc.nat(6), fc.constant(1_000)),
    }),
  ),
  { minLength: 1, maxLength: 12 },
);

/** One installation: the disk, the master key's file, and the process that runs over them. */
class Installation {
  readonly disk = new VaultDisk();
  readonly expected = new Map<string, string>();
  readonly path: string;
  nowMs = 1_000;
  #count = 0;
  #process: Awaited<ReturnType<Installation['boot']>> | null = null;

  constructor(path: string) {
    this.path = path;
  }

  async boot() {
    this.disk.writesLeft = Number.POSITIVE_INFINITY;
    const parts = {
      storage: this.disk.storage,
      settings: this.disk.settingStore,
      path: this.path,
      fromEnvironment: null,
      nowMs: this.nowMs,
      randomBytes,
    };
    const opened = await openKeyring(parts);
    return {
      ...opened,
      keeper: createVaultKeeper({ ...parts, ...opened, clock: { now: () => this.nowMs } }),
    };
  }

  async process() {
    this.#process ??= await this.boot();
    return this.#process;
  }

  async step(step: Step): Promise<void> {
    const { keyring, keeper } = await this.process();
    if (step.what === 'restart') {
      this.nowMs += step.hours * 3_600_000;
      this.#process = null;
    } else if (step.what === 'delete') {
      this.disk.values.delete(`r${step.row}`);
      this.expected.delete(`r${step.row}`);
    } else if (step.what === 'put' || step.what === 'put readable') {
      const name = `r${step.row}`;
      const secret = `secret ${this.#count++}`;
      const sealed = keyring.seal(new Secret(secret), credentialAt(name));
      this.disk.values.set(name, step.what === 'put' ? sealed : secret);
      this.expected.set(name, secret);
    } else {
      this.nowMs += 1;
      this.disk.writesLeft = step.writes;
      const rotation =
        step.what === 'rotate data key' ? keeper.rotateDataKey() : keeper.rotateMasterKey(null);
      // Killed where its writes end; what refuses because of an unfinished rotation is part of life, too.
      const outcome = await rotation.then(
        () => 'done',
        (error: unknown) => String(error),
      );
      if (/killed/.test(outcome)) this.#process = null;
      else if (outcome !== 'done') expect(outcome).toMatch(/not finished/);
      this.disk.writesLeft = Number.POSITIVE_INFINITY;
    }
  }

  async check(): Promise<void> {
    const { keyring } = await this.process();
    for (const [name, secret] of this.expected) {
      const text = this.disk.values.get(name) ?? '';
      if (text !== secret) expect(keyring.open(text, credentialAt(name)).reveal()).toBe(secret);
    }
  }
}

describe('the life of a vault (CF-13)', () => {
  it('whatever happens in whatever order, and wherever it is killed, every value opens', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (life) => {
        const it = new Installation(join(dir, `${run++}.key`));
        for (const step of life) {
          await it.step(step);
          await it.check();
        }
        // A last start: all of it is sealed, with one key of one master.
        await it.step({ what: 'restart', hours: 25 });
        await it.check();
        const { keyring } = await it.process();
        for (const text of it.disk.values.values()) expect(keyring.isCurrent(text)).toBe(true);
        expect(it.disk.keys.some(({ masterKeyId }) => masterKeyId === keyring.masterKeyId)).toBe(true);
      }),
      { numRuns: 60 },
    );
    expect(readdirSync(dir).filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});
