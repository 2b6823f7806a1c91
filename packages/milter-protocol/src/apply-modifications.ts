import type { Agreement } from './agreement.ts';
import type { MessageParts, MilterField } from './message-parts.ts';
import type { Modification } from './reply.ts';

/** A message in an MTA's queue, with what a filter may change. */
export interface QueuedMessage extends MessageParts {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** Why it is held, or null. */
  readonly quarantine: string | null;
}

const space = Buffer.from(' ');

/**
 * Changes a message as Postfix does: an index of CHGHEADER counts the fields of that name as they stand by then, 0 means
 * the first, one beyond the last adds a field at the bottom, an empty value removes. INSHEADER at 0 or 1 puts a field
 * on top (Postfix's own Received, which no filter sees, would stand between the two). Fields of the message are exact,
 * whatever was agreed; without the leading space one is put before each new value.
 */
export function applyModifications(
  message: QueuedMessage,
  modifications: readonly Modification[],
  { leadingSpace }: Pick<Agreement, 'leadingSpace'>,
): QueuedMessage {
  const fields = [...message.fields];
  const recipients = [...message.recipients];
  const newBody: Uint8Array[] = [];
  let { sender, quarantine } = message;
  const newField = (name: Uint8Array, value: Uint8Array): MilterField => {
    return [name, leadingSpace ? value : Buffer.concat([space, value])];
  };
  for (const change of modifications) {
    switch (change.kind) {
      case 'add-header':
        fields.push(newField(change.name, change.value));
        break;
      case 'insert-header':
        fields.splice(Math.max(0, change.index - 1), 0, newField(change.name, change.value));
        break;
      case 'change-header': {
        const place = placeOf(fields, change.name, Math.max(1, change.index));
        if (change.value.length > 0) fields.splice(place ?? fields.length, 1, newField(change.name, change.value));
        else if (place !== null) fields.splice(place, 1);
        break;
      }
      case 'replace-body':
        newBody.push(change.chunk);
        break;
      case 'change-sender':
        sender = change.address;
        break;
      case 'add-recipient':
      case 'add-recipient-with-parameters':
        recipients.push(change.address);
        break;
      case 'delete-recipient': {
        const place = recipients.indexOf(change.address);
        if (place !== -1) recipients.splice(place, 1);
        break;
      }
      case 'quarantine':
        quarantine = change.reason;
        break;
    }
  }
  const body = newBody.length === 0 ? message.body : Buffer.concat(newBody);
  return { fields, body, sender, recipients, quarantine };
}

function placeOf(fields: readonly MilterField[], name: Uint8Array, index: number): number | null {
  const key = keyOf(name);
  let seen = 0;
  const place = fields.findIndex(([other]) => keyOf(other) === key && ++seen === index);
  return place === -1 ? null : place;
}

function keyOf(name: Uint8Array): string {
  return Buffer.from(name).toString('latin1').toLowerCase();
}
