import { ZoneError, ZoneResolver, parseZone } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { UsageError } from './errors.ts';
import { readTextFile } from './input.ts';

/** A resolver, and how to end it. */
export interface OpenResolver extends Disposable {
  readonly resolver: Resolver;
}

/** The real DNS, or a zone file when one is given: then nothing is asked of the network. */
export async function resolverFor(zoneFile: string | undefined): Promise<OpenResolver> {
  if (zoneFile !== undefined) return { resolver: await readZoneFile(zoneFile), [Symbol.dispose]() {} };
  const resolver = await openDns();
  return { resolver, [Symbol.dispose]: () => void resolver.close() };
}

/** Loaded when it is needed: a client is more than a zone, and the configuration far more than the client. */
async function openDns() {
  if ((process.env['ZEGEL_DNS_SERVERS'] ?? '') === '') {
    const { CachingResolver } = await import('@zegel/dns/client');
    return new CachingResolver();
  }
  const [{ openResolver }, { readConfig }] = await Promise.all([
    import('@zegel/service-ground'),
    import('@zegel/service-runtime'),
  ]);
  return openResolver(readConfig(process.env));
}

/** A zone in a JSON file: see "Zone files" in docs/cli.md. Throws a {@link UsageError} that names the place that is wrong. */
async function readZoneFile(file: string): Promise<ZoneResolver> {
  let content: unknown;
  try {
    content = JSON.parse(await readTextFile(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${file} is not JSON: ${error.message}`);
    throw error;
  }
  return zoneResolver(content, file);
}

/** A resolver over a zone that somebody gave. */
export function zoneResolver(zone: unknown, where: string): ZoneResolver {
  try {
    return new ZoneResolver(parseZone(zone));
  } catch (error) {
    if (error instanceof ZoneError) throw new UsageError(`${where}: ${error.message}`);
    throw error;
  }
}
