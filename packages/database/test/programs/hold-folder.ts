import { lockFolder } from '../../src/index.ts';

// Starts when told, so that several of them can start at the same moment.
const [folder = ''] = process.argv.slice(2);
process.stdout.write('ready\n');
process.stdin.once('data', () => void hold());

async function hold(): Promise<void> {
  try {
    await lockFolder(folder);
    process.stdout.write('outcome held\n');
    process.stdin.on('data', () => undefined);
  } catch (error) {
    process.stdout.write(`outcome ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}\n`);
    process.exit(0);
  }
}
