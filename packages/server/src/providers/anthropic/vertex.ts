import { setMember } from '../../kernel/json-span.ts';
import type { Envelope, ProviderAdapter } from '../provider.ts';
import { withBearer } from '../shared/bearer.ts';
import { withVertexTraffic } from '../shared/vertex-traffic.ts';
import { withoutMembers } from '../shared/without-members.ts';

const VERTEX_VERSION = 'vertex-2023-10-16';

/** The Messages API as Vertex AI has it: the model stands in the path, the version in the body. */
const vertexEnvelope: Envelope = {
  wrap({ flavor, path, query, headers, body, model, stream }) {
    if (body === null) return { path: `${path.replace(/^\/v1/, '')}${query}`, headers: [...headers], body };
    const counts = flavor === 'anthropic.count_tokens';
    const name = counts ? 'count-tokens' : encodeURIComponent(model ?? '');
    const action = stream && !counts ? 'streamRawPredict' : 'rawPredict';
    const kept = counts ? body : withoutMembers(body, ['model']);
    return {
      path: `/models/${name}:${action}`,
      headers: headers.filter((_, i) => headers[i - (i % 2)]?.toLowerCase() !== 'anthropic-version'),
      body: setMember(kept, 'anthropic_version', JSON.stringify(VERTEX_VERSION)),
    };
  },
  openAnswer: () => null,
};

/** The adapter for Anthropic's models on Vertex AI, which takes Google's access tokens. */
export function onVertex(adapter: ProviderAdapter): ProviderAdapter {
  const { counting: _otherPath, ...rest } = adapter;
  return {
    ...rest,
    routes: adapter.routes.filter((route) => route.method === 'POST'),
    credentialHeaders: (credential) =>
      credential === null ? [] : [['authorization', `Bearer ${credential.reveal()}`]],
    oauthHeaders: withBearer,
    envelope: vertexEnvelope,
    requestShape: (flavor, body, bodyBytes, headers) =>
      withVertexTraffic(adapter.requestShape(flavor, body, bodyBytes, headers), headers),
  };
}
