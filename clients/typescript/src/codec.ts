import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { DataConverter, Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import proto from '@temporalio/proto';

const wire = proto.temporal.api.common.v1.Payload;
const encoding = 'binary/kyc-aes256gcm';
const workflowEntry = 'kyc-workflow'; // inside the encryption: which workflow a payload belongs to
const demo = 'demo:jLVUlalq+RcpxCOsPgUz7LrbwkTAHzYQ9j/WfvAXmB0='; // public: for demos
const [nonceSize, tagSize, keySize] = [12, 16, 32];

/** A payload is encrypted with a key that is not in PAYLOAD_KEYS. */
export class UnknownKeyError extends Error {
  override name = 'UnknownKeyError';
  readonly keyId: string;
  constructor(keyId: string, have: string[]) {
    const known = have.length > 0 ? `only ${have.join(', ')}` : 'no key';
    super(`decrypt a payload: it needs key ${JSON.stringify(keyId.slice(0, 64))}, PAYLOAD_KEYS has ${known}: add the key`);
    this.keyId = keyId.slice(0, 64);
  }
}

/** A payload does not decrypt with its key, or belongs to another workflow. */
export class DamagedPayloadError extends Error {
  override name = 'DamagedPayloadError';
  constructor(keyId: string) {
    super(
      `decrypt a payload with key ${JSON.stringify(keyId)}: the payload was changed, another key has that id, or it belongs to another workflow`,
    );
  }
}

/**
 * Encrypts with the first key of PAYLOAD_KEYS and decrypts with all of them: AES-256-GCM over each payload, as the
 * worker writes it. It binds a payload to its workflow. Without keys payloads stay plain.
 */
export class Codec implements PayloadCodec {
  readonly #keys: Map<string, Buffer>;
  readonly #readable: Map<string, Buffer>;

  /** keys is `id:base64key,...` with 32 random bytes each. Any other text throws an error that does not quote it. */
  constructor(keys = '') {
    this.#keys = parseKeys(keys);
    this.#readable = new Map([...parseKeys(demo), ...this.#keys]);
  }

  /** Encrypts payloads that are not encrypted yet. */
  async encode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    const [first] = this.#keys;
    const workflow = workflowOf(context);
    return first ? payloads.map((p) => (encrypted(p) ? p : seal(bind(p, workflow), ...first))) : payloads;
  }

  /** Decrypts what was encrypted; plain payloads pass. */
  async decode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    const workflow = workflowOf(context);
    return payloads.map((p) => (encrypted(p) ? release(this.#open(p), workflow, text(p.metadata?.['key-id'])) : p));
  }

  #open(payload: Payload): Payload {
    const id = text(payload.metadata?.['key-id']);
    if (!/^[A-Za-z0-9._-]{1,32}$/.test(id)) throw new DamagedPayloadError(id); // not the form of a key id
    const key = this.#readable.get(id);
    if (!key) throw new UnknownKeyError(id, [...this.#keys.keys()]);
    const data = Buffer.from(payload.data ?? []);
    try {
      const open = createDecipheriv('aes-256-gcm', key, data.subarray(0, nonceSize), { authTagLength: tagSize });
      open.setAAD(bound(id));
      open.setAuthTag(data.subarray(Math.max(nonceSize, data.length - tagSize)));
      const plain = Buffer.concat([open.update(data.subarray(nonceSize, -tagSize)), open.final()]);
      const { metadata, data: inner } = wire.decode(plain);
      return { metadata, data: inner };
    } catch {
      throw new DamagedPayloadError(id);
    }
  }
}

/** The data converter for a Client; keys is the worker's PAYLOAD_KEYS, empty for plain payloads. */
export function dataConverter(keys = ''): DataConverter {
  return { payloadCodecs: [new Codec(keys)] };
}

/** Reads `id:base64key,...` in order. Errors give the position, because the entry may be a key without its id. */
function parseKeys(list: string): Map<string, Buffer> {
  const keys = new Map<string, Buffer>();
  for (const [i, entry] of (list.trim() ? list.split(',') : []).entries()) {
    const fail = (what: string) => new Error(`PAYLOAD_KEYS: entry ${i + 1} ${what}`);
    const [, id, encoded] = /^([A-Za-z0-9._-]{1,32}):(.*)$/.exec(entry.trim()) ?? [];
    if (id === undefined || encoded === undefined) {
      throw fail("is not id:key, its id 1 to 32 letters, digits, '.', '_' or '-'");
    }
    const key = Buffer.from(encoded, 'base64');
    if (key.length !== keySize || key.toString('base64') !== encoded) {
      throw fail(`is not ${keySize} bytes in base64: make one with \`openssl rand -base64 32\``);
    }
    if (keys.has(id) || [...keys.values()].some((other) => other.equals(key))) {
      throw fail('has an id or a key for the second time');
    }
    keys.set(id, key);
  }
  return keys;
}

/** The first 16 bytes of the SHA-256 of the id of the workflow that a payload belongs to, where the SDK says it. */
function workflowOf(context?: SerializationContext): Buffer | undefined {
  return context?.workflowId ? createHash('sha256').update(context.workflowId).digest().subarray(0, 16) : undefined;
}

function bind(payload: Payload, workflow?: Buffer): Payload {
  return workflow ? { ...payload, metadata: { ...payload.metadata, [workflowEntry]: workflow } } : payload;
}

function release(payload: Payload, workflow: Buffer | undefined, keyId: string): Payload {
  const { [workflowEntry]: made, ...metadata } = payload.metadata ?? {};
  if (made && workflow && !workflow.equals(made)) throw new DamagedPayloadError(keyId);
  return { ...payload, metadata };
}

function seal(payload: Payload, id: string, key: Buffer): Payload {
  const nonce = randomBytes(nonceSize);
  const sealer = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagSize });
  sealer.setAAD(bound(id));
  const sealed = [nonce, sealer.update(wire.encode(payload).finish()), sealer.final(), sealer.getAuthTag()];
  return { metadata: { encoding: Buffer.from(encoding), 'key-id': Buffer.from(id) }, data: Buffer.concat(sealed) };
}

function encrypted(payload: Payload): boolean {
  return text(payload.metadata?.['encoding']) === encoding;
}

function text(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

/** The additional authenticated data: it binds a payload to its key and format. */
function bound(id: string): Buffer {
  return Buffer.from(`${encoding}\0${id}`);
}
