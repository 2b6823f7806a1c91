import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

/**
 * What a browser is told should one ever show an answer: load nothing, guess nothing, be framed by nobody. The fields that are
 * about pages of HTML are left out, and HSTS, which belongs to whoever speaks TLS in front of us.
 */
const secure = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
  },
  crossOriginResourcePolicy: { policy: 'same-origin' },
  referrerPolicy: { policy: 'no-referrer' },
  crossOriginEmbedderPolicy: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  strictTransportSecurity: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

function readFixedFields(): readonly string[] {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  // Answers hold people's mail: no cache keeps them.
  response.setHeader('Cache-Control', 'no-store');
  secure(request, response, (error?: unknown) => {
    if (error !== undefined) throw error;
  });
  return Object.entries(response.getHeaders()).flatMap(([name, value]) => [capitalized(name), String(value)]);
}

/** Node gives the names in lower case. */
function capitalized(name: string): string {
  return name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

/**
 * The header fields that every answer has, as name, value, name, value. They depend on no request, so they are worked
 * out once.
 */
export const fixedFields = readFixedFields();
