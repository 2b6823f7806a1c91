import { fillTexts } from '@zegel/message';
import type { IpNetwork } from '@zegel/spf';
import { directionCodes } from './codes.ts';
import type { DirectionCode } from './codes.ts';
import { findNetwork, formatNetwork } from './network.ts';
import type { MailSession } from './session.ts';

/** How outbound mail is told from inbound mail. */
export interface OutboundPolicy {
  /** Services of the mail server whose mail is outbound, as `{daemon_name}` tells them; compared exactly. */
  readonly daemonNames: readonly string[];
  /** Clients whose mail is outbound without a login. */
  readonly internalNetworks: readonly IpNetwork[];
}

export interface DirectionDecision {
  readonly direction: 'outbound' | 'inbound';
  readonly code: DirectionCode;
  readonly explanation: string;
}

/**
 * Whether a message goes out, and is signed, or comes in, and is authenticated. A listener for one of them decides it;
 * otherwise a login, a listed daemon name and a client in an internal network make it outbound, in this order. From is never
 * looked at: anybody may write it.
 */
export function decideDirection(session: MailSession, policy: OutboundPolicy): DirectionDecision {
  const { listenerMode, login = '', daemonName, ip } = session;
  if (listenerMode !== 'both') {
    return decision(listenerMode === 'sign' ? 'outbound' : 'inbound', 'flow.listener', { listenerMode });
  }
  if (login !== '') return decision('outbound', 'flow.login');
  if (daemonName !== undefined && policy.daemonNames.includes(daemonName)) {
    return decision('outbound', 'flow.daemon-name', { daemonName });
  }
  const network = findNetwork(ip, policy.internalNetworks, (entry) => entry);
  if (network !== undefined) return decision('outbound', 'flow.internal-network', { network: formatNetwork(network) });
  return decision('inbound', 'flow.none');
}

function decision(
  direction: DirectionDecision['direction'],
  code: DirectionCode,
  values: object = {},
): DirectionDecision {
  return { direction, code, explanation: fillTexts(directionCodes[code], values).explanation };
}
