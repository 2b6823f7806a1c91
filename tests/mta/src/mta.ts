import type { RecipeChange } from './recipe.ts';
import type { SmtpLogin } from './smtp-client.ts';

/** An MTA under test, configured by its recipe. */
export interface Mta extends AsyncDisposable {
  readonly name: 'Postfix' | 'Sendmail';
  readonly version: string;
  /** Takes mail for example.net from anybody. */
  readonly inboundPort: number;
  /** Takes mail for anybody from those who log in. */
  readonly submissionPort: number;
  /** Hands a message to the MTA's own sendmail(1). */
  submitLocally(args: readonly string[], raw: Uint8Array): Promise<void>;
  /** What it has logged. */
  log(): string;
  /** Runs a command of the shell on its machine and answers what it writes. */
  shell(command: string): Promise<string>;
  /** Places of the recipe that read otherwise here, see `readRecipe`. */
  readonly changes: readonly RecipeChange[];
}

export interface MtaOptions {
  /** The port of 127.0.0.1 to which it relays everything. */
  readonly sink: number;
  /**
   * Starts the filters that the recipe names: the signing one on a unix socket at this path, the verifying one on a port of
   * 127.0.0.1, which is answered.
   */
  readonly startFilters: (signSocket: string) => Promise<number>;
}

export type StartMta = (options: MtaOptions) => Promise<Mta>;

/** Who may log in. */
export const logins = {
  ann: { name: 'ann@example.org', password: 'correct horse' },
  eve: { name: 'eve@example.org', password: 'battery staple' },
} as const satisfies Record<string, SmtpLogin>;

/** The name of the machine that the MTA runs on. */
export const hostname = 'mx.example.net';
