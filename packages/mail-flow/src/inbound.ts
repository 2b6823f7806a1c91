import { isIP } from 'node:net';
import { beginAuthentication } from '@zegel/authentication';
import type { AuthenticationContext, AuthenticationResult } from '@zegel/authentication';
import { decideDisposition } from '@zegel/mail-policy';
import type { Disposition, MailSession } from '@zegel/mail-policy';
import { noEdits } from '@zegel/message';
import { countReport } from '@zegel/service-runtime';
import type { Instruments } from '@zegel/service-runtime';
import type { MessageOutcome, MessageRun, Outcome, RunStart } from './message-run.ts';

/** Begins to authenticate a message that comes in. */
export function beginInbound({ header, session, mailFrom, rules }: RunStart, instruments: Instruments): MessageRun {
  const authentication = beginAuthentication(header, contextOf(session, mailFrom), rules.authentication);
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
function contextOf({ ip = '', helo, login = '' }: MailSession, mailFrom: string): AuthenticationContext {
  return {
    session: {
      ...(isIP(ip) === 0 ? {} : { ip }),
      ...(helo === undefined ? {} : { helo }),
      ...(login === '' ? {} : { login }),
    },
    envelope: { mailFrom },
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
  const outcome = outcomes[disposition.action];
  return disposition.reply === undefined
    ? { outcome, reply: null, edits, quarantine: disposition.reason ?? null, told }
    : {
        outcome,
        reply: disposition.reply,
        edits: noEdits,
        quarantine: null,
        told,
      };
}
