import { readOptions } from '@zegel/test-harness';
import { compare, isLeftOut } from './src/bench/compare.ts';
import { contenders } from './src/bench/contenders.ts';

const usage = `npm run bench -- milter [OPTIONS]: compares milters by the messages that a processor second of theirs answers, as a fraction
of the RSA signatures that one makes. Peers want root and the Debian packages opendkim, opendmarc and rspamd; one that is
missing is named and left out.

  --only NAME     one milter: ${[...new Set(contenders.map(({ name }) => name))].join(', ')}
  --task TASK     sign or verify
  --messages N    of each round (default 2000)
  --rounds N      (default 9)
  --warm-up N     messages before, over new connections and over reused ones (default 8000)
  --bytes N       of a message (default 10000)`;
const values = readOptions(usage, {
  only: { type: 'string' },
  task: { type: 'string' },
  messages: { type: 'string', default: '2000' },
  rounds: { type: 'string', default: '9' },
  'warm-up': { type: 'string', default: '8000' },
  bytes: { type: 'string', default: '10000' },
});

const chosen = contenders.filter(
  ({ name, task }) => (values.only === undefined || name === values.only) && (values.task ?? task) === task,
);
console.log('| task | milter | checks | connections | new each | reused | p99 | messages/s |');
console.log('| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |');
const leftOut: string[] = [];
const outcomes = compare(chosen, {
  messages: Number(values.messages),
  rounds: Number(values.rounds),
  warmUp: Number(values['warm-up']),
  bytes: Number(values.bytes),
  calibrationSeconds: 0.3,
});
for await (const outcome of outcomes) {
  const { task, name, checks } = outcome.contender;
  if (isLeftOut(outcome)) {
    const { error } = outcome;
    if (name === 'zegel') throw error;
    const why = error instanceof Error ? error.message : String(error);
    leftOut.push(`${name} (${task}): ${why.replaceAll(/\s+/g, ' ').trim()}`);
    continue;
  }
  const { connections, newConnections, reused, p99, perSecond } = outcome;
  const figures = [newConnections.toFixed(2), reused.toFixed(2), `${p99.toFixed(0)} ms`, perSecond.toFixed(0)];
  console.log(`| ${[task, name, checks, connections, ...figures].join(' | ')} |`);
}
if (leftOut.length > 0) console.log(`\nLeft out:\n${leftOut.map((why) => `- ${why}`).join('\n')}`);
