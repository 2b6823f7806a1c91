import { z } from 'zod';

/**
 * The one JSON shape of a verification: over REST, in the queue, on screen. Every verdict holds `result` (the word of
 * RFC 8601), `code` (stable), `explanation` (a sentence), `advice` when something can be done, and `evidence`.
 */

const texts = {
  code: z.string().describe('Stable name of the outcome, such as dkim.body-hash-mismatch'),
  explanation: z.string().describe('A sentence for a person'),
  advice: z.string().optional().describe('What can be done about it'),
};

const seconds = z.number().describe('Seconds');

const dkimEvidenceSchema = z.object({
  occurrence: z.number().optional().describe('Which DKIM-Signature field, 1 being the topmost'),
  tag: z.string().optional().describe('The tag that was wrong'),
  canonicalization: z.string().optional(),
  signedFields: z.array(z.string()).readonly().optional(),
  timestamp: z.string().optional().describe('t=, RFC 3339'),
  expiration: z.string().optional().describe('x=, RFC 3339'),
  bodyLength: z.number().optional().describe('l=, in octets'),
  canonicalBodyLength: z.number().optional(),
  bodyHash: z.object({ signed: z.string(), computed: z.string() }).optional(),
  headerIntact: z.boolean().optional().describe('The body differs, and the signed header fields are as they were'),
  keyName: z.string().optional().describe('Where the key record was asked for'),
  keyRecord: z.string().optional(),
  keyTtl: seconds.optional(),
  keyAuthentic: z.boolean().optional().describe('DNSSEC vouches for the key record'),
  keyBits: z.number().optional(),
  reason: z.string().optional().describe('Why the DNS gave no answer'),
  limit: z.number().optional(),
});

export const dkimVerdictSchema = z.object({
  result: z.enum(['none', 'pass', 'fail', 'policy', 'neutral', 'temperror', 'permerror']),
  ...texts,
  domain: z.string().optional().describe('d=, as A-labels'),
  selector: z.string().optional(),
  identity: z.string().optional().describe('i='),
  algorithm: z.string().optional().describe('a='),
  signature: z.string().optional().describe('b=, base64 without white space'),
  testing: z.boolean().optional().describe('The key record says t=y'),
  evidence: dkimEvidenceSchema,
});

const spfCounts = z.object({ lookupTerms: z.number(), voidLookups: z.number(), queries: z.number() });

export const spfVerdictSchema = z.object({
  result: z.enum(['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror', 'permerror']),
  ...texts,
  identity: z.enum(['mailfrom', 'helo']),
  domain: z.string().describe('The domain that was checked; empty when there was none'),
  explanationText: z.string().optional().describe("The domain owner's own words for a fail; not to be trusted"),
  evidence: z
    .object({
      ip: z.string(),
      helo: z.string(),
      mailFrom: z.string().optional().describe('The reverse-path; absent when the HELO identity was checked'),
      sender: z.string(),
      record: z.string().optional(),
      matched: z.object({ term: z.string(), domain: z.string() }).optional(),
      counts: spfCounts,
      trace: z
        .array(
          z.object({
            step: z.enum(['record', 'term', 'explanation']),
            domain: z.string(),
            depth: z.number(),
            text: z.string(),
            lookups: z
              .array(
                z.object({
                  name: z.string(),
                  type: z.string(),
                  status: z.string(),
                  reason: z.string().optional(),
                  ttl: seconds.optional(),
                  records: z.array(z.string()).readonly().optional(),
                }),
              )
              .readonly(),
            outcome: z.enum(['record', 'match', 'no-match', 'followed', 'explanation', 'not-used', 'error']),
            counts: spfCounts,
            decisive: z.boolean(),
          }),
        )
        .readonly()
        .describe('Every step in the order it began'),
      traceOmitted: z.number(),
      values: z.record(z.string(), z.string()),
    })
    .optional()
    .describe('Absent when the identity was not checked'),
});

const policy = z.enum(['none', 'quarantine', 'reject']);
const alignmentMode = z.enum(['relaxed', 'strict']);
const alignment = z.object({
  domain: z.string(),
  result: z.enum(['pass', 'fail', 'softfail', 'neutral', 'none', 'policy', 'temperror', 'permerror']),
  mode: alignmentMode,
  aligned: z.boolean(),
  unresolved: z.enum(['not-needed', 'temporary-failure', 'limit']).optional(),
});

export const dmarcVerdictSchema = z.object({
  result: z.enum(['none', 'pass', 'fail', 'temperror', 'permerror']),
  ...texts,
  authorDomain: z.string().optional(),
  organizationalDomain: z.string().optional(),
  policy: z
    .object({
      domain: z.string(),
      record: z.string(),
      p: policy,
      sp: policy.optional(),
      np: policy.optional(),
      applied: policy,
      testing: z.boolean(),
      adkim: alignmentMode,
      aspf: alignmentMode,
      psd: z.enum(['y', 'n', 'u']),
      fo: z.array(z.enum(['0', '1', 'd', 's'])).readonly(),
      rua: z.array(z.string()).readonly(),
      ruf: z.array(z.string()).readonly(),
      policyAssumed: z.boolean(),
    })
    .optional(),
  disposition: policy.describe('What the domain owner asks a receiver to do with this message'),
  alignment: z.object({
    spf: alignment.optional(),
    dkim: z.array(alignment.extend({ selector: z.string().optional() })).readonly(),
  }),
  evidence: z.object({
    discoveryMethod: z.literal('treewalk'),
    walk: z
      .array(
        z.object({
          name: z.string(),
          status: z.string(),
          record: z.string().optional(),
          ttl: seconds.optional(),
          reason: z.string().optional(),
        }),
      )
      .readonly(),
    ttl: seconds.optional(),
    recordFaults: z
      .array(z.object({ problem: z.string(), tag: z.string() }))
      .readonly()
      .optional(),
    authorDomainExists: z.boolean().optional(),
  }),
  limits: z.array(z.string()).readonly().optional(),
});

