import type { VaultView } from '@tallygate/contract/api/vault';
import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { vaultQuery } from '../../app/api/security-queries.ts';
import { useMay } from '../../app/api/use-may.ts';
import { SecurityTabs } from '../../app/shell/security-tabs.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { ErrorState } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { plural } from '../../ui/format/count.ts';
import list from '../../ui/list-table.module.css';
import { PageHeader } from '../../ui/page-header.tsx';
import { Section, SectionBody, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { ChangeMasterKey } from './change-master-key.tsx';
import { PendingChange } from './pending-change.tsx';
import { RotateDataKey } from './rotate-data-key.tsx';
import classes from './vault.module.css';

const SOURCES: Readonly<Record<VaultView['masterKey']['source'], string>> = {
  environment: 'the environment of the server (TALLYGATE_MASTER_KEY)',
  file: 'a file in the data directory, readable by the server’s account alone',
  keychain: 'a file that the keychain of the server’s account unlocks',
  pkcs11: 'a file that a key on a token (PKCS #11) unlocks',
};

/** What is wrong, or half done, in words; nothing on most days. */
function Notices({ vault }: { vault: VaultView }) {
  const { nextMasterKeyId, otherValues, job } = vault;
  return (
    <>
      {nextMasterKeyId !== null && job === null && <PendingChange vault={vault} next={nextMasterKeyId} />}
      {otherValues > 0 && job === null && (
        <p className={classes.notice} role="status">
          {plural(otherValues, 'value')} {otherValues === 1 ? 'is' : 'are'} sealed in an older way or not at
          all. A new data key seals them too.
        </p>
      )}
    </>
  );
}

function DataKeys({ vault }: { vault: VaultView }) {
  return (
    <table className={list.table}>
      <thead>
        <tr>
          <th scope="col">Data key</th>
          <th scope="col">Credentials it seals</th>
          <th scope="col">Made</th>
        </tr>
      </thead>
      <tbody>
        {[...vault.dataKeys].reverse().map((key) => (
          <tr key={key.id} data-muted={!key.active}>
            <th scope="row" className={list.name}>
              <code>{key.id}</code>{' '}
              <span className={list.state}>{key.active ? 'seals now' : 'opens only'}</span>
            </th>
            <td data-label="Seals">{key.values}</td>
            <td data-label="Made">
              <Ago at={key.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A change that waits for a restart is finished or taken back, not done over. */
const awaitsRestart = ({ masterKey, nextMasterKeyId }: VaultView): boolean =>
  masterKey.source === 'environment' && nextMasterKeyId !== null;

/** On the machine itself, whatever the browser may do; and what stands against it here, where something does. */
function FromTheMachine({ vault, here }: { vault: VaultView; here: boolean }) {
  const fromEnvironment = vault.masterKey.source === 'environment';
  const command = fromEnvironment
    ? 'tallygate vault rotate-master-key --new-key-env NEW_MASTER_KEY'
    : 'tallygate vault rotate-master-key';
  return (
    <>
      {fromEnvironment && !window.isSecureContext && (
        <p>
          This page came over plain HTTP, where a new key that it shows could be read on its way. Open the
          dashboard over https or on the machine of the server to change the key here.
        </p>
      )}
      <p>
        {here ? 'The same from the machine of the server:' : 'On the machine of the server this changes it:'}
      </p>
      <CodeBlock code={command} label="change the master key" />
    </>
  );
}

function MasterKey({ vault }: { vault: VaultView }) {
  const may = useMay();
  const { id, source } = vault.masterKey;
  const waits = awaitsRestart(vault);
  const here = may('system.manage') && (source !== 'environment' || window.isSecureContext);
  return (
    <Section title="Master key" tools={here && <ChangeMasterKey vault={vault} offered={!waits} />}>
      <SectionBody>
        <p>
          Its id is <code>{id}</code>, and it comes from {SOURCES[source]}. It opens the data keys and is in
          no backup of the store. <b>Keep a copy apart from the store</b>: without it no upstream credential
          can be opened again.
        </p>
        <p>
          Change it when somebody may know it who should not, and when somebody who knew it leaves. Nothing
          stops meanwhile.
        </p>
        {!waits && <FromTheMachine vault={vault} here={here} />}
      </SectionBody>
    </Section>
  );
}

function Vault({ vault }: { vault: VaultView }) {
  const may = useMay();
  return (
    <>
      <Notices vault={vault} />
      <Section
        title="Data keys"
        tools={
          may('system.manage') && (
            <RotateDataKey busy={vault.job !== null || vault.nextMasterKeyId !== null} vault={vault} />
          )
        }
      >
        {vault.job !== null && <Progress job={vault.job} />}
        <DataKeys vault={vault} />
      </Section>
      <MasterKey vault={vault} />
    </>
  );
}

function Progress({ job }: { job: NonNullable<VaultView['job']> }) {
  const text = job.kind === 'data-key' ? 'Sealing with the new data key' : 'Changing the master key';
  return (
    <SectionState>
      <p className={classes.progress} role="status">
        <span>
          {text}: {job.done} of {job.total}
        </span>
        <progress value={job.done} max={Math.max(job.total, 1)} aria-label={text} />
      </p>
    </SectionState>
  );
}

/** Which keys seal the stored credentials, and how to change them. Keys themselves never come here. */
export function VaultScreen() {
  useTitle('Vault');
  const query = useQuery(vaultQuery(useApi()));
  return (
    <>
      <PageHeader title="Vault" />
      <SecurityTabs />
      {query.isPending && (
        <div aria-busy="true">
          <span className="sr-only">Loading the keys</span>
          <SkeletonLines lines={8} />
        </div>
      )}
      {query.isError && !query.data && (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && <Vault vault={query.data} />}
    </>
  );
}
