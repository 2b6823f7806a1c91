import fc from 'fast-check';

/** Any code point, lone surrogates included; those that mean something to the grammar or to a terminal often. */
const character = fc.oneof(
  fc.constantFrom(...'"\\();=@./ \t\r\n\0a1é', '\ud800', '\u202e', '\u2028', '\ufffd'),
  fc.integer({ min: 0, max: 0x10ffff }).map((codePoint) => String.fromCodePoint(codePoint)),
);

/** Texts that somebody means harm with, some of them longer than may be written. */
export const hostileText = fc
  .oneof(
    { weight: 9, arbitrary: fc.array(character, { maxLength: 40 }) },
    { weight: 1, arbitrary: fc.array(character, { minLength: 350, maxLength: 450 }) },
  )
  .map((characters) => characters.join(''));
