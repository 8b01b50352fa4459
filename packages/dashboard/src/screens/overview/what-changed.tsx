import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { breakdownQuery, type Scope } from '../../app/api/queries.ts';
import type { Split } from '../../app/url/view-search.ts';
import { formatPercent } from '../../ui/format/count.ts';
import { formatUsd } from '../../ui/format/money.ts';
import { SPLIT_LABELS } from './metric-text.ts';
import { findMovers, type Mover } from './movers.ts';
import classes from './what-changed.module.css';

const SHOWN = 3;
/** Enough that whoever was large in one span is found in the other. */
const RANKED = 100;

interface Props {
  scope: Scope;
  /** What the span is compared with, in words. */
  against: string;
  onPick: (group: Split, key: string) => void;
}

/** The largest changes of spend, by model and by key: who made the bill move. */
export function WhatChanged({ scope, against, onPick }: Props) {
  const api = useApi();
  const { range, filters } = scope;
  const earlier: Scope = {
    range: { ...range, fromMs: range.fromMs - (range.toMs - range.fromMs), toMs: range.fromMs },
    filters,
  };
  const models = useQuery(breakdownQuery(api, scope, 'model', RANKED));
  const keys = useQuery(breakdownQuery(api, scope, 'key', RANKED));
  const oldModels = useQuery(breakdownQuery(api, earlier, 'model', RANKED));
  const oldKeys = useQuery(breakdownQuery(api, earlier, 'key', RANKED));
  if (!models.data || !keys.data || !oldModels.data || !oldKeys.data) return null;
  const movers = findMovers(
    { model: models.data.rows, key: keys.data.rows },
    { model: oldModels.data.rows, key: oldKeys.data.rows },
    SHOWN,
  );
  if (movers.length === 0) return null;
  return (
    <section className={classes.changed} aria-label={`What changed against the ${against}`}>
      <h2 className={classes.title}>What changed</h2>
      <ul className={classes.list}>
        {movers.map((mover) => (
          <li key={`${mover.group} ${mover.key}`}>
            <button
              type="button"
              className={classes.mover}
              title={`Show only this ${SPLIT_LABELS[mover.group].toLowerCase()}`}
              onClick={() => onPick(mover.group, mover.key)}
            >
              <span className={classes.kind}>{SPLIT_LABELS[mover.group]}</span>
              <span className={classes.name}>{mover.label}</span>
              <span className={classes.change}>
                {signed(mover.changeUsd)}
                <small>{shareText(mover)}</small>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function signed(usd: string): string {
  const text = formatUsd(usd);
  return usd.startsWith('-') ? text : `+${text}`;
}

function shareText({ share }: Mover): string {
  if (share === null) return 'new';
  if (share === -1) return 'gone';
  const text = formatPercent(Math.abs(share));
  return share < 0 ? `−${text}` : `+${text}`;
}
