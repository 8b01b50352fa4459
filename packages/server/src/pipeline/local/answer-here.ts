import type { IncomingMessage } from 'node:http';
import { AppError } from '../../kernel/errors.ts';
import type { PoolAccount } from '../../pool/pool.ts';
import { Losses } from '../../translate/hub/losses.ts';
import { UnreadableRequest } from '../../translate/hub/unreadable-request.ts';
import type { Call } from '../call.ts';
import { splitTarget } from '../request-target.ts';
import { inputSize } from '../translation/input-size.ts';
import { clientBody, type TranslateDeps } from '../translation/translate-request.ts';
import type { LocalAnswer } from './local-answer.ts';
import { createUsableModels, upstreamKnows } from './usable-models.ts';

/** Says that a number is not the provider's own. */
export const ESTIMATE_HEADER = 'x-tallygate-estimate';

type Known = Pick<Call, 'id' | 'route' | 'facts' | 'sent' | 'startedAtMs' | 'snapshot' | 'key'>;
/** The answer that the gate gives itself; null when the account's upstream is asked. */
export type AnswerHere = (request: IncomingMessage, known: Known, account: PoolAccount) => LocalAnswer | null;

function listModels(
  request: IncomingMessage,
  known: Known,
  modelsOf: ReturnType<typeof createUsableModels>,
): LocalAnswer | null {
  const { route, snapshot, key } = known;
  if (route.listModels === undefined || upstreamKnows(snapshot, key, route.flavor)) return null;
  const { path, query } = splitTarget(request.url ?? '');
  const asked = { path, query: new URLSearchParams(query) };
  const list = route.listModels(modelsOf(snapshot, key), asked);
  if (list === null)
    throw new AppError('resource_not_found', {
      detail: 'No account of this key is known to serve that model.',
    });
  return { body: Buffer.from(JSON.stringify(list)), headers: [] };
}

function estimate(known: Known, { translators, ratio }: TranslateDeps): LocalAnswer {
  const { route, facts } = known;
  const format = translators.formatOf(route.serves ?? '');
  if (format === null || format.count === null) throw new AppError('no_account');
  const target = { model: facts.model ?? '', stream: false };
  try {
    const ask = format.readRequest(format.count.read(clientBody(known)), target, new Losses());
    const tokens = ratio.estimate(target.model, inputSize(ask));
    return {
      body: Buffer.from(JSON.stringify(format.count.write(tokens))),
      headers: [ESTIMATE_HEADER, 'true'],
    };
  } catch (error) {
    if (!(error instanceof UnreadableRequest)) throw error;
    throw new AppError('invalid_request', { detail: error.message });
  }
}

/** Builds what answers lists of models, and counts of tokens where the account's API has none. */
export function createAnswerHere(deps: TranslateDeps): AnswerHere {
  const modelsOf = createUsableModels();
  return (request, known, account) => {
    if (known.route.listModels !== undefined) return listModels(request, known, modelsOf);
    return account.flavors.has(known.route.flavor) ? null : estimate(known, deps);
  };
}
