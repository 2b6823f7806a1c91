/**
 * Exit status 0 when the given URL answers 2xx within 3 seconds, else 1. Without a URL it asks /healthz of this
 * container's own metrics listener. An image without a shell has no curl: this is what it asks itself with.
 */
const url = process.argv[2] ?? `http://${process.env.ZEGEL_METRICS_LISTEN}/healthz`;
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
  process.stdout.write(`${url}: ${response.status}\n`);
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  process.stdout.write(`${url}: ${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}
