import type { DmarcResult } from '@zegel/dmarc';
import type { Header, HeaderEdits } from '@zegel/message';
import type { BimiVerdict } from './report.ts';

/**
 * BIMI, given to authenticate() by a door that wants it: fetching indicators and certificates is I/O, which this package
 * does not do. `@zegel/bimi` has both parts.
 */
export interface BimiSupport {
  /** The verdict on a message whose DMARC verdict is known. Never rejects for what a message, the DNS or a web server does. */
  check(input: {
    readonly header: Header;
    readonly dmarc: DmarcResult;
    readonly signal: AbortSignal;
  }): Promise<BimiVerdict>;
  /** The fields that only a receiver may write, so that those which come with a message are removed. */
  findFields(header: Header): HeaderEdits['remove'];
}
