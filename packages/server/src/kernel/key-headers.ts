/**
 * Headers that clients carry a key of the gate in, beside `Authorization: Bearer`: those of the official SDKs, and
 * those that keys of administrators and of widgets have had elsewhere (CW-02). None of them ever goes upstream.
 */
export const KEY_HEADERS = ['x-api-key', 'x-goog-api-key', 'x-admin-api-key', 'x-widget-api-key'] as const;
