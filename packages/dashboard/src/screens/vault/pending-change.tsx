import { Button } from '@mantine/core';
import type { MasterKeyGivenUp, VaultView } from '@tallygate/contract/api/vault';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { VAULT_QUERY } from '../../app/api/security-queries.ts';
import { useMay } from '../../app/api/use-may.ts';
import { PasswordDialog } from '../../app/manage/password-dialog.tsx';
import { useChange } from '../../app/manage/use-change.ts';
import classes from './vault.module.css';

/** A change of the master key that is half done: what is left to do, and the way back. */
export function PendingChange({ vault, next }: { vault: VaultView; next: string }) {
  const may = useMay();
  if (vault.masterKey.source !== 'environment') {
    return (
      <p className={classes.notice} role="status">
        A change of the master key to <code>{next}</code> was interrupted. Start it again to finish it; until
        then both keys open everything.
      </p>
    );
  }
  return (
    <div className={classes.notice} role="status">
      <p>
        <b>
          The change of the master key to <code>{next}</code> waits for a restart.
        </b>{' '}
        Set the new key as <code>TALLYGATE_MASTER_KEY</code>, on every node, and restart. Until then both keys
        open everything, and no new data key can be made.
      </p>
      {may('system.manage') && <GiveUp next={next} />}
    </div>
  );
}

function GiveUp({ next }: { next: string }) {
  const api = useApi();
  const [asked, setAsked] = useState(false);
  const giveUp = useChange(
    VAULT_QUERY,
    (password: string | undefined) =>
      api.send<MasterKeyGivenUp>('POST', '/api/vault/give-up-master-key', { password }),
    { done: 'Taken back. The present master key stays.', onDone: () => setAsked(false) },
  );
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setAsked(true)}>
        Take it back
      </Button>
      {asked && (
        <PasswordDialog
          title="Take the change back"
          text={
            <p>
              The new key <code>{next}</code> opens nothing from then on, and the present one stays. A server
              that is started with the new one refuses to start, and says so.
            </p>
          }
          action="Take it back"
          danger
          pending={giveUp.isPending}
          error={giveUp.error}
          onConfirm={(password) => giveUp.mutate(password)}
          onClose={() => setAsked(false)}
        />
      )}
    </>
  );
}
