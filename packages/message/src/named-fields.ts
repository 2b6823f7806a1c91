import { keptWith } from '@zegel/dns';
import { everyField } from './header.ts';
import type { Header, HeaderField } from './header.ts';
import { singletonFields } from './singleton-fields.ts';

/**
 * The fields of each of some distinct lower-case names, top first, in the order of the names: one pass over the header
 * for all of them.
 *
 * @param names what is looked up in it is kept with the list, which must not change.
 */
export function fieldsAmong(header: Header, names: readonly string[]): readonly (readonly HeaderField[])[] {
  const places = placesOf(names);
  const found = names.map(() => noFields);
  for (const field of everyField(header)) {
    const place = places.get(field.name);
    if (place === undefined) continue;
    const fields = found[place];
    if (fields === undefined || fields === noFields) found[place] = [field];
    else fields.push(field);
  }
  return found;
}

const noFields: HeaderField[] = [];

const placesOf = keptWith((names: readonly string[]) => new Map(names.map((name, place) => [name, place])));

/** The fields that stand in a header more often than once, of those that may not, with how often they do. */
export function repeatedFields(header: Header): readonly { readonly field: string; readonly found: number }[] {
  const repeated: { readonly field: string; readonly found: number }[] = [];
  for (const [at, { length: found }] of fieldsAmong(header, singletonFields).entries()) {
    const field = singletonFields[at];
    if (found > 1 && field !== undefined) repeated.push({ field, found });
  }
  return repeated;
}
