"""Verifications: start, state, wait and cancel, over a Temporal client."""

import asyncio
from dataclasses import dataclass
from typing import Any

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import SearchAttributeKey, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from .types import (
    EndedError,
    Input,
    NotFoundError,
    RefusedError,
    Session,
    SessionError,
    Started,
    State,
    VerificationError,
    workflow_id,
)

_ROUNDS = 5  # each round but the first means that others changed the user's verification meanwhile
_OUTCOME = SearchAttributeKey.for_keyword("KycOutcome")
_LONGEST_PAUSE = 5.0  # seconds between two looks of a waiter


@dataclass(frozen=True)
class _Found:
    """The user's newest run. state is None if it ended without a result."""

    run_id: str
    status: str
    open: bool
    state: State | None


@dataclass(frozen=True)
class _Ask:
    """The update ``session`` that comes next."""

    update_id: str
    reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE


def _next(found: _Found | None, reverify: bool, session: Session | None) -> Started | _Ask:
    """The recipe: what to do about the user's newest run. session is the last answer of the update, which is frozen."""
    if found is None:
        return _Ask("session", WorkflowIDReusePolicy.REJECT_DUPLICATE)
    state = found.state
    if state is None or state.outcome and (reverify or not state.decided):
        # Everyone who saw this run or session end asks with the same id, so that they share one new session.
        ended = state.session_id if found.open and state and state.session_id else found.run_id
        return _Ask("session:" + ended)
    if state.outcome or state.status == "In Review":
        return Started(state)
    if session is None:
        return _Ask("session", WorkflowIDReusePolicy.REJECT_DUPLICATE)
    if session.session_id != state.session_id:  # the run has a newer session than the one it answered with
        return _Ask(f"session:{state.session_id}:url")
    return Started(state, session)


class Verifications:
    """Starts verifications and finds them. The client needs ``data_converter`` where payloads are encrypted."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, input: Input) -> Started:
        """Verifies a user and returns once there is a URL to open, a review to wait for, or a verdict.

        It may be called again, by many at once: all get the same session. Where Didit's limit makes users wait it waits
        too; a caller that cancels it (``asyncio.timeout``) ends the waiting and not the verification. It raises
        SessionError if there can be no session.
        """
        reverify, session = input.reverify, None
        for _ in range(_ROUNDS):
            step = _next(await self._find(input.user_id), reverify, session)
            if isinstance(step, Started):
                return step
            session = await self._session(input, step)
            reverify = reverify and session is None
        raise VerificationError(f"start user {input.user_id}: the verification changed with each of {_ROUNDS} tries: call again")

    async def state(self, user_id: str) -> State:
        """How the user's newest verification stands; while it is open a worker must run. Raises NotFoundError, EndedError."""
        found = await self._find(user_id)
        if found is None:
            raise NotFoundError(f"read the state of user {user_id}: there is no verification: start one")
        if found.state is None:
            raise EndedError(f"read the state of user {user_id}: run {found.run_id} ended without a result ({found.status}): start the user again")
        return found.state

    async def wait(self, user_id: str) -> State:
        """The state once there is an outcome, minutes to weeks later. It follows the user over resets and new runs."""
        pause, closed = 1.0, False
        while not (state := await self._state_with_outcome(user_id)):
            if closed:  # a verdict was taken back: a webhook begins the next run
                await asyncio.sleep(pause)
            closed = await self._closed(user_id, pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return state

    async def cancel(self, user_id: str, *, actor: str, reason: str) -> State:
        """Ends the open verification as cancelled and returns how it ended.

        actor is the operator's name in your directory, reason a code and a ticket such as duplicate:CASE-1042; neither
        names the user. It raises RefusedError if the verification has ended, NotFoundError if there is none.
        """
        handle = self._client.get_workflow_handle(workflow_id(user_id))
        try:
            by = {"actor": actor, "reason": reason}
            return State.from_json(await handle.execute_update("cancel", by, id="cancel"))
        except WorkflowUpdateFailedError as err:
            raise RefusedError(user_id, *_why(err)) from err
        except RPCError as err:
            if err.status != RPCStatusCode.NOT_FOUND:
                raise
        state = await self.state(user_id)
        raise RefusedError(user_id, "OperationRefused", f"the verification has ended: {state.outcome}")

    async def _session(self, input: Input, ask: _Ask) -> Session | None:
        """Update-With-Start. None means that the run ended before it answered: look again."""
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            "Verification",
            input.to_json(),
            id=workflow_id(input.user_id),
            task_queue="kyc",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=ask.reuse,
            static_summary=f"Verify user {input.user_id} at Didit",
        )
        try:
            answer = await self._client.execute_update_with_start_workflow(
                "session", input.to_json(), id=ask.update_id, start_workflow_operation=start
            )
            return Session.from_json(answer)
        except WorkflowAlreadyStartedError:
            return None
        except WorkflowUpdateFailedError as err:
            type, message = _why(err)
            if type == "AcceptedUpdateCompletedWorkflow":  # the server's: the run was reset, terminated or ended
                return None
            raise SessionError(input.user_id, type, message) from err

    async def _find(self, user_id: str) -> _Found | None:
        handle = self._client.get_workflow_handle(workflow_id(user_id))
        try:
            run = await handle.describe()
        except RPCError as err:
            if err.status == RPCStatusCode.NOT_FOUND:
                return None
            raise
        status = run.status.name if run.status else "UNKNOWN"
        is_open = run.status == WorkflowExecutionStatus.RUNNING
        return _Found(run.run_id, status, is_open, await self._read(user_id, run.run_id, status))

    async def _read(self, user_id: str, run_id: str, status: str) -> State | None:
        handle = self._client.get_workflow_handle(workflow_id(user_id), run_id=run_id)
        if status == "COMPLETED":
            return State.from_json(await handle.result(follow_runs=False))
        if status in ("RUNNING", "CANCELED"):
            return State.from_json(await handle.query("state"))
        return None

    async def _state_with_outcome(self, user_id: str) -> State | None:
        """The search attribute is asked first: a query is work for a worker, and thousands may wait for weeks."""
        try:
            run = await self._client.get_workflow_handle(workflow_id(user_id)).describe()
        except RPCError as err:
            if err.status == RPCStatusCode.NOT_FOUND:
                raise NotFoundError(f"wait for user {user_id}: there is no verification: start one") from err
            raise
        if run.status == WorkflowExecutionStatus.RUNNING and not run.typed_search_attributes.get(_OUTCOME):
            return None
        state = await self.state(user_id)
        return state if state.outcome else None

    async def _closed(self, user_id: str, seconds: float) -> bool:
        """Waits that long for the newest run to close and reports whether it has: a run may stay open after its outcome."""
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(workflow_id(user_id))
        try:
            async with asyncio.timeout(seconds):
                await handle.result()
        except TimeoutError:
            return False
        except WorkflowFailureError:
            pass
        return True


def _why(err: WorkflowUpdateFailedError) -> tuple[str, str]:
    cause = err.cause
    if isinstance(cause, ApplicationError):
        return cause.type or "", cause.message
    return "", str(cause)
