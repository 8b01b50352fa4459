import { sessionCredential } from '../../identity/principal.ts';
import { startSession } from '../../identity/sign-in.ts';
import type { SsoFlow } from '../../identity/sso.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminContext } from '../admin-deps.ts';
import { owedBy, setCookie } from '../auth/me-view.ts';
import type { FlowChange, Outcome, RawCall } from '../route.ts';

type Sent = Omit<Extract<Outcome, { kind: 'redirect' }>, 'kind'>;

const CLEARED: FlowChange = { action: 'clear' };

/** A browser that came back from its provider goes on to the dashboard, signed in or with the code of what was wrong. */
export async function finishReturn(context: AdminContext, call: RawCall): Promise<Sent> {
  let flow: SsoFlow | null = null;
  try {
    if (context.sso === null) throw new AppError('resource_not_found');
    flow = context.sso.open(call.flowCookie);
    return await (flow.userId === null ? signIn(context, call, flow) : connect(context, call, flow));
  } catch (problem) {
    return failed(context, call, { flow, problem });
  }
}

async function signIn(context: AdminContext, call: RawCall, flow: SsoFlow): Promise<Sent> {
  const { user, rules } = await entryOf(context, call, flow);
  const { principal, origin } = call;
  if (principal.kind === 'session') {
    const { idHash } = principal.session.row;
    await context.sessions.end(idHash);
    context.endStreamsOf(sessionCredential(idHash));
  }
  const settled = rules.settlesSecondFactor;
  const { token, session } = await startSession(context, user, { origin, method: 'sso', settled });
  const owed = await owedBy(context, session);
  const location = owed.length === 0 ? flow.returnPath : withQuery('/login', { owed: owed.join(',') }, flow);
  return { location: safe(location), session: setCookie(token, session), flow: CLEARED };
}

async function connect(context: AdminContext, call: RawCall, flow: SsoFlow): Promise<Sent> {
  await entryOf(context, call, flow);
  return { location: flow.returnPath, flow: CLEARED };
}

async function entryOf(context: AdminContext, call: RawCall, flow: SsoFlow) {
  const { sso } = context;
  if (sso === null) throw new AppError('resource_not_found');
  const entry = await sso.finish(flow, paramsOf(call.query));
  const { user } = entry;
  call.audit.actor({ kind: 'user', id: user.id, name: user.username });
  if (entry.what === 'made') {
    call.audit.changed('user', user.id, { after: { ...user, role: entry.role } });
  }
  if (entry.what === 'known' && entry.moved !== null) {
    const { before, after } = entry.moved;
    call.audit.changed('user', user.id, { before: { role: before }, after: { role: after } });
  }
  if (entry.what === 'connected') {
    const row = await context.store.sso.findSsoIdentityOf(user.id);
    call.audit.changed('sso_identity', row?.id ?? null, { after: row ?? {} });
  }
  return { user, rules: sso.rules };
}

function paramsOf(query: unknown): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  return params;
}

function withQuery(path: string, query: Record<string, string>, flow: SsoFlow | null): string {
  const params = new URLSearchParams(query);
  if (flow !== null && flow.returnPath !== '/') params.set('return', flow.returnPath);
  return `${path}?${params}`;
}

/** A path of this dashboard and nothing else: `//host` and `/\host` lead to other sites. */
function safe(path: string): string {
  return /^\/(?![/\\])[^\p{Cc}\\]*$/u.test(path) ? path : '/';
}

interface Failure {
  flow: SsoFlow | null;
  problem: unknown;
}

function failed(context: AdminContext, call: RawCall, { flow, problem }: Failure): Sent {
  const code = problem instanceof AppError ? problem.code : 'internal_error';
  const cause = problem instanceof AppError ? problem.cause : problem;
  const fields = { requestId: call.requestId, code, reason: cause instanceof Error ? cause.message : code };
  if (code === 'internal_error') context.logger.error('signing in through the provider failed', fields);
  else context.logger.warn('signing in through the provider failed', fields);
  const page = flow === null || flow.userId === null ? '/login' : flow.returnPath;
  return { location: safe(`${page}?problem=${code}`), flow: CLEARED, problem };
}
