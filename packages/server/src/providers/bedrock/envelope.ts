import { findMember, setMember } from '../../kernel/json-span.ts';
import type { Envelope } from '../provider.ts';
import { withoutMembers } from '../shared/without-members.ts';
import { reframeAsSse } from './event-stream.ts';
import { reframeError } from './exceptions.ts';

const BEDROCK_VERSION = 'bedrock-2023-05-31';
const EVENT_STREAM = 'application/vnd.amazon.eventstream';
/** Headers of the wire format that Bedrock has no use for, and of AWS, which only the gate sets. */
const NOT_FORWARDED = /^(?:anthropic-|x-amz-|x-amzn-|accept-encoding$)/i;

function namesIn(headers: readonly string[], wanted: string): string[] {
  return headers
    .filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === wanted)
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * InvokeModel takes the body of the Messages API without `model` and `stream`, which stand in the path, and with the
 * version and the betas, which stand in headers elsewhere. Everything else keeps its bytes.
 */
export const bedrockEnvelope: Envelope = {
  wrap({ path, headers, body, model, stream }) {
    const kept = headers.filter((_, i) => !NOT_FORWARDED.test(headers[i - (i % 2)] ?? ''));
    if (body === null) return { path, headers: kept, body };
    const betas = namesIn(headers, 'anthropic-beta');
    let wrapped = withoutMembers(body, ['model', 'stream']);
    if (betas.length > 0 && findMember(wrapped, 'anthropic_beta') === null)
      wrapped = setMember(wrapped, 'anthropic_beta', JSON.stringify(betas));
    if (findMember(wrapped, 'anthropic_version') === null)
      wrapped = setMember(wrapped, 'anthropic_version', JSON.stringify(BEDROCK_VERSION));
    const action = stream ? 'invoke-with-response-stream' : 'invoke';
    return { path: `/model/${encodeURIComponent(model ?? '')}/${action}`, headers: kept, body: wrapped };
  },
  openAnswer({ status, contentType }) {
    if (status >= 400) return { contentType: 'application/json', reframer: reframeError(status) };
    return contentType.startsWith(EVENT_STREAM)
      ? { contentType: 'text/event-stream; charset=utf-8', reframer: reframeAsSse() }
      : null;
  },
};
