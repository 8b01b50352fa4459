import { Button, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import type { PasskeyView } from '@tallygate/contract/api/passkeys';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { ownPasskeysQuery } from '../../app/api/queries.ts';
import { passkeyObstacle } from '../../app/passkey/browser-passkey.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { Section, SectionBody, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { CodesOnce } from './codes-once.tsx';
import classes from './own-security.module.css';
import { AddPasskey, RemovePasskey, RenamePasskey } from './passkey-dialogs.tsx';

type Open = { kind: 'add' } | { kind: 'rename' | 'remove'; passkey: PasskeyView } | null;

/** One's own passkeys: add, name, remove. */
export function Passkeys() {
  const passkeys = useQuery(ownPasskeysQuery(useApi()));
  const [open, setOpen] = useState<Open>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const rows = passkeys.data?.passkeys ?? [];
  const close = (): void => setOpen(null);
  return (
    <Section title="Passkeys">
      {passkeys.isPending && (
        <SectionState>
          <SkeletonLines lines={2} />
        </SectionState>
      )}
      {passkeys.isError && <ErrorState error={passkeys.error} onRetry={() => void passkeys.refetch()} />}
      {rows.length > 0 && <PasskeyTable rows={rows} onOpen={setOpen} />}
      {passkeys.data && <AddPart none={rows.length === 0} onAdd={() => setOpen({ kind: 'add' })} />}
      {open?.kind === 'add' && <AddPasskey onClose={close} onCodes={setCodes} />}
      {open?.kind === 'rename' && <RenamePasskey passkey={open.passkey} onClose={close} />}
      {open?.kind === 'remove' && <RemovePasskey passkey={open.passkey} onClose={close} />}
      {codes !== null && <CodesOnce codes={codes} onStored={() => setCodes(null)} />}
    </Section>
  );
}

function AddPart({ none, onAdd }: { none: boolean; onAdd: () => void }) {
  const obstacle = passkeyObstacle();
  return (
    <SectionBody>
      {none && (
        <p>
          With a passkey you sign in by finger, face or PIN of your device, without the password. It cannot be
          guessed or phished, and counts as second factor after the password too.
        </p>
      )}
      {obstacle === null ? (
        <div className={none ? classes.row : classes.below}>
          <Button variant={none ? 'filled' : 'default'} onClick={onAdd}>
            Add a passkey
          </Button>
        </div>
      ) : (
        <p>{obstacle}</p>
      )}
    </SectionBody>
  );
}

function PasskeyTable({ rows, onOpen }: { rows: PasskeyView[]; onOpen: (open: Open) => void }) {
  return (
    <ListTable columns={['Name', 'Works at', 'Last used', 'Added']} acts>
      {rows.map((passkey) => (
        <tr key={passkey.id}>
          <th scope="row" className={list.name}>
            {passkey.name}
          </th>
          <td data-label="Works at">{passkey.site}</td>
          <td data-label="Last used">
            {passkey.lastUsedAt === null ? 'not yet' : <Ago at={passkey.lastUsedAt} />}
          </td>
          <td data-label="Added">
            <Ago at={passkey.createdAt} />
          </td>
          <td className={list.actions}>
            <Menu position="bottom-end" width={180} shadow="md" withinPortal>
              <Menu.Target>
                <button type="button" className={list.more} aria-label={`Actions for ${passkey.name}`}>
                  <IconDots size={18} aria-hidden />
                </button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => onOpen({ kind: 'rename', passkey })}>Rename</Menu.Item>
                <Menu.Item color="red" onClick={() => onOpen({ kind: 'remove', passkey })}>
                  Remove
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </td>
        </tr>
      ))}
    </ListTable>
  );
}
