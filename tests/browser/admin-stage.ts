import { type AdminWorld, OWNER, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import type { Page } from 'playwright-core';
import { afterEach } from 'vitest';
import type { Stage } from './stage.ts';

/**
 * The real administrative side, set up, with the built dashboard in front: what people click has to happen in the store.
 * @returns starts one, which ends with its test
 */
export function adminStage(): (stage: Stage) => Promise<AdminWorld> {
  let world: AdminWorld | null = null;
  afterEach(async () => {
    await world?.close();
    world = null;
  });
  return async (stage) => {
    world = await startAdminWorld(await openTestStore(), { dashboardDir: stage.dist });
    await world.setUp();
    return world;
  };
}

/** With name and password, as the owner of the world unless another is named. */
export async function signIn(
  page: Page,
  { username = OWNER.username, password = OWNER.password }: { username?: string; password?: string } = {},
): Promise<void> {
  await page.getByLabel('User name').fill(username);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
