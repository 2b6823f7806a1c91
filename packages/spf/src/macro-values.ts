/** What macros stand for (RFC 7208 §7.2, §7.3). */
import { normalizeName } from '@zegel/dns';
import { dottedForm, formatIp } from './ip.ts';
import type { IpAddress } from './ip.ts';
import type { MacroValues } from './macro.ts';

/** What the macros of one check are made of. */
export interface MacroSession {
  readonly client: IpAddress;
  readonly helo: string;
  /** The parts of the sender. */
  readonly localPart: string;
  readonly domain: string;
  readonly receiver: string;
  readonly now: Date;
  /** Characters of a value that is used. */
  readonly maxLength: number;
}

/**
 * What macros stand for in the record of one domain, each worked out when it is asked for: most records hold none, and the
 * others one or two. A value that cannot stand in a name or a line of text is undefined (RFC 8616 §4).
 */
export class RecordMacros implements MacroValues {
  readonly #session: MacroSession;
  readonly d: string;
  readonly p: string | undefined;

  /** @param clientName the validated name, where `%{p}` is needed */
  constructor(session: MacroSession, recordDomain: string, clientName?: string) {
    this.#session = session;
    this.d = recordDomain;
    this.p = clientName;
  }

  get s(): string | undefined {
    return this.#usable(`${this.#session.localPart}@${this.#session.domain}`);
  }

  get l(): string | undefined {
    return this.#usable(this.#session.localPart);
  }

  get o(): string | undefined {
    return this.#usable(this.#session.domain);
  }

  get i(): string {
    return dottedForm(this.#session.client);
  }

  get v(): string {
    return this.#session.client.version === 4 ? 'in-addr' : 'ip6';
  }

  get h(): string | undefined {
    const { helo } = this.#session;
    return this.#usable(isPrintableAscii(helo) ? helo : (normalizeName(helo) ?? helo));
  }

  get c(): string {
    return formatIp(this.#session.client);
  }

  get r(): string | undefined {
    return this.#usable(this.#session.receiver);
  }

  get t(): string {
    return String(Math.floor(this.#session.now.getTime() / 1000));
  }

  #usable(value: string): string | undefined {
    return value.length <= this.#session.maxLength && isPrintableAscii(value) ? value : undefined;
  }
}

function isPrintableAscii(text: string): boolean {
  return !/[^\x20-\x7e]/.test(text);
}
