import type { AuditEntryView } from './api/audit.ts';

/** RFC 5424 §6.2.1: facility 13 is "log audit". */
const FACILITY = 13;
const SEVERITY = { started: 6, ok: 6, refused: 4, failed: 3 } as const;
/** RFC 5424 §7.2.2: a name of one's own carries an enterprise number; 32473 is the one for documentation (RFC 5612). */
const ELEMENT = 'tallygate@32473';

/** One line of JSON with everything an entry holds, hashes included. */
export function auditJsonLine(entry: AuditEntryView): string {
  return JSON.stringify(entry);
}

/** RFC 5424 §6.3.3: quote, backslash and closing bracket are escaped; a line break would end the message. */
const escaped = (value: string): string =>
  value.replace(/\p{Cc}/gu, ' ').replace(/["\\\]]/g, (character) => `\\${character}`);

/** RFC 5424 §6.2.5: MSGID is printable ASCII without spaces, at most 32 characters. */
const messageId = (action: string): string => action.replace(/[^\x21-\x7e]+/g, '_').slice(0, 32) || '-';

function parameters(entry: AuditEntryView): [name: string, value: string | number | null][] {
  return [
    ['seq', entry.seq],
    ['action', entry.action],
    ['class', entry.class],
    ['outcome', entry.outcome],
    ['status', entry.status],
    ['code', entry.errorCode],
    ['actorKind', entry.actor.kind],
    ['actorId', entry.actor.id],
    ['actorName', entry.actor.name],
    ['address', entry.address],
    ['userAgent', entry.userAgent],
    ['requestId', entry.requestId],
    ['resource', entry.resource],
    ['resourceId', entry.resourceId],
    ['workspaceId', entry.workspaceId],
    ['changes', entry.changes.length === 0 ? null : JSON.stringify(entry.changes)],
    ['prevHash', entry.prevHash],
    ['hash', entry.hash],
  ];
}

/** The entry as one RFC 5424 syslog line, for collectors of security events. */
export function auditSyslogLine(entry: AuditEntryView): string {
  const priority = FACILITY * 8 + SEVERITY[entry.outcome];
  const data = parameters(entry)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
  const who = entry.actor.name ?? entry.actor.kind;
  const text = `${who} ${entry.action} ${entry.outcome}`.replace(/\p{Cc}/gu, ' ');
  // The byte order mark says that the free text is UTF-8 (§6.4).
  return `<${priority}>1 ${entry.at} - tallygate - ${messageId(entry.action)} [${ELEMENT}${data}] \ufeff${text}`;
}
