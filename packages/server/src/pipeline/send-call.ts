import type { Egress } from '../egress/egress.ts';
import type { SentExchange } from './exchange-deps.ts';
import { answerLocally } from './local/local-answer.ts';

/** Dispatches an attempt to the account that its call names, with the credential of this moment. */
export function sendCall(
  exchange: SentExchange,
  { egress, limits }: { egress: Egress; limits: { firstByteTimeoutMs: number; idleTimeoutMs: number } },
): void {
  const { call } = exchange;
  const { authorizer, target } = call.account;
  let { headers } = call;
  try {
    if (call.local !== null) return answerLocally(exchange, call.local);
    // The client's own key is the credential, where a rule says so: the account's would go out over it.
    if (authorizer !== null && (call.routing === null || call.routing.ownKey === null)) {
      call.credentialVersion = authorizer.version();
      const { method, path, body } = call;
      headers = authorizer.authorize({ method, path, headers, body, origin: target.origin });
    }
    egress.upstream(target).send(
      {
        path: call.path,
        method: call.method,
        headers,
        body: call.body,
        headTimeoutMs: limits.firstByteTimeoutMs,
        bodyTimeoutMs: limits.idleTimeoutMs,
      },
      exchange,
    );
  } catch (error) {
    exchange.failed(error);
  }
}
