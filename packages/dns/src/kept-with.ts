/**
 * What is made of an object, made once and kept for as long as the object is.
 *
 * @param make a pure function; neither the object nor what is made of it may be changed.
 */
export function keptWith<From extends object, T>(make: (from: From) => T): (from: From) => T {
  const kept = new WeakMap<From, T>();
  return (from) => {
    const known = kept.get(from);
    if (known !== undefined) return known;
    const made = make(from);
    kept.set(from, made);
    return made;
  };
}
