import { expect, it } from 'vitest';
import { startSoak } from '../src/soak-phases.ts';

it('the milter loses no message, and leaves none unsigned, through disconnects, a dead DNS, SIGTERM and SIGKILL', async () => {
  const said: string[] = [];
  await using soak = await startSoak((text) => said.push(text));
  await soak.messages(600, 500);
  await soak.stop('SIGTERM', 200);
  await soak.stop('SIGKILL', 200);
  expect(said.filter((line) => line.includes('every one signed'))).toHaveLength(2);
});
