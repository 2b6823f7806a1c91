import { LineCounter, isMap, isScalar, parseDocument } from 'yaml';
import type { ConfigText } from './config-file.ts';
import { ConfigError } from './errors.ts';
import type { ConfigProblem } from './errors.ts';
import { configLimits } from './limits.ts';
import { authorEntries } from './submitter-settings.ts';

/**
 * Reads a map of logins: YAML with logins as keys, and what each may sign as: an author address, a domain name, `*`, or a
 * list of these. A login is a whole one, `*@domain`, or `*`.
 *
 * @throws {ConfigError} naming what is wrong by line and column; logins themselves are not repeated
 */
export function parseLoginMap({ name, text }: ConfigText): Readonly<Record<string, readonly string[]>> {
  const lines = new LineCounter();
  const problem = (offset: number, allowed: string, fault: ConfigProblem['fault']): ConfigProblem => {
    const { line, col } = lines.linePos(offset);
    const at = { file: name, line: Math.max(line, 1), column: Math.max(col, 1) };
    return { variable: null, key: 'the entry', at, given: null, allowed, fault };
  };
  if (text.length > configLimits.maxLoginMapBytes) {
    const limit = `the file is above the limit of ${configLimits.maxLoginMapBytes} bytes`;
    throw new ConfigError([problem(0, limit, 'unreadable')]);
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new ConfigError([problem(error.pos[0], `not YAML: ${error.message.split('\n', 1)[0] ?? ''}`, 'unreadable')]);
  }
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return {};
  if (!isMap(contents)) throw new ConfigError([problem(contents.range[0], 'logins by name', 'unreadable')]);

  const entries = new Map<string, readonly string[]>();
  const problems: ConfigProblem[] = [];
  for (const { key, value } of contents.items) {
    const login = isScalar(key) ? String(key.value) : '';
    const parsed = authorEntries.safeParse(value?.toJS(document, { maxAliasCount: 0 }) ?? null);
    const allowed = parsed.success ? 'a login' : (parsed.error.issues[0]?.message ?? '');
    if (parsed.success && login !== '') entries.set(login, parsed.data);
    else problems.push(problem((value ?? key).range?.[0] ?? 0, allowed, 'invalid'));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.fromEntries(entries);
}
