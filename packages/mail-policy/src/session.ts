/** What a listener is for: it signs whatever comes, authenticates whatever comes, or tells the two apart. */
export type ListenerMode = 'sign' | 'verify' | 'both';

/** What a door knows of who hands a message in. Nothing here comes from the message itself. */
export interface MailSession {
  readonly listenerMode: ListenerMode;
  /** The name under which the client authenticated itself to the mail server (`{auth_authen}`). Empty counts as none. */
  readonly login?: string;
  /** The name of the mail server's own service that took the message in (`{daemon_name}`). */
  readonly daemonName?: string;
  /** The client's address. Something that is no IP address lies in no network. */
  readonly ip?: string;
  /** What the client said in HELO or EHLO. */
  readonly helo?: string;
}
