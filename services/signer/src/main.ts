import { openConfiguredKeystore, openGround } from '@zegel/service-ground';
import { packageVersion, runService } from '@zegel/service-runtime';
import { startSigner } from './start.ts';

await runService(
  'zegel-signer',
  async (context) => {
    const ground = await openGround(context);
    const keystore = await openConfiguredKeystore(ground.database, context.config);
    const signer = await startSigner(context, { ...ground, keystore });
    context.logger.info({ address: signer.address }, 'listening');
    return signer;
  },
  { version: packageVersion(import.meta.url) },
);
