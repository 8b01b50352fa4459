import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import { meQuery } from '../../app/api/queries.ts';

/** False for people whom an identity provider lets in. */
export function useHasPassword(): boolean {
  return useQuery(meQuery(useApi())).data?.user.hasPassword ?? true;
}
