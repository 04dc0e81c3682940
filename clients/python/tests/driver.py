"""Does what the lines on stdin say, all at once, so that one test can drive the clients of all languages.

A line is {"id", "do": "start"|"state"|"wait"|"cancel", ...}; its answer is {"id", "ok"} or {"id", "error", "type", "message"}.
"""

import asyncio
import json
import os
import sys
from dataclasses import asdict
from typing import Any

from temporalio.client import Client

from didit_temporal import Input, Verifications, data_converter


async def do(verifications: Verifications, order: dict[str, Any]) -> Any:
    match order["do"]:
        case "start":
            started = await verifications.start(Input(**order["input"]))
            return {"state": asdict(started.state), "session": asdict(started.session) if started.session else None}
        case "state":
            return {"state": asdict(await verifications.state(order["user_id"]))}
        case "wait":
            return {"state": asdict(await verifications.wait(order["user_id"]))}
        case "cancel":
            return {"state": asdict(await verifications.cancel(order["user_id"], actor="ops.anna", reason="duplicate:CASE-1"))}
    raise ValueError(order)


async def answer(verifications: Verifications, order: dict[str, Any]) -> None:
    try:
        reply = {"id": order["id"], "ok": await do(verifications, order)}
    except Exception as err:
        reply = {"id": order["id"], "error": type(err).__name__, "type": getattr(err, "type", ""), "message": str(err)}
    print(json.dumps(reply, default=str), flush=True)


async def main() -> None:
    client = await Client.connect(
        os.environ["TEMPORAL_ADDRESS"], data_converter=data_converter(os.environ.get("PAYLOAD_KEYS", ""))
    )
    verifications = Verifications(client)
    async with asyncio.TaskGroup() as tasks:
        while line := await asyncio.to_thread(sys.stdin.readline):
            tasks.create_task(answer(verifications, json.loads(line)))


asyncio.run(main())
