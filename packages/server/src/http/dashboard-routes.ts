import { type AdminRoute, bytesRoute, type RawCall } from '../admin/route.ts';
import { AppError } from '../kernel/errors.ts';
import type { DashboardFile } from './dashboard-files.ts';

const BANNER_HEADLESS = `Tallygate is running without its dashboard (HEADLESS=true).
The gate, the API, metrics and the command line work as always.
`;
const BANNER_NOT_BUILT = `Tallygate is running. Its dashboard is not built here: npm run build makes it.
The gate, the API, metrics and the command line work as always.
`;
/** First path segments that are never pages of the dashboard. Those of the data plane never come here. */
const NOT_PAGES: ReadonlySet<string> = new Set(['api', 'assets', 'metrics']);

function encodingFor(file: DashboardFile, acceptEncoding: string): [coding: string, body: Buffer] | null {
  const taken = new Set(
    acceptEncoding
      .split(',')
      .map((part) => part.trim())
      .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
      .map((part) => part.split(';')[0]?.trim() ?? ''),
  );
  for (const [coding, body] of file.encoded) if (taken.has(coding)) return [coding, body];
  return null;
}

function answerFile(file: DashboardFile, call: RawCall) {
  const encoding = encodingFor(file, call.acceptEncoding);
  const headers: Record<string, string> = {
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: encoding === null ? file.etag : `${file.etag.slice(0, -1)}-${encoding[0]}"`,
  };
  if (file.encoded.size > 0) headers.vary = 'accept-encoding';
  if (encoding !== null) headers['content-encoding'] = encoding[0];
  return { status: 200, contentType: file.contentType, body: encoding?.[1] ?? file.body, headers };
}

function answerPath(files: ReadonlyMap<string, DashboardFile>, call: RawCall) {
  const file = files.get(call.path);
  if (file !== undefined) return answerFile(file, call);
  const page = files.get('/index.html');
  const segment = call.path.split('/')[1] ?? '';
  // Pages of the dashboard are made in the browser: each of their addresses is the same document.
  if (page !== undefined && call.wantsHtml && !NOT_PAGES.has(segment)) return answerFile(page, call);
  throw new AppError('route_not_found');
}

/** The dashboard's own files, or a banner where there is none (WT-08). Nothing in them is secret; data needs a session. */
export function dashboardRoutes(options: {
  headless: boolean;
  files: ReadonlyMap<string, DashboardFile>;
}): AdminRoute[] {
  const declared = {
    method: 'GET',
    access: 'public',
    rateClass: 'none',
    cache: 'static',
    strictQuery: false,
  } as const;
  const files = options.headless ? new Map<string, DashboardFile>() : options.files;
  const banner = options.headless ? BANNER_HEADLESS : BANNER_NOT_BUILT;
  return [
    bytesRoute({
      ...declared,
      path: '/',
      summary: 'The dashboard, or a banner where there is none',
      handler: async (call) =>
        files.size > 0
          ? answerPath(files, { ...call, path: '/index.html' })
          : {
              status: 200,
              contentType: 'text/plain; charset=utf-8',
              body: banner,
              headers: { 'cache-control': 'no-store' },
            },
    }),
    bytesRoute({
      ...declared,
      path: '/*',
      summary: "The dashboard's files and pages",
      handler: async (call) => answerPath(files, call),
    }),
  ];
}
