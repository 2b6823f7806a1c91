import { defaultSignedFields } from '@zegel/dkim';
import type { Dataset } from './dataset.ts';
import type { Notes } from './note.ts';

/** Fields that change on the way and are never signed. */
const neverSigned = /^(?:received|return-path|dkim-signature|authentication-results|received-spf|bcc|arc-.*)$/;

/** The names of `OversignHeaders` that are not oversigned in any case. */
export function readOversigned(option: string, { entries }: Dataset, notes: Notes): readonly string[] {
  const names = new Set<string>();
  for (const entry of entries) {
    const name = fieldName(entry.key);
    if (name === null) notes.add('dropped', option, entry, `${entry.key} is not a field that is signed.`);
    else if (!defaultSignedFields.oversigned.includes(name)) names.add(name);
  }
  return [...names];
}

/** What `SignHeaders` adds to the fields that are signed in any case. Nothing is left out because of it. */
export function readSigned(option: string, { entries }: Dataset, notes: Notes): readonly string[] {
  const names = new Set<string>();
  const { oversigned, whenPresent } = defaultSignedFields;
  for (const entry of entries) {
    if (entry.key === '*') continue;
    const name = entry.key.startsWith('-') ? null : fieldName(entry.key.replace(/^\+/, ''));
    if (name === null)
      notes.add(
        'dropped',
        option,
        entry,
        `${entry.key}: fields that readers see are signed in any case, trace fields never are.`,
      );
    else if (!oversigned.includes(name) && !whenPresent.includes(name)) names.add(name);
  }
  return [...names];
}

function fieldName(text: string): string | null {
  const name = text.toLowerCase();
  return /^[!-9;-~]{1,76}$/.test(name) && !name.includes(',') && !neverSigned.test(name) ? name : null;
}
