/** The server's words for the codes that can come back from the identity provider, without the whole table of errors. */
const TEXTS: Readonly<Record<string, string>> = {
  sso_not_allowed:
    'Your provider knows you, but you have no role here. Ask whoever runs this installation to let your group in.',
  sso_name_taken:
    'A user with your name exists here already. If that is you, sign in with the password and connect your provider under My security.',
  sso_connected: 'That account of your provider belongs to a user here already.',
  sso_unavailable:
    'Your identity provider cannot be reached, or does not answer as it should. Try again later.',
};

/** What a code in the address means; anything else is said to have failed, and never repeated. */
export function ssoProblemText(code: string): string {
  return Object.hasOwn(TEXTS, code)
    ? (TEXTS[code] ?? '')
    : 'Signing in through your provider did not work. Try again; when it stays so, the log of the server says why.';
}
