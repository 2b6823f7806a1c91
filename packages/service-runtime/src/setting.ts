import { z } from 'zod';
import { parseAddress } from './listen-address.ts';

/** What a person has to know about one setting. */
export interface Setting {
  /** Name of the environment variable. */
  readonly variable: string;
  /** Where it stands in the configuration file, sections joined by dots; `null` when it may not stand there. */
  readonly key: string | null;
  /** What it does, in one sentence or two. */
  readonly description: string;
  /** Noun phrase for what may be given; completes "must be …". */
  readonly allowed: string;
  /** The value used when the setting is unset or empty, as it would be written; or, in words, where it comes from. */
  readonly fallback: string;
  /** Unit of the value; empty when it has none. */
  readonly unit: string;
  /** Never printed, not even when it is wrong. */
  readonly secret: boolean;
}

/** What the code says of a setting; its key follows from the place in the schema. */
export interface SettingTexts extends Omit<Setting, 'key'> {
  /**
   * `text` is read from a text, whatever it is in the file (a list is joined by commas); `path` is a text that counts from the
   * folder of the file; `yaml` is read as the value it is, from the environment as YAML in one line.
   */
  readonly form: 'text' | 'path' | 'yaml';
  /** May stand in the environment only. */
  readonly environmentOnly?: boolean;
}

/** What is known about each field of the schema. */
export const settingTexts = z.registry<SettingTexts>();

type GivenTexts = Omit<SettingTexts, 'form' | 'unit' | 'secret'> & Partial<Pick<SettingTexts, 'unit' | 'secret'>>;

function texts(form: SettingTexts['form'], given: GivenTexts): SettingTexts {
  return { unit: '', secret: false, ...given, form };
}

/** A setting that may be absent. */
export function optional<T>(value: z.ZodType<T, string>, given: GivenTexts) {
  return value.optional().register(settingTexts, texts('text', given));
}

/** A path that may be absent. */
export function optionalPath(given: GivenTexts) {
  return z.string().optional().register(settingTexts, texts('path', given));
}

/** A path with a default, which counts from the working directory. */
export function path(fallback: string, given: GivenTexts) {
  return z.string().prefault(fallback).register(settingTexts, texts('path', given));
}

export function address(variable: string, fallback: string, description: string) {
  return z
    .string()
    .transform((text, context) => {
      const parsed = parseAddress(text);
      if (parsed !== null) return parsed;
      context.addIssue('not host:port');
      return z.NEVER;
    })
    .prefault(fallback)
    .register(
      settingTexts,
      texts('text', {
        variable,
        description,
        allowed: 'host:port, with an IPv6 host in brackets',
        fallback,
        unit: 'host:port',
      }),
    );
}

/** URLs are secrets: they hold passwords. */
export function url(variable: string, protocols: readonly string[], description: string) {
  const accepts = (text: string): boolean => {
    const parsed = URL.parse(text);
    return parsed !== null && protocols.includes(parsed.protocol) && parsed.hostname !== '';
  };
  return optional(z.string().refine(accepts), {
    variable,
    description,
    allowed: `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    fallback: 'unset',
    unit: 'URL',
    secret: true,
  });
}

/** A file that holds the URL of the setting beside it, which has a password in it. */
export function urlFile(variable: string, holds: string) {
  return optionalPath({
    variable,
    description: `File (mode 0600) that holds ${holds}, read at the start. Give this or the URL, not both.`,
    allowed: `a path, and not beside ${holds}`,
    fallback: 'unset',
  });
}

export function integer(
  variable: string,
  fallback: number,
  [least, most]: readonly [number, number],
  unit: string,
  description: string,
) {
  const within = (value: number): boolean => value >= least && value <= most;
  return z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .refine(within)
    .prefault(String(fallback))
    .register(
      settingTexts,
      texts('text', {
        variable,
        description,
        allowed:
          variable === 'ZEGEL_MAX_INFLIGHT_BYTES'
            ? `a whole number from ${least} to ${most}, not below ZEGEL_MAX_MESSAGE_BYTES`
            : `a whole number from ${least} to ${most}`,
        fallback: String(fallback),
        unit,
      }),
    );
}

export function boolean(variable: string, fallback: boolean, description: string) {
  return z
    .enum(['true', 'false', '1', '0', 'yes', 'no'])
    .transform((text) => text === 'true' || text === '1' || text === 'yes')
    .prefault(fallback ? 'true' : 'false')
    .register(
      settingTexts,
      texts('text', { variable, description, allowed: 'true or false', fallback: String(fallback) }),
    );
}

/** One of a few words; `note` completes what is allowed. */
export function word<const Words extends readonly [string, ...string[]]>(
  variable: string,
  words: Words,
  fallback: Words[number],
  description: string,
  note = '',
) {
  return z
    .string()
    .pipe(z.enum(words))
    .prefault(fallback)
    .register(
      settingTexts,
      texts('text', { variable, description, allowed: `one of ${words.join(', ')}${note}`, fallback }),
    );
}

/** A comma-separated list; blanks around items and empty items are ignored. In the file a list, or such a text. */
export function list<T>(parse: (item: string) => T | null, given: Omit<GivenTexts, 'unit'>) {
  return z
    .string()
    .transform((text, context): readonly T[] => {
      const items: T[] = [];
      for (const [index, item] of text.split(',').entries()) {
        const trimmed = item.trim();
        if (trimmed === '') continue;
        const parsed = parse(trimmed);
        if (parsed !== null) items.push(parsed);
        else
          context.addIssue({ code: 'custom', message: 'not in the form of the list', input: trimmed, path: [index] });
      }
      return items;
    })
    .prefault('')
    .register(settingTexts, texts('text', { ...given, unit: 'list' }));
}

/** A value with parts of its own; in the environment it is written as YAML in one line. */
export function structure<T, Default extends T | undefined>(
  value: z.ZodType<T>,
  fallbackValue: Default,
  given: Omit<GivenTexts, 'unit'>,
) {
  return value
    .optional()
    .transform((parsed): T | Default => parsed ?? fallbackValue)
    .register(settingTexts, texts('yaml', { ...given, unit: 'YAML' }));
}

/**
 * An object of the file that may hold these keys and no others. The message of an unknown key lists those there are, that of
 * anything else completes "must be …".
 */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape, allowed: string) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : allowed),
  });
}

/** A text of the file; `parse` answers null for what it does not take. */
export function textOf<T>(allowed: string, parse: (text: string) => T | null) {
  return z.string({ error: allowed }).transform((text, context): T => {
    const parsed = parse(text);
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: allowed, input: text });
    return z.NEVER;
  });
}
