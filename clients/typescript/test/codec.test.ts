// The vectors that the codecs of all languages share. `node dist/test/codec.test.js --write-vectors` seals this
// language's anew.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Payload } from '@temporalio/common';
import { Codec, DamagedPayloadError, UnknownKeyError } from '../src/index.js';

interface Wire {
  name: string;
  metadata: Record<string, string> | null;
  data: string | null;
}

interface Vectors {
  keys: Record<string, string>;
  payloads: Wire[];
  sealed: (Wire & { made_by: string; key: string })[];
  refused: (Wire & { keys: string[] | null; error: 'unknown-key' | 'damaged' })[];
  bad_keys: Record<string, string>;
}

const file = new URL('../../../../kyc/codec/testdata/vectors.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

const bytes = (base64: string | null | undefined) => Buffer.from(base64 ?? '', 'base64');
const base64 = (of: Uint8Array | null | undefined) => Buffer.from(of ?? []).toString('base64');

function payload({ metadata, data }: Wire): Payload {
  return { metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([k, v]) => [k, bytes(v)])), data: bytes(data) };
}

/** A payload in a form that compares whatever the kind of its byte arrays. */
function shown({ metadata, data }: Payload) {
  return { metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([k, v]) => [k, base64(v)])), data: base64(data) };
}

const codec = (...ids: string[]) => new Codec(ids.map((id) => vectors.keys[id]).join(','));
const first = () => payload(vectors.payloads[0]!);

test('a payload belongs to its workflow', async () => {
  const of = (user: string) => ({ type: 'workflow' as const, namespace: 'default', workflowId: `kyc-${user}` });
  const sealed = await codec('new').encode([first()], of('ada'));
  for (const reader of [of('ada'), undefined]) {
    const [got] = await codec('new').decode(sealed, reader);
    assert.deepEqual(shown(got!), shown(first()));
  }
  await assert.rejects(codec('new').decode(sealed, of('bob')), DamagedPayloadError);
  const unbound = await codec('new').encode([first()]);
  assert.deepEqual(shown((await codec('new').decode(unbound, of('bob')))[0]!), shown(first()));
});

test("every language's payloads are read", async () => {
  const plain = new Map(vectors.payloads.map((p) => [p.name, shown(payload(p))]));
  assert.deepEqual(new Set(vectors.sealed.map((s) => s.made_by)), new Set(['go', 'python', 'typescript']));
  for (const sealed of vectors.sealed) {
    for (const ids of [['old', 'new'], ['new', 'old']]) {
      // The middle of a rotation, from both sides.
      const [got] = await codec(...ids).decode([payload(sealed)]);
      assert.deepEqual(shown(got!), plain.get(sealed.name), `${sealed.name} by ${sealed.made_by}`);
    }
  }
});

test('what is refused', async () => {
  const kinds = { 'unknown-key': UnknownKeyError, damaged: DamagedPayloadError };
  for (const refused of vectors.refused) {
    await assert.rejects(codec(...(refused.keys ?? [])).decode([payload(refused)]), kinds[refused.error], refused.name);
  }
});

test('texts that are no keys', () => {
  for (const [name, text] of Object.entries(vectors.bad_keys)) {
    const quiet = (err: unknown) => err instanceof Error && !err.message.includes(text.slice(2, 20));
    assert.throws(() => new Codec(text), quiet, name);
  }
});

test('the first key encrypts and nothing is encrypted twice', async () => {
  const once = await codec('new', 'old').encode([first(), first()]);
  assert.equal(Buffer.from(once[0]!.metadata!['key-id']!).toString(), 'new');
  assert.notDeepEqual(once[0]!.data, once[1]!.data, 'equal payloads must not look equal');
  assert.deepEqual(await codec('old').encode(once), once);
});

test('without keys payloads stay plain and the demo key is read', async () => {
  const plain = vectors.payloads.map(payload);
  assert.deepEqual(await new Codec().encode(plain), plain);
  assert.deepEqual(await codec('new').decode(plain), plain);
  const demo = new Codec('demo:jLVUlalq+RcpxCOsPgUz7LrbwkTAHzYQ9j/WfvAXmB0=');
  const read = await new Codec().decode(await demo.encode(plain));
  assert.deepEqual(read.map(shown), plain.map(shown));
});

if (process.argv.includes('--write-vectors')) {
  vectors.sealed = vectors.sealed.filter((s) => s.made_by !== 'typescript');
  for (const key of ['old', 'new']) {
    for (const plain of vectors.payloads) {
      const [made] = await codec(key).encode([payload(plain)]);
      vectors.sealed.push({ made_by: 'typescript', key, name: plain.name, ...shown(made!) });
    }
  }
  writeFileSync(file, JSON.stringify(vectors, undefined, 1) + '\n');
}
