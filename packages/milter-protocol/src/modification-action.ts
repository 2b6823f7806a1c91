import type { Action } from './agreement.ts';
import type { Modification } from './reply.ts';

/** The action that must have been agreed on for each modification. */
export const modificationActions: Readonly<Record<Modification['kind'], Action>> = {
  'add-header': 'add-header',
  'insert-header': 'add-header',
  'change-header': 'change-header',
  'replace-body': 'change-body',
  'change-sender': 'change-sender',
  'add-recipient': 'add-recipient',
  'add-recipient-with-parameters': 'add-recipient-with-parameters',
  'delete-recipient': 'delete-recipient',
  quarantine: 'quarantine',
};
