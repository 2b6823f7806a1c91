import { HeaderCanonicalizer, createBodyCanonicalizer } from '@zegel/canonicalization';
import type { Canonicalization } from '@zegel/canonicalization';
import { parseHeader, parseMessage } from '@zegel/message';
import { dkimMessages, oddMessages } from '../conformance-messages.ts';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { cut } from './message.ts';

/** @zegel/canonicalization: independent of chunk borders, and done once it is done. */
export const canonicalization: FuzzTarget = {
  name: 'canonicalization',
  covers: ['canonicalization'],
  tokens: ['\r\n', '\r\n\r\n', ' \r\n', '\t\r\n', '\r', '\n', ' ', '\t', '  ', '\r\n ', ': ', ' :', '\0', '.\r\n'],
  seeds: () => [...oddMessages(), ...dkimMessages().map(({ raw }) => raw)],
  run: async (raw) => {
    const { header, body } = parseMessage(raw);
    for (const form of ['simple', 'relaxed'] as const) {
      const whole = canonicalBody(form, [body]);
      must(canonicalBody(form, cut(Buffer.from(body))).equals(whole), `${form}: in chunks the body is another`);
      must(canonicalBody(form, [whole]).equals(whole), `${form}: a canonical body is changed again`);
      must(whole.length === 0 || whole.subarray(-2).equals(Buffer.from('\r\n')), `${form}: no line end at the end`);
      const once = canonicalHeader(form, header.bytes);
      must(canonicalHeader(form, once).equals(once), `${form}: a canonical header is changed again`);
    }
    return [];
  },
};

function canonicalBody(form: Canonicalization, chunks: readonly Uint8Array[]): Buffer {
  const parts: Buffer[] = [];
  const canonicalizer = createBodyCanonicalizer(form, (bytes) => parts.push(Buffer.from(bytes)));
  for (const chunk of chunks) canonicalizer.update(chunk);
  canonicalizer.end();
  return Buffer.concat(parts);
}

function canonicalHeader(form: Canonicalization, bytes: Uint8Array): Buffer {
  const canonicalizer = new HeaderCanonicalizer(form);
  // What is no field is never signed.
  const fields = parseHeader(bytes).fields.filter(({ name }) => name !== '');
  canonicalizer.addAll(bytes, fields);
  return Buffer.from(canonicalizer.bytes());
}
