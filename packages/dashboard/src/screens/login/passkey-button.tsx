import { Button } from '@mantine/core';
import { IconFingerprint } from '@tabler/icons-react';
import type { Me } from '@tallygate/contract/api/auth';
import { useMutation } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { passkeyObstacle, showPasskey } from '../../app/passkey/browser-passkey.ts';
import { FormError } from '../../ui/error-state.tsx';

/** Signs in with a passkey: alone, or as the second step. Not there where the browser can use none. */
export function PasskeyButton({ label, onEntered }: { label: string; onEntered: () => void }) {
  const api = useApi();
  const enter = useMutation({
    mutationFn: async () => {
      const { options } = await api.send<{ options: unknown }>('POST', '/api/auth/passkey/ask');
      const credential = await showPasskey(options);
      return api.send<Me>('POST', '/api/auth/passkey/sign-in', { credential });
    },
    onSuccess: onEntered,
  });
  if (passkeyObstacle() !== null) return null;
  return (
    <>
      <FormError error={enter.error} />
      <Button
        variant="default"
        fullWidth
        leftSection={<IconFingerprint size={18} aria-hidden />}
        loading={enter.isPending}
        onClick={() => enter.mutate()}
      >
        {label}
      </Button>
    </>
  );
}
