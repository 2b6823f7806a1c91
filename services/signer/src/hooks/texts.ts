import type { HookNotice } from './run-hook.ts';

/** What a dialect could not carry, with what to tell a person. */
export const hookTexts = {
  'hook.nothing-to-do': 'Only the stage "data" brings a message; of the others there is nothing to say.',
  'message.bytes-not-exact':
    'The octets may have been changed on the way here (MTA hooks of version 1 pass them through a conversion to UTF-8): nothing is signed, and no signature verified.',
  'hook.removal-not-possible':
    'A field that had to go cannot be named in this dialect, and stays: refuse such mail by another door.',
  'hook.removals-not-exact':
    'This dialect takes out one field of a name or all of them, so fields of others went as well.',
} as const satisfies Record<string, string>;

export function hookNotice(code: keyof typeof hookTexts): HookNotice {
  return { code, explanation: hookTexts[code] };
}
