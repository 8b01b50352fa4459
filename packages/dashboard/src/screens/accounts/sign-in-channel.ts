import type { AccountView } from '@tallygate/contract/api/accounts';
import { OAUTH_CALLBACK_PATH } from '@tallygate/contract/api/oauth-paths';
import { useEffect, useEffectEvent } from 'react';

/** Between the tab where a sign-in was begun and the one that the provider came back to; same origin only. */
const CHANNEL = 'tallygate-sign-in';

interface Told {
  sessionId: string;
  account: AccountView;
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Where providers can send the browser back to this gate; null over plain http elsewhere than on this machine. */
export function callbackOf({ origin, protocol, hostname }: Location): string | null {
  return protocol === 'https:' || LOOPBACK.has(hostname) ? `${origin}${OAUTH_CALLBACK_PATH}` : null;
}

/** Tells the other tab that its sign-in is complete. */
export function tellSignedIn(told: Told): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(told);
  channel.close();
}

/**
 * Calls `onDone` once the sign-in was completed in another tab. The channel stays open for as long as the session is
 * waited for, whatever is drawn anew meanwhile: what is told while it is opened again would never be heard.
 */
export function useSignedInElsewhere(sessionId: string, onDone: (account: AccountView) => void): void {
  const heard = useEffectEvent((told: Told) => {
    if (told.sessionId === sessionId) onDone(told.account);
  });
  useEffect(() => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }: MessageEvent<Told>) => heard(data);
    return () => channel.close();
  }, []);
}
