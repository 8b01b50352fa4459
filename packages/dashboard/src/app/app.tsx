import { MantineProvider } from '@mantine/core';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { AnnounceProvider } from '../ui/announce.tsx';
import { ApiProvider } from './api/api-context.tsx';
import type { ApiClient } from './api/client.ts';
import type { AppRouter } from './router.tsx';
import { colorSchemeManager, theme } from './theme/mantine-theme.ts';

/** Everything the screens need around them. Mantine's variables come from tokens.css: the policy forbids its own. */
export function App(props: { api: ApiClient; queryClient: QueryClient; router: AppRouter }) {
  return (
    <MantineProvider
      theme={theme}
      colorSchemeManager={colorSchemeManager}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={props.queryClient}>
        <ApiProvider value={props.api}>
          <AnnounceProvider>
            <RouterProvider router={props.router} />
          </AnnounceProvider>
        </ApiProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
