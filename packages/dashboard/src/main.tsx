import './app/theme/styles.ts';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createApiClient } from './app/api/client.ts';
import { App } from './app/app.tsx';
import { createQueryClient } from './app/query-client.ts';
import { createAppRouter } from './app/router.tsx';

const api = createApiClient((input, init) => window.fetch(input, init));
const queryClient = createQueryClient(() => {
  const { pathname, href } = router.state.location;
  if (pathname !== '/login' && pathname !== '/setup') {
    queryClient.removeQueries({ queryKey: ['me'] });
    void router.navigate({ to: '/login', search: { return: href } });
  }
});
const router = createAppRouter({ api, queryClient });

const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App api={api} queryClient={queryClient} router={router} />
    </StrictMode>,
  );
}
