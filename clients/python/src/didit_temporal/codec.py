"""The encryption of what Temporal stores: AES-256-GCM over each payload, as the worker writes it."""

import base64
import binascii
import copy
import hashlib
import os
import re
from collections.abc import Sequence
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
)

ENCODING = b"binary/kyc-aes256gcm"
KEY_ID = "key-id"
_WORKFLOW = "kyc-workflow"  # inside the encryption: which workflow a payload belongs to
DEMO = "demo:jLVUlalq+RcpxCOsPgUz7LrbwkTAHzYQ9j/WfvAXmB0="  # public: for demos
_NONCE, _KEY = 12, 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")


class UnknownKeyError(Exception):
    """A payload is encrypted with a key that is not in PAYLOAD_KEYS."""

    def __init__(self, key_id: str, have: Sequence[str]) -> None:
        self.key_id = key_id[:64]
        known = "only " + ", ".join(have) if have else "no key"
        super().__init__(f"decrypt a payload: it needs key {self.key_id!r}, PAYLOAD_KEYS has {known}: add the key")


class DamagedPayloadError(Exception):
    """A payload does not decrypt with its key, or belongs to another workflow."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"decrypt a payload with key {key_id!r}: the payload was changed, another key has that id, or it belongs to another workflow"
        )


class Codec(PayloadCodec, WithSerializationContext):
    """Encrypts with the first key of PAYLOAD_KEYS and decrypts with all of them. It binds a payload to its workflow.

    keys is ``id:base64key,...`` with 32 random bytes each, the worker's PAYLOAD_KEYS. Without keys payloads stay plain.
    It raises ValueError for a text that is not such a list; the message repeats nothing of a key.
    """

    def __init__(self, keys: str = "") -> None:
        self._keys = parse_keys(keys)
        self._first = next(iter(self._keys), "")
        self._readable = {**parse_keys(DEMO), **self._keys}
        self._workflow = b""  # unknown

    def with_context(self, context: SerializationContext) -> Self:
        """Returns a codec for the payloads of one workflow."""
        workflow_id = getattr(context, "workflow_id", None)
        if not workflow_id:
            return self
        bound = copy.copy(self)
        bound._workflow = hashlib.sha256(workflow_id.encode()).digest()[:16]
        return bound

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypts payloads that are not encrypted yet."""
        return [p if not self._first or _encrypted(p) else self._seal(p) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypts what was encrypted; plain payloads pass."""
        return [self._open(p) if _encrypted(p) else p for p in payloads]

    def _seal(self, payload: Payload) -> Payload:
        nonce = os.urandom(_NONCE)
        if self._workflow:
            payload = Payload.FromString(payload.SerializeToString())
            payload.metadata[_WORKFLOW] = self._workflow
        sealed = AESGCM(self._keys[self._first]).encrypt(nonce, payload.SerializeToString(), _bound(self._first))
        return Payload(metadata={"encoding": ENCODING, KEY_ID: self._first.encode()}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        key_id = payload.metadata[KEY_ID].decode(errors="replace") if KEY_ID in payload.metadata else ""
        if not _ID.fullmatch(key_id):  # not the form of a key id
            raise DamagedPayloadError(key_id)
        key = self._readable.get(key_id)
        if key is None:
            raise UnknownKeyError(key_id, list(self._keys))
        nonce, sealed = payload.data[:_NONCE], payload.data[_NONCE:]
        try:
            opened = Payload.FromString(AESGCM(key).decrypt(nonce, sealed, _bound(key_id)))
        except (InvalidTag, ValueError, DecodeError):  # ValueError: too short for a nonce
            raise DamagedPayloadError(key_id) from None
        workflow = opened.metadata.pop(_WORKFLOW, b"")
        if workflow and self._workflow and workflow != self._workflow:
            raise DamagedPayloadError(key_id)
        return opened


def data_converter(keys: str = "") -> DataConverter:
    """The data converter for ``Client.connect``; keys is the worker's PAYLOAD_KEYS, empty for plain payloads."""
    failures = DefaultFailureConverterWithEncodedAttributes if keys.strip() else DefaultFailureConverter
    return DataConverter(payload_codec=Codec(keys), failure_converter_class=failures)


def parse_keys(text: str) -> dict[str, bytes]:
    """Reads ``id:base64key,...`` in order. Errors give the position, because the entry may be a key without its id."""
    keys: dict[str, bytes] = {}
    for place, entry in enumerate(text.split(",") if text.strip() else [], 1):
        key_id, colon, encoded = entry.strip().partition(":")
        if not colon or not _ID.fullmatch(key_id):
            raise ValueError(f"PAYLOAD_KEYS: entry {place} is not id:key, its id 1 to 32 letters, digits, '.', '_' or '-'")
        key = _decode(encoded)
        if len(key) != _KEY:
            raise ValueError(f"PAYLOAD_KEYS: entry {place} is not {_KEY} bytes in base64: make one with `openssl rand -base64 32`")
        if key_id in keys or key in keys.values():
            raise ValueError(f"PAYLOAD_KEYS: entry {place} has an id or a key for the second time")
        keys[key_id] = key
    return keys


def _decode(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return key if base64.b64encode(key).decode() == encoded else b""


def _encrypted(payload: Payload) -> bool:
    return "encoding" in payload.metadata and payload.metadata["encoding"] == ENCODING


def _bound(key_id: str) -> bytes:
    """The additional authenticated data: it binds a payload to its key and format."""
    return ENCODING + b"\x00" + key_id.encode()
