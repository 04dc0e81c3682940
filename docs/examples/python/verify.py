"""Starts the verification of a user, prints the URL that the person must open, and waits for the verdict:

python verify.py USER
"""

import asyncio
import os
import sys

from didit_temporal import Input, SessionError, Verifications, data_converter
from temporalio.client import Client


async def main(user_id: str) -> None:
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"),
        namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
        data_converter=data_converter(os.environ.get("PAYLOAD_KEYS", "")),  # the worker's
    )
    verifications = Verifications(client)
    try:
        started = await verifications.start(Input(user_id, return_url="https://shop.example/welcome"))
    except SessionError as err:
        sys.exit(str(err))  # err.type is such as DiditUnauthorized
    if started.session:
        print(started.session.url, flush=True)  # a secret: to open it is to act as the user
    print((await verifications.wait(user_id)).outcome)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
