import type { Envelope, ProviderAdapter } from '../provider.ts';
import { withBearer } from '../shared/bearer.ts';
import { withVertexTraffic } from '../shared/vertex-traffic.ts';

/** The Gemini API as Vertex AI has it: the base path ends in its version and publisher, and the route's version goes. */
const vertexEnvelope: Envelope = {
  wrap: ({ path, query, headers, body }) => ({
    path: `${path.replace(/^\/v1(?:beta)?(?=\/)/, '')}${query}`,
    headers: [...headers],
    body,
  }),
  openAnswer: () => null,
};

/** The adapter for Google's models on Vertex AI, which takes access tokens. */
export function onVertex(adapter: ProviderAdapter): ProviderAdapter {
  const { counting: _ofGoogleAi, ...rest } = adapter;
  return {
    ...rest,
    credentialHeaders: (credential) =>
      credential === null ? [] : [['authorization', `Bearer ${credential.reveal()}`]],
    oauthHeaders: withBearer,
    envelope: vertexEnvelope,
    requestShape: (flavor, body, bodyBytes, headers) =>
      withVertexTraffic(adapter.requestShape(flavor, body, bodyBytes, headers), headers),
  };
}
