"""Start identity verifications through Temporal and wait for their verdicts.

    client = await temporalio.client.Client.connect(
        "127.0.0.1:7233", data_converter=data_converter(os.environ.get("PAYLOAD_KEYS", ""))
    )
    verifications = Verifications(client)
    started = await verifications.start(Input("u-1042", return_url="https://shop.example/welcome"))
    state = await verifications.wait("u-1042")
"""

from .client import Verifications
from .codec import Codec, DamagedPayloadError, UnknownKeyError, data_converter
from .types import (
    Check,
    EndedError,
    FlowError,
    Input,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    Session,
    SessionError,
    Started,
    State,
    VerificationError,
)

__all__ = [
    "Check",
    "Codec",
    "DamagedPayloadError",
    "EndedError",
    "FlowError",
    "Input",
    "InvalidInputError",
    "NotFoundError",
    "RefusedError",
    "Session",
    "SessionError",
    "Started",
    "State",
    "UnknownKeyError",
    "VerificationError",
    "Verifications",
    "data_converter",
]
