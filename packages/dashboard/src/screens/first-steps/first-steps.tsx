import { Button } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { ApiKeyCreated } from '@tallygate/contract/api/keys';
import type { RequestView } from '@tallygate/contract/api/usage';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { useEventStream } from '../../app/api/event-stream.ts';
import { accountsQuery, keysQuery } from '../../app/api/queries.ts';
import { SnippetPicker } from '../../app/connect/snippet-picker.tsx';
import { CodeBlock } from '../../ui/code-block.tsx';
import { Duration, Money } from '../../ui/figures.tsx';
import panel from '../../ui/panel.module.css';
import { AddAccount } from '../accounts/add-account.tsx';
import { CreateKeyForm } from '../keys/create-key-form.tsx';
import classes from './first-steps.module.css';
import { TestAccount } from './test-account.tsx';

/** From nothing to the first request: three steps, each done right here, and it notices by itself when it worked. */
export function FirstSteps({ onArrived }: { onArrived: () => void }) {
  const api = useApi();
  const accounts = useQuery(accountsQuery(api)).data?.accounts ?? [];
  const keys = (useQuery(keysQuery(api)).data?.keys ?? []).filter((key) => key.revokedAt === null);
  const [created, setCreated] = useState<ApiKeyCreated | null>(null);
  const account = accounts[0];
  const hasKey = keys.length > 0 || created !== null;
  const current = account === undefined ? 1 : hasKey ? 3 : 2;
  return (
    <div className={classes.page}>
      <h1>First steps</h1>
      <p className={classes.lead}>
        Three of them, about two minutes. This page turns into your overview when the first request arrives.
      </p>
      <ol className={`${panel.panel} ${classes.steps}`}>
        <Step number={1} title="Add an upstream account" current={current} done={account !== undefined}>
          {account === undefined ? (
            <>
              <p className={classes.text}>
                The key of a service that runs models. The gate uses it for your clients; they never see it.
              </p>
              <AddAccount onCreated={() => undefined} />
            </>
          ) : (
            <TestAccount account={account} />
          )}
        </Step>
        <Step number={2} title="Create a key for a client" current={current} done={hasKey}>
          {current === 2 && (
            <>
              <p className={classes.text}>
                What an application or coding agent sends instead of the upstream's key.
              </p>
              <CreateKeyForm onCreated={setCreated} />
            </>
          )}
          {created !== null && (
            <>
              <p className={classes.text}>Shown this once. Store it where the client reads it.</p>
              <CodeBlock code={created.key} label="the new key" />
            </>
          )}
        </Step>
        <Step number={3} title="Send a request" current={current} done={false}>
          {current === 3 && (
            <>
              <SnippetPicker apiKey={created?.key ?? `${keys[0]?.prefix ?? 'tg_'}…`} />
              {created === null && (
                <p className={classes.text}>
                  Put the whole key in place of <code>{keys[0]?.prefix}…</code>; it is not kept here. If it is
                  lost, create another under Keys.
                </p>
              )}
              <Waiting onArrived={onArrived} />
            </>
          )}
        </Step>
      </ol>
    </div>
  );
}

function Step(props: { number: number; title: string; current: number; done: boolean; children: ReactNode }) {
  const { number, current, done } = props;
  const state = done ? 'done' : number === current ? 'current' : 'later';
  return (
    <li className={classes.step} data-state={state} aria-current={state === 'current' ? 'step' : undefined}>
      <span className={classes.badge} aria-hidden>
        {done ? <IconCheck size={16} stroke={2.4} /> : number}
      </span>
      <div className={classes.body}>
        <h2>
          {props.title}
          {done && <span className="sr-only"> (done)</span>}
        </h2>
        {props.children}
      </div>
    </li>
  );
}

/** Long enough to read the line that says what arrived. */
const READ_MS = 6000;

/** Listens for the first request, says so, and hands over when it has arrived. */
function Waiting({ onArrived }: { onArrived: () => void }) {
  const [first, setFirst] = useState<RequestView | null>(null);
  const state = useEventStream({
    url: '/api/requests/stream',
    event: 'request',
    enabled: first === null,
    onEvent: (data) => setFirst(JSON.parse(data) as RequestView),
  });
  const arrived = useRef(onArrived);
  useEffect(() => {
    arrived.current = onArrived;
  });
  useEffect(() => {
    if (first === null) return;
    const timer = setTimeout(() => arrived.current(), READ_MS);
    return () => clearTimeout(timer);
  }, [first]);
  if (first !== null) {
    return (
      <div className={classes.arrived} role="status">
        <IconCheck size={18} stroke={2.2} aria-hidden />
        <span className={classes.arrivedText}>
          It arrived: <b>{first.modelServed ?? first.modelRequested}</b>, <Money usd={first.costUsd} />,{' '}
          <Duration ms={first.latencyMs} />.
        </span>
        <Button size="xs" onClick={onArrived}>
          Open the overview
        </Button>
      </div>
    );
  }
  return (
    <div className={classes.waiting} role="status">
      <span className={classes.pulse} aria-hidden />
      {state === 'lost'
        ? 'The connection to the server was lost; trying again'
        : 'Waiting for your first request'}
    </div>
  );
}
