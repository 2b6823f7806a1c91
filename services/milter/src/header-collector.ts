import { headerFromPairs } from '@zegel/message';
import type { Header } from '@zegel/message';
import { milterServiceLimits as limits } from './limits.ts';

const CR = 0x0d;
const LF = 0x0a;
const HTAB = 0x09;
const SP = Buffer.from(' ');
const nothing = new Uint8Array(0);

/**
 * Collects the header fields of one message. Every field is counted, so that edits count as the MTA does; but beyond a
 * limit only those keep their value that a reader might take for Authentication-Results, since nothing else is looked at
 * in a header above the limits of the core.
 */
export class HeaderCollector {
  readonly #hasLeadingSpace: boolean;
  readonly #pairs: (readonly [Uint8Array, Uint8Array])[] = [];
  #bytes = 0;
  #memory = 0;

  /** `hasLeadingSpace`: whether values come exactly as they stand in the message (SMFIP_HDR_LEADSPC). */
  constructor(hasLeadingSpace: boolean) {
    this.#hasLeadingSpace = hasLeadingSpace;
  }

  /** True when there is more header than is held in memory: the message cannot be judged. */
  get isTooLarge(): boolean {
    return this.#memory > limits.maxHeaderMemory;
  }

  add(name: Uint8Array, value: Uint8Array): void {
    const isBeyond = this.#bytes > limits.maxKeptHeaderBytes;
    this.#bytes += name.length + value.length;
    if (this.isTooLarge) return;
    const keepsValue = !isBeyond || mayBeForged(name, value);
    this.#memory += name.length + limits.fieldOverhead + (keepsValue ? value.length : 0);
    this.#pairs.push([name, keepsValue ? this.#withLeadingSpace(value) : nothing]);
  }

  header(): Header {
    return headerFromPairs(this.#pairs);
  }

  /**
   * An MTA that does not keep leading spaces takes one off each value, and never a tab. Most fields have one, so it is put
   * back; what was written as `Name:value` differs then from what was received, which the relaxed canonicalization does not see.
   */
  #withLeadingSpace(value: Uint8Array): Uint8Array {
    const [first] = value;
    if (this.#hasLeadingSpace || first === undefined || first === HTAB || first === LF || first === CR) return value;
    return Buffer.concat([SP, value]);
  }
}

/** Whether a reader might find Authentication-Results in a field: by its name, or behind a line end inside its value. */
function mayBeForged(name: Uint8Array, value: Uint8Array): boolean {
  if (value.includes(LF) || value.includes(CR)) return true;
  return Buffer.from(name).toString('latin1').trim().toLowerCase() === 'authentication-results';
}
