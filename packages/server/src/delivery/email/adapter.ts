import { z } from 'zod';
import { Secret } from '../../kernel/secret.ts';
import type { ChannelAdapter, DeliveryTools, Notice, SendResult } from '../channel-adapter.ts';
import { failureInWords } from '../shared/http-post.ts';
import { emailPayload } from './payload.ts';

const DEADLINE_MS = 20_000;

const shown = z.object({
  host: z.string(),
  port: z.number(),
  security: z.enum(['tls', 'starttls', 'none']),
  username: z.string().nullable(),
  from: z.string(),
  to: z.array(z.string()),
});
type Shown = z.output<typeof shown>;

/** What an SMTP server said is not repeated: it may quote the mailboxes or the login. */
function refusalInWords(error: unknown): { status: number | null; message: string } {
  const { responseCode, code } = error as { responseCode?: unknown; code?: unknown };
  if (code === 'EAUTH') return { status: 535, message: 'The mail server refused the user name or password.' };
  if (code === 'ETLS')
    return { status: null, message: 'The mail server offers no encryption that can be trusted.' };
  if (typeof responseCode === 'number')
    return { status: responseCode, message: `The mail server answered ${responseCode}.` };
  return { status: null, message: failureInWords(error) };
}

async function sendMail(
  notice: Notice,
  to: Shown & { pass: string | null },
  open: SocketSource,
): Promise<void> {
  const { createTransport } = await import('nodemailer'); // only where mail is sent
  const connection = await open();
  const transport = createTransport({
    host: to.host,
    port: to.port,
    // The guard opened the socket; TLS on top of it is the library's, and checks the certificate's name.
    connection,
    secure: to.security === 'tls',
    requireTLS: to.security === 'starttls',
    ignoreTLS: to.security === 'none',
    connectionTimeout: DEADLINE_MS,
    greetingTimeout: DEADLINE_MS,
    socketTimeout: DEADLINE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(to.username === null ? {} : { auth: { user: to.username, pass: to.pass ?? '' } }),
  });
  const deadline = setTimeout(() => connection.destroy(new Error('deadline')), DEADLINE_MS);
  try {
    await transport.sendMail({
      from: { name: 'Tallygate', address: to.from },
      to: to.to.map((address) => ({ name: '', address })),
      messageId: `<${notice.eventId}@${to.from.split('@')[1] ?? 'tallygate'}>`,
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Tallygate-Event': notice.eventId },
      ...emailPayload(notice),
    });
  } finally {
    clearTimeout(deadline);
    transport.close();
    connection.destroy();
  }
}

type SocketSource = () => ReturnType<DeliveryTools['egress']['connect']>;

/** E-mail through somebody's own SMTP server. */
export const emailChannel: ChannelAdapter = {
  kind: 'email',
  configure(target) {
    if (target.kind !== 'email') return null;
    const { host, port, security, username = null, password, from, to } = target;
    return {
      config: JSON.stringify({ host, port, security, username, from, to } satisfies Shown),
      secret: password === undefined ? null : new Secret(password),
      destination: `${to.join(', ')} (${host})`,
      endpoint: { hostname: host.includes(':') ? `[${host}]` : host, port, encrypted: security !== 'none' },
      madeSecret: null,
    };
  },
  render(notice) {
    const { subject, text } = emailPayload(notice);
    return { contentType: 'text/plain', body: `Subject: ${subject}\n\n${text}` };
  },
  async send(notice, { config, secret, allowPrivate }, { egress }): Promise<SendResult> {
    try {
      const to = shown.parse(JSON.parse(config));
      const open: SocketSource = () => egress.connect({ hostname: to.host, port: to.port, allowPrivate });
      await sendMail(notice, { ...to, pass: secret?.reveal() ?? null }, open);
      return { ok: true, status: 250, message: 'The mail server took it.', retryAfterMs: null };
    } catch (error) {
      return { ok: false, ...refusalInWords(error), retryAfterMs: null };
    }
  },
};
