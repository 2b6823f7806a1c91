import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<Given extends Options> = ReturnType<typeof parseArgs<{ options: Given }>>['values'];

const help = { type: 'boolean', short: 'h' } as const;

/**
 * The options a script was called with. `--help` prints `usage` and ends the process; an option that there is none of, or
 * one without its value, says so, prints it too, and ends with status 2.
 */
export function readOptions<const Given extends Options>(usage: string, options: Given): Values<Given> {
  const values = parse(usage, { ...options, help });
  if (values['help'] === true) {
    console.log(usage);
    process.exit(0);
  }
  delete values['help'];
  return values as Values<Given>;
}

function parse(usage: string, options: Options): Record<string, unknown> {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
