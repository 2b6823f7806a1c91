import { fillTexts } from '@zegel/message';
import type { Submitter } from '@zegel/signing';
import type { IpNetwork } from '@zegel/spf';
import { submitterCodes } from './codes.ts';
import type { SubmitterCode } from './codes.ts';
import type { DirectionDecision } from './direction.ts';
import { findNetwork, formatNetwork } from './network.ts';
import type { MailSession } from './session.ts';

/** Which authors a login may sign as. It may lie in a file, a database or behind HTTP. */
export interface LoginMap {
  /**
   * Author addresses (`ann@example.org`), domains with all below them (`example.org`), or `*` for anybody: the entries of
   * {@link Submitter.maySignAs}. Null when the map does not know the login; an empty list permits nothing.
   *
   * Rejects with a `code` when the map cannot be read: a lost map permits nobody, and forbids nobody for good.
   */
  entriesOf(login: string): Promise<readonly string[] | null>;
}

/** Who may sign as whom, by how the message is handed in. */
export interface SubmitterPolicy {
  readonly logins: LoginMap;
  /** Networks whose clients may sign without a login, for these domains (and all below them) only. The first that fits counts. */
  readonly networks: readonly { readonly network: IpNetwork; readonly domains: readonly string[] }[];
}

/** A submitter with the reason for what it may sign as. `maySignAs` is always there. */
export interface FoundSubmitter extends Submitter {
  readonly maySignAs: readonly string[];
  readonly code: SubmitterCode;
  /** Without the login: it may be logged. */
  readonly explanation: string;
}

/**
 * Who hands a message in, and what it may sign as (DESIGN "Who may sign as whom"): a login what the map says, or its own
 * address when the map does not know it; a client without a login what its network lists; nobody else anything. Inbound mail is
 * never signed.
 *
 * Rejects when the map cannot be read: the door answers a temporary failure.
 */
export async function findSubmitter(
  session: MailSession,
  direction: DirectionDecision['direction'],
  policy: SubmitterPolicy,
): Promise<FoundSubmitter> {
  const { login = '', ip } = session;
  const known = { ...(login === '' ? {} : { login }), ...(ip === undefined ? {} : { ip }) };
  const found = (maySignAs: readonly string[], code: SubmitterCode, values: object = {}): FoundSubmitter => ({
    ...known,
    maySignAs,
    code,
    explanation: fillTexts(submitterCodes[code], values).explanation,
  });
  if (direction === 'inbound') return found([], 'submitter.inbound');
  if (login !== '') {
    const entries = await policy.logins.entriesOf(login);
    if (entries !== null) return found(entries, 'submitter.login-map', { count: entries.length });
    return login.includes('@') ? found([login], 'submitter.own-address') : found([], 'submitter.unmapped-login');
  }
  const network = findNetwork(ip, policy.networks, (entry) => entry.network);
  if (network === undefined) return found([], 'submitter.unknown');
  const { domains } = network;
  return found(domains, 'submitter.network', {
    network: formatNetwork(network.network),
    domains: domains.length === 0 ? 'nobody' : domains.join(', '),
  });
}
