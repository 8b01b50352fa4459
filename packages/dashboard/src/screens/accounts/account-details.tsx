import { Button, Modal } from '@mantine/core';
import type { AccountView } from '@tallygate/contract/api/accounts';
import type { HealthView } from '@tallygate/contract/api/pools';
import { formatNanoUsd, parseUsd } from '@tallygate/contract/money';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { healthQuery } from '../../app/api/pool-queries.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import { Money } from '../../ui/figures.tsx';
import form from '../../ui/form.module.css';
import { formatCount, plural } from '../../ui/format/count.ts';
import { formatAbsolute } from '../../ui/format/time.ts';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import table from '../../ui/table.module.css';
import classes from './account-details.module.css';
import { AccountWindows, hasWindows } from './account-windows.tsx';

const DAYS = 3;
const HOUR_MS = 3_600_000;

type Hour = HealthView['hours'][number];

/** What an account is for, how full its windows are, and how it fared hour by hour. */
export function AccountDetails({ account, onClose }: { account: AccountView; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const health = useQuery(healthQuery(api, account.id, DAYS));
  const reset = useMutation({
    mutationFn: () => api.send('POST', `/api/accounts/${encodeURIComponent(account.id)}/reset`),
    onSuccess: async () => {
      announce(
        `What was known of the limits of ${account.name} is forgotten. The next request finds out anew.`,
      );
      await queryClient.invalidateQueries({ queryKey: ['accounts'] });
    },
  });
  return (
    <Modal opened onClose={onClose} title={account.name} size={640}>
      <Facts account={account} />
      {hasWindows(account) && <AccountWindows account={account} />}
      <h3 className={classes.title}>The last {DAYS} days</h3>
      {health.isPending && <SkeletonLines lines={3} />}
      {health.isError && <ErrorState error={health.error} onRetry={() => void health.refetch()} />}
      {health.data && <Health hours={health.data.hours} />}
      {reset.isError && <FormError error={reset.error} />}
      <div className={form.row}>
        <Button variant="default" loading={reset.isPending} onClick={() => reset.mutate()}>
          Forget limits
        </Button>
        <Button onClick={onClose}>Close</Button>
      </div>
    </Modal>
  );
}

function Facts({ account }: { account: AccountView }) {
  const bound = account.boundTo.map(({ kind, name }) => `${kind} ${name}`);
  const facts: [string, ReactNode][] = [
    ['Serves', bound.length === 0 ? 'everybody' : bound.join(', ')],
    ['Pools', account.pools.length === 0 ? 'all accounts' : account.pools.map(({ name }) => name).join(', ')],
    ['Priority', account.priority],
    ['Share', `${account.weight * account.tier} (weight ${account.weight} × tier ${account.tier})`],
  ];
  const pins = account.pinSha256.length;
  if (pins > 0) facts.push(['Certificate', `only with ${plural(pins, 'pinned public key')}`]);
  if (account.notes) facts.push(['Notes', account.notes]);
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <Fact key={name} name={name}>
          {value}
        </Fact>
      ))}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Every hour of the range, those without traffic too: gaps are shown as gaps. */
function slots(hours: readonly Hour[]): (Hour | null)[] {
  const byHour = new Map(hours.map((hour) => [Date.parse(hour.at), hour]));
  const last = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  return Array.from(
    { length: DAYS * 24 },
    (_, i) => byHour.get(last - (DAYS * 24 - 1 - i) * HOUR_MS) ?? null,
  );
}

const lossOf = (hours: readonly Hour[]): string =>
  formatNanoUsd(hours.reduce((sum, hour) => sum + parseUsd(hour.cacheLossUsd), 0n));

function Health({ hours }: { hours: readonly Hour[] }) {
  if (hours.length === 0) return <p className={classes.legend}>No attempts went to it.</p>;
  const most = Math.max(...hours.map((hour) => hour.attempts));
  const lost = hours.reduce((sum, hour) => sum + hour.cacheLostTokens, 0);
  const moved = hours.reduce((sum, hour) => sum + hour.sessionsMoved, 0);
  const height = (count: number) => ({ height: `${(count / most) * 100}%` });
  return (
    <>
      <div className={classes.timeline} aria-hidden>
        {slots(hours).map((hour, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the place is the identity, most are empty
          <span key={index} className={classes.hour}>
            {hour && (
              <>
                <span className={classes.served} style={height(hour.served)} />
                <span className={classes.limited} style={height(hour.limited + hour.refused)} />
                <span className={classes.failed} style={height(hour.failed)} />
              </>
            )}
          </span>
        ))}
      </div>
      <p className={classes.legend}>
        {moved === 0 ? (
          'No session came here from an account where its prompt cache was warm.'
        ) : (
          <>
            {plural(moved, 'session')} came from accounts where their prompt cache was warm:{' '}
            {formatCount(lost)} tokens were paid in full again, for <Money usd={lossOf(hours)} /> more than
            from the cache.
          </>
        )}
      </p>
      <details>
        <summary className={classes.legend}>Hour by hour: served, limited or refused, failed</summary>
        <div className={classes.hours}>
          <table className={table.table}>
            <thead>
              <tr>
                <th scope="col">Hour</th>
                <th scope="col">Attempts</th>
                <th scope="col">Served</th>
                <th scope="col">Limited</th>
                <th scope="col">Refused</th>
                <th scope="col">Failed</th>
                <th scope="col">Cache lost (USD)</th>
              </tr>
            </thead>
            <tbody>
              {hours.map((hour) => (
                <tr key={hour.at}>
                  <th scope="row">{formatAbsolute(Date.parse(hour.at))}</th>
                  <td>{hour.attempts}</td>
                  <td>{hour.served}</td>
                  <td>{hour.limited}</td>
                  <td>{hour.refused}</td>
                  <td>{hour.failed}</td>
                  <td>
                    <Money usd={hour.cacheLossUsd} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
