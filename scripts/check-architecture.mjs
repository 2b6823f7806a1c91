// The dependency rules of the house, checked with `npm run lint`: arrows point down only, and the core does no I/O.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** From the ground up. A package may use what stands on a line above it, and what is named as an exception. */
const layers = [
  ['dns', 'canonicalization'],
  ['message'],
  ['dkim', 'spf', 'dmarc', 'auth-results', 'bimi'],
  ['arc'],
  ['authentication', 'signing'],
  ['mail-policy'],
  ['database', 'service-runtime', 'milter-protocol'],
  ['keystore', 'mail-queue', 'mail-flow', 'opendkim-import'],
  ['service-ground'],
  ['signer', 'verifier', 'milter'],
  ['cli'],
];

const pure = [
  'message',
  'canonicalization',
  'dkim',
  'spf',
  'dmarc',
  'arc',
  'auth-results',
  'authentication',
  'signing',
  'mail-policy',
];
const impure = /^node:(?:net|https?|http2|tls|dgram|dns|fs|child_process|worker_threads)(?:\/|$)/;

const importPattern = /^(?:import|export) (?:[^;']* from )?'([^'\n]+)';/gm;

const problems = [];
const layerOf = (name) => layers.findIndex((layer) => layer.includes(name));

for (const file of globSync(['packages/*/package.json', 'services/*/package.json'], { cwd: root })) {
  const folder = path.dirname(file);
  const name = path.basename(folder);
  const layer = layerOf(name);
  if (layer === -1) {
    problems.push(`${folder}: not in the layers of scripts/check-architecture.mjs`);
    continue;
  }
  const { dependencies = {} } = JSON.parse(readFileSync(path.join(root, file), 'utf8'));
  for (const dependency of Object.keys(dependencies).filter((one) => one.startsWith('@zegel/'))) {
    const below = layerOf(dependency.slice('@zegel/'.length));
    if (below === -1 || below >= layer)
      problems.push(`${folder}: must not depend on ${dependency}, which is not below it`);
  }
  for (const source of globSync('src/**/*.ts', { cwd: path.join(root, folder) })) {
    const text = readFileSync(path.join(root, folder, source), 'utf8');
    for (const [, specifier] of text.matchAll(importPattern)) {
      const where = `${folder}/${source}`;
      const owner = /^(@[^/]+\/[^/]+|[^@./][^/]*)/.exec(specifier)?.[1];
      if (owner !== undefined && !owner.startsWith('node:') && owner !== `@zegel/${name}` && !(owner in dependencies)) {
        problems.push(`${where}: imports ${specifier}, which its package.json does not name`);
      }
      if (pure.includes(name) && (impure.test(specifier) || specifier === '@zegel/dns/client')) {
        problems.push(`${where}: imports ${specifier}, and ${name} does no I/O`);
      }
    }
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log('architecture: arrows point down, the core does no I/O');
