import { performance } from 'node:perf_hooks';
import { errorCode, requestId } from '@zegel/service-runtime';
import type { Logger } from '@zegel/service-runtime';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler } from 'express';
import { answerJson } from './answer.ts';
import { operations } from './api.ts';
import type { Operation, OperationName } from './api.ts';
import { authorize } from './authorize.ts';
import type { ApiGround, Handler } from './handlers.ts';
import { rspamdHook } from './hooks/rspamd.ts';
import { stalwartHook } from './hooks/stalwart.ts';
import { inboundHandlers } from './inbound.ts';
import { keyHandlers } from './keys-and-tokens.ts';
import { openApiDocument } from './openapi.ts';
import { Problem, answerError, answerProblem, problemOf } from './problem.ts';
import { awaitsInvitation } from './read-body.ts';
import { signAndVerifyHandlers } from './sign-and-verify.ts';

/** The REST API as an Express application. */
export function createApp(ground: ApiGround, logger: Logger): Express {
  const { keystore, readiness, version } = ground;
  const openapi = openApiDocument(version);
  const handlers: Readonly<Record<Exclude<OperationName, 'healthz' | 'readyz'>, Handler>> = {
    ...signAndVerifyHandlers(ground),
    ...inboundHandlers(ground),
    ...keyHandlers(ground),
    stalwartHook: stalwartHook(ground, logger),
    rspamdHook: rspamdHook(ground, logger),
    async openapi({ response }) {
      answerJson(response, openapi);
    },
  };

  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.set('query parser', 'simple');
  app.use(observe(ground, logger));
  for (const [name, handle] of Object.entries(handlers)) {
    const operation = operationNamed(name);
    const scope = operation.scope === 'public' ? null : operation.scope;
    const call: RequestHandler = async (request, response) => {
      response.locals['problemForm'] = operation.problemForm;
      const token = await authorize(request, keystore, scope, operation.credentials);
      response.locals['tokenId'] = token.id;
      await handle({ request, response, token });
    };
    app[operation.method](expressPath(operation.path), call);
  }
  app.get('/healthz', (_request, response) => {
    answerJson(response, { status: 'alive' });
  });
  app.get('/readyz', async (_request, response) => {
    const report = await readiness.report();
    answerJson(response, report, { status: report.ready ? 200 : 503 });
  });

  const methods = Map.groupBy(Object.values<Operation>(operations), (operation) => operation.path);
  for (const [path, list] of methods) {
    const allowed = list.map((operation) => operation.method.toUpperCase());
    if (allowed.includes('GET')) allowed.push('HEAD');
    const allow = allowed.join(', ');
    app.all(expressPath(path), () => {
      throw new Problem(405, {
        code: 'http.method',
        detail: `The methods of this resource are ${allow}.`,
        allow,
      });
    });
  }
  app.use(() => {
    throw new Problem(404, { code: 'http.not-found', detail: 'There is no such resource.' });
  });
  app.use(answerErrors(logger));
  return app;
}

function operationNamed(name: string): Operation {
  const operation = Object.entries<Operation>(operations).find(([other]) => other === name)?.[1];
  if (operation === undefined) throw new TypeError(`No operation ${name}`);
  return operation;
}

/** A path of OpenAPI as Express writes it. */
function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** What is logged and counted for a client that went away before its answer, as nginx does. */
const clientGone = 499;

/** Gives every request an id, and counts and logs it when it is over. Paths are logged as patterns, queries never. */
function observe({ instruments }: ApiGround, logger: Logger): RequestHandler {
  return (request, response, next) => {
    const id = requestId(request.get('x-request-id'));
    response.locals['requestId'] = id;
    const begun = performance.now();
    response.on('close', () => {
      const { method } = request;
      const route = routeOf(request);
      const seconds = (performance.now() - begun) / 1000;
      const status = response.headersSent ? response.statusCode : clientGone;
      instruments.recordHttpRequest({ method, route, status, seconds });
      const { code, tokenId } = response.locals;
      const line = { requestId: id, tokenId, method, route, status, code, ms: Math.round(seconds * 1000) };
      if (route === '/healthz' || route === '/readyz') logger.debug(line, 'request');
      else logger.info(response.writableFinished ? line : { ...line, aborted: true }, 'request');
    });
    next();
  };
}

/** The paths of OpenAPI by those that Express has for them. */
const routes = new Map<unknown, string>(
  Object.values<Operation>(operations).map(({ path }) => [expressPath(path), path]),
);

function routeOf(request: Request): string {
  const route: unknown = request.route;
  const path = typeof route === 'object' && route !== null && 'path' in route ? route.path : undefined;
  return routes.get(path) ?? 'unknown';
}

/** The last handler never calls `next`: Express's own would write stack traces to standard error. */
function answerErrors(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const isClientGone = request.socket.destroyed;
    const problem = problemOf(error) ?? (isBadRequest(error) ? badRequest : isClientGone ? null : internalError);
    response.locals['code'] = problem?.code;
    const details = { requestId: response.locals['requestId'], code: errorCode(error) };
    if (problem === internalError) {
      logger.error({ ...details, err: error }, 'an error nobody expected');
    } else if (problem?.status === 503) {
      // What the client is not told: why it is lost, as the driver's code.
      const cause = error instanceof Error && error.cause !== undefined ? errorCode(error.cause) : undefined;
      logger.warn({ ...details, cause }, 'a request could not be served');
    }
    if (problem === null || isClientGone || response.headersSent) {
      // The connection is cut, so that a half-sent answer does not look whole.
      response.destroy();
      return;
    }
    // Whether a body follows that was not invited is the client's choice, so what comes next could be either.
    const fields = awaitsInvitation(request) && !request.complete ? ['Connection', 'close'] : [];
    if (response.locals['problemForm'] === 'error') answerError(response, problem, fields);
    else answerProblem(response, problem, fields);
  };
}

const badRequest = new Problem(400, { code: 'http.bad-request', detail: 'The request cannot be read.' });
const internalError = new Problem(500, {
  code: 'http.internal',
  detail: 'Something went wrong here; the log says what.',
});

/** Express's own word for a path or query that cannot be decoded. */
function isBadRequest(error: unknown): boolean {
  return error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400);
}
