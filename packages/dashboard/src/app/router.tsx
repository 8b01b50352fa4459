import { OAUTH_RETURN_PAGE } from '@tallygate/contract/api/oauth-paths';
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { type ApiClient, ApiError } from './api/client.ts';
import { anyRequestQuery, meQuery, setupQuery } from './api/queries.ts';
import { rememberedProject } from './project/remembered-project.ts';
import { AppShell } from './shell/app-shell.tsx';
import { NotFound, RouteError, RoutePending } from './shell/route-states.tsx';
import { parseAuditSearch } from './url/audit-search.ts';
import { parseOpened } from './url/opened.ts';
import { isAboutProjects, parseProjectSearch } from './url/project.ts';
import { parseSearch, stringifySearch } from './url/search-params.ts';
import { parseOverviewSearch, parseViewSearch } from './url/view-search.ts';

export interface RouterContext {
  api: ApiClient;
  queryClient: QueryClient;
}

const rootRoute = createRootRouteWithContext<RouterContext>()({ component: Outlet });

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/setup',
  component: lazyRouteComponent(() => import('../screens/setup/setup-screen.tsx'), 'SetupScreen'),
});

interface LoginSearch {
  return?: string;
  /** Why the identity provider sent somebody back without a sign-in. */
  problem?: string;
  /** What is owed after the identity provider, with commas between. */
  owed?: string;
}

function parseLoginSearch(raw: Record<string, unknown>): LoginSearch {
  const names = ['return', 'problem', 'owed'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (typeof raw[name] === 'string' ? [[name, raw[name]]] : [])),
  );
}

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: parseLoginSearch,
  component: lazyRouteComponent(() => import('../screens/login/login-screen.tsx'), 'LoginScreen'),
});

/** Everything below needs a session; without one the visitor is sent to sign in, or to set up. */
const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  component: AppShell,
  validateSearch: parseProjectSearch,
  beforeLoad: async ({ context: { api, queryClient }, location, cause }) => {
    try {
      const me = await queryClient.ensureQueryData(meQuery(api));
      // The server lets such a session do nothing else, so every other screen would only show its refusals.
      if (me.stage === 'enrol' && location.pathname !== '/my-security')
        throw redirect({ to: '/my-security' });
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 401 && error.code !== 'setup_required'))
        throw error;
      const setup = await queryClient.fetchQuery(setupQuery(api));
      if (setup.needsSetup) throw redirect({ to: '/setup' });
      throw redirect({ to: '/login', search: location.href === '/' ? {} : { return: location.href } });
    }
    // Who comes without a question of their own looks at the project they looked at last; a link is taken as it is.
    const project = cause === 'enter' && location.searchStr === '' ? rememberedProject() : null;
    if (project !== null && isAboutProjects(location.pathname))
      throw redirect({ to: location.pathname, search: { project: project.split(',') }, replace: true });
  },
});

const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  validateSearch: parseOverviewSearch,
  // Asked for while the screen's code is on its way; the screen does not wait for it.
  loader: ({ context: { api, queryClient } }) => {
    const me = queryClient.getQueryData(meQuery(api).queryKey);
    if (me?.permissions.includes('logs.view')) void queryClient.prefetchQuery(anyRequestQuery(api));
  },
  component: lazyRouteComponent(() => import('../screens/overview/overview-screen.tsx'), 'OverviewScreen'),
});

const requestsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/requests',
  validateSearch: parseViewSearch,
  component: lazyRouteComponent(() => import('../screens/requests/requests-screen.tsx'), 'RequestsScreen'),
});

const requestRoute = createRoute({
  getParentRoute: () => requestsRoute,
  path: '$requestId',
  component: lazyRouteComponent(() => import('../screens/requests/detail/request-panel.tsx'), 'RequestPanel'),
});

const keysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/keys',
  component: lazyRouteComponent(() => import('../screens/keys/keys-screen.tsx'), 'KeysScreen'),
});

const projectsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/projects',
  component: lazyRouteComponent(() => import('../screens/projects/projects-screen.tsx'), 'ProjectsScreen'),
});

const accountsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/accounts',
  component: lazyRouteComponent(() => import('../screens/accounts/accounts-screen.tsx'), 'AccountsScreen'),
});

