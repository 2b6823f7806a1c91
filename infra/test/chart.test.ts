import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { QUEUE_NAME, QUEUE_PREFIX } from '@zegel/mail-queue';
import { listSettings, readConfig } from '@zegel/service-runtime';
import { chart, helm } from './helm.ts';
import { deployments, only, render, selects } from './render.ts';
import type { Container, Deployment, KubernetesObject, Labels, PodSpec } from './render.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const keda = 'keda.sh/v1alpha1';
const prometheus = 'monitoring.coreos.com/v1';
const everything = {
  config: {
    authservId: 'mx.example.com',
    ourAuthservIds: ['a.example', 'b.example'],
    dnsServers: ['9.9.9.9', '[::1]:5353'],
  },
  image: { repository: 'images.example/zegel', digest: `sha256:${'0'.repeat(64)}` },
  imagePullSecrets: [{ name: 'pull' }],
  signer: {
    autoscaling: { enabled: true },
    priorityClassName: 'mail',
    podAnnotations: { a: 'b' },
    podLabels: { team: 'post' },
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    shutdownGraceSeconds: 100,
    preStopSleepSeconds: 10,
  },
  verifier: { keda: { enabled: true, address: 'redis:6379', existingSecret: 'redis-login', minReplicas: 2 } },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
};
const shared = { config: { messageStore: 'file' }, persistence: { existingClaim: 'messages' } };

const allowed = new Set(listSettings().map(({ variable }) => variable));
const secretValues: Readonly<Record<string, string>> = {
  'zegel-redis/url': 'redis://secret:6379',
  'zegel-database/url': 'postgres://secret:5432/zegel',
};

const valueSets: Readonly<Record<string, KubernetesObject[]>> = {
  defaults: [...render()],
  everything: [...render(everything, [keda, prometheus])],
  'shared files': [...render(shared)],
};

describe('helm lint --strict', () => {
  it.each([
    ['defaults', []],
    ['autoscaling', ['--set', 'signer.autoscaling.enabled=true']],
    ['shared files', ['--set', 'config.messageStore=file,persistence.existingClaim=messages']],
  ])('%s', (_, args) => {
    const run = helm(['lint', '--strict', chart, ...args]);
    expect(`${run.stdout}${run.stderr}`).toContain('1 chart(s) linted, 0 chart(s) failed');
    expect(run.status).toBe(0);
  });
});

it('has the verifier keep what is done for as long as it is told', () => {
  const days = [{}, { verifier: { retentionDays: 2 } }].map((values) => {
    const objects = [...render(values)];
    const verifier = deployments(objects).find(({ metadata }) => metadata.name.endsWith('-verifier'))!;
    const [container] = verifier.spec.template.spec.containers as [Container];
    return readConfig(environment(objects, container)).retentionDays;
  });
  expect(days).toEqual([7, 2]);
});

