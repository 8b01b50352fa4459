import {
  destinationList,
  file,
  hostNameList,
  networkList,
  originList,
  originListOrAny,
  portOrNone,
} from './network-kinds.ts';
import { oneOf, setting, switchKind, wholeNumber } from './setting.ts';

const KIB = 1024;
const SECOND_MS = 1000;
const HOUR_MS = 3600 * SECOND_MS;

/** The settings about who may connect here, and where this program may connect to. */
export const NETWORK_SETTINGS = {
  tlsCertFile: setting<string | null>({
    kind: file(),
    default: null,
    defaultDoc: 'not set: plain HTTP',
    group: 'Network',
    aliases: ['TLS_CERT_FILE'],
    doc: 'Certificate chain (PEM, the own certificate first) for https on the listener; read again when it changes.',
  }),
  tlsKeyFile: setting<string | null>({
    kind: file(),
    default: null,
    defaultDoc: 'not set',
    group: 'Network',
    aliases: ['TLS_KEY_FILE'],
    doc: 'Private key of the certificate (PEM, without a passphrase).',
  }),
  httpRedirectPort: setting<number | null>({
    kind: portOrNone(),
    default: null,
    defaultDoc: 'not set: no such port',
    group: 'Network',
    aliases: ['HTTP_REDIRECT_PORT'],
    doc: 'A second port for plain HTTP that sends browsers to https and refuses calls; 0 takes any free one.',
  }),
  trustedProxies: setting<string[]>({
    kind: networkList(),
    default: [],
    defaultDoc: 'none',
    group: 'Network',
    aliases: ['TRUSTED_PROXIES'],
    doc: 'Reverse proxies that are believed when they say who the client is and how it came; all others are not.',
  }),
  proxyHeaders: setting<'x-forwarded' | 'forwarded'>({
    kind: oneOf(['x-forwarded', 'forwarded']),
    default: 'x-forwarded',
    group: 'Network',
    aliases: ['PROXY_HEADERS'],
    doc: 'What the trusted proxies write: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239). The other kind is not read.',
  }),
  allowedHosts: setting<string[]>({
    kind: hostNameList(),
    default: [],
    defaultDoc: 'loopback names when bound to loopback, otherwise any',
    group: 'Network',
    aliases: ['ALLOWED_HOSTS'],
    doc: 'Names, without port, under which people reach dashboard and API; others are refused then, except loopback names.',
  }),
  allowedClientAddresses: setting<string[]>({
    kind: networkList(),
    default: [],
    defaultDoc: 'all',
    group: 'Network',
    aliases: ['ALLOWED_CLIENT_ADDRESSES'],
    doc: 'Addresses and networks of the clients that are answered; the command line of this machine is not concerned.',
  }),
  maxHeaderBytes: setting<number>({
    kind: wholeNumber(4 * KIB, 1024 * KIB),
    default: 64 * KIB,
    group: 'Network',
    doc: 'Largest request line and header fields together; larger ones answer 431.',
  }),
  headersTimeoutMs: setting<number>({
    kind: wholeNumber(SECOND_MS, HOUR_MS),
    default: 30 * SECOND_MS,
    group: 'Network',
    doc: 'How long a client may take for the headers of a request, a TLS handshake included.',
  }),
  requestTimeoutMs: setting<number>({
    kind: wholeNumber(SECOND_MS, HOUR_MS),
    default: 300 * SECOND_MS,
    group: 'Network',
    doc: 'How long a client may take to send a whole request; answers take as long as they need.',
  }),
  maxConnections: setting<number>({
    kind: wholeNumber(1, 1_000_000),
    default: 20_000,
    group: 'Network',
    doc: 'Connections that may be open at once; further ones are closed at once.',
  }),
  maxConnectionsPerAddress: setting<number>({
    kind: wholeNumber(1, 1_000_000),
    default: 4_096,
    group: 'Network',
    doc: 'The same from one address; trusted proxies are exempt, since they bring everybody.',
  }),
  corsAllowedOrigins: setting<string[]>({
    kind: originListOrAny(),
    default: [],
    defaultDoc: 'none',
    group: 'Network',
    aliases: ['CORS_ALLOWED_ORIGINS', 'CORS_ORIGIN'],
    doc: 'Web origins whose pages may call the API of the models (CORS); * means any and works on loopback only.',
  }),
  cspReportOnly: setting<boolean>({
    kind: switchKind(),
    default: false,
    group: 'Network',
    aliases: ['CSP_REPORT_ONLY'],
    doc: 'Has browsers report what the content security policy of the dashboard would stop, without stopping it.',
  }),
  cspConnectSrc: setting<string[]>({
    kind: originList(['https:', 'http:', 'wss:', 'ws:']),
    default: [],
    defaultDoc: 'none',
    group: 'Network',
    aliases: ['CSP_CONNECT_SRC'],
    doc: 'Further origins the dashboard may connect to under its content security policy.',
  }),
  egressAllowPrivate: setting<'accounts' | 'listed' | 'never'>({
    kind: oneOf(['accounts', 'listed', 'never']),
    default: 'accounts',
    group: 'Network',
    aliases: ['EGRESS_ALLOW_PRIVATE'],
    doc: 'Who may permit upstreams on this machine or in private networks: accounts = each account for itself, and the list; listed = only the list in egressAllowHosts; never = nobody.',
  }),
  egressAllowHosts: setting<string[]>({
    kind: destinationList(),
    default: [],
    defaultDoc: 'none',
    group: 'Network',
    aliases: ['EGRESS_ALLOW_HOSTS'],
    doc: 'Upstreams that may be private without the permission of an account: exact hosts, with or without a port, and networks.',
  }),
};
