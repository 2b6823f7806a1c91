import { createPrivateKey } from 'node:crypto';
import { SigningKeyError, createSigningKey } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { editMessage, normalizeDomain } from '@zegel/message';
import { sign } from '@zegel/signing';
import { readArguments, readTime, required } from './arguments.ts';
import { UsageError, exitStatus } from './errors.ts';
import { readMessage, readTextFile } from './input.ts';

export const signUsage = `zegel sign --domain D --selector S --key FILE < message.eml > signed.eml

Signs a message with DKIM. The domain must be the author's (From) or above it.

  --domain D       the signing domain (d=)
  --selector S     the selector (s=); with --key once more for a second signature
  --key FILE       the private key, PEM, RSA or Ed25519; its kind decides the algorithm
  --input FILE     the message; default: standard input
  --expire SECONDS adds x=, that many seconds from now
  --now TIME       sign as if it were this time (RFC 3339)
  --fields         write the DKIM-Signature fields alone

Bare LF line ends are read as CRLF; the signed message always has CRLF.
`;

/** `zegel sign`. */
export async function runSign(args: readonly string[]): Promise<number> {
  const options = readArguments(args, {
    domain: { type: 'string' },
    selector: { type: 'string', multiple: true },
    key: { type: 'string', multiple: true },
    input: { type: 'string' },
    expire: { type: 'string' },
    now: { type: 'string' },
    fields: { type: 'boolean' },
  });
  const domain = required(options.domain, '--domain');
  const selectors = required(options.selector, '--selector');
  const files = required(options.key, '--key');
  if (selectors.length !== files.length) throw new UsageError('each --selector needs its --key');
  const keys = await Promise.all(files.map((file, index) => readKey(domain, selectors[index] ?? '', file)));
  const normalized = normalizeDomain(domain);
  const now = readTime(options.now);
  // t= counts from 1970, and has no sign (RFC 6376 §3.5).
  if (now !== undefined && now.getTime() < 0) throw new UsageError(`--now ${options.now} is before 1970`);

  const { raw } = await readMessage(options.input);
  const result = await sign(
    raw,
    { domain },
    {
      keySource: { activeKeys: async (name) => (name === normalized ? keys : null) },
      ...(now === undefined ? {} : { now }),
      ...(options.expire === undefined ? {} : { validity: readSeconds(options.expire) }),
    },
  );
  if (result.result === 'refused') {
    const advice = result.advice === undefined ? '' : ` ${result.advice}`;
    process.stderr.write(`zegel sign: not signed (${result.code}): ${result.explanation}${advice}\n`);
    return exitStatus.badCall;
  }
  const fields = result.edits.prepend;
  process.stdout.write(options.fields === true ? Buffer.concat(fields) : editMessage(raw, result.edits));
  return exitStatus.done;
}

async function readKey(domain: string, selector: string, file: string): Promise<SigningKey> {
  const pem = await readTextFile(file);
  try {
    return createSigningKey({ domain, selector, privateKey: createPrivateKey(pem) });
  } catch (error) {
    const why =
      error instanceof SigningKeyError ? error.message : 'not a private key in PEM, or one that needs a passphrase';
    throw new UsageError(`${file}: ${why}`);
  }
}

function readSeconds(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new UsageError(`--expire ${text} is not a number of seconds`);
}
