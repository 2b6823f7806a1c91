import type { Instruments } from './instruments.ts';

/** As much of an AuthenticationReport as is counted. */
export interface CountedReport {
  readonly dkim: readonly { readonly result: string }[];
  readonly spf: { readonly mailFrom: { readonly result: string } };
  readonly dmarc: { readonly result: string };
  readonly arc: { readonly result: string };
  readonly iprev?: { readonly result: string } | undefined;
}

/** Counts every result of one message. */
export function countReport(instruments: Instruments, { dkim, spf, dmarc, arc, iprev }: CountedReport): void {
  for (const { result } of dkim) instruments.countVerification({ method: 'dkim', result });
  instruments.countVerification({ method: 'spf', result: spf.mailFrom.result });
  instruments.countVerification({ method: 'dmarc', result: dmarc.result });
  instruments.countVerification({ method: 'arc', result: arc.result });
  if (iprev !== undefined) instruments.countVerification({ method: 'iprev', result: iprev.result });
}
