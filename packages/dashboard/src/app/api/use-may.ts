import { useQuery } from '@tanstack/react-query';
import { useApi } from './api-context.tsx';
import { meQuery } from './queries.ts';

/** Whether the signed-in person holds a permission: what they may not use is neither shown nor asked for. */
export function useMay(): (permission: string) => boolean {
  const held = useQuery(meQuery(useApi())).data?.permissions ?? [];
  return (permission) => held.includes(permission);
}
