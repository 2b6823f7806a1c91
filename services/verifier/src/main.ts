import { openGround } from '@zegel/service-ground';
import { packageVersion, runService } from '@zegel/service-runtime';
import { startVerifier } from './start.ts';

await runService(
  'zegel-verifier',
  async (context) => {
    const ground = await openGround(context);
    const verifier = await startVerifier(context, ground);
    // It has nothing else to do.
    context.readiness.add('inbound queue', () => verifier.ping());
    return verifier;
  },
  { version: packageVersion(import.meta.url) },
);
