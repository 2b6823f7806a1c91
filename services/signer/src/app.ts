import { performance } from 'node:perf_hooks';
import { errorCode, requestId } from '@zegel/service-runtime';
import type { Logger } from '@zegel/service-runtime';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { operations } from './api.ts';
import type { Operation, OperationName } from './api.ts';
import { authorize } from './authorize.ts';
import type { ApiGround, Handler } from './handlers.ts';
import { inboundHandlers } from './inbound.ts';
import { keyHandlers } from './keys-and-tokens.ts';
import { httpLimits } from './limits.ts';
import { openApiDocument } from './openapi.ts';
import { Problem, problemOf, sendProblem } from './problem.ts';
import { signAndVerifyHandlers } from './sign-and-verify.ts';

/** The REST API as an Express application. */
export function createApp(ground: ApiGround, logger: Logger): Express {
  const { keystore, readiness, version } = ground;
  const openapi = openApiDocument(version);
  const handlers: Readonly<Record<Exclude<OperationName, 'healthz' | 'readyz'>, Handler>> = {
    ...signAndVerifyHandlers(ground),
    ...inboundHandlers(ground),
    ...keyHandlers(ground),
    async openapi({ response }) {
      response.json(openapi);
    },
  };

  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.set('query parser', 'simple');
  app.use(observe(ground, logger), helmet());
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  app.get('/readyz', async (_request, response) => {
    const report = await readiness.report();
    response.status(report.ready ? 200 : 503).json(report);
  });

  const json = express.json({ limit: httpLimits.maxJsonBytes, inflate: false });
  for (const [name, handle] of Object.entries(handlers)) {
    const operation = operationNamed(name);
    const path = operation.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const scope = operation.scope === 'public' ? null : operation.scope;
    const call: RequestHandler = async (request, response) => {
      const token = await authorize(request, keystore, scope);
      if (operation.body?.type === 'application/json') await parseJson(json, request, response);
      await handle({ request, response, token });
    };
    app[operation.method](path, call);
  }

  const methods = Map.groupBy(Object.values<Operation>(operations), (operation) => operation.path);
  for (const [path, list] of methods) {
    const allow = list.map((operation) => operation.method.toUpperCase()).join(', ');
    app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), (_request, response) => {
      response.set('Allow', allow);
      throw new Problem(405, { code: 'http.method', detail: `The methods of this resource are ${allow}.` });
    });
  }
  app.use(() => {
    throw new Problem(404, { code: 'http.not-found', detail: 'There is no such resource.' });
  });
  app.use(answerProblem(logger));
  return app;
}

function operationNamed(name: string): Operation {
  const operation = Object.entries<Operation>(operations).find(([other]) => other === name)?.[1];
  if (operation === undefined) throw new TypeError(`No operation ${name}`);
  return operation;
}

/** Express's own reader of JSON, as a promise, its errors as problems. */
async function parseJson(json: RequestHandler, request: Request, response: Response): Promise<void> {
  if (request.is('application/json') === false) {
    throw new Problem(415, { code: 'http.media-type', detail: 'The body must be application/json.' });
  }
  await new Promise<void>((resolve, reject) => {
    void json(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(jsonProblem(error));
    });
  });
}

function jsonProblem(error: unknown): Problem {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) return new Problem(413, { code: 'http.body-too-large', detail: 'The body is too large.' });
  if (status === 415)
    return new Problem(415, { code: 'http.content-encoding', detail: 'Content-Encoding is not taken.' });
  return new Problem(400, { code: 'http.body', detail: 'The body is not JSON.' });
}

/** Gives every request an id, and counts and logs it when it is over. Paths are logged as patterns, queries never. */
function observe({ instruments }: ApiGround, logger: Logger): RequestHandler {
  return (request, response, next) => {
    const id = requestId(request.get('x-request-id'));
    response.set('X-Request-Id', id);
    response.locals['requestId'] = id;
    const begun = performance.now();
    response.once('close', () => {
      const route = routeOf(request);
      const seconds = (performance.now() - begun) / 1000;
      const { statusCode: status } = response;
      instruments.recordHttpRequest({ method: request.method, route, status, seconds });
      const line = { requestId: id, method: request.method, route, status, ms: Math.round(seconds * 1000) };
      if (route === '/healthz' || route === '/readyz') logger.debug(line, 'request');
      else logger.info(response.writableFinished ? line : { ...line, aborted: true }, 'request');
    });
    next();
  };
}

function routeOf(request: Request): string {
  const route: unknown = request.route;
  const path = typeof route === 'object' && route !== null && 'path' in route ? route.path : undefined;
  return typeof path === 'string' ? path.replaceAll(/:(\w+)/g, '{$1}') : 'unknown';
}

function answerProblem(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const known = problemOf(error);
    const details = { requestId: response.locals['requestId'], code: known?.code ?? errorCode(error) };
    if (known === null && isBadRequest(error)) {
      sendProblem(response, new Problem(400, { code: 'http.bad-request', detail: 'The request cannot be read.' }));
      return;
    }
    if (known === null) logger.error({ ...details, err: error }, 'an error nobody expected');
    else if (known.status >= 500) logger.warn(details, 'a request could not be served');
    else logger.debug(details, 'a request was refused');
    if (response.headersSent || request.socket.destroyed) {
      // Express ends the connection, so that a half-sent answer does not look whole.
      next(error);
      return;
    }
    sendProblem(
      response,
      known ?? new Problem(500, { code: 'http.internal', detail: 'Something went wrong here; the log says what.' }),
    );
  };
}

/** Express's own word for a path or query that cannot be decoded. */
function isBadRequest(error: unknown): boolean {
  return error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400);
}
