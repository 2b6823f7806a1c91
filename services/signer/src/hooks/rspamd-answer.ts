import type { AuthenticationReport } from '@zegel/authentication';
import type { WholeOutcome } from '@zegel/mail-flow';
import { everyField, parseMessage } from '@zegel/message';
import type { HeaderEdits } from '@zegel/message';
import { z } from 'zod';
import { namedField, remarkOn } from './run-hook.ts';
import type { HookNotice } from './run-hook.ts';
import { hookRemarkSchema } from './stalwart-request.ts';
import { hookNotice } from './texts.ts';

const addedField = z.object({ value: z.string(), order: z.int() });

/**
 * An answer in the shape of rspamd's `/checkv2`. There is no spam score here: it is 0, or the threshold when the mail
 * is refused.
 */
export const rspamdAnswerSchema = z.object({
  is_skipped: z.literal(false),
  action: z.enum(['no action', 'add header', 'soft reject', 'reject']),
  score: z.number(),
  required_score: z.number(),
  symbols: z.record(
    z.string(),
    z.object({
      name: z.string(),
      score: z.number(),
      metric_score: z.number(),
      description: z.string(),
      options: z.array(z.string()),
    }),
  ),
  messages: z.record(z.string(), z.string()),
  milter: z.object({
    add_headers: z.record(z.string(), z.union([addedField, z.array(addedField)])).optional(),
    remove_headers: z.record(z.string(), z.int()).optional(),
  }),
  'dkim-signature': z.union([z.string(), z.array(z.string())]).optional(),
  zegel: hookRemarkSchema,
});

type Answer = z.output<typeof rspamdAnswerSchema>;

/** The score that refuses, by rspamd's defaults. */
const threshold = 15;

const actions = {
  signed: 'no action',
  unsigned: 'no action',
  accepted: 'no action',
  // The dialect has no word for it; this is the one on which mail goes to a junk folder.
  quarantined: 'add header',
  rejected: 'reject',
  deferred: 'soft reject',
} as const satisfies Record<WholeOutcome['outcome'], Answer['action']>;

/** @param lineEnd what folds the values: that of the message as it came. */
export function rspamdAnswer(outcome: WholeOutcome, raw: Uint8Array, lineEnd: '\r\n' | '\n'): Answer {
  const fields = outcome.edits.prepend.map((field) => {
    const { name, value } = namedField(field);
    return { name, value: value.replaceAll('\r\n', lineEnd) };
  });
  const signatures = fields.filter(({ name }) => name === 'DKIM-Signature').map(({ value }) => value);
  const added = fields.filter(({ name }) => name !== 'DKIM-Signature');
  const removals = removalsOf(raw, outcome.edits.remove);
  const [signature, ...more] = signatures;
  const { reply, report } = outcome;
  return {
    is_skipped: false,
    action: actions[outcome.outcome],
    score: outcome.outcome === 'rejected' ? threshold : 0,
    required_score: threshold,
    symbols: symbolsOf(outcome, report),
    messages: reply === null ? {} : { smtp_message: `${reply.enhanced} ${reply.text}` },
    milter: {
      ...(added.length === 0 ? {} : { add_headers: grouped(added) }),
      ...(Object.keys(removals.remove).length === 0 ? {} : { remove_headers: removals.remove }),
    },
    // As rspamd has it: one is a text, several are a list.
    ...(signature === undefined ? {} : { 'dkim-signature': more.length === 0 ? signature : signatures }),
    zegel: remarkOn(outcome, removals.notices),
  };
}

function grouped(fields: readonly { name: string; value: string }[]): NonNullable<Answer['milter']['add_headers']> {
  const byName = new Map<string, { value: string; order: number }[]>();
  for (const [order, { name, value }] of fields.entries()) {
    byName.set(name, [...(byName.get(name) ?? []), { value, order }]);
  }
  return Object.fromEntries([...byName].map(([name, list]) => [name, list.length === 1 && list[0] ? list[0] : list]));
}

