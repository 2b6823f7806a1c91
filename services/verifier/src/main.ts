import { openGround } from '@zegel/service-ground';
import { packageVersion, runService } from '@zegel/service-runtime';
import { startVerifier } from './start.ts';

await runService(
  'zegel-verifier',
  async (context) => {
    const ground = await openGround(context);
    return startVerifier(context, ground);
  },
  { version: packageVersion(import.meta.url) },
);