const arcCheckSchema = z.object({
  result: z.enum(['pass', 'fail', 'unchecked']),
  code: z.string().optional(),
  explanation: z.string().optional(),
  domain: z.string().optional(),
  selector: z.string().optional(),
  algorithm: z.string().optional(),
  evidence: dkimEvidenceSchema.optional(),
});

const authenticationResultsSchema = z.object({
  instance: z.number().optional(),
  authservId: z.string(),
  version: z.literal(1).optional(),
  results: z
    .array(
      z.object({
        method: z.string(),
        methodVersion: z.number().optional(),
        result: z.string(),
        reason: z.string().optional(),
        comment: z.string().optional(),
        properties: z.array(z.object({ ptype: z.string(), property: z.string(), value: z.string() })).readonly(),
      }),
    )
    .readonly(),
});

const chainStatus = z.enum(['none', 'pass', 'fail']);

export const arcVerdictSchema = z.object({
  result: chainStatus,
  ...texts,
  sets: z.number().describe('The highest instance found'),
  oldestPass: z.number().optional().describe('From which set on the message is unchanged; 0 is from the first'),
  domains: z.array(z.string()).readonly().describe('The sealers, newest first'),
  trust: z
    .object({
      from: z.number(),
      complete: z.boolean(),
      dmarc: z
        .object({
          instance: z.number(),
          sealer: z.string(),
          authservId: z.string(),
          result: z.string(),
          headerFrom: z.string().optional(),
        })
        .optional(),
    })
    .optional()
    .describe("What the operator's list of trusted sealers makes of it; never changes DMARC by itself"),
  evidence: z.object({
    instance: z.number().optional(),
    field: z.string().optional(),
    tag: z.string().optional(),
    cv: z.string().optional(),
    limit: z.number().optional(),
    sets: z
      .array(
        z.object({
          instance: z.number(),
          cv: chainStatus.optional(),
          seal: arcCheckSchema,
          messageSignature: arcCheckSchema,
          authenticationResults: authenticationResultsSchema.optional(),
        }),
      )
      .readonly(),
  }),
});

export const iprevVerdictSchema = z.object({
  result: z.enum(['pass', 'fail', 'temperror']),
  ...texts,
  evidence: z.object({
    ip: z.string(),
    names: z.array(z.string()).readonly().describe('What the reverse zone calls it'),
    name: z.string().optional().describe('The name that leads back'),
    reason: z.string().optional(),
  }),
});

export const authVerdictSchema = z.object({
  result: z.literal('pass'),
  ...texts,
  login: z.string(),
});

export const bimiVerdictSchema = z.object({
  result: z.enum(['pass', 'none', 'fail', 'skipped', 'declined', 'temperror']),
  ...texts,
  domain: z.string().optional().describe('Of the record that was evaluated'),
  selector: z.string().optional(),
  location: z.string().optional().describe("The indicator's URL"),
  authority: z.string().optional().describe("The mark certificate's URL"),
  authorityResult: z.enum(['pass', 'fail', 'none']).optional().describe('Whether the mark certificate is valid'),
  evidence: z.object({
    dnsName: z.string().optional(),
    record: z.string().optional(),
    ttl: seconds.optional(),
    indicator: z.object({ bytes: z.number(), sha256: z.string() }).optional(),
    vmc: z
      .object({
        type: z.enum(['VMC', 'CMC']),
        mark: z.string().optional(),
        organization: z.string().optional(),
        issuer: z.string(),
        domains: z.array(z.string()).readonly(),
        validFrom: z.string(),
        validTo: z.string(),
        serialNumber: z.string(),
      })
      .optional()
      .describe('What the mark certificate says, once it is verified'),
    fetchFailure: z.object({ url: z.string(), failure: z.string() }).optional(),
    reason: z.string().optional(),
  }),
});

export const authenticationReportSchema = z.object({
  dkim: z.array(dkimVerdictSchema).readonly().describe('One per DKIM-Signature, or one with result none'),
  spf: z.object({ mailFrom: spfVerdictSchema, helo: spfVerdictSchema }),
  dmarc: dmarcVerdictSchema,
  arc: arcVerdictSchema,
  iprev: iprevVerdictSchema.optional().describe('When the client address is known'),
  auth: authVerdictSchema.optional().describe('When the door knows a login'),
  bimi: bimiVerdictSchema.optional().describe('When it was asked for'),
  notices: z.array(z.object(texts)).readonly().describe('What is odd about the message itself'),
  limits: z.array(z.string()).readonly().describe('Codes of what was cut short'),
  authenticationResults: z.string().describe('The body of the Authentication-Results field that is written'),
});

export type AuthenticationReport = z.infer<typeof authenticationReportSchema>;
export type DkimVerdict = z.infer<typeof dkimVerdictSchema>;
export type SpfVerdict = z.infer<typeof spfVerdictSchema>;
export type DmarcVerdict = z.infer<typeof dmarcVerdictSchema>;
export type ArcVerdict = z.infer<typeof arcVerdictSchema>;
export type IprevVerdict = z.infer<typeof iprevVerdictSchema>;
export type BimiVerdict = z.infer<typeof bimiVerdictSchema>;
export type AuthVerdict = z.infer<typeof authVerdictSchema>;
export type Notice = AuthenticationReport['notices'][number];
