/** What browsers are told (TW-18). */
export interface BrowserPolicy {
  /** Browsers report what they would stop, and stop nothing. */
  reportOnly: boolean;
  /** Origins the dashboard may connect to beside its own. */
  connectSrc: readonly string[];
  /** The demand for https holds for names below this one, too. */
  hstsSubdomains: boolean;
}

/** The real dashboard works under exactly this policy (TW-18): nothing inline, nothing from elsewhere. */
function contentSecurityPolicy(connectSrc: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ${["'self'", ...connectSrc].join(' ')}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    'report-uri /api/csp-report',
  ].join('; ');
}

/** A year: browsers then use https without asking, whatever a link says (RFC 6797). */
export const strictTransportSecurity = ({ hstsSubdomains }: Pick<BrowserPolicy, 'hstsSubdomains'>): string =>
  `max-age=31536000${hstsSubdomains ? '; includeSubDomains' : ''}`;

/** The headers of every answer of the admin side, errors included (CW-06). */
export function securityHeaders({
  reportOnly,
  connectSrc,
}: Omit<BrowserPolicy, 'hstsSubdomains'>): Readonly<Record<string, string>> {
  const name = reportOnly ? 'content-security-policy-report-only' : 'content-security-policy';
  return {
    [name]: contentSecurityPolicy(connectSrc),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy':
      'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()',
  };
}
