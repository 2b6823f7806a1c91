/**
 * "Composition Kills" (USENIX Security 2020): messages that each component reads in its own way. The victim is
 * `protected`; no DMARC pass for it, nothing in the written field that even a careless reader takes for one, and no
 * signature for whoever may not sign as it.
 */
import { createHash, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { authenticate } from '@zegel/authentication';
import { createSigningKey } from '@zegel/dkim';
import { ZoneResolver, isSubdomainOf } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { editMessage, parseMessage } from '@zegel/message';
import { sign } from '@zegel/signing';
import { loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';

interface Case {
  readonly id: string;
  readonly side: 'receive' | 'submit';
  readonly description: string;
  readonly helo: string;
  readonly ip: string;
  readonly mailfrom: string;
  readonly message: string;
  readonly encoding: 'base64';
  readonly sign: { readonly d: string; readonly s: string; readonly signedFrom: string } | null;
  readonly protected: string;
  readonly expect: { readonly shouldNotPassAtAll?: boolean; readonly mustNotSignAs?: string };
}

const { dns, cases } = loadConformance<{ dns: ZoneDeclaration; cases: readonly Case[] }>('espoofer/cases.json');
const receiving = cases.filter(({ side }) => side === 'receive');
const submitting = cases.filter(({ side }) => side === 'submit');

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
const attackerKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const resolver = new ZoneResolver(
  JSON.parse(JSON.stringify(dns).replaceAll('@@ATTACKERKEY@@', attackerKey)) as ZoneDeclaration,
);

/** The message as the attacker sends it: where the case asks for it, under a signature that the attacker's key made. */
function messageOf({ message, sign: wanted }: Case): Buffer {
  const raw = Buffer.from(message, 'base64');
  if (wanted === null) return raw;
  const body = raw.subarray(raw.indexOf('\r\n\r\n') + 4);
  const bh = createHash('sha256').update(body).digest('base64');
  const field = `DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=${wanted.d}; s=${wanted.s}; h=from; bh=${bh}; b=`;
  const signature = signBytes('sha256', Buffer.from(`${wanted.signedFrom}\r\n${field}`), privateKey).toString('base64');
  return Buffer.concat([Buffer.from(`${field}${signature}\r\n`), raw]);
}

const check = (each: Case) =>
  authenticate(
    messageOf(each),
    { session: { ip: each.ip, helo: each.helo }, envelope: { mailFrom: each.mailfrom.slice(1, -1) } },
    { resolver, authservId: 'mx.victim.com', now: new Date('2026-11-24T02:00:00Z') },
  );

describe('conformance: espoofer, receiving', () => {
  it.each(receiving)('$id: $description', async (each) => {
    const { report, edits } = await check(each);
    const { result, authorDomain = '' } = report.dmarc;
    const isVictim = isSubdomainOf(authorDomain, each.protected);
    expect(result === 'pass' && isVictim, `${result} for ${authorDomain}`).toBe(false);
    // An author in doubt passes for nobody.
    const passesAtAll = result === 'pass' || /dmarc\s*=\s*pass/i.test(report.authenticationResults);
    expect(each.expect.shouldNotPassAtAll === true && passesAtAll).toBe(false);
    const passes = report.authenticationResults.split(';').filter((part) => /=\s*pass/i.test(part));
    expect(passes.filter((part) => part.includes(each.protected))).toEqual([]);

    // What goes on: our field first and whole, whatever the message began with.
    const { header } = parseMessage(editMessage(messageOf(each), edits));
    expect(header.fields[0]).toMatchObject({ name: 'authentication-results', end: edits.prepend[0]?.length });
  });
});

describe('conformance: espoofer, submitting', () => {
  const keys = [createSigningKey({ domain: 'example.com', selector: 's', privateKey })];
  const keySource = { activeKeys: async (domain: string) => (domain === 'example.com' ? keys : null) };

  it.each(submitting)('$id: $description', async (each) => {
    const { result, signatures } = await sign(
      messageOf(each),
      { submitter: { login: 'attacker@example.com' } },
      { keySource },
    );
    expect(result).toBe('refused');
    expect(signatures).toEqual([]);
  });
});
