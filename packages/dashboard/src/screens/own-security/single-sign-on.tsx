import { Button } from '@mantine/core';
import type { SsoStatus } from '@tallygate/contract/api/sso';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useApi } from '../../app/api/api-context.tsx';
import { ownSsoQuery } from '../../app/api/queries.ts';
import { PasswordDialog } from '../../app/manage/password-dialog.tsx';
import { useAnnounce } from '../../ui/announce.tsx';
import { FormError } from '../../ui/error-state.tsx';
import { Ago } from '../../ui/figures.tsx';
import { Section, SectionBody } from '../../ui/section.tsx';
import { ssoProblemText } from '../../ui/sso-problem-text.ts';
import classes from './own-security.module.css';

type Asked = 'connect' | 'disconnect';

/** One's own account at the identity provider; not there where none is set. */
export function SingleSignOn() {
  const status = useQuery(ownSsoQuery(useApi())).data;
  const [asked, setAsked] = useState<Asked | null>(null);
  const { problem } = useSearch({ strict: false }) as { problem?: string };
  if (status === undefined || (status.provider === null && status.connected === null)) return null;
  return (
    <Section title="Single sign-on">
      <SectionBody>
        {problem !== undefined && <FormError error={new Error(ssoProblemText(problem))} />}
        <Connection status={status} onAsk={setAsked} />
      </SectionBody>
      {asked !== null && (
        <Ask asked={asked} provider={status.provider ?? 'your provider'} onClose={() => setAsked(null)} />
      )}
    </Section>
  );
}

function Connection({ status, onAsk }: { status: SsoStatus; onAsk: (asked: Asked) => void }) {
  const { provider, connected } = status;
  if (connected === null) {
    return (
      <>
        <p>Sign in through {provider} instead of with your password. Your role here stays as it is.</p>
        <div className={classes.row}>
          <Button variant="default" onClick={() => onAsk('connect')}>
            Connect {provider}
          </Button>
        </div>
      </>
    );
  }
  return (
    <>
      <p>
        Connected with {provider ?? connected.issuer}, last used <Ago at={connected.lastUsedAt} />.
        {connected.managed && ' It says which role you have, anew with every sign-in.'}
      </p>
      {!connected.managed && (
        <div className={classes.row}>
          <Button variant="default" onClick={() => onAsk('disconnect')}>
            Disconnect
          </Button>
        </div>
      )}
    </>
  );
}

function Ask({ asked, provider, onClose }: { asked: Asked; provider: string; onClose: () => void }) {
  const api = useApi();
  const queryClient = useQueryClient();
  const announce = useAnnounce();
  const send = useMutation({
    mutationFn: (password: string | undefined) =>
      api.send<{ url?: string }>('POST', `/api/auth/sso/${asked}`, { password }),
    onSuccess: async ({ url }) => {
      if (url !== undefined) return window.location.assign(url);
      onClose();
      announce('Disconnected.');
      await queryClient.invalidateQueries({ queryKey: ['own', 'sso'] });
    },
  });
  const connecting = asked === 'connect';
  return (
    <PasswordDialog
      title={connecting ? `Connect ${provider}` : 'Disconnect single sign-on'}
      text={
        connecting
          ? `You go to ${provider} and come back here. Whoever holds that account can sign in as you from then on.`
          : 'From then on you sign in with your password or a passkey alone.'
      }
      action={connecting ? 'Continue' : 'Disconnect'}
      danger={!connecting}
      pending={send.isPending}
      error={send.error}
      onConfirm={(password) => send.mutate(password)}
      onClose={onClose}
    />
  );
}