describe.each(Object.entries(valueSets))('rendered with %s', (_, objects) => {
  const workloads = deployments(objects);
  const pods: readonly [string, PodSpec][] = [
    ...workloads.map(({ metadata, spec }): [string, PodSpec] => [metadata.name, spec.template.spec]),
    ['test pod', only(objects, 'Pod').spec as unknown as PodSpec],
  ];

  it('has a signer and a verifier', () => {
    expect(workloads.map(({ metadata }) => metadata.name).toSorted()).toEqual([
      'mail-zegel-signer',
      'mail-zegel-verifier',
    ]);
  });

  it('gives each object its own name within its kind', () => {
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('labels every object with the recommended labels', () => {
    for (const { metadata } of objects) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/name': 'zegel',
        'app.kubernetes.io/instance': 'mail',
        'app.kubernetes.io/version': '0.1.0',
        'app.kubernetes.io/part-of': 'zegel',
        'app.kubernetes.io/managed-by': 'Helm',
      });
    }
  });

  it.each(pods)('runs %s under the restricted pod security standard, without a token', (_, pod) => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    expect(pod).not.toHaveProperty('hostNetwork');
    expect(JSON.stringify(pod)).not.toContain('hostPath');
  });

  it.each(pods)('limits the memory of %s to what it asks for, and never its CPU', (_, pod) => {
    for (const { resources } of pod.containers) {
      expect(resources.requests.memory).toBe(resources.limits.memory);
      expect(resources.requests).toHaveProperty('cpu');
      expect(resources.limits).not.toHaveProperty('cpu');
    }
  });

  it.each(workloads)('$metadata.name selects its own pods by labels that never change', ({ spec }) => {
    const selector = spec.selector.matchLabels;
    expect(Object.keys(selector).toSorted()).toEqual([
      'app.kubernetes.io/component',
      'app.kubernetes.io/instance',
      'app.kubernetes.io/name',
    ]);
    expect(selects(selector, spec.template.metadata.labels)).toBe(true);
    const selected = workloads.filter((other) => selects(selector, other.spec.template.metadata.labels));
    expect(selected).toHaveLength(1);
    for (const { labelSelector } of spec.template.spec.topologySpreadConstraints) {
      expect(labelSelector.matchLabels).toEqual(selector);
    }
  });

  it.each(workloads)('$metadata.name is probed on the metrics port', ({ spec }) => {
    const [container] = spec.template.spec.containers as [Container];
    const metrics = container.ports.find(({ name }) => name === 'metrics');
    const listen = environment(objects, container).ZEGEL_METRICS_LISTEN;
    expect(listen).toBe(`0.0.0.0:${metrics?.containerPort}`);
    expect(container.startupProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' });
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'metrics' });
  });

  it.each(workloads)('$metadata.name is given time for its longest job and 15 seconds', ({ spec }) => {
    const pod = spec.template.spec;
    const [container] = pod.containers as [Container];
    const config = readConfig(environment(objects, container));
    const sleep = container.lifecycle.preStop.sleep.seconds;
    expect(pod.terminationGracePeriodSeconds).toBe(sleep + config.shutdownGraceMs / 1000 + 15);
    expect(sleep).toBeGreaterThan(0);
  });

  it.each(workloads)('$metadata.name has an environment that the services accept', ({ spec }) => {
    const [container] = spec.template.spec.containers as [Container];
    const config = readConfig(environment(objects, container));
    expect(config.listen).toEqual({ host: '0.0.0.0', port: 8080 });
    expect(config.redisUrl).toBe('redis://secret:6379');
    expect(config.databaseUrl).toBe('postgres://secret:5432/zegel');
    // Node's own; not Zegel's.
    const ours = Object.keys(environment(objects, container)).filter((name) => name !== 'NODE_OPTIONS');
    expect(ours.filter((name) => !allowed.has(name))).toEqual([]);
  });

  it('gives the signer six times the memory of the messages it takes in', () => {
    const signer = workloads.find(({ metadata }) => metadata.name.endsWith('-signer'))!;
    const [container] = signer.spec.template.spec.containers as [Container];
    const { maxInflightBytes } = readConfig(environment(objects, container));
    const limit = /^(\d+)Mi$/.exec(container.resources.limits.memory!)?.[1];
    expect(Number(limit) * 2 ** 20).toBeGreaterThanOrEqual(6 * maxInflightBytes);
  });

  it.each(workloads)('$metadata.name refers to secrets, and mounts what it names', ({ spec }) => {
    const pod = spec.template.spec;
    const [container] = pod.containers as [Container];
    const secret = container.env.filter(({ name }) => /(URL|KEY|TOKEN|PASSWORD)$/.test(name));
    expect(secret.map(({ name }) => name)).toEqual(['REDIS_URL', 'DATABASE_URL']);
    for (const { value } of secret) expect(value).toBeUndefined();
    expect(container.volumeMounts.map(({ name }) => name).toSorted()).toEqual(
      pod.volumes.map(({ name }) => name).toSorted(),
    );
    const env = environment(objects, container);
    const mounted = container.volumeMounts.map(({ mountPath }) => `${mountPath}/`);
    const paths = ['ZEGEL_MASTER_KEY_FILE', 'ZEGEL_ADMIN_TOKEN_FILE', 'ZEGEL_DATA_DIR'].flatMap(
      (name) => env[name] ?? [],
    );
    expect(paths.filter((path) => !mounted.some((folder) => `${path}/`.startsWith(folder)))).toEqual([]);
  });

  it('makes no Secret, and keeps the master key from the verifier', () => {
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const verifier = JSON.stringify(only(objects, 'Deployment', '-verifier'));
    expect(verifier).not.toMatch(/master|admin/i);
  });

  it('runs a program that the services have', () => {
    for (const { spec } of workloads) {
      const [container] = spec.template.spec.containers as [Container];
      const program = container.command.at(-1)!;
      expect(program).toMatch(/^\/app\/services\/[a-z]+\/dist\/main\.js$/);
      expect(existsSync(join(root, program.replace('/app/', '').replace(/dist\/.*/, 'package.json')))).toBe(true);
      expect(container.command.slice(0, -1)).toEqual(['node', '--conditions=compiled', '--enable-source-maps']);
    }
  });

  it('leads the Service to the signer', () => {
    const service = only(objects, 'Service', '-signer').spec as { selector: Labels; ports: { targetPort: string }[] };
    const selected = workloads.filter(({ spec }) => selects(service.selector, spec.template.metadata.labels));
    expect(selected.map(({ metadata }) => metadata.name)).toEqual(['mail-zegel-signer']);
    const ports = selected[0]!.spec.template.spec.containers[0]!.ports.map(({ name }) => name);
    for (const { targetPort } of service.ports) expect(ports).toContain(targetPort);
  });

  it('denies all traffic of each component but what it lists', () => {
    for (const { metadata, spec } of workloads) {
      const policy = only(objects, 'NetworkPolicy', metadata.name).spec as unknown as {
        podSelector: { matchLabels: Labels };
        policyTypes: string[];
        ingress: { from: unknown[]; ports: { port: string }[] }[];
        egress: { to: unknown[]; ports: { port: number; protocol: string }[] }[];
      };
      expect(policy.podSelector.matchLabels).toEqual(spec.selector.matchLabels);
      expect(policy.policyTypes).toEqual(['Ingress', 'Egress']);
      const names = new Set(spec.template.spec.containers[0]!.ports.map(({ name }) => name));
      for (const { from, ports } of policy.ingress) {
        expect(from.length).toBeGreaterThan(0);
        for (const { port } of ports) expect(names).toContain(port);
      }
      for (const { to } of policy.egress) expect(to.length).toBeGreaterThan(0);
      const egress = policy.egress.flatMap(({ ports }) => ports.map(({ port, protocol }) => `${protocol} ${port}`));
      expect(egress).toEqual(['UDP 53', 'TCP 53', 'TCP 6379', 'TCP 5432']);
    }
  });

  it('protects each component from being drained at once', () => {
    for (const { metadata, spec } of workloads) {
      const budget = only(objects, 'PodDisruptionBudget', metadata.name).spec;
      expect(budget).toEqual({
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: { matchLabels: spec.selector.matchLabels },
      });
    }
  });
});

