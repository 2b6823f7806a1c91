/** Who signs, who verifies, and what to make of it when they disagree. */
import type { GeneratedMessage } from '@zegel/test-harness';
import { knownExceptions } from './exceptions.ts';
import type { KnownException, Situation } from './exceptions.ts';
import type { Implementation, SignRequest } from './implementation.ts';
import type { SigningDomain } from './signing-domain.ts';

/** What came of one signature in one verifier, or (verifier null) of the wish to sign. */
export interface Disagreement extends Situation {
  readonly signer: string;
  readonly verifier: string | null;
  readonly said: string;
  /** The message as the verifier got it. */
  readonly wire: Uint8Array;
}

export interface Tally {
  /** By verifier: the index of the message for every signature that it passed. */
  readonly passed: Map<string, number[]>;
  /** Disagreements put down to a known exception. */
  readonly excused: Map<KnownException, number>;
  readonly disagreements: Disagreement[];
}

/** How many messages are under way at once: enough to keep every peer busy. */
const concurrency = 16;

/** Applies `work` to every item, some at a time. */
export async function forEachConcurrently<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

/** Has every message signed as asked, and every signature verified by every implementation that knows its algorithm. */
export async function crossVerify(
  signer: Implementation,
  verifiers: readonly Implementation[],
  messages: readonly GeneratedMessage[],
  requestsFor: (message: GeneratedMessage) => readonly SignRequest[],
  { selectors }: SigningDomain,
): Promise<Tally> {
  const tally: Tally = { passed: new Map(), excused: new Map(), disagreements: [] };
  await forEachConcurrently(messages, async (message) => {
    for (const request of requestsFor(message)) {
      const { canonicalization } = request;
      let fields: Uint8Array;
      try {
        fields = await signer.sign(message, request);
      } catch (error) {
        for (const algorithm of request.algorithms) {
          const situation = { message, algorithm, canonicalization };
          const refusal = {
            ...situation,
            signer: signer.name,
            verifier: null,
            said: String(error),
            wire: message.wire,
          };
          // Whether another peer can read the message shows where that one signs it.
          settle(tally, refusal, exceptionFor(signer.name, 'reader', situation));
        }
        continue;
      }
      const wire = Buffer.concat([fields, message.wire]);
      const verdicts = await Promise.all(verifiers.map((verifier) => ask(verifier, wire)));
      for (const algorithm of request.algorithms) {
        const situation = { message, algorithm, canonicalization };
        const said = verdicts
          .filter(({ verifier }) => verifier.algorithms.includes(algorithm))
          .map(({ verifier, of }) => ({ verifier: verifier.name, said: of(selectors[algorithm]) }));
        judge(tally, signer.name, said, situation, wire);
      }
    }
  });
  return tally;
}

interface Statement {
  readonly verifier: string;
  readonly said: string;
}

/** One verifier's word on each signature of a message, by selector. */
async function ask(verifier: Implementation, wire: Uint8Array) {
  try {
    const verdicts = await verifier.verify(wire);
    const of = (selector: string): string => {
      const [verdict, ...more] = verdicts.filter((candidate) => candidate.selector === selector);
      if (verdict === undefined || more.length > 0) return `${more.length + (verdict ? 1 : 0)} verdicts instead of one`;
      return verdict.result === 'pass' ? 'pass' : `${verdict.result} ${verdict.detail}`;
    };
    return { verifier, of };
  } catch (error) {
    return { verifier, of: () => String(error) };
  }
}

/** Counts what was said about one signature: all should have said `pass`. */
function judge(
  tally: Tally,
  signer: string,
  statements: readonly Statement[],
  situation: Situation,
  wire: Uint8Array,
): void {
  const isPass = ({ said }: Statement) => said === 'pass';
  const fromPeers = statements.filter(({ verifier }) => verifier !== 'zegel');
  const badSigner = exceptionFor(signer, 'signer', situation);
  for (const statement of statements) {
    const { verifier, said } = statement;
    if (isPass(statement)) {
      const passed = tally.passed.get(verifier) ?? [];
      tally.passed.set(verifier, passed);
      passed.push(situation.message.index);
      continue;
    }
    const badReader = exceptionFor(verifier, 'reader', situation);
    // A signer is at fault when a peer rejects its signature too, a reader when a peer reads on.
    const isSeconded = fromPeers.some((other) => isPass(other) === (badSigner === undefined));
    const exception = isSeconded ? (badSigner ?? badReader) : undefined;
    settle(tally, { ...situation, signer, verifier, said, wire }, exception);
  }
}

function exceptionFor(name: string, as: KnownException['as'], situation: Situation): KnownException | undefined {
  return knownExceptions.find(
    (exception) => exception.peer === name && exception.as === as && exception.applies(situation),
  );
}

function settle(tally: Tally, disagreement: Disagreement, exception: KnownException | undefined): void {
  if (exception === undefined) tally.disagreements.push(disagreement);
  else tally.excused.set(exception, (tally.excused.get(exception) ?? 0) + 1);
}
