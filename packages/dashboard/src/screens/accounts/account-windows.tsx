import type { AccountView } from '@tallygate/contract/api/accounts';
import { Ago } from '../../ui/figures.tsx';
import classes from './account-windows.module.css';

type Window = AccountView['windows'][number];

const NAMES: Readonly<Record<string, string>> = { '5h': '5 hours', '7d': '7 days' };
/** From here on the bar warns: what the providers themselves call a warning. */
const HIGH = 0.8;
const FIRST = ['5h', '7d'];
const MAX_GAUGES = 6;

function gauges(windows: readonly Window[]): Window[] {
  const place = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return windows
    .filter((window) => window.utilization !== null)
    .sort((a, b) => place(a.name) - place(b.name) || a.name.localeCompare(b.name))
    .slice(0, MAX_GAUGES);
}

/** True when there is anything to show of an account's limits. */
export function hasWindows(account: AccountView): boolean {
  return account.limits.length > 0 || account.windows.some((window) => window.utilization !== null);
}

/** How far the provider's windows are used up, and what is limited until when. */
export function AccountWindows({ account }: { account: AccountView }) {
  return (
    <div className={classes.windows}>
      {gauges(account.windows).map((window) => (
        <Gauge key={window.name} window={window} account={account.name} />
      ))}
      {account.limits.map((limit) => (
        <p key={`${limit.model ?? ''} ${limit.reason}`} className={classes.limit}>
          {limit.model === null ? 'Limited' : `Limited for ${limit.model}`} (
          {limit.reason.replaceAll('_', ' ')}), free <Ago at={limit.until} />
        </p>
      ))}
    </div>
  );
}

function Gauge({ window, account }: { window: Window; account: string }) {
  const spent = window.utilization ?? 0;
  const percent = `${Math.round(spent * 100)} %`;
  const name = NAMES[window.name] ?? window.name.replaceAll('_', ' ');
  return (
    <div className={classes.gauge}>
      <span className={classes.name}>{name}</span>
      <meter
        className={classes.bar}
        min={0}
        max={1}
        high={HIGH}
        optimum={0}
        value={Math.min(1, spent)}
        aria-label={`${account}, ${name}: used`}
        aria-valuetext={percent}
      />
      <span className={classes.figure}>{percent}</span>
      {window.resetAt !== null && (
        <span className={classes.reset}>
          anew <Ago at={window.resetAt} />
          <Forecast window={window} />
        </span>
      )}
    </div>
  );
}

/** What becomes of the window at the present pace. */
function Forecast({ window: { forecast } }: { window: Window }) {
  if (forecast === null) return null;
  if (forecast.exhaustedAt !== null)
    return (
      <>
        , used up <Ago at={forecast.exhaustedAt} />
      </>
    );
  return <>, then at {Math.round(forecast.utilizationAtReset * 100)} %</>;
}
