import type { AccountView } from '@tallygate/contract/api/accounts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { providersQuery } from '../../app/api/queries.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import { AccountForm } from './account-form.tsx';
import classes from './add-account.module.css';
import { type ProviderChoice, providerChoices } from './provider-choice.ts';

/** First which service, then what it needs. */
export function AddAccount({ onCreated }: { onCreated: (account: AccountView) => void }) {
  const providers = useQuery(providersQuery(useApi()));
  const [choice, setChoice] = useState<ProviderChoice | null>(null);
  if (choice !== null) {
    return (
      <>
        <p className={classes.chosen}>{choice.name}</p>
        <AccountForm choice={choice} onCreated={onCreated} onBack={() => setChoice(null)} />
      </>
    );
  }
  if (providers.isPending) return <SkeletonLines lines={4} />;
  if (providers.isError)
    return <ErrorState error={providers.error} onRetry={() => void providers.refetch()} />;
  return (
    <ul className={classes.choices} aria-label="Service">
      {providerChoices(providers.data.providers).map((item) => (
        <li key={item.id}>
          <button type="button" className={classes.choice} onClick={() => setChoice(item)}>
            <span className={classes.name}>{item.name}</span>
            <span className={classes.host}>
              {item.baseUrl === null ? 'Give the address' : hostOf(item.baseUrl)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function hostOf(baseUrl: string): string {
  return baseUrl.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}
