import type { ConfigProblem } from './config-error.ts';
import type { Config } from './settings.ts';

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

type Rule = (config: Config) => ConfigProblem | null;

const RULES: readonly Rule[] = [
  (config) =>
    config.egressAllowPrivate !== 'never' || config.egressAllowHosts.length === 0
      ? null
      : {
          what: 'egressAllowPrivate is "never", but egressAllowHosts names destinations.',
          why: 'With "never" no upstream may be private, so the list would be ignored.',
          fix: 'Set egressAllowPrivate to "listed", or remove egressAllowHosts.',
        },
  (config) =>
    (config.tlsCertFile === null) === (config.tlsKeyFile === null)
      ? null
      : {
          what: `Only the ${config.tlsCertFile === null ? 'private key' : 'certificate'} for https is set.`,
          why: 'TLS needs both; without both the server would speak plain HTTP.',
          fix: 'Set TLS_CERT_FILE and TLS_KEY_FILE together, or neither.',
        },
  (config) =>
    config.httpRedirectPort === null || config.tlsCertFile !== null
      ? null
      : {
          what: 'httpRedirectPort is set, but there is no https to redirect to.',
          why: 'The port only sends browsers to the https address of this server.',
          fix: 'Set TLS_CERT_FILE and TLS_KEY_FILE, or remove httpRedirectPort.',
        },
  (config) =>
    config.httpRedirectPort === null ||
    config.httpRedirectPort === 0 ||
    config.httpRedirectPort !== config.port
      ? null
      : {
          what: 'httpRedirectPort is the same as port.',
          why: 'One port speaks https, the other plain HTTP.',
          fix: 'Choose another httpRedirectPort, such as 80.',
        },
  (config) =>
    config.adminListen === null || config.httpRedirectPort === null
      ? null
      : {
          what: 'adminListen and httpRedirectPort are both set.',
          why: 'The plain port sends browsers to the public listener, which has no pages once the dashboard has an address of its own.',
          fix: 'Remove httpRedirectPort, or adminListen.',
        },
  (config) =>
    config.adminListen === null || config.adminListen.port === 0 || config.adminListen.port !== config.port
      ? null
      : {
          what: 'adminListen has the port of the public listener.',
          why: 'Two listeners cannot share a port, and whoever mistakes one for the other would not notice.',
          fix: 'Choose another port for adminListen, such as 4101.',
        },
  (config) =>
    config.trustedProxies.every((network) => !network.endsWith('/0'))
      ? null
      : {
          what: 'trustedProxies trusts every address there is.',
          why: 'Then any client may write the headers that say who it is.',
          fix: 'Name the addresses of the proxies themselves.',
        },
  (config) =>
    config.headersTimeoutMs <= config.requestTimeoutMs
      ? null
      : {
          what: 'headersTimeoutMs is longer than requestTimeoutMs.',
          why: 'The headers are a part of the request.',
          fix: `Set headersTimeoutMs to at most ${config.requestTimeoutMs}, or raise requestTimeoutMs.`,
        },
  (config) =>
    !config.corsAllowedOrigins.includes('*') ||
    (config.corsAllowedOrigins.length === 1 && isLoopback(config.host))
      ? null
      : {
          what: 'corsAllowedOrigins holds "*".',
          why: 'Pages of every web site could then use keys they get hold of. It is for trying things out on this machine, alone in the list.',
          fix: 'Name the origins, such as https://app.example.com, or listen on loopback only.',
        },
];

/** Network settings that cannot all be meant. */
export function networkContradictions(config: Config): ConfigProblem[] {
  return RULES.map((rule) => rule(config)).filter((problem) => problem !== null);
}
