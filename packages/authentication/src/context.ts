import { z } from 'zod';

/**
 * What a door knows about a message besides its bytes. What it does not know is left out, and not guessed. Also the JSON
 * in which a message waits in the queue.
 */
export const authenticationContextSchema = z.object({
  session: z
    .object({
      ip: z
        .union([z.ipv4(), z.ipv6()], { error: 'not one IPv4 or IPv6 address' })
        .optional()
        .describe("The client's address. Without it SPF is not checked."),
      helo: z.string().max(1024).optional().describe('What the client said in HELO or EHLO.'),
      login: z.string().max(1024).optional().describe('The login under which the client authenticated itself to us.'),
    })
    .optional(),
  envelope: z
    .object({
      mailFrom: z
        .string()
        .max(1024)
        .optional()
        .describe('The reverse-path without angle brackets; empty for the null reverse-path.'),
    })
    .optional(),
  lineEndsNormalized: z.boolean().optional().describe('The door turned bare LF into CRLF.'),
  mayBeDamaged: z
    .boolean()
    .optional()
    .describe(
      'The door cannot vouch that these are the octets of the message: nothing that hangs on them is verified.',
    ),
});

export type AuthenticationContext = z.infer<typeof authenticationContextSchema>;
