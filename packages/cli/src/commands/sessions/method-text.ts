/** Of the codes of the API, in words. */
const METHODS: Readonly<Record<string, string>> = {
  password: 'password',
  link: 'link',
  passkey: 'passkey',
  sso: 'single sign-on',
};

/** What a session was begun with; sessions of older versions do not say. */
export const methodText = (method: string | null): string => METHODS[method ?? ''] ?? 'unknown';
