import type { AuthenticationOptions } from '@zegel/authentication';
import type { Keystore, Token } from '@zegel/keystore';
import type { MailRules } from '@zegel/mail-flow';
import type { InboundQueue } from '@zegel/mail-queue';
import type { Instruments, Readiness } from '@zegel/service-runtime';
import type { Request, Response } from 'express';
import type { MessageReader } from './read-message.ts';

/** What the REST API stands on. */
export interface ApiGround {
  readonly keystore: Keystore;
  readonly queue: InboundQueue;
  /** How messages are authenticated: resolver, authserv-id, limits. */
  readonly authentication: AuthenticationOptions;
  /** What `/v1/sign` and the hooks of mail servers go by, asked for once for each message. */
  readonly rules: () => MailRules;
  readonly instruments: Instruments;
  readonly readiness: Readiness;
  readonly reader: MessageReader;
  readonly version: string;
}

/** A request whose token is accepted, in the hands of one operation. */
export interface Call {
  readonly request: Request;
  readonly response: Response;
  readonly token: Token;
}

/** Answers a request; what goes wrong is thrown. */
export type Handler = (call: Call) => Promise<void>;
