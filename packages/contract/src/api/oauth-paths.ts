// Apart from the schemas of OAuth: the dashboard's router knows these paths, and its first load brings no zod along.

/** Where a provider sends the browser back to, on the gate's own address: the redirect address to register. */
export const OAUTH_CALLBACK_PATH = '/api/oauth/callback';
/** The page of the dashboard that completes such a sign-in. */
export const OAUTH_RETURN_PAGE = '/accounts/signed-in';
