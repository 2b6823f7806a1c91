/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  /** In upper case. */
  readonly name: string;
  /** `--key=value` flags that stand before the arguments. */
  readonly flags: readonly (readonly [string, string])[];
  /** The rest of the line. */
  readonly argument: string;
  /** The arguments, when they are a JSON array (exec form). */
  readonly exec: readonly string[] | null;
}

/** A stage: from one FROM to the next. */
export interface Stage {
  readonly base: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** Defaults of the ARGs before the first FROM. */
  readonly args: ReadonlyMap<string, string>;
  readonly stages: readonly Stage[];
}

/** Reads what our Dockerfile uses of the format: comments, continuation lines, flags, exec form. */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  const joined = lines.join('\n').replaceAll(/\\\n\s*/g, '');
  const args = new Map<string, string>();
  const stages: { base: string; name: string; instructions: Instruction[] }[] = [];
  for (const line of joined.split('\n')) {
    if (line.trim() === '') continue;
    const instruction = parseInstruction(line);
    const stage = stages.at(-1);
    if (instruction.name === 'FROM') {
      const [base = '', , name = ''] = instruction.argument.split(/\s+/);
      stages.push({ base, name, instructions: [] });
    } else if (stage !== undefined) {
      stage.instructions.push(instruction);
    } else if (instruction.name === 'ARG') {
      const [name = '', value = ''] = instruction.argument.split('=', 2);
      args.set(name, value);
    } else {
      throw new Error(`${instruction.name} before FROM`);
    }
  }
  return { args, stages };
}

function parseInstruction(line: string): Instruction {
  const [, name = '', rest = ''] = /^\s*([A-Za-z]+)\s+(.*)$/.exec(line) ?? [];
  const flags: [string, string][] = [];
  let argument = rest;
  for (
    let match = /^--([a-z-]+)=(\S+)\s+/.exec(argument);
    match !== null;
    match = /^--([a-z-]+)=(\S+)\s+/.exec(argument)
  ) {
    flags.push([match[1]!, match[2]!]);
    argument = argument.slice(match[0].length);
  }
  const array = argument.indexOf('[');
  const exec = array !== -1 && argument.endsWith(']') ? (JSON.parse(argument.slice(array)) as string[]) : null;
  return { name: name.toUpperCase(), flags, argument, exec };
}
