import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTelemetry, formatAddress, openHealthListener, Readiness, ResourceStack } from '../src/index.ts';
import type { Telemetry } from '../src/index.ts';

let resources: ResourceStack;
let telemetry: Telemetry;
let readiness: Readiness;
let base: string;

beforeEach(async () => {
  resources = new ResourceStack();
  telemetry = resources.use('telemetry', createTelemetry({ service: 'test', version: '1.2.3' }));
  readiness = new Readiness({ intervalMs: 0 });
  const listen = { host: '127.0.0.1', port: 0 };
  const listener = resources.use('health', await openHealthListener({ listen, telemetry, readiness }));
  base = `http://${formatAddress(listener.address)}`;
});

afterEach(async () => {
  await resources[Symbol.asyncDispose]();
});

describe('the health listener', () => {
  test('/healthz answers while nothing is ready', async () => {
    const response = await fetch(`${base}/healthz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: 'ok' });
    expect((await fetch(`${base}/readyz`)).status).toBe(503);
  });

  test('/readyz is 200 once started and every check passes', async () => {
    readiness.add('database', async () => {});
    readiness.started();
    const response = await fetch(`${base}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      ready: true,
      phase: 'started',
      checks: [{ name: 'database', required: true, ok: true }],
    });
  });

  test.each<[string, RequestInit, number]>([
    ['/other', {}, 404],
    ['/metrics', { method: 'POST' }, 405],
    ['/metrics?x=1', {}, 200],
    ['/healthz', { method: 'HEAD' }, 200],
  ])('%s %j: %i', async (path, init, status) => {
    expect((await fetch(base + path, init)).status).toBe(status);
  });

  test('an address in use rejects with the code of the system, and says which setting named it', async () => {
    const port = Number(new URL(base).port);
    const again = openHealthListener({ listen: { host: '127.0.0.1', port }, telemetry, readiness });
    await expect(again).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: expect.stringMatching(
        new RegExp(String.raw`^127\.0\.0\.1:${port} \(ZEGEL_METRICS_LISTEN\): another program`),
      ),
    });
  });
});

async function metrics(): Promise<string[]> {
  return (await (await fetch(`${base}/metrics`)).text()).split('\n');
}

describe('metrics', () => {
  test('what was counted', async () => {
    const { instruments } = telemetry;
    instruments.countSigning({ result: 'refused', code: 'signing.unknown-domain' });
    instruments.countVerification({ method: 'dkim', result: 'pass' });
    instruments.countVerification({ method: 'dkim', result: 'pass' });
    instruments.countInbound({ state: 'queued' });
    instruments.recordHttpRequest({ method: 'POST', route: '/v1/sign', status: 200, seconds: 0.004 });
    const lines = await metrics();
    expect(lines).toContain('zegel_signing_messages_total{result="refused",code="signing.unknown-domain"} 1');
    expect(lines).toContain('zegel_authentication_results_total{method="dkim",result="pass"} 2');
    expect(lines).toContain('zegel_inbound_messages_total{state="queued"} 1');
    expect(lines).toContain('zegel_http_requests_total{method="POST",route="/v1/sign",status="200"} 1');
    expect(lines).toContain('zegel_http_request_duration_seconds_bucket{method="POST",route="/v1/sign",le="0.005"} 1');
    expect(lines).toContain('zegel_http_request_duration_seconds_bucket{method="POST",route="/v1/sign",le="0.0025"} 0');
  });

  test('what is observed, for as long as it is', async () => {
    const queue = telemetry.instruments.observeQueue(async () => ({ waiting: 3, failed: 1 }));
    const dns = telemetry.instruments.observeDns(() => ({ queries: 10, cacheHits: 20, failures: 1 }));
    const lines = await metrics();
    expect(lines).toContain('zegel_queue_jobs{state="waiting"} 3');
    expect(lines).toContain('zegel_dns_queries_total 10');
    expect(lines).toContain('zegel_dns_cache_hits_total 20');
    queue[Symbol.dispose]();
    dns[Symbol.dispose]();
    expect((await metrics()).filter((line) => line.startsWith('zegel_queue_jobs{'))).toEqual([]);
  });

  test('a reading that fails leaves the others', async () => {
    telemetry.instruments.observeQueue(() => Promise.reject(new Error('redis is away')));
    telemetry.instruments.countInbound({ state: 'done' });
    expect(await metrics()).toContain('zegel_inbound_messages_total{state="done"} 1');
  });

  test('the process and the service', async () => {
    const text = (await metrics()).join('\n');
    expect(text).toContain(`zegel_service_info{service="test",version="1.2.3",node="${process.version}"} 1`);
    for (const name of ['process_resident_memory_bytes', 'process_uptime_seconds', 'process_cpu_seconds_total']) {
      expect(text).toMatch(new RegExp(`^${name} [0-9.]+$`, 'm'));
    }
    expect(text).toMatch(/^process_event_loop_lag_seconds\{quantile="0.99"\} [0-9.e-]+$/m);
  });
});
