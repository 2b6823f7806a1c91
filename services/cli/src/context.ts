import { authenticationContextSchema } from '@zegel/authentication';
import type { AuthenticationContext } from '@zegel/authentication';
import { UsageError } from './errors.ts';

interface GivenContext {
  readonly ip?: string | undefined;
  readonly helo?: string | undefined;
  readonly mailFrom?: string | undefined;
}

/** Session and envelope as a caller gave them. Throws a {@link UsageError}. */
export function readContext({ ip, helo, mailFrom }: GivenContext, lineEndsNormalized: boolean): AuthenticationContext {
  const parsed = authenticationContextSchema.safeParse({
    session: { ip, helo },
    envelope: { mailFrom: mailFrom?.replace(/^<(.*)>$/s, '$1') },
    lineEndsNormalized,
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${String(issue?.path.at(-1))}: ${issue?.message ?? 'invalid'}`);
}
