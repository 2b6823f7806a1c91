/**
 * `npm run kernel` in this package: makes `src/kernel-code.ts` of `kernel.wat`. A test fails when the two do not belong
 * together.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import createWabt from 'wabt';

const source = new URL('kernel.wat', import.meta.url);
const result = new URL('../src/kernel-code.ts', import.meta.url);

/** The TypeScript that holds the compiled kernel. */
export async function buildKernel(): Promise<string> {
  const wabt = await createWabt();
  const module = wabt.parseWat('kernel.wat', await readFile(source), { simd: true, relaxed_simd: true });
  try {
    module.validate();
    const code = Buffer.from(module.toBinary({}).buffer).toString('base64');
    const lines = code.match(/.{1,110}/g) ?? [];
    return `// Made of kernel/kernel.wat by kernel/build.ts. Not to be edited.

/** The compiled WebAssembly module, base64. */
export const kernelCode = [
${lines.map((line) => `  '${line}',\n`).join('')}].join('');
`;
  } finally {
    module.destroy();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(result, await buildKernel());
