import { Button } from '@mantine/core';
import { IconDownload, IconShieldCheck } from '@tabler/icons-react';
import type { AuditVerifyReport } from '@tallygate/contract/api/audit';
import { useMutation } from '@tanstack/react-query';
import { useApi } from '../../app/api/api-context.tsx';
import type { ApiClient } from '../../app/api/client.ts';
import { useAnnounce } from '../../ui/announce.tsx';
import { downloadText } from '../../ui/download.ts';
import { ErrorState } from '../../ui/error-state.tsx';
import { plural } from '../../ui/format/count.ts';
import classes from './audit.module.css';

export const useVerification = () => {
  const api = useApi();
  return useMutation({
    mutationFn: () => api.send<AuditVerifyReport>('POST', '/api/audit/verify', {}),
  });
};
type Verification = ReturnType<typeof useVerification>;

interface ExportPage {
  lines: string[];
  next: number | null;
}

async function wholeLog(api: ApiClient): Promise<string> {
  const lines: string[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: ExportPage = await api.get(`/api/audit/export?after=${after}&limit=5000`);
    lines.push(...page.lines);
    after = page.next;
  }
  return `${lines.join('\n')}\n`;
}

export function LogTools({ verification }: { verification: Verification }) {
  const api = useApi();
  const announce = useAnnounce();
  const download = useMutation({
    mutationFn: () => wholeLog(api),
    onSuccess: (text) => downloadText('audit.jsonl', text),
    onError: (error) => announce(error.message, 'bad'),
  });
  return (
    <>
      <Button
        size="sm"
        variant="default"
        leftSection={<IconDownload size={16} aria-hidden />}
        loading={download.isPending}
        onClick={() => download.mutate()}
      >
        Download
      </Button>
      <Button
        size="sm"
        leftSection={<IconShieldCheck size={16} aria-hidden />}
        loading={verification.isPending}
        onClick={() => verification.mutate()}
      >
        Verify
      </Button>
    </>
  );
}

/** What the verification found; each problem names its entry. */
export function VerificationResult({ verification }: { verification: Verification }) {
  if (verification.isError) return <ErrorState error={verification.error} title="The log was not verified" />;
  const report = verification.data;
  if (report === undefined) return null;
  return (
    <div className={classes.result} data-ok={report.ok} role="status">
      {report.ok ? (
        <>
          {plural(report.entries, 'entry', 'entries')}, each as it was written.{' '}
          {report.head !== null && (
            <code>
              Last: {report.head.seq}:{report.head.hash}
            </code>
          )}
        </>
      ) : (
        <>
          The log was tampered with or damaged:
          <ul>
            {report.problems.map(({ seq, kind, message }) => (
              <li key={`${seq} ${kind}`}>{message}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
