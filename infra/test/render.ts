import { parseAllDocuments } from 'yaml';
import { chart, helm } from './helm.ts';

/** What the tests read of a Kubernetes object; the rest is there, untyped. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec?: Record<string, unknown>;
  readonly data?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Labels };
    readonly template: PodTemplate;
  };
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Labels; readonly annotations?: Labels };
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly serviceAccountName: string;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: Record<string, unknown>;
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly topologySpreadConstraints: readonly { readonly labelSelector: { readonly matchLabels: Labels } }[];
}

export interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly projected?: { readonly sources: readonly { readonly secret: { readonly name: string } }[] };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly securityContext: Record<string, unknown>;
  readonly env: readonly Variable[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly resources: { readonly limits: Labels; readonly requests: Labels };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

/**
 * Renders the chart as release `mail` in namespace `post`; `apis` are API versions the cluster has besides Kubernetes' own.
 * The result is read as YAML 1.1, as Kubernetes does: there an unquoted `on` is a boolean.
 */
export function render(values: unknown = {}, apis: readonly string[] = []): readonly KubernetesObject[] {
  const run = template(values, apis);
  if (run.status !== 0) throw new Error(run.stderr);
  return parseAllDocuments(run.stdout, { version: '1.1', merge: false }).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0]!;
    const object = document.toJS() as KubernetesObject | null;
    return object === null ? [] : [object];
  });
}

/** The same, for values that may be refused. */
export function template(values: unknown, apis: readonly string[] = []) {
  const args = ['template', 'mail', chart, '--namespace', 'post', '--kube-version', '1.35.0', '--values', '-'];
  return helm([...args, ...apis.flatMap((api) => ['--api-versions', api])], JSON.stringify(values));
}

/** The one object of that kind whose name ends so; fails unless there is exactly one. */
export function only(objects: readonly KubernetesObject[], kind: string, suffix = ''): KubernetesObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(suffix));
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind} named …${suffix}`);
  return found[0]!;
}

export function deployments(objects: readonly KubernetesObject[]): readonly Deployment[] {
  return objects.filter((object): object is Deployment => object.kind === 'Deployment');
}

/** Whether an object with these labels is selected. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
