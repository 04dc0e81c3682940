// A user's whole life through a client that openapi-typescript has generated from openapi.json: what the compiler accepts here
// is what the description says, and what the program prints is what the API answers.
import createClient from 'openapi-fetch';
import { createInterface } from 'node:readline/promises';
import type { components, paths } from './api.js';

const { API = '', TOKEN = '' } = process.env;
const api = createClient<paths>({ baseUrl: API, headers: { Authorization: `Bearer ${TOKEN}` } });
const stdin = createInterface({ input: process.stdin });
const user = { path: { user_id: 'generated' } };
const by = { actor: 'anna', reason: 'duplicate:CASE-1' };

/** Prints what was answered, or what was refused. */
function print<T>(what: string, answer: { data?: T; error?: components['schemas']['Problem']; response: Response }): T {
  console.log(what, answer.response.status, answer.error?.type ?? '');
  if (answer.data === undefined) throw new Error(`${what}: ${answer.error?.detail}`);
  return answer.data;
}

const begun = print('start', await api.POST('/v1/verifications', { body: { user_id: 'generated', language: 'en' } }));
console.log('url', begun.url);
await stdin.question(''); // until the person has finished
const ended = print('wait', await api.GET('/v1/verifications/{user_id}', { params: { ...user, query: { wait: '45s' } } }));
console.log('outcome', ended.outcome);
const keyed = { ...user, header: { 'Idempotency-Key': 'case-1' } };
const decided = print('decide', await api.POST('/v1/verifications/{user_id}/decision', { params: keyed, body: { verb: 'decline', ...by } }));
console.log('after', decided.after, decided.changed);
const { steps } = print('history', await api.GET('/v1/verifications/{user_id}/history', { params: user }));
console.log('actor', steps.find((step) => step.actor)?.actor);
const { verifications } = print('list', await api.GET('/v1/verifications', { params: { query: { limit: 10 } } }));
console.log('listed', verifications.length);
const refused = await api.POST('/v1/verifications/{user_id}/cancel', { params: user, body: by });
console.log('cancel', refused.response.status, refused.error?.type);
const open = print('start', await api.POST('/v1/verifications', { body: { user_id: 'generated-2' } }));
const second = { path: { user_id: open.user_id } };
console.log('refreshed', print('refresh', await api.POST('/v1/verifications/{user_id}/refresh', { params: second, body: by })).status);
console.log('cancelled', print('cancel', await api.POST('/v1/verifications/{user_id}/cancel', { params: second, body: by })).outcome);
for (let done = false; !done; ) {
  const body = { legal_hold_checked: true as const, ...by };
  ({ done } = print('erase', await api.DELETE('/v1/verifications/{user_id}', { params: keyed, body })));
}
const gone = await api.GET('/v1/verifications/{user_id}', { params: user });
console.log('gone', gone.response.status, gone.error?.type);
stdin.close();
