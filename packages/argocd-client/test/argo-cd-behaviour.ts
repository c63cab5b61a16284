import assert from 'node:assert/strict';
import type { ContractRunner } from '@caelus/core/testing';
import type { ArgoCdClient, ArgoCdSchemas } from '../src/index.ts';

/** An Argo CD, real or not, with two projects, `behaviour-a` and `behaviour-b`, and nobody else who uses them. */
export interface BehaviourSubject extends AsyncDisposable {
  readonly client: ArgoCdClient;
  /** Asks without anything of the client's. `token` is one that is accepted. */
  raw(path: string, init?: RequestInit): Promise<Response>;
  readonly token: string;
  /** Makes an Application that Argo CD leaves alone, or changes a label of it. */
  put(name: string, project: string, label?: string): Promise<void>;
  remove(name: string): Promise<void>;
}

interface Behaviour {
  readonly says: string;
  /** Where Argo CD's source says so, in 3.5. */
  readonly source: string;
  run(subject: BehaviourSubject): Promise<void>;
}

const A = 'behaviour-a';
const B = 'behaviour-b';
const selector = 'behaviour=yes';
const json = { 'content-type': 'application/json' };

const get = ({ raw, token }: BehaviourSubject, path: string, init: RequestInit = {}) =>
  raw(path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

async function problem(response: Response): Promise<{ status: number; code?: number; message?: string }> {
  const { code, message } = (await response.json()) as { code?: number; message?: string };
  return { status: response.status, ...(code !== undefined && { code }), ...(message !== undefined && { message }) };
}

/** What the client relies on, and the fake does: the same cases run against both, so that neither is believed alone. */
const behaviours: readonly Behaviour[] = [
  {
    says: 'an Application that is not there is forbidden to who names no project, and not found to who does',
    source: 'server/application/application.go, getAppEnforceRBAC',
    async run(subject) {
      const { status, code } = await problem(await get(subject, '/api/v1/applications/behaviour-none'));
      assert.deepEqual([status, code], [403, 7]);
      const named = await problem(await get(subject, `/api/v1/applications/behaviour-none?projects=${A}`));
      assert.deepEqual([named.status, named.code], [404, 5]);
    },
  },
  {
    says: 'an Application is not found in another project than its own',
    source: 'server/application/application.go, getAppEnforceRBAC',
    async run(subject) {
      await subject.put('behaviour-one', A);
      assert.equal((await get(subject, `/api/v1/applications/behaviour-one?projects=${A}`)).status, 200);
      assert.equal((await get(subject, `/api/v1/applications/behaviour-one?projects=${B}`)).status, 404);
    },
  },
  {
    says: 'what is no GET needs exactly this content type, also without a body',
    source: 'server/server.go, enforceContentTypes',
    async run(subject) {
      const path = `/api/v1/applications/behaviour-none?project=${A}`;
      const remove = async (headers: Record<string, string>) =>
        (await get(subject, path, { method: 'DELETE', headers })).status;
      assert.equal(await remove({}), 415);
      assert.equal(await remove({ 'content-type': 'application/json; charset=utf-8' }), 415);
      assert.equal(await remove(json), 404);
    },
  },
  {
    says: 'a token that is none is refused with gRPC code 16, and the version needs none',
    source: 'server/server.go, Authenticate',
    async run({ raw }) {
      const refused = await problem(
        await raw('/api/v1/applications', { headers: { authorization: 'Bearer nonsense' } }),
      );
      assert.deepEqual([refused.status, refused.code], [401, 16]);
      const version = (await (await raw('/api/version')).json()) as ArgoCdSchemas['Version'];
      assert.match(version.Version, /^v\d+\.\d+\.\d+/);
    },
  },
  {
    says: 'a wrong password is refused with 401',
    source: 'util/session/sessionmanager.go, VerifyUsernamePassword',
    async run({ raw }) {
      const body = JSON.stringify({ username: 'nobody', password: 'wrong' });
      assert.equal((await raw('/api/v1/session', { method: 'POST', headers: json, body })).status, 401);
    },
  },
  {
    says: 'creating the same again returns it, and another spec or other labels of that name are a conflict',
    source: 'server/application/application.go, Create',
    async run({ client, put }) {
      await put('behaviour-one', A);
      const { metadata, spec } = await client.applications.get({ name: 'behaviour-one', project: A });
      const { name, labels = {}, annotations = {} } = metadata;
      const same = { metadata: { name, labels, annotations }, spec };
      assert.equal((await client.applications.create(same, { validate: false })).metadata.uid, metadata.uid);
      for (const other of [
        { ...same, spec: { ...spec, revisionHistoryLimit: 3 } },
        { ...same, metadata: { name, annotations, labels: { ...labels, other: 'label' } } },
      ]) {
        await assert.rejects(client.applications.create(other, { validate: false }), { code: 'ARGOCD_CONFLICT' });
      }
    },
  },
  {
    says: 'a deletion takes no other policy than foreground and background',
    source: 'server/application/application.go, getPropagationPolicyFinalizer',
    async run(subject) {
      await subject.put('behaviour-one', A);
      const path = `/api/v1/applications/behaviour-one?project=${A}&propagationPolicy=orphan`;
      assert.equal((await get(subject, path, { method: 'DELETE', headers: json })).status, 400);
    },
  },
  {
    says: 'to terminate where nothing runs is refused with words that the status source knows',
    source: 'server/application/application.go, TerminateOperation',
    async run(subject) {
      await subject.put('behaviour-one', A);
      const path = `/api/v1/applications/behaviour-one/operation?project=${A}`;
      const refused = await problem(await get(subject, path, { method: 'DELETE', headers: json }));
      assert.deepEqual([refused.status, refused.code], [400, 3]);
      assert.match(refused.message ?? '', /No operation is in progress/);
    },
  },
  {
    says: 'a listing has what matches, by name, each with a version',
    source: 'server/application/application.go, List',
    async run({ client, put }) {
      for (const name of ['behaviour-two', 'behaviour-one']) await put(name, A);
      await put('behaviour-three', B);
      const namesOf = async (projects: readonly string[]) =>
        (await client.applications.list({ projects, selector })).items.map(({ metadata }) => metadata.name);
      // From a cache that may be a moment old.
      await until(async () => (await namesOf([A, B])).length === 3);
      assert.deepEqual(await namesOf([A]), ['behaviour-one', 'behaviour-two']);
      const { items } = await client.applications.list({ projects: [A, B], selector });
      for (const { metadata } of items) assert.match(metadata.resourceVersion ?? '', /^[1-9]\d*$/);
    },
  },
  {
    says: 'a stream brings what exists as ADDED, then changes and deletions',
    source: 'server/application/application.go, Watch',
    async run({ client, put, remove }) {
      await put('behaviour-one', A);
      await until(async () => (await client.applications.list({ projects: [A], selector })).items.length === 1);
      const stop = new AbortController();
      const stream = client.applications.watch({ projects: [A], selector }, { signal: stop.signal });
      const events = stream[Symbol.asyncIterator]();
      const next = async (type: string) => {
        for (;;) {
          const { value, done } = await events.next();
          assert.ok(!done);
          if (value.type === type) return value.application.metadata;
        }
      };
      const added = await next('ADDED');
      // The subscription follows the snapshot, so what happens at once may be missed.
      let label = 0;
      const timer = setInterval(() => void put('behaviour-one', A, `v${++label}`).catch(() => {}), 200);
      const modified = await next('MODIFIED').finally(() => clearInterval(timer));
      assert.ok(BigInt(modified.resourceVersion ?? 0) > BigInt(added.resourceVersion ?? 0));
      assert.equal(modified.uid, added.uid);
      await remove('behaviour-one');
      assert.equal((await next('DELETED')).name, 'behaviour-one');
      stop.abort(new Error('enough'));
    },
  },
  {
    says: 'a stream that has nothing to bring does not even begin to answer',
    source: 'pkg/apiclient/application/application.pb.gw.go, request_ApplicationService_Watch_0: stream.Header() waits',
    async run(subject) {
      const stop = new AbortController();
      const path = `/api/v1/stream/applications?projects=${B}&selector=${encodeURIComponent(selector)}`;
      let hasBegun = false;
      const opened = get(subject, path, { headers: { accept: 'text/event-stream' }, signal: stop.signal }).then(
        (answer) => {
          hasBegun = true;
          return answer;
        },
      );
      for (let round = 0; round < 5; round++) await subject.client.applications.list({ projects: [B], selector });
      assert.equal(hasBegun, false);
      await subject.put('behaviour-one', B);
      const answer = await opened;
      assert.equal(answer.headers.get('content-type'), 'text/event-stream');
      const { value } = (await answer.body?.getReader().read()) ?? {};
      assert.match(new TextDecoder().decode(value), /^data: \{"result":/);
      stop.abort();
    },
  },
  {
    says: 'a push event is taken by its header, and an unknown one is refused',
    source: 'util/webhook/webhook.go, Handler',
    async run({ raw }) {
      const body = JSON.stringify({ ref: 'refs/heads/main', after: 'a'.repeat(40), repository: {}, commits: [] });
      const call = async (headers: Record<string, string>) =>
        (await raw('/api/webhook', { method: 'POST', headers: { ...json, ...headers }, body })).status;
      assert.equal(await call({}), 400);
      assert.equal(await call({ 'x-github-event': 'push' }), 200);
      assert.equal(await call({ 'x-gogs-event': 'push' }), 200);
      assert.equal(await call({ 'x-gitlab-event': 'Push Hook' }), 200);
      assert.equal(await call({ 'x-event-key': 'repo:refs_changed' }), 200);
    },
  },
];

export function argoCdBehaviour(
  { describe, it }: ContractRunner,
  name: string,
  create: () => Promise<BehaviourSubject>,
): void {
  describe(`Argo CD's behaviour: ${name}`, () => {
    for (const { says, source, run } of behaviours) {
      it(`${says} (${source})`, async () => {
        await using subject = await create();
        await run(subject);
      });
    }
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'It did not become so in 30 seconds.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
