import { eventually } from './eventually.ts';
import type { Gate } from './harness.ts';

/** Resolves when every node counts in a budget: each answers from its own books. */
export async function untilKnown(gates: readonly Gate[], { id }: { id: string }): Promise<void> {
  for (const gate of gates)
    await eventually(
      'the node knows the budget',
      async () => (await gate.adminRequest('GET', `/api/budgets/${id}`)).status === 200,
    );
}
