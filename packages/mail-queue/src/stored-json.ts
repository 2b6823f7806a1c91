/**
 * A value as JSON text that PostgreSQL's `jsonb` takes: it refuses U+0000 and lone surrogates, which mail may well hold.
 * They become U+FFFD. Undefined becomes null.
 */
export function storedJson(value: unknown): string {
  return JSON.stringify(value ?? null, (_name, held: unknown) => (typeof held === 'string' ? storedText(held) : held));
}

/** Text that PostgreSQL takes. */
export function storedText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
