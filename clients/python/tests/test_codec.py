"""The vectors that the codecs of all languages share. ``python test_codec.py --write-vectors`` seals this language's anew."""

import asyncio
import base64
import json
import sys
import unittest
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from didit_temporal import Codec, DamagedPayloadError, UnknownKeyError, data_converter

FILE = Path(__file__).parents[3] / "kyc" / "codec" / "testdata" / "vectors.json"
VECTORS: dict[str, Any] = json.loads(FILE.read_text())


def payload(wire: dict[str, Any]) -> Payload:
    metadata = {name: base64.b64decode(value) for name, value in (wire["metadata"] or {}).items()}
    return Payload(metadata=metadata, data=base64.b64decode(wire["data"] or ""))


def codec(*ids: str) -> Codec:
    return Codec(",".join(VECTORS["keys"][i] for i in ids))


def decode(with_: Codec, wire: dict[str, Any]) -> Payload:
    return asyncio.run(with_.decode([payload(wire)]))[0]


class SharedVectors(unittest.TestCase):
    def test_every_languages_payloads_are_read(self) -> None:
        plain = {p["name"]: payload(p) for p in VECTORS["payloads"]}
        self.assertEqual({"go", "python", "typescript"}, {s["made_by"] for s in VECTORS["sealed"]})
        for sealed in VECTORS["sealed"]:
            for ids in (("old", "new"), ("new", "old")):  # the middle of a rotation, from both sides
                self.assertEqual(plain[sealed["name"]], decode(codec(*ids), sealed), sealed)

    def test_what_is_refused(self) -> None:
        kinds = {"unknown-key": UnknownKeyError, "damaged": DamagedPayloadError}
        for refused in VECTORS["refused"]:
            with self.subTest(refused["name"]), self.assertRaises(kinds[refused["error"]]):
                decode(codec(*refused["keys"] or ()), refused)

    def test_texts_that_are_no_keys(self) -> None:
        for name, text in VECTORS["bad_keys"].items():
            with self.subTest(name), self.assertRaises(ValueError) as raised:
                Codec(text)
            self.assertNotIn(text[2:20], str(raised.exception))

    def test_the_first_key_encrypts_and_nothing_is_encrypted_twice(self) -> None:
        once = asyncio.run(codec("new", "old").encode([payload(VECTORS["payloads"][0])] * 2))
        self.assertEqual(b"new", once[0].metadata["key-id"])
        self.assertNotEqual(once[0].data, once[1].data, "equal payloads must not look equal")
        self.assertEqual(once, asyncio.run(codec("old").encode(once)))

    def test_a_payload_belongs_to_its_workflow(self) -> None:
        plain = payload(VECTORS["payloads"][0])
        ada, bob = (codec("new").with_context(WorkflowSerializationContext("default", f"kyc-{user}")) for user in ("ada", "bob"))
        sealed = asyncio.run(ada.encode([plain]))
        for reader in (ada, codec("new")):
            self.assertEqual([plain], asyncio.run(reader.decode(sealed)))
        with self.assertRaises(DamagedPayloadError):
            asyncio.run(bob.decode(sealed))
        self.assertEqual([plain], asyncio.run(bob.decode(asyncio.run(codec("new").encode([plain])))))

    def test_without_keys_payloads_stay_plain_and_the_demo_key_is_read(self) -> None:
        plain = [payload(p) for p in VECTORS["payloads"]]
        self.assertEqual(plain, asyncio.run(Codec().encode(plain)))
        self.assertEqual(plain, asyncio.run(codec("new").decode(plain)))
        demo = Codec("demo:jLVUlalq+RcpxCOsPgUz7LrbwkTAHzYQ9j/WfvAXmB0=")
        self.assertEqual(plain, asyncio.run(Codec().decode(asyncio.run(demo.encode(plain)))))

    def test_the_data_converter_reads_what_it_writes(self) -> None:
        converter = data_converter(VECTORS["keys"]["new"])
        wire = asyncio.run(converter.encode([{"user_id": "u1"}]))
        self.assertEqual(b"new", wire[0].metadata["key-id"])
        self.assertEqual([{"user_id": "u1"}], asyncio.run(converter.decode(wire)))


def write_vectors() -> None:
    VECTORS["sealed"] = [s for s in VECTORS["sealed"] if s["made_by"] != "python"]
    for key in ("old", "new"):
        for plain in VECTORS["payloads"]:
            made = asyncio.run(codec(key).encode([payload(plain)]))[0]
            metadata = {name: base64.b64encode(made.metadata[name]).decode() for name in sorted(made.metadata)}
            data = base64.b64encode(made.data).decode()
            VECTORS["sealed"].append({"made_by": "python", "key": key, "name": plain["name"], "metadata": metadata, "data": data})
    FILE.write_text(json.dumps(VECTORS, indent=1) + "\n")


if __name__ == "__main__":
    if "--write-vectors" in sys.argv:
        write_vectors()
    else:
        unittest.main()
