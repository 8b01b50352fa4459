import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { networkSettingsQuery } from '../../app/api/security-queries.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import list from '../../ui/list-table.module.css';
import { Section, SectionBody, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import classes from './access.module.css';

/** Listeners, TLS and lists of addresses: set where the server is started, shown here. */
export function NetworkSection() {
  const query = useQuery(networkSettingsQuery(useApi()));
  return (
    <Section title="Network of the server">
      <SectionBody>
        <p>
          These are set where the server is started and take a restart. An environment variable, the
          configuration file or an option of the command line sets each.
        </p>
      </SectionBody>
      {query.isPending && (
        <SectionState>
          <SkeletonLines lines={6} />
        </SectionState>
      )}
      {query.isError && !query.data && (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data && (
        <table className={list.table}>
          <thead>
            <tr>
              <th scope="col">What it does</th>
              <th scope="col">Now</th>
              <th scope="col">Set by</th>
            </tr>
          </thead>
          <tbody>
            {query.data.settings.map(({ name, value, variable, doc }) => (
              <tr key={name}>
                <th scope="row">{doc}</th>
                <td data-label="Now" className={classes.value}>
                  {value}
                </td>
                <td data-label="Set by">
                  <code>{variable ?? name}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