describe('configuration', () => {
  it('starts every pod anew when it changes', () => {
    const [before, after] = ['info', 'debug'].map((logLevel) =>
      deployments(render({ config: { logLevel } })).map(configChecksum),
    );
    expect(new Set([...before!, ...after!]).size).toBe(2);
    expect(before).not.toContain(after![0]);
  });
});

describe('message store', () => {
  it('is Redis by default, as the pods share no folder', () => {
    expect(only(valueSets.defaults!, 'ConfigMap').data?.ZEGEL_MESSAGE_STORE).toBe('redis');
  });

  it('is one claim in every pod when it is files', () => {
    for (const { spec } of deployments(valueSets['shared files']!)) {
      const data = spec.template.spec.volumes.find(({ name }) => name === 'data');
      expect(data?.persistentVolumeClaim?.claimName).toBe('messages');
    }
  });
});

describe('memory of the verifier', () => {
  it('holds every message it may work on, as read and as written', () => {
    const [container] = deployments(valueSets.defaults!).find(({ metadata }) => metadata.name.endsWith('-verifier'))!
      .spec.template.spec.containers as [Container];
    const config = readConfig(environment(valueSets.defaults!, container));
    const need = config.workerConcurrency * config.maxMessageBytes * 2 + 200 * 1024 ** 2;
    expect(container.resources.limits.memory).toBe('1Gi');
    expect(need).toBeLessThanOrEqual(1024 ** 3);
  });
});

describe('authserv-id', () => {
  it('is the same for every pod when nobody sets it', () => {
    expect(only(valueSets.defaults!, 'ConfigMap').data?.AUTHSERV_ID).toBe('mail-zegel-signer.post.svc');
  });

  it('is the one that was set', () => {
    expect(only(valueSets.everything!, 'ConfigMap').data).toMatchObject({
      AUTHSERV_ID: 'mx.example.com',
      ZEGEL_OUR_AUTHSERV_IDS: 'a.example,b.example',
      ZEGEL_DNS_SERVERS: '9.9.9.9,[::1]:5353',
    });
  });
});

describe('strings that YAML would read as something else', () => {
  it('stay strings', () => {
    const objects = render({ nameOverride: '0', config: { authservId: 'on' }, signer: { podLabels: { number: '1' } } });
    const texts = objects.flatMap(({ metadata, data }) => Object.values({ ...metadata.labels, ...data }));
    expect(texts.filter((value) => typeof value !== 'string')).toEqual([]);
    expect(deployments(objects)[0]?.spec.template.metadata.labels.number).toBe('1');
  });
});

