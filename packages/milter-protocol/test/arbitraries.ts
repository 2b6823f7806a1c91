import fc from 'fast-check';
import { macroListStages } from '../src/index.ts';
import type { ClientAddress, Command, Reply } from '../src/index.ts';

/** Any text without NUL: no half surrogates, which have no UTF-8. */
const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', ''));
const fieldBytes = fc.uint8Array({ min: 1, maxLength: 60 });
const anyBytes = fc.uint8Array({ maxLength: 60 });
const uint32 = fc.nat({ max: 0xffff_ffff });
const offer = fc.record({ version: uint32, actions: uint32, protocol: uint32 });
const address = fc.record({ address: text, parameters: fc.array(text, { maxLength: 5 }) });

const client: fc.Arbitrary<ClientAddress> = fc.oneof(
  fc.constant({ family: 'unknown' } as const),
  fc.record({
    family: fc.constantFrom('unix', 'ipv4'),
    address: text,
    port: fc.nat({ max: 0xffff }),
  }),
  fc.record({ family: fc.constant('ipv6' as const), address: fc.ipV6(), port: fc.nat({ max: 0xffff }) }),
);

const macroStage = fc.constantFrom(
  'connect',
  'helo',
  'mail',
  'recipient',
  'data',
  'header',
  'end-of-header',
  'body',
  'end-of-message',
  'unknown',
);

/** Any command an MTA can say. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  offer.map((value): Command => ({ kind: 'negotiate', ...value })),
  fc.record({ kind: fc.constant('macros'), stage: macroStage, values: fc.array(fc.tuple(text, text)) }),
  fc.record({ kind: fc.constant('connect'), hostname: text, client }),
  fc.record({ kind: fc.constant('helo'), name: text }),
  address.map((value): Command => ({ kind: 'mail', ...value })),
  address.map((value): Command => ({ kind: 'recipient', ...value })),
  fc.record({ kind: fc.constant('header'), name: fieldBytes, value: fieldBytes }),
  fc.record({ kind: fc.constantFrom('body', 'end-of-message'), chunk: anyBytes }),
  fc.record({ kind: fc.constant('unknown'), line: text }),
  fc.record({ kind: fc.constantFrom('data', 'end-of-header', 'abort', 'quit', 'quit-keeping-connection') }),
);

const replyCode = fc
  .tuple(fc.constantFrom(4, 5), fc.nat({ max: 99 }), fc.nat({ max: 999 }), fc.boolean(), fc.array(fc.string()))
  .map(([kind, rest, subject, isEnhanced, lines]): Reply => {
    return {
      kind: 'reply-code',
      code: kind * 100 + rest,
      enhanced: isEnhanced ? `${kind}.${subject}.1` : null,
      text: ['text', ...lines].join('\n'),
    };
  });

const macroName = fc.constantFrom('i', 'j', '{auth_authen}', '{daemon_name}');

/** Any reply a filter can give. */
export const anyReply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('continue', 'accept', 'discard', 'reject', 'tempfail', 'connection-failure', 'shutdown'),
  }),
  fc.record({ kind: fc.constantFrom('skip', 'progress') }),
  replyCode,
  fc.record({ kind: fc.constant('add-header'), name: fieldBytes, value: fieldBytes }),
  fc.record({
    kind: fc.constantFrom('insert-header', 'change-header'),
    index: uint32,
    name: fieldBytes,
    value: fieldBytes,
  }),
  fc.record({ kind: fc.constant('replace-body'), chunk: anyBytes }),
  fc.record({
    kind: fc.constantFrom('change-sender', 'add-recipient-with-parameters'),
    address: text,
    parameters: text,
  }),
  fc.record({ kind: fc.constantFrom('add-recipient', 'delete-recipient'), address: text }),
  fc.record({ kind: fc.constant('quarantine'), reason: text }),
  fc
    .tuple(
      offer,
      fc.uniqueArray(
        fc.record({ stage: fc.constantFrom(...macroListStages), names: fc.array(macroName, { maxLength: 4 }) }),
        { selector: ({ stage }) => stage, maxLength: 7 },
      ),
    )
    .map(([value, macros]): Reply => ({ kind: 'negotiate', ...value, macros })),
);
