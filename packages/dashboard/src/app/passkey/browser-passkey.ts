type Browser = typeof import('@simplewebauthn/browser');
type CreationOptions = Parameters<Browser['startRegistration']>[0]['optionsJSON'];
type RequestOptions = Parameters<Browser['startAuthentication']>[0]['optionsJSON'];

/** Fetched when somebody wants a passkey: the first page does not carry it. */
const browser = (): Promise<Browser> => import('@simplewebauthn/browser');

/**
 * Why no passkey can be made or used here, in a sentence; null when one can. Browsers tie passkeys to a host name
 * and offer them on secure pages alone.
 */
export function passkeyObstacle(): string | null {
  const { hostname, port, pathname } = window.location;
  if (/^[\d.]+$/.test(hostname) || hostname.startsWith('[')) {
    const local = hostname.startsWith('127.') || hostname === '[::1]';
    return local
      ? `Passkeys need a host name. Open http://localhost${port === '' ? '' : `:${port}`}${pathname} instead.`
      : 'Passkeys need a host name. Open this page under its name instead of its address.';
  }
  if (!window.isSecureContext) return 'Passkeys need https. This page was opened without it.';
  return typeof window.PublicKeyCredential === 'function' ? null : 'This browser has no passkeys.';
}

/** Browsers say little about why; most often somebody pressed Cancel, and that is what it means to them. */
function readable(error: unknown, fallback: string): Error {
  if (error instanceof Error && error.name === 'InvalidStateError') {
    return new Error('This device has a passkey for your account already.');
  }
  return new Error(fallback, { cause: error });
}

/** Has the browser make a passkey. */
export async function makePasskey(options: unknown): Promise<unknown> {
  const { startRegistration } = await browser();
  const made = await startRegistration({ optionsJSON: options as CreationOptions }).catch(
    (error: unknown) => {
      throw readable(error, 'The browser made no passkey: it was cancelled or took too long.');
    },
  );
  const { clientDataJSON, attestationObject, transports = [] } = made.response;
  const { id, rawId, type } = made;
  return { id, rawId, type, response: { clientDataJSON, attestationObject, transports } };
}

/** Has the browser show that somebody holds a passkey. */
export async function showPasskey(options: unknown): Promise<unknown> {
  const { startAuthentication } = await browser();
  const shown = await startAuthentication({ optionsJSON: options as RequestOptions }).catch(
    (error: unknown) => {
      throw readable(
        error,
        'The browser showed no passkey: it was cancelled, or there is none for this address.',
      );
    },
  );
  const { clientDataJSON, authenticatorData, signature } = shown.response;
  const { id, rawId, type } = shown;
  return { id, rawId, type, response: { clientDataJSON, authenticatorData, signature } };
}
