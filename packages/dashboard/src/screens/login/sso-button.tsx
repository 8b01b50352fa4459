import { Button } from '@mantine/core';
import { IconLogin2 } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { FormError } from '../../ui/error-state.tsx';
import { safeReturnPath } from './return-path.ts';

/** Leads to the identity provider, which sends the browser back signed in. */
export function SsoButton({ name, returnPath }: { name: string; returnPath: string | undefined }) {
  const api = useApi();
  const start = useMutation({
    mutationFn: () =>
      api.send<{ url: string }>('POST', '/api/auth/sso/start', { return: safeReturnPath(returnPath) }),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  return (
    <>
      <FormError error={start.error} />
      <Button
        variant="default"
        fullWidth
        leftSection={<IconLogin2 size={18} aria-hidden />}
        loading={start.isPending || start.isSuccess}
        onClick={() => start.mutate()}
      >
        Sign in with {name}
      </Button>
    </>
  );
}
