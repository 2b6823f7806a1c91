import { Document, isNode } from 'yaml';
import type { ImportedActions } from './failure-actions.ts';
import type { ImportedListener } from './listener.ts';
import { authorDomains } from './signing-table.ts';
import type { ImportedSigning } from './signing-table.ts';

/** All that is carried over. */
export interface ImportedConfig {
  readonly authservId: string | null;
  readonly ourAuthservIds: readonly string[];
  readonly dnsServers: readonly string[];
  readonly listener: ImportedListener | null;
  readonly daemonNames: readonly string[];
  readonly internalNetworks: readonly string[];
  readonly signing: ImportedSigning;
  /** 0 for never. */
  readonly validitySeconds: number;
  /** Null for the default. */
  readonly canonicalization: string | null;
  readonly oversign: readonly string[];
  readonly signWhenPresent: readonly string[];
  readonly actions: ImportedActions;
}

const head = ` Made by "zegel import opendkim". Try it with "zegel config check" and "zegel explain".`;

const unsigned = ` OpenDKIM sends unsigned what it has no key for, and what comes from nobody it signs for. It stays so, and is logged and
 counted. "tempfail" and "reject" are safer once every sender is known.`;

const loginsHint = ` A login signs as its own address only. To let each login sign for all of these domains, as OpenDKIM does:
   logins: { inline: { "*": `;

/** The configuration as YAML, with comments. */
export function writeConfig(config: ImportedConfig): string {
  const { signing, actions } = config;
  const isSigner = signing.keys.length > 0;
  const domains = authorDomains(signing);
  const document = new Document(
    withoutEmpty({
      authservId: config.authservId,
      ourAuthservIds: config.ourAuthservIds,
      dnsServers: config.dnsServers,
      milter: { listen: config.listener === null ? [] : [config.listener] },
      outbound: { daemonNames: config.daemonNames, internalNetworks: config.internalNetworks },
      submitters: {
        networks: domains.length === 0 ? [] : config.internalNetworks.map((network) => ({ network, domains })),
      },
      signing: {
        keys: signing.keys,
        rules: signing.rules,
        validitySeconds: config.validitySeconds === 0 ? null : config.validitySeconds,
        canonicalization: config.canonicalization,
        oversign: config.oversign,
        signWhenPresent: config.signWhenPresent,
        onRefusal: {
          ...(isSigner ? { missingKey: 'send-unsigned', notPermitted: 'send-unsigned' } : {}),
          refusedHeader: actions.refusedHeader ?? null,
        },
      },
      inbound: { onTemporaryError: actions.onTemporaryError ?? null },
    }),
    { aliasDuplicateObjects: false },
  );
  document.commentBefore = head;
  comment(document, ['submitters'], `${loginsHint}[${domains.slice(0, 20).join(', ')}] } }`, domains.length > 0);
  comment(document, ['signing', 'onRefusal'], unsigned, isSigner);
  return document.toString({ lineWidth: 120 });
}

function comment(document: Document, path: readonly string[], text: string, wanted: boolean): void {
  const node = wanted ? document.getIn(path, true) : undefined;
  if (isNode(node)) node.commentBefore = text;
}

/** Leaves out what is null, an empty list or an object without members. */
function withoutEmpty(value: object): object {
  const entries = Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) {
      const isEmpty = member === null || (Array.isArray(member) && member.length === 0);
      return isEmpty ? [] : [[key, member]];
    }
    const inner = withoutEmpty(member);
    return Object.keys(inner).length === 0 ? [] : [[key, inner]];
  });
  return Object.fromEntries(entries);
}
