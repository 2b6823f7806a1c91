/**
 * Why a document was not fetched: whether to come back later, and the words a person reads.
 */
interface Failure {
  /**
   * `refused` we will not go where the record points; `unavailable` what is there is not what the record promises;
   * `temporary` it may be another time.
   */
  readonly kind: 'refused' | 'unavailable' | 'temporary';
  readonly text: string;
}

export const fetchFailures = {
  'not-https': { kind: 'refused', text: 'it is no https URL' },
  'too-long': { kind: 'refused', text: 'its URL is too long' },
  'not-a-domain': { kind: 'refused', text: 'its host is no fully qualified domain name' },
  credentials: { kind: 'refused', text: 'its URL holds a user name or a password' },
  port: { kind: 'refused', text: 'its port is not that of https' },
  'not-public': { kind: 'refused', text: 'its host has an address that is not on the public internet' },
  redirects: { kind: 'refused', text: 'it redirects too often, or to no place at all' },
  'no-address': { kind: 'unavailable', text: 'its host has no address' },
  tls: { kind: 'unavailable', text: 'its server has no certificate that is trusted for the host, or fails at TLS' },
  http: { kind: 'unavailable', text: 'its server does not answer in proper HTTP' },
  status: { kind: 'unavailable', text: 'its server answers with another status than 200' },
  'content-type': { kind: 'unavailable', text: 'its media type is none for this kind of document' },
  'content-encoding': { kind: 'unavailable', text: 'its content coding is not known here' },
  'too-large': { kind: 'unavailable', text: 'it is too large' },
  dns: { kind: 'temporary', text: 'the look-up of its host failed' },
  network: { kind: 'temporary', text: 'its server cannot be reached' },
  server: { kind: 'temporary', text: 'its server is in trouble or too busy' },
  timeout: { kind: 'temporary', text: 'it did not arrive in time' },
} as const satisfies Record<string, Failure>;

export type FetchFailure = keyof typeof fetchFailures;
