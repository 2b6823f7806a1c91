import { whiteSpace, word } from './message-body.ts';
import type { SeededRandom } from './random.ts';

export const headerOddities = [
  'folded',
  'folded-after-colon',
  'blank-folded-line',
  'no-space-after-colon',
  'tab-after-colon',
  'space-before-colon',
  'trailing-white-space',
  'white-space-runs-in-header',
  'empty-value',
  '8-bit-header',
  'utf-8-header',
  'control-bytes-in-header',
  'long-from',
  'long-header-line',
  'repeated-fields',
  'name-in-odd-case',
  'odd-field-names',
  'long-field-name',
  'semicolon-in-field-name',
  'many-fields',
  'long-field',
  'encoded-words',
  'bottom-up-order',
] as const;

/** Oddities that some verifier is known to refuse: each comes alone, in its turn, so as not to hide the others. */
export const contestedOddities: ReadonlySet<string> = new Set<HeaderOddity>([
  'space-before-colon',
  'long-field-name',
  'semicolon-in-field-name',
]);

/**
 * What is odd about the header. `blank-folded-line`: a continuation of SP and HTAB only (obs-FWS, RFC 5322 §4.2);
 * `space-before-colon`: `Name : value` (RFC 5322 §4.5; RFC 6376 §3.4.2 says how it canonicalizes). VT and FF are left
 * out: they are no white space to mail, but dkimpy, Mail::DKIM and libopendkim each treat them in their own way.
 */
export type HeaderOddity = (typeof headerOddities)[number];

interface Field {
  readonly name: string;
  /** As it stands after the colon, without the final CRLF; one character is one byte. */
  readonly value: string;
}

