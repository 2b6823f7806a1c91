import type { FuzzTarget } from './target.ts';

/** Imported on demand: coverage must be on before the code it is about is compiled. */
const loaders: Readonly<Record<string, () => Promise<FuzzTarget>>> = {
  message: async () => (await import('./targets/message.ts')).message,
  canonicalization: async () => (await import('./targets/canonicalization.ts')).canonicalization,
  'key-record': async () => (await import('./targets/key-record.ts')).keyRecord,
  'dkim-verify': async () => (await import('./targets/dkim-verify.ts')).dkimVerify,
  'dkim-sign': async () => (await import('./targets/dkim-sign.ts')).dkimSign,
  spf: async () => (await import('./targets/spf.ts')).spf,
  dmarc: async () => (await import('./targets/dmarc.ts')).dmarc,
  'auth-results': async () => (await import('./targets/auth-results.ts')).authResults,
  forged: async () => (await import('./targets/forged.ts')).forged,
  authenticate: async () => (await import('./targets/authenticate.ts')).authenticateWhole,
  arc: async () => (await import('./targets/arc.ts')).arc,
  zone: async () => (await import('./targets/zone.ts')).zone,
  'dns-response': async () => (await import('./targets/dns-response.ts')).dnsResponse,
};

export const targetNames: readonly string[] = Object.keys(loaders);

/** Throws a RangeError for a name that is none of {@link targetNames}. */
export async function loadTarget(name: string): Promise<FuzzTarget> {
  const load = loaders[name];
  if (load === undefined) throw new RangeError(`No target ${name}: there are ${targetNames.join(', ')}`);
  return load();
}
