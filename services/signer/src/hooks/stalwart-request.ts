import { z } from 'zod';
import { hookLimits } from '../limits.ts';

const text = z.string().max(1024);

export const stalwartMessageSchema = z.object({
  headers: z
    .array(z.tuple([z.string(), z.string()]))
    .max(hookLimits.maxListedFields)
    .describe('Name and value as they stand in the message, the blank behind the colon and the line end included'),
  contents: z.string().describe('The body'),
  size: z.int().min(0).describe('Octets of the message as it was received'),
});

/**
 * A call of Stalwart's MTA hooks, version 1, as its source writes it (`client.helo`) and as its documentation draws it
 * (`client.ehlo`). Members that are not used here are not looked at.
 */
export const stalwartRequestSchema = z.object({
  context: z.object({
    stage: z.string().max(32).describe('connect, ehlo, auth, mail, rcpt or data; only data brings a message'),
    client: z.object({ ip: text, helo: text.nullish(), ehlo: text.nullish() }),
    sasl: z.object({ login: text }).nullish(),
    protocol: z.object({ version: z.number() }).nullish(),
  }),
  envelope: z.object({ from: z.object({ address: text }) }).nullish(),
  message: stalwartMessageSchema.nullish(),
});

const noticeSchema = z.object({ code: z.string(), explanation: z.string() });

export const hookRemarkSchema = z
  .object({
    direction: z.enum(['inbound', 'outbound']),
    outcome: z.enum(['signed', 'unsigned', 'accepted', 'quarantined', 'rejected', 'deferred']),
    code: z.string(),
    explanation: z.string(),
    notices: z.array(noticeSchema).readonly(),
  })
  .describe('What the dialect has no word for');

/** An answer, in the spelling that Stalwart's source reads. */
export const stalwartAnswerSchema = z.object({
  action: z.enum(['accept', 'reject', 'quarantine']),
  response: z
    .object({ status: z.int(), enhanced_status: z.string(), message: z.string(), disconnect: z.literal(false) })
    .optional(),
  modifications: z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('addHeader'), name: z.string(), value: z.string() }),
      z.object({ type: z.literal('deleteHeader'), name: z.string(), index: z.int() }),
    ]),
  ),
  zegel: z.union([hookRemarkSchema, noticeSchema]),
});
