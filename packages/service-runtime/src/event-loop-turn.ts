/**
 * Messages after which nobody waits for another turn: each pays little for the change of code by then, and the first
 * has waited long enough.
 */
const enoughTogether = 24;

let together: Promise<void> | null = null;
let waiting = 0;

/**
 * Resolves when everything that has come in this turn of the event loop has been read, and in the turns after it as long as each
 * brings another message. All who wait go on together, step by step.
 *
 * Parsing what a client sends, the work on a message and writing the answer are bodies of code of which each is larger than the
 * nearest caches. Many messages through one and then the next cost less than each through all of them: a quarter in the milter, a
 * twentieth in the REST API, whose signatures come in groups already. A message by itself waits for one turn.
 */
export function untilAllIsRead(): Promise<void> {
  waiting++;
  together ??= new Promise((resolve) => {
    let seen = 1;
    const look = (): void => {
      if (waiting > seen && waiting < enoughTogether) {
        seen = waiting;
        setImmediate(look);
        return;
      }
      together = null;
      waiting = 0;
      resolve();
    };
    setImmediate(look);
  });
  return together;
}
