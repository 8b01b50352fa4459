import { NativeSelect } from '@mantine/core';
import type { PoolStrategy } from '@tallygate/contract/api/pool';

export const STRATEGY_WORDS: Readonly<Record<PoolStrategy, string>> = {
  session: 'Sessions stay together',
  priority: 'First that works',
  weighted: 'By weight',
  'round-robin': 'In turn',
  'least-used': 'Least used',
  'lowest-latency': 'Fastest',
  'drain-soonest-reset': 'Use up before reset',
};
const OPTIONS = Object.entries(STRATEGY_WORDS).map(([value, label]) => ({ value, label }));

/** How an account is chosen among equals. */
export function StrategyChoice(props: {
  label: string;
  value: PoolStrategy;
  disabled?: boolean;
  onChange: (strategy: PoolStrategy) => void;
}) {
  return (
    <NativeSelect
      size="sm"
      aria-label={props.label}
      data={OPTIONS}
      value={props.value}
      disabled={props.disabled ?? false}
      onChange={(event) => props.onChange(event.currentTarget.value as PoolStrategy)}
    />
  );
}
