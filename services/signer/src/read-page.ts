import type { PageRequest } from '@zegel/keystore';
import type { Request } from 'express';
import { queryText } from './read-context.ts';

/** Which page of a list is asked for: `after` and `limit` of the query. */
export function pageRequest(request: Request): PageRequest {
  const after = queryText(request, 'after');
  const limit = queryText(request, 'limit');
  return {
    ...(after === undefined ? {} : { after }),
    ...(limit === undefined ? {} : { limit: /^\d{1,4}$/.test(limit) ? Number(limit) : 0 }),
  };
}
