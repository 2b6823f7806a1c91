import { DmarcRecordError } from './errors.ts';
import { isReportingUri } from './record.ts';
import type { DmarcRecord } from './record.ts';

/** What to publish: a policy, and whatever differs from the defaults. */
export type DmarcRecordContent = Pick<DmarcRecord, 'p'> & Partial<DmarcRecord>;

/**
 * Writes the text of a policy record. Tags with their default value are left out; {@link parseDmarcRecord} reads the
 * same record back.
 *
 * Throws {@link DmarcRecordError} for a reporting URI that is none, or in which `,`, `!` or `;` is not percent-encoded,
 * and for failure options that RFC 9989 §4.8 does not allow together.
 */
export function formatDmarcRecord(content: DmarcRecordContent): string {
  const tags = ['v=DMARC1', `p=${content.p}`];
  const { sp, np, adkim, aspf, psd, testing, fo = ['0'], rua = [], ruf = [] } = content;
  if (sp) tags.push(`sp=${sp}`);
  if (np) tags.push(`np=${np}`);
  if (adkim === 'strict') tags.push('adkim=s');
  if (aspf === 'strict') tags.push('aspf=s');
  if (psd && psd !== 'u') tags.push(`psd=${psd}`);
  if (testing) tags.push('t=y');
  if (fo.length !== 1 || fo[0] !== '0') tags.push(`fo=${formatFailureOptions(fo)}`);
  if (rua.length > 0) tags.push(`rua=${formatUris('rua', rua)}`);
  if (ruf.length > 0) tags.push(`ruf=${formatUris('ruf', ruf)}`);
  return tags.join('; ');
}

function formatFailureOptions(options: DmarcRecord['fo']): string {
  const repeated = new Set(options).size !== options.length;
  if (options.length === 0 || repeated || (options.includes('0') && options.includes('1'))) {
    throw new DmarcRecordError(`fo takes one of 0 and 1 at most, and no option twice: ${options.join(':')}`);
  }
  return options.join(':');
}

function formatUris(tag: string, uris: readonly string[]): string {
  for (const uri of uris) {
    if (!isReportingUri(uri)) {
      throw new DmarcRecordError(`Not a URI that ${tag} may hold ("," "!" and ";" must be percent-encoded): ${uri}`);
    }
  }
  return uris.join(',');
}
