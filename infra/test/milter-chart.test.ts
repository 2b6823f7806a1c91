import { describe, expect, it } from 'vitest';
import { chart, helm } from './helm.ts';
import { deployments, render } from './render.ts';

const values = { milter: { enabled: true, allowFrom: [{ podSelector: {} }] } };

describe('the milter of the chart', () => {
  it('is linted, and is not there unless it is wanted', () => {
    const run = helm(['lint', '--strict', chart, '--set', 'milter.enabled=true']);
    expect(`${run.stdout}${run.stderr}`).toContain('1 chart(s) linted, 0 chart(s) failed');
    expect(deployments([...render()]).map(({ metadata }) => metadata.name)).not.toContain('zegel-milter');
  });

  it('has probes, a graceful stop, its configuration, and a port that only listed peers reach', () => {
    const objects = [...render(values)];
    const milter = deployments(objects).find(({ metadata }) => metadata.name.endsWith('-milter'));
    const { containers, terminationGracePeriodSeconds } = milter!.spec.template.spec;
    expect(terminationGracePeriodSeconds).toBe(45);
    expect(containers[0]).toMatchObject({
      command: expect.arrayContaining(['/app/services/milter/dist/main.js']),
      ports: expect.arrayContaining([{ name: 'milter', containerPort: 8891 }]),
      readinessProbe: expect.objectContaining({ httpGet: { path: '/readyz', port: 'metrics' } }),
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
    });
    // It signs, and has no REST API.
    expect(JSON.stringify(milter)).toContain('"name":"zegel-master-key"');
    expect(JSON.stringify(milter)).not.toMatch(/admin/i);
    const config = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith('-milter'));
    expect(config?.data?.['zegel.yaml']).toContain('0.0.0.0:8891');
    const policy = objects.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name.endsWith('-milter'));
    expect(policy?.spec?.['ingress']).toContainEqual({
      from: [{ podSelector: {} }],
      ports: [{ port: 'milter', protocol: 'TCP' }],
    });
  });
});
