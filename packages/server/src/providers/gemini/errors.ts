import type { ErrorRenderer } from '../provider.ts';

/** google.rpc.Code names by HTTP status, as the API answers them. */
const STATUS: ReadonlyMap<number, string> = new Map([
  [400, 'INVALID_ARGUMENT'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [413, 'INVALID_ARGUMENT'],
  [415, 'INVALID_ARGUMENT'],
  [429, 'RESOURCE_EXHAUSTED'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
]);

/** Renders an error of the gate the way the Gemini API does (google.rpc.Status, with an ErrorInfo for programs). */
export const renderGeminiError: ErrorRenderer = ({ code, status, message, requestId }) => ({
  contentType: 'application/json; charset=UTF-8',
  body: JSON.stringify({
    error: {
      code: status,
      message,
      status: STATUS.get(status) ?? 'INTERNAL',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: code.toUpperCase(),
          domain: 'tallygate',
          metadata: { requestId },
        },
      ],
    },
  }),
});
