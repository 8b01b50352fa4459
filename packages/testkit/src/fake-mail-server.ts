import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { TestCertificate } from './self-signed.ts';

export interface ReceivedMail {
  from: string;
  to: string[];
  /** The whole message, headers included. */
  message: string;
  secure: boolean;
  user: string | null;
}

/** A real SMTP server that keeps what it gets. */
export interface FakeMailServer {
  port: number;
  mails: ReceivedMail[];
  /** Null takes mail; a number refuses it with this code. */
  refusal: number | null;
  stop(): Promise<void>;
}

export interface FakeMailOptions {
  /** Offers STARTTLS, or speaks TLS from the first byte when `implicit`. */
  certificate?: TestCertificate;
  implicit?: boolean;
  /** Takes only this login. */
  login?: { user: string; password: string };
}

export async function startFakeMailServer(options: FakeMailOptions = {}): Promise<FakeMailServer> {
  const { certificate, implicit = false, login } = options;
  const fake: FakeMailServer = { port: 0, mails: [], refusal: null, stop: async () => undefined };
  const server = new SMTPServer({
    secure: implicit,
    authOptional: login === undefined,
    disabledCommands: [
      ...(certificate === undefined || implicit ? ['STARTTLS'] : []),
      ...(login === undefined ? ['AUTH'] : []),
    ],
    ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
    logger: false,
    onAuth(auth, _session, callback) {
      if (auth.username === login?.user && auth.password === login?.password)
        callback(null, { user: auth.username });
      else callback(new Error('wrong user name or password'));
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (fake.refusal !== null) {
          callback(Object.assign(new Error('not today'), { responseCode: fake.refusal }));
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        fake.mails.push({
          from: mailFrom === false ? '' : (mailFrom?.address ?? ''),
          to: rcptTo.map(({ address }) => address),
          message: Buffer.concat(chunks).toString('utf8'),
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : null,
        });
        callback(null);
      });
    },
  });
  server.on('error', () => undefined); // clients that do not like the certificate leave
  const listening = server.listen(0, '127.0.0.1');
  await new Promise<void>((resolve) => listening.once('listening', () => resolve()));
  fake.port = (listening.address() as AddressInfo).port;
  fake.stop = () => new Promise((resolve) => server.close(() => resolve()));
  return fake;
}