/** Outside the shell: what a redirect to the sign-in would carry along is a code. */
const signedInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: OAUTH_RETURN_PAGE,
  component: lazyRouteComponent(() => import('../screens/accounts/signed-in-screen.tsx'), 'SignedInScreen'),
});

const poolsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/pools',
  component: lazyRouteComponent(() => import('../screens/pools/pools-screen.tsx'), 'PoolsScreen'),
});

const rulesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/rules',
  component: lazyRouteComponent(() => import('../screens/rules/rules-screen.tsx'), 'RulesScreen'),
});

const peopleRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/people',
  component: lazyRouteComponent(() => import('../screens/people/people-screen.tsx'), 'PeopleScreen'),
});

const ownSecurityRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/my-security',
  component: lazyRouteComponent(
    () => import('../screens/own-security/own-security-screen.tsx'),
    'OwnSecurityScreen',
  ),
});

const securityRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/security',
  component: lazyRouteComponent(() => import('../screens/security/security-screen.tsx'), 'SecurityScreen'),
});

const checksRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/checks',
  component: lazyRouteComponent(() => import('../screens/checks/checks-screen.tsx'), 'ChecksScreen'),
});

const vaultRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/vault',
  component: lazyRouteComponent(() => import('../screens/vault/vault-screen.tsx'), 'VaultScreen'),
});

const accessRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/access',
  component: lazyRouteComponent(() => import('../screens/access/access-screen.tsx'), 'AccessScreen'),
});

const alertsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/alerts',
  component: lazyRouteComponent(() => import('../screens/alerts/alerts-screen.tsx'), 'AlertsScreen'),
});

const alertHistoryRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/alerts/history',
  validateSearch: parseOpened('rule'),
  component: lazyRouteComponent(() => import('../screens/alerts/history-screen.tsx'), 'AlertHistoryScreen'),
});

const deliveriesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/alerts/deliveries',
  component: lazyRouteComponent(() => import('../screens/alerts/deliveries-screen.tsx'), 'DeliveriesScreen'),
});

const channelsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/alerts/channels',
  component: lazyRouteComponent(() => import('../screens/alerts/channels-screen.tsx'), 'ChannelsScreen'),
});

const joinRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/join',
  component: lazyRouteComponent(() => import('../screens/join/join-screen.tsx'), 'JoinScreen'),
});

const auditRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/audit',
  validateSearch: parseAuditSearch,
  component: lazyRouteComponent(() => import('../screens/audit/audit-screen.tsx'), 'AuditScreen'),
});

const incidentRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/incident',
  component: lazyRouteComponent(() => import('../screens/incident/incident-screen.tsx'), 'IncidentScreen'),
});

const budgetsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/budgets',
  validateSearch: parseOpened('budget'),
  component: lazyRouteComponent(() => import('../screens/budgets/budgets-screen.tsx'), 'BudgetsScreen'),
});

const limitsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/limits',
  component: lazyRouteComponent(() => import('../screens/limits/limits-screen.tsx'), 'LimitsScreen'),
});

/** The documented address of the key page (contract TW-05), and the front page under its other name. */
const aliases = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/dashboard/api-keys',
    beforeLoad: () => {
      throw redirect({ to: '/keys', replace: true });
    },
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/dashboard',
    beforeLoad: () => {
      throw redirect({ to: '/', replace: true });
    },
  }),
];

const routeTree = rootRoute.addChildren([
  setupRoute,
  loginRoute,
  joinRoute,
  signedInRoute,
  shellRoute.addChildren([
    overviewRoute,
    requestsRoute.addChildren([requestRoute]),
    keysRoute,
    projectsRoute,
    accountsRoute,
    poolsRoute,
    rulesRoute,
    peopleRoute,
    ownSecurityRoute,
    securityRoute,
    auditRoute,
    incidentRoute,
    checksRoute,
    vaultRoute,
    accessRoute,
    budgetsRoute,
    limitsRoute,
    alertsRoute,
    alertHistoryRoute,
    deliveriesRoute,
    channelsRoute,
  ]),
  ...aliases,
]);

/** Routes, their search parameters and their guards. */
export function createAppRouter(context: RouterContext) {
  return createRouter({
    routeTree,
    context,
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultPendingMs: 200,
    defaultPendingComponent: RoutePending,
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
}
export type AppRouter = ReturnType<typeof createAppRouter>;

declare module '@tanstack/react-router' {
  interface Register {
    router: AppRouter;
  }
}