/** `remove_headers` names one field of a name (from 1), or all of them (0). */
function removalsOf(
  raw: Uint8Array,
  edits: HeaderEdits['remove'],
): { readonly remove: Readonly<Record<string, number>>; readonly notices: readonly HookNotice[] } {
  if (edits.length === 0) return { remove: {}, notices: [] };
  const present = new Map<string, number>();
  for (const { name } of everyField(parseMessage(raw).header)) present.set(name, (present.get(name) ?? 0) + 1);
  const doomed = Map.groupBy(edits, ({ name }) => name.toLowerCase());
  const remove: Record<string, number> = {};
  const notices: HookNotice[] = [];
  for (const [name, list] of doomed) {
    if (name === '') {
      notices.push(hookNotice('hook.removal-not-possible'));
      continue;
    }
    const [only] = list;
    const written = name === 'authentication-results' ? 'Authentication-Results' : name;
    remove[written] = only !== undefined && list.length === 1 ? only.occurrence : 0;
    if (list.length > 1 && list.length < (present.get(name) ?? 0)) notices.push(hookNotice('hook.removals-not-exact'));
  }
  return { remove, notices };
}

/** The names under which rspamd's own checks report. */
const spfSymbols: Readonly<Record<string, string>> = {
  pass: 'R_SPF_ALLOW',
  fail: 'R_SPF_FAIL',
  softfail: 'R_SPF_SOFTFAIL',
  neutral: 'R_SPF_NEUTRAL',
  none: 'R_SPF_NA',
  temperror: 'R_SPF_DNSFAIL',
  permerror: 'R_SPF_PERMFAIL',
};
const dkimSymbols: Readonly<Record<string, string>> = {
  pass: 'R_DKIM_ALLOW',
  fail: 'R_DKIM_REJECT',
  none: 'R_DKIM_NA',
  neutral: 'R_DKIM_NA',
  temperror: 'R_DKIM_TEMPFAIL',
  permerror: 'R_DKIM_PERMFAIL',
  policy: 'R_DKIM_PERMFAIL',
};
const arcSymbols: Readonly<Record<string, string>> = { pass: 'ARC_ALLOW', fail: 'ARC_REJECT', none: 'ARC_NA' };

function symbolsOf(outcome: WholeOutcome, report: AuthenticationReport | undefined): Answer['symbols'] {
  const symbols: Answer['symbols'] = {};
  const add = (name: string | undefined, description: string, option: string | undefined): void => {
    if (name === undefined) return;
    const options = [...(symbols[name]?.options ?? []), ...(option === undefined ? [] : [option])];
    symbols[name] = {
      name,
      score: 0,
      metric_score: 0,
      description: symbols[name]?.description ?? description,
      options,
    };
  };
  if (outcome.outcome === 'signed') add('DKIM_SIGNED', outcome.explanation, undefined);
  if (report === undefined) return symbols;
  const { spf, dkim, dmarc, arc } = report;
  add(spfSymbols[spf.mailFrom.result], spf.mailFrom.explanation, spf.mailFrom.code);
  for (const { result, explanation, domain, code } of dkim) add(dkimSymbols[result], explanation, domain ?? code);
  add(dmarcSymbol(dmarc), dmarc.explanation, dmarc.authorDomain);
  add(arcSymbols[arc.result], arc.explanation, arc.code);
  return symbols;
}

function dmarcSymbol({ result, policy }: AuthenticationReport['dmarc']): string {
  switch (result) {
    case 'pass':
      return 'DMARC_POLICY_ALLOW';
    case 'none':
      return 'DMARC_NA';
    case 'temperror':
      return 'DMARC_DNSFAIL';
    case 'permerror':
      return 'DMARC_BAD_POLICY';
    case 'fail':
      return policy?.applied === 'reject'
        ? 'DMARC_POLICY_REJECT'
        : policy?.applied === 'quarantine'
          ? 'DMARC_POLICY_QUARANTINE'
          : 'DMARC_POLICY_SOFTFAIL';
  }
}
