import { setTimeout as delay } from 'node:timers/promises';
import { formatKeyRecord, generateKeyPair, signMessage } from '@zegel/dkim';
import { parseZone } from '@zegel/dns';
import type { MessageOutcome } from '@zegel/milter-protocol';
import { openDescriptors, residentBytes } from '@zegel/test-harness';
import { startGatedNameServer } from '../../e2e/src/gated-name-server.ts';
import { quantile } from './load-client.ts';
import { sampleMail } from './sample-mail.ts';
import { submit } from './submit.ts';
import type { SubmitOptions, Submission } from './submit.ts';
import { domain, startTestService } from './test-service.ts';
import type { TestService } from './test-service.ts';

export interface Usage {
  readonly megabytes: number;
  readonly descriptors: number;
}

export interface Soak extends AsyncDisposable {
  readonly service: TestService;
  measure(): Usage;
  /** Throws when memory has grown without bound or descriptors have been left open since then. */
  compare(what: string, before: Usage): void;
  /** Mail out and in, a part of it cut off; in the middle the DNS is dead for a while. */
  messages(count: number, deadMs: number): Promise<void>;
  /** Ends the service in the middle of a load, and starts it again. */
  stop(signal: 'SIGTERM' | 'SIGKILL', count: number): Promise<void>;
}

/** What the resident memory of a warm process may gain: caches that fill, and what the collector has not taken yet. */
const allowedGrowthMegabytes = 150;
/** An answer is there by the deadline for DNS (20 s), and what a busy machine adds. */
const longestAnswerMs = 40_000;

export async function startSoak(say: (text: string) => void): Promise<Soak> {
  const key = await generateKeyPair('rsa-sha256');
  const nameServer = await startGatedNameServer(
    parseZone({
      [domain]: { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
      [`_dmarc.${domain}`]: { TXT: ['v=DMARC1; p=none'] },
      [`s1._domainkey.${domain}`]: { TXT: [formatKeyRecord(key.publicKey)] },
    }),
  );
  nameServer.open();
  const service = await startTestService(nameServer.address, key.privateKey);
  const plain = sampleMail(3000);
  const signed = Buffer.concat([await signMessage(plain, { keys: [service.key] }), plain]);
  const measure = (): Usage => ({
    megabytes: Math.round(residentBytes(service.process().pid) / 1e6),
    descriptors: openDescriptors(service.process().pid),
  });
  const base: Omit<SubmitOptions, 'messages' | 'login' | 'raw' | 'check'> = {
    target: { path: service.socket },
    connections: 15,
    perConnection: 20,
    client: { address: '192.0.2.7', name: `mail.${domain}` },
    sender: () => `ann@${domain}`,
    disconnectOneIn: 0,
  };
  const outbound = { ...base, login: `ann@${domain}`, raw: () => plain, check: isSigned };
  // A name of its own for each: what is in the cache says nothing about a DNS that is dead.
  const inbound = { ...base, login: null, raw: () => signed, check: isAnnotated, sender: senderOf };

  const soak: Soak = {
    service,
    measure,
    compare(what, before) {
      const after = measure();
      say(
        `${what}: ${before.megabytes} MB and ${before.descriptors} descriptors before, ${after.megabytes} and ${after.descriptors} after`,
      );
      if (after.megabytes - before.megabytes > allowedGrowthMegabytes) throw new Error(`${what}: memory has grown`);
      if (after.descriptors > before.descriptors) throw new Error(`${what}: descriptors are left open`);
    },

    async messages(count, deadMs) {
      const half = Math.ceil(count / 2);
      const disconnectOneIn = 20;
      // Until the cache of DNS answers is full and the heap has its size: 40,000 messages where the run is long.
      const warm = Math.ceil(Math.min(half * 0.2, 20_000));
      await Promise.all([
        submit({ ...outbound, messages: warm, disconnectOneIn }),
        submit({ ...inbound, messages: warm, disconnectOneIn, sender: (index) => senderOf(-1 - index) }),
      ]);
      await delay(500);
      const before = measure();
      let isDead = false;
      let answeredWhileDead = 0;
      let answered = 0;
      const kill = async (): Promise<void> => {
        isDead = true;
        nameServer.shut();
        await delay(deadMs);
        nameServer.open();
        isDead = false;
      };
      const killing: Promise<void>[] = [];
      const onProgress = (accepted: number): void => {
        if (isDead) answeredWhileDead++;
        answered++;
        if (answered % 10_000 === 0) say(`${answered} messages answered: ${JSON.stringify(measure())}`);
        if (accepted >= half / 2 && killing.length === 0) killing.push(kill());
      };
      const [out, back] = await Promise.all([
        submit({ ...outbound, messages: half, disconnectOneIn, onProgress }),
        submit({ ...inbound, messages: half, disconnectOneIn, onProgress }),
      ]);
      await Promise.all(killing);
      for (const [what, { accepted, disconnects, interrupted, latencies }] of Object.entries({ out, back })) {
        say(
          `${what}: ${accepted} messages, ${disconnects} cut off, ${interrupted} interrupted, p50 ${ms(latencies, 0.5)}, p99 ${ms(latencies, 0.99)}, longest ${ms(latencies, 1)}`,
        );
      }
      say(`answered while the DNS was dead: ${answeredWhileDead}`);
      if ((back.latencies.at(-1) ?? 0) > longestAnswerMs) throw new Error('an answer came too late');
      if (out.interrupted + back.interrupted > 0) throw new Error('the milter went away');
      await delay(1000);
      soak.compare('messages', before);
    },

    async stop(signal, count) {
      const restarted: Promise<void>[] = [];
      const restart = async (): Promise<void> => {
        const exit = await service.process().kill(signal);
        say(`${signal}: ended with ${JSON.stringify(exit)}`);
        if (signal === 'SIGTERM' && exit.status !== 0)
          throw new Error(`SIGTERM: not a clean end: ${service.process().output().slice(-2000)}`);
        await service.start();
      };
      const result: Submission = await submit({
        ...outbound,
        messages: count,
        onProgress(accepted) {
          if (accepted >= count / 2 && restarted.length === 0) restarted.push(restart());
        },
      });
      await Promise.all(restarted);
      say(
        `${signal}: ${result.accepted} of ${count} accepted, every one signed; ${result.interrupted} attempts met no milter`,
      );
      if (result.accepted !== count) throw new Error(`${signal}: a message was lost`);
    },

    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await nameServer[Symbol.asyncDispose]();
    },
  };
  return soak;
}

function senderOf(index: number): string {
  return `ann@n${index < 0 ? `w${-index}` : index}.${domain}`;
}

function ms(sorted: readonly number[], share: number): string {
  return `${quantile(sorted, share).toFixed(0)} ms`;
}

function isSigned(outcome: MessageOutcome): void {
  expectField(outcome, /^dkim-signature$/i);
}

function isAnnotated(outcome: MessageOutcome): void {
  expectField(outcome, /^authentication-results$/i);
}

function expectField({ verdict, modifications }: MessageOutcome, wanted: RegExp): void {
  const isThere = modifications.some(
    (change) => 'name' in change && wanted.test(Buffer.from(change.name).toString('latin1')),
  );
  if (verdict.kind !== 'continue' || !isThere) {
    throw new Error(`accepted without ${String(wanted)}, or not accepted: ${JSON.stringify(verdict)}`);
  }
}
