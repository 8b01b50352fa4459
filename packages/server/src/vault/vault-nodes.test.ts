import { randomBytes } from 'node:crypto';
import { credentialAt, VaultDisk } from '@tallygate/testkit/vault-disk';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { openKeyring } from './open-keyring.ts';
import { createVaultKeeper } from './vault-keeper.ts';

const MASTER = randomBytes(32).toString('base64');
const NODES = 3;

type Node = Awaited<ReturnType<typeof startNode>>;

let disk: VaultDisk;
let nodes: Node[];
/** Rotations happen at different moments, as they do with people. */
let nowMs: number;
beforeEach(async () => {
  disk = new VaultDisk();
  nowMs = 1_000;
  nodes = [];
  for (let i = 0; i < NODES; i++) nodes.push(await startNode());
});

/** A node over the store that all share; a rotation waits until the others have learnt the new key. */
async function startNode() {
  const parts = {
    storage: disk.storage,
    settings: disk.settingStore,
    path: 'none: the key is in the environment',
    fromEnvironment: new Secret(MASTER),
    nowMs,
    randomBytes,
  };
  const opened = await openKeyring(parts);
  const untilKnown = async (): Promise<void> => {
    for (const node of nodes) await node.keeper.follow();
  };
  const keeper = createVaultKeeper({ ...parts, ...opened, untilKnown, clock: { now: () => nowMs } });
  return { keyring: opened.keyring, keeper };
}

type Step = { what: 'put' | 'rotate' | 'restart'; node: number; row: number };
const steps = fc.array(
  fc.record({
    what: fc.constantFrom('put' as const, 'put' as const, 'rotate' as const, 'restart' as const),
    node: fc.nat(NODES - 1),
    row: fc.nat(3),
  }),
  { minLength: 3, maxLength: 25 },
);

describe('a vault that several nodes share (X-08, CF-13)', () => {
  it('whatever one of them seals opens on all, whoever rotates and whoever restarts', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (life: Step[]) => {
        const expected = new Map<string, string>();
        for (const [index, { what, node, row }] of life.entries()) {
          nowMs += 1;
          const at = nodes[node] as Node;
          if (what === 'restart') nodes[node] = await startNode();
          else if (what === 'rotate') await at.keeper.rotateDataKey();
          else {
            const name = `r${row}`;
            expected.set(name, `secret ${index}`);
            disk.values.set(name, at.keyring.seal(new Secret(`secret ${index}`), credentialAt(name)));
          }
          for (const [name, secret] of expected)
            for (const { keyring } of nodes)
              expect(keyring.open(disk.values.get(name) ?? '', credentialAt(name)).reveal()).toBe(secret);
        }
        const ids = new Set(nodes.map(({ keyring }) => keyring.activeKeyId));
        expect(ids.size).toBe(1); // all of them seal with the same one
      }),
      { numRuns: 30 },
    );
  });

  it('a node that was away for a rotation learns the key when it follows, and not before', async () => {
    const [one, two] = nodes as [Node, Node];
    nodes = [one];
    await one.keeper.rotateDataKey();
    const sealed = one.keyring.seal(new Secret('x'), credentialAt('r0'));
    expect(() => two.keyring.open(sealed, credentialAt('r0'))).toThrow(/which is not here/);
    await two.keeper.follow();
    expect(two.keyring.open(sealed, credentialAt('r0')).reveal()).toBe('x');
    expect(two.keyring.activeKeyId).toBe(one.keyring.activeKeyId);
  });

  it('several that start at once on an empty store all start, and open what each other seals', async () => {
    for (let round = 0; round < 10; round++) {
      disk = new VaultDisk();
      nodes = [];
      const all = await Promise.all(Array.from({ length: NODES }, () => startNode()));
      for (const node of all) await node.keeper.follow();
      for (const [index, one] of all.entries()) {
        const sealed = one.keyring.seal(new Secret(`of ${index}`), credentialAt('r0'));
        for (const { keyring } of all)
          expect(keyring.open(sealed, credentialAt('r0')).reveal()).toBe(`of ${index}`);
      }
    }
  });

  it('one that starts while another rotates waits for nothing and misses nothing', async () => {
    const [one] = nodes as [Node];
    disk.values.set('r0', one.keyring.seal(new Secret('x'), credentialAt('r0')));
    let joining: Promise<Node> | null = null;
    disk.beforeReplace = () => {
      joining ??= startNode();
    };
    await one.keeper.rotateDataKey();
    const joined = await (joining as Promise<Node> | null);
    await joined?.keeper.follow();
    expect(joined?.keyring.open(disk.values.get('r0') ?? '', credentialAt('r0')).reveal()).toBe('x');
    expect(joined?.keyring.activeKeyId).toBe(one.keyring.activeKeyId);
  });

  it('a key that is nowhere still stops the start: there is nothing to learn', async () => {
    const [one] = nodes as [Node];
    const sealed = one.keyring.seal(new Secret('x'), credentialAt('r0'));
    disk.values.set('r0', sealed.replace(one.keyring.activeKeyId, '0123456789abcdef'));
    await expect(startNode()).rejects.toThrow(/0123456789abcdef, which is not here/);
  });
});
