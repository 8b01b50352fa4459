import { setTimeout as sleep } from 'node:timers/promises';
import type { Core } from './core.ts';
import type { Journaling } from './journaling.ts';
import { NodeWatch } from './node-watch.ts';
import { programVersion } from './program.ts';
import type { Undo } from './undo.ts';

/** Others may use the same store, and this process counts for itself what budgets have spent. */
export function countsAlone({ store, config }: Pick<Core, 'store' | 'config'>): boolean {
  return store.capabilities.multiProcess && config.redisUrl === null;
}

/**
 * Takes this process's place among the nodes; to be awaited before anything is counted or served.
 * @returns null where no other process can use the store
 * @throws StartError when limits would not hold
 */
export async function joinNodes(core: Core, { journal }: Journaling, undo: Undo): Promise<NodeWatch | null> {
  const { store, config, clock, logger, newId } = core;
  if (!store.capabilities.multiProcess) return null;
  const { roles, redisUrl, limitsPerNode } = config;
  const counting = redisUrl === null ? 'self' : 'shared';
  const watch = new NodeWatch({
    nodes: store.nodes,
    self: { id: journal.id, process: newId(), roles: roles.join(','), version: programVersion() },
    countsIn: roles.includes('gateway') ? counting : 'nothing',
    eachForItself: limitsPerNode,
    clock,
    logger,
    wait: (ms) => sleep(ms, undefined, { ref: false }),
  });
  undo.add(() => watch.stop());
  await watch.join();
  core.liveWarnings.push(() => watch.warnings());
  return watch;
}
