import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { chart, helm } from './helm.ts';
import { template } from './render.ts';

describe('values.schema.json refuses', () => {
  it.each([
    ['a misspelt value', { signer: { replcas: 3 } }, /replcas/],
    ['a misspelt section', { verfier: {} }, /verfier/],
    ['a secret in place of its name', { secrets: { masterKey: { value: 'c2VjcmV0' } } }, /value/],
    ['no name of a secret', { secrets: { redisUrl: { existingSecret: '' } } }, /existingSecret/],
    ['replicas that are no number', { signer: { replicas: 'two' } }, /replicas/],
    ['an unknown log level', { config: { logLevel: 'verbose' } }, /logLevel/],
    ['an unknown message store', { config: { messageStore: 's3' } }, /messageStore/],
    ['files that the pods do not share', { config: { messageStore: 'file' } }, /existingClaim/],
    ['KEDA without the address of Redis', { verifier: { keda: { enabled: true } } }, /address/],
    ['an authserv-id that is no name', { config: { authservId: 'mx example' } }, /authservId/],
    ['a digest that is none', { image: { digest: 'latest' } }, /digest/],
    ['pods without a memory limit', { signer: { resources: { limits: { memory: null } } } }, /memory/],
    ['no time to stop', { verifier: { shutdownGraceSeconds: 0 } }, /shutdownGraceSeconds/],
    ['a peer that is no peer', { networkPolicy: { apiFrom: [{ pods: {} }] } }, /pods/],
  ])('%s', (_, values, reason) => {
    const run = template(values);
    expect(run.status).not.toBe(0);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(reason);
  });

  it('the same under helm lint', () => {
    const run = helm(['lint', '--strict', chart, '--set', 'signer.replcas=3']);
    expect(run.status).not.toBe(0);
    expect(`${run.stdout}${run.stderr}`).toContain('replcas');
  });
});

describe('the templates refuse', () => {
  it('a largest message that the signer would never take in', () => {
    const run = template({ config: { maxMessageBytes: 134217729 } });
    expect(run.status).not.toBe(0);
    expect(run.stderr).toContain('signer.maxInflightBytes is below config.maxMessageBytes');
    const raised = template({ config: { maxMessageBytes: 134217729 }, signer: { maxInflightBytes: 134217729 } });
    expect(raised.status).toBe(0);
  });
});

describe('kubeVersion', () => {
  it('refuses a cluster that does not know lifecycle.preStop.sleep', () => {
    const run = helm(['template', 'mail', chart, '--kube-version', '1.29.0']);
    expect(run.status).not.toBe(0);
    expect(run.stderr).toContain('1.29.0');
  });
});

describe('README.md of the chart', () => {
  it('has a row with the default of every value, and no other row', () => {
    const values: unknown = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
    const readme = readFileSync(join(chart, 'README.md'), 'utf8');
    const rows = [...readme.matchAll(/^\| `([^`]+)` +\| `([^`]+)`/gm)].map(([, path, value]) => `${path} = ${value}`);
    expect(rows).toEqual(leaves(values));
  });
});

/** `path = default` of each value that is not a section; lists and empty sections are leaves. */
function leaves(value: unknown, path = ''): string[] {
  const isSection =
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
  if (!isSection) return [`${path} = ${JSON.stringify(value)}`];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}
