import type { AdminContext } from '../admin/admin-deps.ts';
import { changesBetween } from '../admin/audit-fields.ts';
import type { AuditActor, CallAudit } from '../admin/call-audit.ts';
import type { RouteRow } from '../admin/route.ts';
import { type Principal, workspaceOf } from '../identity/principal.ts';
import type { SessionOrigin } from '../identity/sessions.ts';
import { AppError } from '../kernel/errors.ts';
import type { AuditChange, AuditDraft, AuditOutcome } from '../store/ports/audit.ts';
import { asAppError } from './error-answer.ts';

/** The audit record of one call, from its beginning to its outcome. */
export interface OpenCallAudit extends CallAudit {
  /** Records a success. @throws AppError `audit_unavailable` for classes that must not go unrecorded */
  succeeded(status: number): Promise<void>;
  /** Records a refusal or failure. Never throws: the caller gets the error that there was. */
  failed(error: unknown): Promise<void>;
}

interface Known {
  route: RouteRow;
  requestId: string;
  origin: SessionOrigin;
  principal: Principal;
}

/** Limits on frequency would be useless if every refusal by them were written down. They are counted instead. */
const NOT_WRITTEN = new Set(['rate_limited', 'login_throttled']);

function actorOf(principal: Principal): AuditActor {
  if (principal.kind === 'session') {
    const { id, username } = principal.session.user;
    return { kind: 'user', id, name: username };
  }
  if (principal.kind === 'key') return { kind: 'key', id: principal.key.id, name: principal.key.name };
  return { kind: principal.kind, id: null, name: null };
}

class CallRecord implements OpenCallAudit {
  readonly #context: AdminContext;
  readonly #known: Known;
  /** Classes of which no act goes unrecorded. */
  readonly #strict: boolean;
  /** Null for what is not of one workspace, and for the first one: most installations have no other. */
  readonly #workspaceId: string | null;
  #actor: AuditActor;
  #resource: { name: string; id: string | null } | null = null;
  #changes: AuditChange[] = [];

  constructor(context: AdminContext, known: Known) {
    this.#context = context;
    this.#known = known;
    this.#strict = known.route.audit === 'change' || known.route.audit === 'secret';
    this.#actor = actorOf(known.principal);
    const workspaceId = known.route.reach === 'installation' ? null : workspaceOf(known.principal);
    this.#workspaceId = workspaceId === context.firstWorkspaceId ? null : workspaceId;
  }

  about: CallAudit['about'] = (resource, id) => {
    this.#resource = { name: resource, id };
  };

  changed: CallAudit['changed'] = (resource, id, { before = null, after = null }) => {
    this.about(resource, id);
    this.#changes = changesBetween(resource, before, after);
  };

  actor: CallAudit['actor'] = (actor) => {
    this.#actor = actor;
  };

  async begin(): Promise<void> {
    if (!this.#strict) return;
    try {
      await this.#append({ outcome: 'started', status: null, errorCode: null });
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  async succeeded(status: number): Promise<void> {
    if (this.#known.route.audit === 'none') return;
    try {
      await this.#append({ outcome: 'ok', status, errorCode: null });
    } catch (error) {
      const failure = this.#unavailable(error);
      if (this.#strict) throw failure;
    }
  }

  async failed(thrown: unknown): Promise<void> {
    const { code, status } = asAppError(thrown);
    if (this.#known.route.audit === 'none' || code === 'audit_unavailable' || NOT_WRITTEN.has(code)) return;
    const outcome: AuditOutcome = status >= 500 ? 'failed' : 'refused';
    await this.#append({ outcome, status, errorCode: code }).catch((error) => this.#unavailable(error));
  }

  #unavailable(cause: unknown): AppError {
    const { requestId, route } = this.#known;
    this.#context.logger.error('the audit log cannot be written', {
      requestId,
      route: route.path,
      error: cause,
    });
    return new AppError('audit_unavailable', { cause });
  }

  async #append(end: Pick<AuditDraft, 'outcome' | 'status' | 'errorCode'>): Promise<void> {
    const { route, requestId, origin } = this.#known;
    await this.#context.store.audit.append({
      ...end,
      atMs: this.#context.clock.now(),
      actorKind: this.#actor.kind,
      actorId: this.#actor.id,
      actorName: this.#actor.name,
      action: `${route.method} ${route.path}`,
      auditClass: route.audit,
      requestId,
      address: origin.address,
      userAgent: origin.userAgent,
      resource: this.#resource?.name ?? null,
      resourceId: this.#resource?.id ?? null,
      workspaceId: this.#workspaceId,
      changes: end.outcome === 'ok' ? this.#changes : [],
    });
  }
}

/** Opens the audit record of a call. Nothing is written before `begin`, `succeeded` or `failed`. */
export function openCallAudit(context: AdminContext, known: Known): OpenCallAudit {
  return new CallRecord(context, known);
}
