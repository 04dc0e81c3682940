"""The messages and errors of a verification."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

_USER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


class VerificationError(Exception):
    """The base of this package's errors."""


class InvalidInputError(VerificationError):
    """The user id is invalid; nothing was sent."""


class NotFoundError(VerificationError):
    """The user has no verification, or Temporal has deleted it."""


class EndedError(VerificationError):
    """The newest run ended without a result: it was terminated, or failed. Start the user again."""


class SessionError(VerificationError):
    """The verification ended without a session. type is one of the documented error types."""

    def __init__(self, user_id: str, type: str, message: str) -> None:
        self.type = type
        super().__init__(f"start user {user_id}: {type}: {message}")


class FlowError(VerificationError):
    """The user's verification is of another flow than the input's workflow_id. have and want are ids of Didit's flows."""

    def __init__(self, user_id: str, have: str, want: str) -> None:
        self.have, self.want = have, want
        super().__init__(
            f"start user {user_id}: the verification is of flow {have}, not {want}: "
            "leave workflow_id out to take it, or set reverify for a session of the other flow"
        )


class RefusedError(VerificationError):
    """The verification refused an operator action; the message has its state."""

    def __init__(self, user_id: str, type: str, message: str) -> None:
        self.type = type
        super().__init__(f"cancel user {user_id}: {type}: {message}")


@dataclass(frozen=True)
class Input:
    """The input of a verification. Only user_id is required."""

    user_id: str  # opaque: never an e-mail address or a name
    workflow_id: str = ""  # Didit's flow; the worker's by default
    language: str = ""  # of Didit's page, such as en or pt-BR
    return_url: str = ""  # absolute http(s) URL without personal data
    reverify: bool = False  # a new session even if there is a verdict
    priority: Literal["", "interactive", "bulk"] = ""

    def to_json(self) -> dict[str, Any]:
        """The input on the wire, without what is not set."""
        return {name: value for name, value in asdict(self).items() if value}

    def other_flow(self, state: "State") -> bool:
        """Whether the state is of another flow than this input's."""
        have, want = state.workflow_id.lower(), self.workflow_id.lower()
        return bool(have and want) and have != want

    def wants_another(self, state: "State") -> bool:
        """Whether this input requests another session than the state's."""
        if state.decided:
            return self.reverify
        return bool(state.outcome) or self.reverify and self.other_flow(state)


@dataclass(frozen=True)
class Session:
    """The session that the user must open. Token and URL are secrets that allow to act as the user."""

    session_id: str
    session_token: str
    url: str

    def __repr__(self) -> str:
        return f"Session({self.session_id!r})"

    @staticmethod
    def from_json(wire: dict[str, Any]) -> "Session":
        """Reads the session of the query ``verification``; unknown fields are ignored."""
        return Session(wire["session_id"], wire["session_token"], wire["url"])


@dataclass(frozen=True)
class Check:
    """The result of one feature of Didit's flow."""

    feature: str
    status: str


@dataclass(frozen=True)
class State:
    """The state of a verification."""

    user_id: str
    session_id: str
    workflow_id: str  # Didit's flow that gave this verdict; empty from a worker that does not report it
    status: str  # Didit's status, unchanged
    outcome: str  # empty while it waits
    attempt: int
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    error_type: str  # with the outcome failed
    updated_at: datetime | None  # to the microsecond; the wire has nanoseconds
    checked_at: datetime | None  # when Didit last confirmed it

    @property
    def decided(self) -> bool:
        """Whether the state has Didit's verdict."""
        return self.outcome in ("approved", "declined")

    @staticmethod
    def from_json(wire: dict[str, Any]) -> "State":
        """Reads the result or the answer to a query; lists may be null and unknown fields are ignored."""
        return State(
            user_id=wire["user_id"],
            session_id=wire["session_id"],
            workflow_id=wire.get("workflow_id", ""),
            status=wire["status"],
            outcome=wire["outcome"],
            attempt=wire["attempt"],
            checks=tuple(Check(c["feature"], c["status"]) for c in wire.get("checks") or ()),
            warnings=tuple(wire.get("warnings") or ()),
            error_type=wire.get("error_type", ""),
            updated_at=_time(wire.get("updated_at")),
            checked_at=_time(wire.get("checked_at")),
        )


def _time(wire: str | None) -> datetime | None:
    return datetime.fromisoformat(wire) if wire else None


@dataclass(frozen=True)
class Started:
    """The answer to start: session is None when the user has nothing to do (a verdict, or a review)."""

    state: State
    session: Session | None = None


def workflow_id(user_id: str) -> str:
    """The id of a user's workflow. It raises InvalidInputError for an id that can name another workflow."""
    if not _USER_ID.fullmatch(user_id):
        raise InvalidInputError(
            "user_id: want 1 to 128 letters, digits, '.', '_', ':' or '-', the first a letter or digit; "
            "an opaque id, never an e-mail address or a name"
        )
    return "kyc-" + user_id
