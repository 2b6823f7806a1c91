/** A member of a {@link PassingSet}, and its place there. */
export interface Passing<Value> {
  readonly value: Value;
  /** -1 when it has left. */
  at: number;
}

/**
 * A set, without order, whose members come and go with every message or connection.
 *
 * A `Set` makes a new table every few deletions, and each table it leaves behind knows its members and the table after
 * it. Once V8 holds one of them for old, it keeps all that follow, with every member they had, until it collects the
 * whole heap: each connection that is over would be copied twice, with all that hangs on it.
 */
export class PassingSet<Value> {
  readonly #members: Passing<Value>[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(value: Value): Passing<Value> {
    const member = { value, at: this.#members.length };
    this.#members.push(member);
    return member;
  }

  /** Once for each member; further calls do nothing. */
  delete(member: Passing<Value>): void {
    const { at } = member;
    if (at === -1) return;
    member.at = -1;
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    last.at = at;
    this.#members[at] = last;
  }

  /** Those there are now, whoever comes or goes meanwhile. */
  members(): readonly Passing<Value>[] {
    return [...this.#members];
  }
}