const byteText = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** The header fields in order, each ending in CRLF. Unknown features are not its business. */
export function headerOf(features: ReadonlySet<string>, random: SeededRandom): Buffer[] {
  const has = (oddity: HeaderOddity) => features.has(oddity);
  const words = (count: number) => Array.from({ length: count }, () => word(random)).join(' ');
  const fold = () => `\r\n${whiteSpace(random, random.between(1, 4))}`;
  const address = () => `${word(random)}.${word(random)}@${word(random)}.example`;

  const trace: Field[] = [
    { name: 'Received', value: ` from ${word(random)}.example by mx.example;\r\n\tMon, 2 Mar 2026 10:00:00 +0000` },
  ];
  const fields: Field[] = [
    { name: 'From', value: ` "${words(2)}" <author@example.test>` },
    { name: 'To', value: ` <${address()}>` },
    { name: 'Subject', value: ` ${words(random.between(1, 8))}` },
    { name: 'Date', value: ' Mon, 2 Mar 2026 10:00:00 +0000' },
    { name: 'Message-ID', value: ` <${word(random)}.${random.between(1, 1e9)}@example.test>` },
    { name: 'MIME-Version', value: ' 1.0' },
    { name: 'Content-Type', value: ' text/plain;\r\n\tcharset="utf-8"' },
    { name: 'Content-Transfer-Encoding', value: ' 8bit' },
    { name: 'X-Mailer', value: ` ${words(2)}` },
  ];
  const set = (name: string, value: string) => {
    const at = fields.findIndex((field) => field.name === name);
    fields[at] = { name, value };
  };
  const add = (name: string, value: string) => fields.splice(random.between(1, fields.length), 0, { name, value });

  if (has('folded')) {
    set('Subject', ` ${words(2)}${fold()}${words(3)}${fold()}${words(1)}`);
    add('X-Folded', ` a${fold()}b${fold()}${fold().slice(2)}c;${fold()}d="e f"`);
    add('References', Array.from({ length: random.between(2, 9) }, () => `${fold()}<${address()}>`).join(''));
  }
  if (has('folded-after-colon')) {
    set('To', `${fold()}<${address()}>`);
    add('X-Folded-At-Once', `${fold()}${words(2)}`);
  }
  if (has('blank-folded-line')) {
    add('X-Blank-Fold', ` before${fold()}\r\n after`);
    add('X-Blank-End', ` before${fold()}`);
  }
  if (has('no-space-after-colon')) {
    set('Subject', words(3));
    add('X-Tight', words(1));
  }
  if (has('tab-after-colon')) {
    set('Subject', `\t${words(2)}`);
    add('X-Tab', `\t\t ${words(1)}`);
  }
  if (has('space-before-colon')) add(`X-Spaced${' '.repeat(random.between(1, 3))}`, ` ${words(2)}`);
  if (has('trailing-white-space')) {
    set('Subject', ` ${words(2)}${whiteSpace(random, random.between(1, 5))}`);
    add('X-Trailing', ` ${words(1)}${fold()}${words(1)} \t`);
  }
  if (has('white-space-runs-in-header')) add('X-Runs', `  ${words(1)} \t ${words(1)}\t\t${words(1)}   "a  b"`);
  if (has('empty-value')) {
    add('X-Empty', '');
    add('X-Blank', whiteSpace(random, random.between(1, 3)));
  }
  if (has('8-bit-header')) add('X-8-Bit', ` ${random.bytes(random.between(1, 60), 0x80, 0xff).toString('latin1')}`);
  if (has('utf-8-header')) {
    set('Subject', byteText(` ${random.pick(['Grüße', '件名', 'a\u00a0b\u2003c', '🔏 sealed'])} ${words(1)}`));
    set('From', byteText(` "Jürgen Ünïcode 名前" <author@example.test>`));
  }
  if (has('control-bytes-in-header')) add('X-Control', ` a\u0001b \u0007 c${random.pick(['\u001f', '\u007f'])}`);
  if (has('long-from')) {
    const others = Array.from(
      { length: random.between(5, 120) },
      () => `,${fold()}"${words(2)}" <${word(random)}@example.test>`,
    );
    set('From', ` "${words(random.between(5, 30))}" <author@example.test>${others.join('')}`);
  }
  if (has('long-header-line'))
    add('X-Long-Line', ` ${random.bytes(random.between(998, 5000), 0x21, 0x7e).toString('latin1')}`);
  if (has('long-field'))
    add('X-Long-Field', Array.from({ length: random.between(100, 400) }, () => `${fold()}${words(4)}`).join(''));
  if (has('repeated-fields')) {
    for (let count = random.between(1, 6); count > 0; count -= 1) {
      trace.unshift({
        name: 'Received',
        value: ` from ${word(random)}.example${fold()}by ${word(random)}.example; now`,
      });
      add(random.pick(['Comments', 'comments', 'COMMENTS']), ` ${words(2)}`);
      add('Keywords', ` ${words(1)}`);
      add(random.pick(['X-Repeated', 'x-repeated', 'X-REPEATED']), ` ${count} ${words(1)}`);
    }
  }
  if (has('name-in-odd-case')) {
    for (const [at, { name, value }] of fields.entries()) {
      fields[at] = { name: random.chance(2) ? name.toUpperCase() : name.toLowerCase(), value };
    }
  }
  if (has('odd-field-names')) {
    add('!#$%&\'*+-/=?^_`{|}~.<>()[]@,"\\', ` ${words(1)}`);
    add('1', ` ${words(1)}`);
    add('From-', ' not a From');
  }
  if (has('long-field-name')) add(`X-${'Long-'.repeat(random.between(16, 60))}Name`, ` ${words(1)}`);
  if (has('semicolon-in-field-name')) add('X-Semi;Colon', ` ${words(1)}`);
  if (has('many-fields')) for (let count = 30; count > 0; count -= 1) add(`X-Many-${count}`, ` ${word(random)}`);
  if (has('encoded-words')) {
    add('X-Encoded', ` =?utf-8?Q?Gr=C3=BC=C3=9Fe_${word(random)}?=${fold()}=?iso-8859-1?B?4Q==?=`);
  }
  if (has('bottom-up-order')) fields.reverse();
  return [...trace, ...fields].map(({ name, value }) => Buffer.from(`${name}:${value}\r\n`, 'latin1'));
}
