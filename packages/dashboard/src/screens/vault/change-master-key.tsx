import { Button, Modal } from '@mantine/core';
import type { MasterKeyChange, VaultView } from '@tallygate/contract/api/vault';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { VAULT_QUERY } from '../../app/api/security-queries.ts';
import { PasswordDialog } from '../../app/manage/password-dialog.tsx';
import form from '../../ui/form.module.css';
import { MasterKeyOnce } from './master-key-once.tsx';
import classes from './vault.module.css';

const FROM_ENVIRONMENT = (
  <>
    <p>
      The server makes a new key and <b>shows it once</b>. You set it as <code>TALLYGATE_MASTER_KEY</code> and
      restart; nothing stops meanwhile.
    </p>
    <p>Until that restart both keys open everything. You can also take the change back until then.</p>
  </>
);
const FROM_FILE = (
  <p>
    The server makes a new key file and goes over to it at once; nothing stops, and no key is shown. The old
    file is kept beside it: backups made until now need it.
  </p>
);

/**
 * Changes the master key after asking who it is. A key that the server made for the environment is shown once: this stays
 * in place while the change waits, when it is not `offered` any more, so that nothing takes that key off the screen.
 */
export function ChangeMasterKey({ vault, offered }: { vault: VaultView; offered: boolean }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const [asked, setAsked] = useState(false);
  const [made, setMade] = useState<MasterKeyChange | null>(null);
  const readAgain = () => queryClient.invalidateQueries({ queryKey: VAULT_QUERY });
  const change = useMutation({
    mutationFn: (password: string | undefined) =>
      api.send<MasterKeyChange>('POST', '/api/vault/change-master-key', { password }),
    gcTime: 0, // the answer may hold the key: nothing keeps it once this lets go
    onMutate: readAgain,
    onSuccess: (answer) => {
      setAsked(false);
      setMade(answer);
      change.reset();
    },
    onSettled: readAgain,
  });
  const fromEnvironment = vault.masterKey.source === 'environment';
  return (
    <>
      {offered && (
        <Button
          size="xs"
          variant="default"
          disabled={vault.job !== null && !asked}
          onClick={() => setAsked(true)}
        >
          Change the master key
        </Button>
      )}
      {asked && (
        <PasswordDialog
          title="Change the master key"
          text={<div className={form.form}>{fromEnvironment ? FROM_ENVIRONMENT : FROM_FILE}</div>}
          action={fromEnvironment ? 'Make a new key' : 'Change it'}
          pending={change.isPending}
          error={change.error}
          onConfirm={(password) => change.mutate(password)}
          onClose={() => setAsked(false)}
        />
      )}
      {made !== null && made.newKey !== null && (
        <MasterKeyOnce id={made.keyId} newKey={made.newKey} onStored={() => setMade(null)} />
      )}
      {made !== null && made.newKey === null && <Changed made={made} onClose={() => setMade(null)} />}
    </>
  );
}

/** What to do about files, which no message that fades away may say. */
function Changed({ made, onClose }: { made: MasterKeyChange; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title="The master key is changed" size={500}>
      <div className={form.form}>
        <p>
          <code>{made.keyId}</code> is in force. Two things are left to do on the machine of the server:
        </p>
        <ol className={classes.steps}>
          <li>
            <b>Copy the new key file to your backup</b>, apart from the store. Without it no upstream
            credential can be opened again.
          </li>
          {made.previousKeyFile !== null && (
            <li>
              Keep the old one, <code>{made.previousKeyFile}</code>, as long as you keep backups that were
              made before now.
            </li>
          )}
        </ol>
        <div className={form.row}>
          <Button onClick={onClose}>Understood</Button>
        </div>
      </div>
    </Modal>
  );
}
