import { open } from 'node:fs/promises';
import { isExposed } from '@zegel/service-runtime/config';
import { RulesError } from './errors.ts';

/**
 * The text of a file that the configuration names, at most so many bytes. A secret must be out of reach for others.
 *
 * @throws {RulesError} `config.file-unreadable`, `config.secret-exposed`
 */
export async function readNamedFile(
  file: string,
  maxBytes: number,
  { secret = false }: { readonly secret?: boolean } = {},
): Promise<string> {
  try {
    await using handle = await open(file, 'r');
    const { mode } = await handle.stat();
    if (secret && isExposed(mode)) {
      const bits = (mode & 0o777).toString(8).padStart(4, '0');
      const message = `${file} has mode ${bits}, so others can get at the secret in it: chmod 600 ${file}`;
      throw new RulesError('config.secret-exposed', message);
    }
    const buffer = Buffer.alloc(maxBytes + 1);
    let size = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, size, buffer.length - size, null);
      size += bytesRead;
      if (bytesRead === 0 || size > maxBytes) break;
    }
    if (size > maxBytes) throw new RulesError('config.file-unreadable', `${file} is above ${maxBytes} bytes`);
    return buffer.toString('utf8', 0, size);
  } catch (error) {
    if (error instanceof RulesError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new RulesError('config.file-unreadable', `${file} cannot be read: ${why}`, { cause: error });
  }
}
