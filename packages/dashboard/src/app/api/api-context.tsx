import { createContext, useContext } from 'react';
import type { ApiClient } from './client.ts';

const Context = createContext<ApiClient | null>(null);
export const ApiProvider = Context.Provider;

/** The client of this page. @throws Error outside of `ApiProvider` */
export function useApi(): ApiClient {
  const api = useContext(Context);
  if (api === null) throw new Error('useApi outside of ApiProvider');
  return api;
}
