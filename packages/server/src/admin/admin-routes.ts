import { accountRoutes } from './accounts/routes.ts';
import type { AdminContext } from './admin-deps.ts';
import { alertRoutes } from './alerts/routes.ts';
import { auditRoutes } from './audit/routes.ts';
import { ownSecurityRoutes } from './auth/own-security.ts';
import { authRoutes } from './auth/routes.ts';
import { workspaceChoiceRoutes } from './auth/workspace-choice.ts';
import { backupRoutes } from './backup/routes.ts';
import { budgetRoutes } from './budgets/routes.ts';
import { entryRoutes } from './entry/routes.ts';
import { healthRoutes } from './health/routes.ts';
import { importRoutes } from './imports/routes.ts';
import { incidentRoutes } from './incident/routes.ts';
import { invitationRoutes } from './invitations/routes.ts';
import { keyRoutes } from './keys/routes.ts';
import { limitRoutes } from './limits/routes.ts';
import { metricsRoutes } from './metrics/routes.ts';
import { oauthRoutes } from './oauth/routes.ts';
import { passkeyRoutes } from './passkeys/routes.ts';
import { poolRoutes } from './pool/routes.ts';
import { namedPoolRoutes } from './pools/routes.ts';
import { priceRoutes } from './prices/routes.ts';
import { projectRoutes } from './projects/routes.ts';
import { providerRoutes } from './providers/routes.ts';
import { requestRoutes } from './requests/routes.ts';
import { roleRoutes } from './roles/routes.ts';
import { rollupRoutes } from './rollups/routes.ts';
import type { AdminRoute } from './route.ts';
import { ruleRoutes } from './rules/routes.ts';
import { secondFactorRoutes } from './second-factor/routes.ts';
import { securityRoutes } from './security/routes.ts';
import { sessionRoutes } from './sessions/routes.ts';
import { setupRoutes } from './setup/routes.ts';
import { ssoRoutes } from './sso/routes.ts';
import { ssoSettingsRoutes } from './sso/settings-routes.ts';
import { systemRoutes } from './system/routes.ts';
import { usageRoutes } from './usage/routes.ts';
import { userRoutes } from './users/routes.ts';
import { vaultRoutes } from './vault/routes.ts';
import { workspaceRoutes } from './workspaces/routes.ts';

/** Every resource of the admin API: one folder and one line each. */
export function adminRoutes(context: AdminContext): AdminRoute[] {
  return [
    healthRoutes,
    metricsRoutes,
    setupRoutes,
    authRoutes,
    workspaceChoiceRoutes,
    ownSecurityRoutes,
    passkeyRoutes,
    ssoRoutes,
    ssoSettingsRoutes,
    sessionRoutes,
    entryRoutes,
    userRoutes,
    invitationRoutes,
    roleRoutes,
    secondFactorRoutes,
    keyRoutes,
    projectRoutes,
    accountRoutes,
    oauthRoutes,
    poolRoutes,
    namedPoolRoutes,
    ruleRoutes,
    providerRoutes,
    usageRoutes,
    requestRoutes,
    systemRoutes,
    rollupRoutes,
    backupRoutes,
    priceRoutes,
    auditRoutes,
    securityRoutes,
    incidentRoutes,
    importRoutes,
    budgetRoutes,
    alertRoutes,
    limitRoutes,
    vaultRoutes,
    workspaceRoutes,
  ].flatMap((routesOf) => routesOf(context));
}