describe('scaling', () => {
  it('sets replicas where nothing else does', () => {
    expect(deployments(valueSets.defaults!).map(({ spec }) => spec.replicas)).toEqual([2, 2]);
    expect(deployments(valueSets.everything!).map(({ spec }) => spec.replicas)).toEqual([undefined, undefined]);
  });

  it('scales the signer by CPU', () => {
    expect(valueSets.defaults!.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')).toEqual([]);
    const hpa = only(valueSets.everything!, 'HorizontalPodAutoscaler');
    expect(hpa.apiVersion).toBe('autoscaling/v2');
    expect(hpa.spec?.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'mail-zegel-signer' });
  });

  it('scales the verifier by the sum of waiting, prioritized and running jobs, with the password by reference', () => {
    const scaled = only(valueSets.everything!, 'ScaledObject').spec as unknown as {
      scaleTargetRef: unknown;
      advanced: { scalingModifiers: { formula: string } };
      triggers: { name: string; metadata: { listName: string }; authenticationRef: { name: string } }[];
    };
    expect(scaled.scaleTargetRef).toEqual({ name: 'mail-zegel-verifier' });
    const names = scaled.triggers.map(({ name }) => name);
    expect(scaled.advanced.scalingModifiers.formula.split(' + ').toSorted()).toEqual(names.toSorted());
    const lists = ['active', 'prioritized', 'wait'].map((list) => `${QUEUE_PREFIX}:${QUEUE_NAME}:${list}`);
    expect(scaled.triggers.map(({ metadata }) => metadata.listName).toSorted()).toEqual(lists);
    const authentication = only(valueSets.everything!, 'TriggerAuthentication');
    for (const { authenticationRef } of scaled.triggers)
      expect(authenticationRef.name).toBe(authentication.metadata.name);
    expect(authentication.spec?.secretTargetRef).toEqual([
      { parameter: 'username', name: 'redis-login', key: 'username' },
      { parameter: 'password', name: 'redis-login', key: 'password' },
    ]);
  });

  it('keeps its replicas in a cluster without KEDA', () => {
    const objects = render(everything, [prometheus]);
    expect(objects.filter(({ apiVersion }) => apiVersion === keda)).toEqual([]);
    const [verifier] = deployments(objects).filter(({ metadata }) => metadata.name.endsWith('-verifier'));
    expect(verifier?.spec.replicas).toBe(2);
  });

  it('makes no disruption budget for a single pod, which could then never be drained', () => {
    const objects = render({ signer: { replicas: 1 }, verifier: { replicas: 1 } });
    expect(objects.filter(({ kind }) => kind === 'PodDisruptionBudget')).toEqual([]);
  });
});

describe('ServiceMonitor', () => {
  it('is left out in a cluster that does not know it', () => {
    const objects = render(everything, [keda]);
    expect(objects.filter(({ apiVersion }) => apiVersion === prometheus)).toEqual([]);
  });

  it('scrapes the named port of every pod', () => {
    const objects = valueSets.everything!;
    const monitor = only(objects, 'ServiceMonitor');
    const { selector, endpoints } = monitor.spec as {
      selector: { matchLabels: Labels };
      endpoints: { port: string; interval: string }[];
    };
    expect(monitor.metadata.labels).toMatchObject({ release: 'prometheus' });
    const services = objects.filter(
      ({ kind, metadata }) => kind === 'Service' && selects(selector.matchLabels, metadata.labels!),
    );
    expect(services).toHaveLength(1);
    const service = services[0]!.spec as { selector: Labels; ports: { name: string; targetPort: string }[] };
    expect(endpoints).toEqual([{ port: 'metrics', path: '/metrics', interval: '30s' }]);
    expect(service.ports).toEqual([{ name: 'metrics', port: 9464, targetPort: 'metrics' }]);
    for (const { spec } of deployments(objects))
      expect(selects(service.selector, spec.template.metadata.labels)).toBe(true);
  });
});

describe('NetworkPolicy', () => {
  it('leaves a rule out when nobody is named: an empty list of peers would let everybody in', () => {
    const objects = render({ networkPolicy: { apiFrom: [], metricsFrom: [], redis: { ports: [6379], to: [] } } });
    for (const policy of objects.filter(({ kind }) => kind === 'NetworkPolicy')) {
      expect(policy.spec?.ingress ?? []).toEqual([]);
      expect(JSON.stringify(policy.spec?.egress)).not.toContain('6379');
    }
  });

  it('may be left to others', () => {
    const objects = render({ networkPolicy: { enabled: false } });
    expect(objects.filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([]);
  });
});

function configChecksum({ spec }: Deployment): string | undefined {
  return spec.template.metadata.annotations?.['checksum/config'];
}

/** The environment variables of a container, as Kubernetes would set them. */
function environment(objects: readonly KubernetesObject[], container: Container): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { configMapRef } of container.envFrom)
    Object.assign(variables, only(objects, 'ConfigMap', configMapRef.name).data);
  for (const { name, value, valueFrom } of container.env) {
    const secret =
      valueFrom === undefined
        ? undefined
        : secretValues[`${valueFrom.secretKeyRef.name}/${valueFrom.secretKeyRef.key}`];
    const text = value ?? secret;
    if (text === undefined) throw new Error(`${name} has neither a value nor a secret`);
    expect(variables).not.toHaveProperty(name);
    variables[name] = text;
  }
  return variables;
}
