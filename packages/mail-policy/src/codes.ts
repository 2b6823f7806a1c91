/**
 * Every decision of this package with what to tell a person. `{placeholders}` are filled in; nothing else here holds
 * prose, so that another language is another table.
 */
interface CodeText {
  readonly explanation: string;
  readonly advice?: string;
}

/** Why a message is taken for outbound or inbound. */
export const directionCodes = {
  'flow.listener': { explanation: 'The listener it came through is for this direction alone (mode {listenerMode}).' },
  'flow.login': { explanation: 'The client has logged in, so the message goes out.' },
  'flow.daemon-name': { explanation: 'The daemon name {daemonName} is listed as outbound.' },
  'flow.internal-network': { explanation: 'The client lies in the internal network {network}.' },
  'flow.none': {
    explanation: 'There is no login, no outbound daemon name and no internal network, so the message comes in.',
  },
} as const satisfies Record<string, CodeText>;

export type DirectionCode = keyof typeof directionCodes;

/** Why a submitter may sign as what it may. */
export const submitterCodes = {
  'submitter.login-map': { explanation: 'The map of logins lists what this login may sign as (entries: {count}).' },
  'submitter.own-address': { explanation: 'No map lists the login; it may sign as its own address.' },
  'submitter.unmapped-login': { explanation: 'No map lists the login, and it is no address: it may sign as nobody.' },
  'submitter.network': { explanation: 'Clients in {network} may sign for {domains}.' },
  'submitter.unknown': { explanation: 'There is no login, and the network of the client may sign for nobody.' },
  'submitter.inbound': { explanation: 'Inbound mail is not signed.' },
} as const satisfies Record<string, CodeText>;

export type SubmitterCode = keyof typeof submitterCodes;

/** What becomes of inbound mail, and why. */
export const dispositionCodes = {
  'disposition.annotate': { explanation: 'Inbound mail is annotated and accepted, whatever DMARC says.' },
  'disposition.pass': { explanation: 'DMARC passes for {authorDomain}.' },
  'disposition.no-policy': { explanation: 'No DMARC policy applies to {authorDomain}.' },
  'disposition.policy-none': { explanation: 'DMARC fails for {authorDomain}, whose policy asks for nothing.' },
  'disposition.policy-reject': {
    explanation: 'DMARC fails for {authorDomain}, and the policy of {policyDomain} asks to reject such mail.',
  },
  'disposition.policy-quarantine': {
    explanation: 'DMARC fails for {authorDomain}, and the policy of {policyDomain} asks to quarantine such mail.',
  },
  'disposition.exempt-domain': {
    explanation: 'DMARC does not pass for {authorDomain}, which is exempt: {policy} is not applied.',
  },
  'disposition.exempt-network': {
    explanation:
      'DMARC does not pass for {authorDomain}, and the client network {network} is exempt: {policy} is not applied.',
  },
  'disposition.exempt-mailing-list': {
    explanation:
      'DMARC does not pass for {authorDomain}, and the message is authenticated as mail of the list domain {list}: {policy} is not applied.',
  },
  'disposition.trusted-sealer': {
    explanation:
      'DMARC does not pass for {authorDomain} here, and passed when it came to the trusted sealer {sealer}: {policy} is not applied.',
  },
  'disposition.temporary-error-accepted': {
    explanation: 'What DMARC says for {authorDomain} is not known for now; such mail is accepted.',
  },
  'disposition.temporary-error-policy-none': {
    explanation:
      'Whether DMARC passes for {authorDomain} is not known for now; its policy asks for nothing in any case.',
  },
  'disposition.temporary-error': {
    explanation: 'What DMARC says for {authorDomain} is not known for now; such mail is asked to come again.',
  },
  'disposition.ambiguous-author': {
    explanation: 'From names no author domain that a DMARC policy could speak for. {reason}',
  },
  'disposition.limit-exceeded': { explanation: 'DMARC could not be checked. {reason}' },
} as const satisfies Record<string, CodeText>;

export type DispositionCode = keyof typeof dispositionCodes;

/** What becomes of a message that was not signed. `{domain}` and the like come from the evidence of sign(). */
export const refusalCodes = {
  'refusal.send-unsigned': { explanation: 'Sent unsigned, as configured ({setting}).' },
  'refusal.tempfail': { explanation: 'Not taken for now, as configured ({setting}).' },
  'refusal.reject': { explanation: 'Refused, as configured ({setting}).' },
  'refusal.cannot-sign-anyway': {
    explanation: '{setting} asks to sign anyway, which cannot be done here: {fallback} instead.',
  },
} as const satisfies Record<string, CodeText>;

export type RefusalCode = keyof typeof refusalCodes;
