/** The messages of the conformance data with what belongs to them, as inputs to begin with. */
import { conformanceFile, generateMessages, loadConformance } from '@zegel/test-harness';

export interface SeedMessage {
  readonly raw: Buffer;
  readonly ip: string;
  readonly helo: string;
  readonly mailFrom: string;
  readonly dns: Readonly<Record<string, unknown>>;
}

interface Case {
  readonly file?: string;
  readonly message?: string;
  readonly encoding?: string;
  readonly ip?: string;
  readonly helo?: string;
  readonly mailfrom?: string;
  readonly dns?: Readonly<Record<string, unknown>>;
}

interface Suite {
  readonly dns?: Readonly<Record<string, unknown>>;
  readonly cases: readonly Case[];
}

const dkimSuites = ['dkimpy', 'go-msgauth', 'lieser', 'mail-dkim', 'mimekit', 'opendkim', 'rspamd', 'stalwart'].map(
  (name) => `dkim/${name}.json`,
);
const arcSuites = ['arc/validation.json', 'arc/real.json'];
const wholeSuites = ['e2e/cases.json', 'espoofer/cases.json', 'dmarc/rspamd.json'];

/** Larger messages are left out: they slow every mutation down and lead nowhere that a small one does not. */
const maxSeedOctets = 20_000;

export const dkimMessages = (): readonly SeedMessage[] => dkimSuites.flatMap(readSuite);
export const arcMessages = (): readonly SeedMessage[] => arcSuites.flatMap(readSuite);
export const wholeMessages = (): readonly SeedMessage[] => wholeSuites.flatMap(readSuite);

/** Messages with the oddities of the harness. */
export function oddMessages(): readonly Buffer[] {
  return generateMessages(1, 60)
    .map(({ wire }) => wire)
    .filter((raw) => raw.length <= maxSeedOctets);
}

function readSuite(file: string): readonly SeedMessage[] {
  const suite = loadConformance<Suite>(file);
  return suite.cases
    .map((one) => ({
      raw: readMessage(one, file.slice(0, file.indexOf('/') + 1)),
      ip: one.ip ?? '192.0.2.1',
      helo: one.helo ?? 'client.example',
      mailFrom: (one.mailfrom ?? 'sender@example.org').replaceAll(/[<>]/g, ''),
      dns: { ...suite.dns, ...one.dns },
    }))
    .filter(({ raw }) => raw.length <= maxSeedOctets);
}

function readMessage({ file, message = '', encoding }: Case, folder: string): Buffer {
  if (file !== undefined) return conformanceFile(folder + file);
  return Buffer.from(message, encoding === 'base64' ? 'base64' : 'utf8');
}
