import '@zegel/service-runtime/thread-pool';
import { openConfiguredKeystore, openGround, openMailRules, reloadAtHangup } from '@zegel/service-ground';
import { packageVersion, readConfig, runService } from '@zegel/service-runtime';
import { startSigner } from './start.ts';

await runService(
  'zegel-signer',
  async (context) => {
    const ground = await openGround(context);
    const keystore = await openConfiguredKeystore(ground.database, context.config);
    const store = { keySource: keystore, logins: keystore.logins };
    const rules = await openMailRules(context, { ...ground, store }, () => readConfig(process.env));
    context.resources.use('reload', reloadAtHangup(rules.reload));
    const signer = await startSigner(context, { ...ground, keystore, rules: rules.current });
    context.logger.info({ address: signer.address }, 'listening');
    return signer;
  },
  { version: packageVersion(import.meta.url), bufferedLog: true },
);
