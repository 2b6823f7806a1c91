/** The client was set up wrongly: no usable name server, or a bad option. */
export class DnsConfigurationError extends Error {
  readonly code = 'dns.bad-configuration';

  constructor(problem: string) {
    super(problem);
    this.name = 'DnsConfigurationError';
  }
}
