import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { checkHost } from '../src/index.ts';
import type { SpfMailFromOptions, SpfResult } from '../src/index.ts';

/** Checks MAIL FROM `user@example.com` from 192.0.2.1 against a zone; anything can be replaced. */
export function checkZone(zone: ZoneDeclaration, options: Partial<SpfMailFromOptions> = {}): Promise<SpfResult> {
  return checkHost({
    ip: '192.0.2.1',
    helo: 'mail.example.net',
    mailFrom: 'user@example.com',
    resolver: new ZoneResolver(zone),
    ...options,
  });
}

/** A zone in which example.com publishes this record. */
export function record(text: string, rest: ZoneDeclaration = {}): ZoneDeclaration {
  return { 'example.com': { TXT: [text] }, ...rest };
}
