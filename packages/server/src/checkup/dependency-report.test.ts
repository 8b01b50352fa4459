import { describe, expect, it } from 'vitest';
import { judgeDependencies, type KeptReport } from './dependency-report.ts';

const none = { status: 'ok', message: 'None is known.', fix: null } as const;
const grave = { status: 'fail', message: '1 package is bad.', fix: 'Update Tallygate.' } as const;
const now = new Date('2026-11-26T12:00:00Z');
const kept = (change: Partial<KeptReport> = {}): KeptReport => ({
  at: '2026-11-20T12:00:00.000Z',
  version: '1.0.0',
  found: none,
  ...change,
});
const judge = (report: KeptReport | null) => judgeDependencies(report, { version: '1.0.0', now });

describe('known vulnerabilities of packages, as the server tells them (NX-11)', () => {
  it('nobody looked: says so, and which command does', () => {
    expect(judge(null)).toMatchObject({
      id: 'dependencies',
      status: 'warn',
      fix: 'Run on the machine of the server: tallygate security-check',
      command: 'tallygate security-check',
    });
  });

  it.each([
    ['none, a week ago', kept(), 'ok', /None is known\. Looked up on 2026-11-20\./],
    ['none, long ago', kept({ at: '2026-10-01T00:00:00.000Z' }), 'warn', /last looked up 56 days ago/],
    ['none, for another version', kept({ version: '0.9.0' }), 'warn', /for version 0\.9\.0/],
    ['a grave one', kept({ found: grave }), 'fail', /1 package is bad\. Looked up on 2026-11-20\./],
    ['a grave one, long ago', kept({ found: grave, at: '2026-01-01T00:00:00.000Z' }), 'fail', /is bad/],
  ])('%s', (_what, report, status, message) => {
    expect(judge(report)).toMatchObject({ status, message: expect.stringMatching(message) });
  });
});
