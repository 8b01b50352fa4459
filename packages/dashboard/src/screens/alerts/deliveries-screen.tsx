import { Button, Select } from '@mantine/core';
import type { DeliveryStatus, DeliveryView } from '@tallygate/contract/api/alerts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { alertDeliveriesQuery } from '../../app/api/alert-queries.ts';
import { useApi } from '../../app/api/api-context.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { FormError } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { formatShort } from '../../ui/format/time.ts';
import { ListPanel } from '../../ui/list-panel.tsx';
import list from '../../ui/list-table.module.css';
import { ListTable } from '../../ui/list-table.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { AlertTabs } from './alert-tabs.tsx';
import { DELIVERY_WORDS, optionsOf } from './alert-words.ts';
import classes from './alerts.module.css';
import { useAlertChange } from './use-alert-change.ts';

const TONES = { pending: 'warn', delivered: 'good', dead: 'bad' } as const;

function Tries({ delivery }: { delivery: DeliveryView }) {
  const last = delivery.log.at(-1);
  if (last === undefined) return <>not tried yet</>;
  return (
    <details>
      <summary>{last.message}</summary>
      <ol>
        {delivery.log.map((tried) => (
          <li key={tried.at}>
            {formatShort(Date.parse(tried.at))}: {tried.message} ({tried.durationMs} ms)
          </li>
        ))}
      </ol>
    </details>
  );
}

function DeliveryRow({ delivery }: { delivery: DeliveryView }) {
  const api = useApi();
  const again = useAlertChange(
    () => api.send('POST', `/api/alerts/deliveries/${encodeURIComponent(delivery.id)}/redeliver`),
    { done: 'On its way again.' },
  );
  return (
    <tr>
      <th scope="row" className={list.name}>
        <div>
          {delivery.title}
          <FormError error={again.error} />
        </div>
      </th>
      <td data-label="Channel">{delivery.channel.name}</td>
      <td data-label="Status">
        <span className={classes.mark} data-tone={TONES[delivery.status]}>
          {DELIVERY_WORDS[delivery.status]}
        </span>
      </td>
      <td data-label="Tries">{delivery.attempts}</td>
      <td data-label="Last try">
        <Tries delivery={delivery} />
      </td>
      <td data-label="When">
        <Ago at={delivery.createdAt} />
      </td>
      <td>
        {delivery.status !== 'pending' && (
          <Button
            size="compact-sm"
            variant="default"
            loading={again.isPending}
            onClick={() => again.mutate(undefined)}
            aria-label={`Send again: ${delivery.title}, to ${delivery.channel.name}`}
          >
            Send again
          </Button>
        )}
      </td>
    </tr>
  );
}

function DeliveryTable({ deliveries }: { deliveries: DeliveryView[] }) {
  return (
    <ListTable columns={['What', 'Channel', 'Status', 'Tries', 'Last try', 'When']} acts>
      {deliveries.map((delivery) => (
        <DeliveryRow key={delivery.id} delivery={delivery} />
      ))}
    </ListTable>
  );
}

/** How notices got there, with every try. */
export function DeliveriesScreen() {
  useTitle('Alert deliveries');
  const [status, setStatus] = useState<DeliveryStatus | null>(null);
  const query = useQuery(alertDeliveriesQuery(useApi(), status));
  const deliveries = query.data?.deliveries ?? [];
  return (
    <>
      <PageHeader title="Alerts">
        <Select
          aria-label="Status"
          size="sm"
          data={[{ value: '', label: 'All deliveries' }, ...optionsOf(DELIVERY_WORDS)]}
          value={status ?? ''}
          onChange={(value) => setStatus(value === '' ? null : (value as DeliveryStatus | null))}
          allowDeselect={false}
        />
      </PageHeader>
      <AlertTabs />
      <ListPanel
        query={query}
        what="deliveries"
        lines={6}
        isEmpty={deliveries.length === 0}
        empty={
          <EmptyState
            title="Nothing here"
            text="What rules tell is sent from here. A delivery that fails is tried again for 24 hours."
          />
        }
      >
        <DeliveryTable deliveries={deliveries} />
      </ListPanel>
    </>
  );
}
