/**
 * For each value its shortest beginning, of `minimum` characters or more, that no different value shares: what
 * `header.b` shows of a signature (RFC 6008 §4). A value that is the beginning of another, or shorter than `minimum`,
 * is given whole; equal values get equal answers, nothing can tell them apart.
 */
export function uniquePrefixes(values: readonly string[], minimum = 8): string[] {
  if (values.length === 1) return values.map((value) => value.slice(0, Math.max(1, minimum)));
  const sorted = [...new Set(values)].toSorted();
  const lengths = new Map<string, number>();
  // In sorted order a value shares its longest beginning with a neighbour.
  let sharedBefore = 0;
  for (const [index, value] of sorted.entries()) {
    const sharedBehind = sharedLength(value, sorted[index + 1] ?? '');
    lengths.set(value, Math.max(minimum, sharedBefore + 1, sharedBehind + 1));
    sharedBefore = sharedBehind;
  }
  return values.map((value) => value.slice(0, lengths.get(value)));
}

/** How many characters two texts have in common at their beginning. */
function sharedLength(one: string, other: string): number {
  const end = Math.min(one.length, other.length);
  let length = 0;
  while (length < end && one[length] === other[length]) length++;
  return length;
}
