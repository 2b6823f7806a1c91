import type { ConfOption } from './conf-file.ts';
import type { Notes } from './note.ts';

type Action = 'accept' | 'discard' | 'quarantine' | 'reject' | 'tempfail';

/** What the On- options come to. */
export interface ImportedActions {
  readonly onTemporaryError?: 'accept' | 'tempfail';
  readonly refusedHeader?: 'send-unsigned' | 'tempfail' | 'reject';
}

const actions: readonly Action[] = ['accept', 'discard', 'quarantine', 'reject', 'tempfail'];

/** By a name or its first letter; null for anything else. */
function actionOf(option: ConfOption | undefined): Action | null {
  const value = option?.value.toLowerCase() ?? '';
  return value === '' ? null : (actions.find((action) => action === value || action.startsWith(value)) ?? null);
}

/** `On-DNSError` and `On-SignatureError` are carried over; the others judge single signatures, and DMARC judges here. */
export function readActions(find: (name: string) => ConfOption | undefined, notes: Notes): ImportedActions {
  const byDefault = find('On-Default');
  const dnsError = find('On-DNSError') ?? byDefault;
  const signatureError = find('On-SignatureError') ?? byDefault;
  for (const name of ['On-BadSignature', 'On-KeyNotFound', 'On-NoSignature', 'On-Security', 'On-InternalError']) {
    const option = find(name);
    const action = actionOf(option);
    const isUsual =
      action === 'accept' || (action === 'tempfail' && ['On-Security', 'On-InternalError'].includes(name));
    if (option === undefined || isUsual) continue;
    notes.add(
      'dropped',
      option.name,
      option,
      'A single signature decides nothing here: inbound.policy "enforce" does as DMARC asks. After an error of our own the message is asked to come again.',
    );
  }
  return { ...temporaryError(dnsError, notes), ...refusedHeader(signatureError, notes) };
}

function temporaryError(option: ConfOption | undefined, notes: Notes): ImportedActions {
  const action = actionOf(option);
  if (option === undefined) return {};
  if (action === 'accept' || action === 'tempfail') return { onTemporaryError: action };
  notes.add(
    'changed',
    option.name,
    option,
    'Mail whose DMARC result is not known for now is never refused for good: it is asked to come again.',
  );
  return { onTemporaryError: 'tempfail' };
}

function refusedHeader(option: ConfOption | undefined, notes: Notes): ImportedActions {
  const action = actionOf(option);
  if (option === undefined) return {};
  if (action === 'accept') return { refusedHeader: 'send-unsigned' };
  if (action === 'reject' || action === 'tempfail') return { refusedHeader: action };
  notes.add(
    'changed',
    option.name,
    option,
    'A message that cannot be signed is neither discarded nor quarantined: it is rejected.',
  );
  return { refusedHeader: 'reject' };
}
