import { isIP } from 'node:net';
import { beginAuthentication } from '@zegel/authentication';
import type { AuthenticationContext, AuthenticationResult } from '@zegel/authentication';
import { decideDisposition } from '@zegel/mail-policy';
import type { Disposition } from '@zegel/mail-policy';
import { noEdits } from '@zegel/message';
import { countReport } from '@zegel/service-runtime';
import type { Instruments } from '@zegel/service-runtime';
import type { MessageOutcome, MessageRun, Outcome, RunStart } from './message-run.ts';

/** Begins to authenticate a message that comes in. */
export function beginInbound(start: RunStart, instruments: Instruments): MessageRun {
  const { header, session, rules } = start;
  const authentication = beginAuthentication(header, contextOf(start), rules.authentication);
  return {
    needsBody: authentication.needsBody,
    body: (chunk) => authentication.body(chunk),
    async end() {
      const result = await authentication.end();
      countReport(instruments, result.report);
      return outcomeOf(result, decideDisposition(result.report, session, rules.inbound));
    },
    abort: () => authentication.abort(),
  };
}

/** What is not known is left out: an MTA that names no address (a local submission) leaves SPF unchecked. */
function contextOf({ session, mailFrom, lineEndsNormalized, mayBeDamaged }: RunStart): AuthenticationContext {
  const { ip = '', helo, login = '' } = session;
  return {
    session: {
      ...(isIP(ip) === 0 ? {} : { ip }),
      ...(helo === undefined ? {} : { helo }),
      ...(login === '' ? {} : { login }),
    },
    ...(mailFrom === undefined ? {} : { envelope: { mailFrom } }),
    ...(lineEndsNormalized === undefined ? {} : { lineEndsNormalized }),
    ...(mayBeDamaged === undefined ? {} : { mayBeDamaged }),
  };
}

const outcomes = {
  accept: 'accepted',
  quarantine: 'quarantined',
  reject: 'rejected',
  tempfail: 'deferred',
} as const satisfies Record<Disposition['action'], Outcome>;

function outcomeOf({ report, edits }: AuthenticationResult, disposition: Disposition): MessageOutcome {
  const { dkim, spf, dmarc, arc, limits } = report;
  const told = {
    code: disposition.code,
    authorDomain: dmarc.authorDomain,
    dkim: dkim.map((verdict) => verdict.code),
    spf: spf.mailFrom.code,
    dmarc: dmarc.code,
    arc: arc.code,
    override: disposition.override,
    removed: edits.remove.length,
    ...(limits.length === 0 ? {} : { limits }),
  };
  const { code, explanation, reply = null, reason = null } = disposition;
  const decided = { outcome: outcomes[disposition.action], reply, code, explanation, report, told };
  return reply === null ? { ...decided, edits, quarantine: reason } : { ...decided, edits: noEdits, quarantine: null };
}
