"""Verifications: start, state, wait and cancel, over a Temporal client."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
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
    FlowError,
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

_ROUNDS = 5  # each round after the first means that another caller changed the user's verification
_OUTCOME = SearchAttributeKey.for_keyword("KycOutcome")
_LONGEST_PAUSE = 5.0  # seconds between two polls of a waiter
_EPOCH = datetime.fromtimestamp(0, UTC)
_FRESH_FOR = timedelta(minutes=1)  # for this long a link is returned again without a poll of Didit: it may expire, and that webhook be lost
_CHECK_WITHIN = 3.0  # seconds that a caller waits for Didit before it gets an old link


@dataclass(frozen=True)
class _Found:
    """The user's newest run. state is None if it ended without an outcome; session is what the user must open now."""

    run_id: str
    status: str
    open: bool
    state: State | None = None
    session: Session | None = None


@dataclass(frozen=True)
class _Ask:
    """The next update ``session``. confirms: Didit is polled before a link that may have expired is returned again."""

    update_id: str
    reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.REJECT_DUPLICATE
    confirms: bool = False


def _next(found: _Found | None, input: Input, checked: bool) -> Started | _Ask:
    """The next update for the user's newest run. It raises FlowError."""
    if found is None:
        return _Ask("session")
    state = found.state
    if state is None or not found.open and input.wants_another(state):
        return _Ask("session:" + found.run_id, WorkflowIDReusePolicy.ALLOW_DUPLICATE)
    if input.wants_another(state):
        return _Ask(_seen(state, input))
    if input.other_flow(state):
        raise FlowError(input.user_id, state.workflow_id, input.workflow_id)
    if not state.outcome and not state.session_id:
        return _Ask("session")
    if found.session and not checked and datetime.now(UTC) - (state.checked_at or _EPOCH) > _FRESH_FOR:
        return _Ask(_seen(state, input), confirms=True)
    return Started(state, found.session)


def _seen(state: State, input: Input) -> str:
    """The update id for this state, which all callers that see it share, so that a thousand calls are one update."""
    at = max(state.updated_at or _EPOCH, state.checked_at or _EPOCH)
    return f"session:{state.session_id}:{(at - _EPOCH) // timedelta(milliseconds=1)}" + (":reverify" if input.reverify else "")


class Verifications:
    """Starts verifications and finds them. If payloads are encrypted, the client needs ``data_converter``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, input: Input) -> Started:
        """Verifies a user and returns once there is a URL to open, a review to wait for, or a verdict.

        Repeated and concurrent calls get the same session. If users wait in the queue because of Didit's limit, it waits
        too; a caller that cancels it (``asyncio.timeout``) ends the wait and not the verification. It raises
        SessionError if there can be no session, FlowError if the user's verification is of another flow than the input's.
        """
        checked = False
        for _ in range(_ROUNDS):
            step = _next(await self._find(input.user_id), input, checked)
            if isinstance(step, Started):
                return step
            if step.confirms:
                await self._confirm(input, step)
                checked = True
            elif await self._session(input, step) and step.update_id != "session":  # else another caller may have begun the run
                input = replace(input, reverify=False)
        raise VerificationError(f"start user {input.user_id}: the verification changed with each of {_ROUNDS} tries: call again")

    async def state(self, user_id: str) -> State:
        """The state of the user's newest verification; while it is open a worker must run. Raises NotFoundError, EndedError."""
        found = await self._find(user_id)
        if found is None or found.state is None and found.status == "COMPLETED":
            raise NotFoundError(f"read the state of user {user_id}: there is no verification: start one")
        if found.state is None:
            raise EndedError(f"read the state of user {user_id}: run {found.run_id} ended without a result ({found.status}): start the user again")
        return found.state

    async def wait(self, user_id: str) -> State:
        """The state once there is an outcome, minutes to weeks later. It follows the user over resets and new runs."""
        pause, closed = 1.0, False
        while not (state := await self._state_with_outcome(user_id)):
            if closed:  # a verdict was withdrawn: a webhook starts the next run
                await asyncio.sleep(pause)
            closed = await self._closed(user_id, pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return state

    async def cancel(self, user_id: str, *, actor: str, reason: str) -> State:
        """Cancels the open verification and returns its final state.

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

    async def _confirm(self, input: Input, ask: _Ask) -> None:
        """Waits until Didit has confirmed the link, or has replaced it; if Didit does not answer in time, the link is returned as it is."""
        answer = asyncio.create_task(self._session(input, ask))
        answer.add_done_callback(lambda task: task.cancelled() or task.exception())  # it may fail when no caller waits any more
        try:
            await asyncio.wait({answer}, timeout=_CHECK_WITHIN)
        finally:
            answer.cancel()
        if answer.done() and isinstance(err := answer.exception(), VerificationError):
            raise err

    async def _session(self, input: Input, ask: _Ask) -> bool:
        """Update-With-Start. False means that the run ended before it answered: read it again."""
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
            await self._client.execute_update_with_start_workflow(
                "session", input.to_json(), id=ask.update_id, start_workflow_operation=start
            )
            return True
        except WorkflowAlreadyStartedError:
            return False
        except WorkflowUpdateFailedError as err:
            type, message = _why(err)
            if type == "AcceptedUpdateCompletedWorkflow":  # the server's: the run was reset, terminated or ended
                return False
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
        of_run: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(workflow_id(user_id), run_id=run.run_id)
        if status == "COMPLETED":
            state = State.from_json(await of_run.result(follow_runs=False))
            return _Found(run.run_id, status, False, state if state.user_id else None)  # none: an event of a session that is not ours
        if status not in ("RUNNING", "CANCELED"):
            return _Found(run.run_id, status, False)
        snapshot = await of_run.query("verification")
        session = Session.from_json(snapshot["session"]) if snapshot.get("session") else None
        state, is_open = State.from_json(snapshot["state"]), status == "RUNNING"
        return _Found(run.run_id, status, is_open, state if is_open or state.outcome else None, session)

    async def _state_with_outcome(self, user_id: str) -> State | None:
        """Reads the search attribute first: a query costs a worker, and thousands of callers may wait for weeks."""
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
