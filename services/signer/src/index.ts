export { openApiDocument } from './openapi.ts';
export { startSigner } from './start.ts';
export type { Signer, SignerGround } from './start.ts';
