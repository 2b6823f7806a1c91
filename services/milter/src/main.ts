import { packageVersion } from '@zegel/service-runtime';
import { runMilter } from './run-milter.ts';

await runMilter(process.env, packageVersion(import.meta.url));
