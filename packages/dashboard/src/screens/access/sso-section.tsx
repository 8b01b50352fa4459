import { Button } from '@mantine/core';
import type { SsoSettings, SsoTest } from '@tallygate/contract/api/sso';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { ssoSettingsQuery } from '../../app/api/security-queries.ts';
import { CodeBlock } from '../../ui/code-block.tsx';
import { ErrorState, FormError } from '../../ui/error-state.tsx';
import list from '../../ui/list-table.module.css';
import { Section, SectionBody, SectionState } from '../../ui/section.tsx';
import { SkeletonLines } from '../../ui/skeleton.tsx';
import classes from './access.module.css';

type Provider = NonNullable<SsoSettings['provider']>;

const EXAMPLE = `OIDC_ISSUER=https://id.example.com/realms/main
OIDC_CLIENT_ID=tallygate
OIDC_CLIENT_SECRET=...
OIDC_ROLE_MAP=llm-admins=admin,engineering=developer@research`;

/** Single sign-on as it is set, and whether the provider answers as it should. */
export function SsoSection({ mayTest }: { mayTest: boolean }) {
  const api = useApi();
  const query = useQuery(ssoSettingsQuery(api));
  const test = useMutation({ mutationFn: () => api.send<SsoTest>('POST', '/api/security/sso/test', {}) });
  const provider = query.data?.provider;
  return (
    <Section
      title="Single sign-on"
      tools={
        mayTest &&
        provider && (
          <Button size="xs" variant="default" loading={test.isPending} onClick={() => test.mutate()}>
            Test the provider
          </Button>
        )
      }
    >
      {query.isPending && (
        <SectionState>
          <SkeletonLines lines={4} />
        </SectionState>
      )}
      {query.isError && !query.data && (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
      {test.isError && <FormError error={test.error} />}
      {test.data && <TestResult result={test.data} />}
      {provider === null && <NotSet />}
      {provider && <Facts provider={provider} />}
      {provider && <Grants provider={provider} />}
    </Section>
  );
}

function NotSet() {
  return (
    <SectionBody>
      <p>
        Nobody signs in through an identity provider yet. It is set where the server is started, for example:
      </p>
      <CodeBlock code={EXAMPLE} label="settings of single sign-on" />
    </SectionBody>
  );
}

function TestResult({ result }: { result: SsoTest }) {
  return (
    <SectionBody>
      <div role="status">
        <p>{result.ok ? 'All is as it should be.' : 'Something is not as it should be.'}</p>
        <ul className={classes.checks}>
          {result.checks.map(({ name, ok, detail }) => (
            <li key={name} data-ok={ok}>
              <b>{ok ? 'Yes' : 'No'}</b>
              <span>
                {name}
                {detail !== '' && <span className={classes.detail}>{detail}</span>}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </SectionBody>
  );
}

function Facts({ provider }: { provider: Provider }) {
  const facts: [string, string][] = [
    ['Provider', `${provider.name}, ${provider.issuer}`],
    ['Known there as', provider.clientId],
    ['Client secret', provider.hasClientSecret ? 'set' : 'none: PKCE alone protects the sign-in'],
    ['Return address', provider.returnUrl ?? 'where the dashboard was opened, with /api/auth/sso/return'],
    ['Asked of it', provider.scopes],
    ['User name from', provider.userClaim],
    ['Groups from', provider.roleClaim],
    ['Second factor', provider.secondFactor === 'provider' ? 'the provider asks for it' : 'asked for here'],
  ];
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Grants({ provider }: { provider: Provider }) {
  return (
    <table className={list.table}>
      <thead>
        <tr>
          <th scope="col">Group there</th>
          <th scope="col">Role here</th>
          <th scope="col">Workspace</th>
        </tr>
      </thead>
      <tbody>
        {provider.grants.map(({ group, role, workspace, problem }) => (
          <tr key={`${group} ${role} ${workspace}`}>
            <th scope="row" className={list.name}>
              {group ?? 'Everybody else'}
            </th>
            <td data-label="Role">
              <div>
                {role}
                {problem !== null && <span className={classes.problem}>{problem} Nobody gets in by it.</span>}
              </div>
            </td>
            <td data-label="In">{workspace}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
