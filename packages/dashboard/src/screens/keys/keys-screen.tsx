import { Button, Modal } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import type { ApiKeyCreated, ApiKeyView } from '@tallygate/contract/api/keys';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { keysQuery } from '../../app/api/queries.ts';
import { useMay } from '../../app/api/use-may.ts';
import { OthersNote } from '../../app/project/others-note.tsx';
import { useProjectView } from '../../app/project/use-project-view.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import panel from '../../ui/panel.module.css';
import { KeyTabs } from '../../ui/section-tabs.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { CreateKeyForm } from './create-key-form.tsx';
import { RenameKey, RevokeKey } from './key-actions.tsx';
import { KeyOnce } from './key-once.tsx';
import { KeyTable } from './key-table.tsx';
import classes from './keys-screen.module.css';
import { LimitKey } from './limit-key.tsx';
import { RotateKey } from './rotate-key.tsx';

type Open = { kind: 'create' } | { kind: 'rename' | 'limit' | 'rotate' | 'revoke'; key: ApiKeyView } | null;

export function KeysScreen() {
  useTitle('Keys');
  const may = useMay();
  const keys = useQuery(keysQuery(useApi()));
  const [open, setOpen] = useState<Open>(null);
  const [created, setCreated] = useState<ApiKeyCreated | null>(null);
  const close = (): void => setOpen(null);
  const { chosen } = useProjectView();
  const all = keys.data?.keys ?? [];
  const list = all.filter(({ project }) => chosen === null || chosen.includes(project.id));
  return (
    <>
      <PageHeader title="Keys">
        <Button
          size="sm"
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => setOpen({ kind: 'create' })}
        >
          Create key
        </Button>
      </PageHeader>
      {may('projects.manage') && <KeyTabs />}
      <div className={panel.panel}>
        {keys.isPending && (
          <div className={classes.state} aria-busy="true">
            <span className="sr-only">Loading the keys</span>
            <SkeletonLines lines={5} />
          </div>
        )}
        {keys.isError && !keys.data && <ErrorState error={keys.error} onRetry={() => void keys.refetch()} />}
        {keys.data && all.length === 0 && (
          <EmptyState
            title="No keys yet"
            text="Whoever sends requests through the gate needs a key. Give each application and each person their own: then the ledger says who spent what, and one can be revoked without the others."
            action={<Button onClick={() => setOpen({ kind: 'create' })}>Create the first key</Button>}
          />
        )}
        {list.length > 0 && (
          <KeyTable
            keys={list}
            onRename={(key) => setOpen({ kind: 'rename', key })}
            onLimit={(key) => setOpen({ kind: 'limit', key })}
            onRotate={(key) => setOpen({ kind: 'rotate', key })}
            onRevoke={(key) => setOpen({ kind: 'revoke', key })}
          />
        )}
        <OthersNote all={all.length} shown={list.length} what="key" />
      </div>
      <Modal opened={open?.kind === 'create'} onClose={close} title="Create key" size={520}>
        <CreateKeyForm
          onCancel={close}
          onCreated={(key) => {
            setCreated(key);
            close();
          }}
        />
      </Modal>
      <Modal
        opened={created !== null}
        onClose={() => setCreated(null)}
        title={`Key “${created?.name ?? ''}” ${created?.rotatedAt == null ? 'created' : 'rotated'}`}
        size={680}
        closeOnClickOutside={false}
        closeOnEscape={false}
        withCloseButton={false}
      >
        {created && <KeyOnce created={created} onStored={() => setCreated(null)} />}
      </Modal>
      {open?.kind === 'rename' && <RenameKey apiKey={open.key} onClose={close} />}
      {open?.kind === 'limit' && <LimitKey apiKey={open.key} onClose={close} />}
      {open?.kind === 'rotate' && (
        <RotateKey
          apiKey={open.key}
          onRotated={(key) => {
            setCreated(key);
            close();
          }}
          onClose={close}
        />
      )}
      {open?.kind === 'revoke' && <RevokeKey apiKey={open.key} onClose={close} />}
    </>
  );
}
