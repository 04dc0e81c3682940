"""Starts the verification of a user, prints the URL that the person must open, and waits for the verdict:

python verify.py USER
"""

import asyncio
import os
import sys
from typing import Any, Optional

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode


def id_of(user_id: str) -> str:
    return "kyc-" + user_id


async def start(client: Client, request: dict[str, Any]) -> dict[str, Any]:
    """Returns {"session": ...}, or {"verdict": ...} of a user who was decided before.

    It may be called again, by many at once: all get the same session.
    """
    workflow_id, update_id = id_of(request["user_id"]), "session"
    reuse = WorkflowIDReusePolicy.REJECT_DUPLICATE
    closed = await last_closed_run(client, workflow_id)
    if closed:
        state = await result(client, workflow_id, closed)
        if state and state["outcome"] in ("approved", "declined") and not request.get("reverify"):
            return {"verdict": state}
        update_id = "session:" + closed  # all who saw that run end share one new run
        reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE
        request = {**request, "after_run": closed}
    session = await client.execute_update_with_start_workflow(
        "session",
        id=update_id,
        start_workflow_operation=WithStartWorkflowOperation(
            "Verification",
            request,
            id=workflow_id,
            task_queue="kyc",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=reuse,
        ),
    )
    return {"session": session}


async def state(client: Client, user_id: str) -> dict[str, Any]:
    """How the user's newest verification stands; while it is open a worker must be running."""
    handle = client.get_workflow_handle(id_of(user_id))
    description = await handle.describe()
    if description.status == WorkflowExecutionStatus.RUNNING:
        return await handle.query("state")
    return await handle.result()


async def wait(client: Client, user_id: str) -> dict[str, Any]:
    """The result of the user's newest verification, minutes to weeks later."""
    return await client.get_workflow_handle(id_of(user_id)).result()


async def last_closed_run(client: Client, workflow_id: str) -> Optional[str]:
    try:
        last = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as err:
        if err.status == RPCStatusCode.NOT_FOUND:
            return None
        raise
    return None if last.status == WorkflowExecutionStatus.RUNNING else last.run_id


async def result(client: Client, workflow_id: str, run_id: str) -> Optional[dict[str, Any]]:
    """None for a run that was cancelled, terminated or failed: it has no result."""
    try:
        return await client.get_workflow_handle(workflow_id, run_id=run_id).result()
    except WorkflowFailureError:
        return None


async def main(user_id: str) -> None:
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "127.0.0.1:7233"),
        namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
    )
    try:
        started = await start(client, {"user_id": user_id})
    except WorkflowUpdateFailedError as err:
        kind = err.cause.type if isinstance(err.cause, ApplicationError) else err.cause
        sys.exit(f"no session: {kind}")  # such as DiditUnauthorized
    if "session" in started:
        print(started["session"]["url"], flush=True)  # a secret: whoever opens it acts as the user
        print((await wait(client, user_id))["outcome"])
    else:
        print(started["verdict"]["outcome"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
