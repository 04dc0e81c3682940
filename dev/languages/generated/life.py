"""A user's whole life through a client that openapi-python-client has generated from openapi.json: what mypy accepts here is what
the description says, and what the program prints is what the API answers."""

import os
from typing import TypeVar

from verifications_client import AuthenticatedClient
from verifications_client.api.default import (
    cancel_verification,
    decide_verification,
    erase_user,
    find_verification,
    list_verifications,
    refresh_verification,
    start_verification,
    verification_history,
)
from verifications_client.models import Action, Decision, DecisionVerb, Erasure, History, Input, List, Operation, Problem, Verification
from verifications_client.types import Response

api = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"], timeout=60)  # type: ignore[arg-type]
user, reason = "generated", "duplicate:CASE-1"
T = TypeVar("T")


def show(what: str, answer: Response[T | Problem]) -> T:
    """Prints what was answered, or what was refused."""
    refused = answer.parsed if isinstance(answer.parsed, Problem) else None
    print(what, int(answer.status_code), refused.type_ if refused else "", flush=True)
    if refused or answer.parsed is None:
        raise SystemExit(f"{what}: {refused}")
    assert not isinstance(answer.parsed, Problem)
    return answer.parsed


begun: Verification = show("start", start_verification.sync_detailed(client=api, body=Input(user_id=user, language="en")))
print("url", begun.url, flush=True)
input()  # until the person has finished
ended: Verification = show("wait", find_verification.sync_detailed(user, client=api, wait="45s"))
print("outcome", ended.outcome)
decision = Decision(verb=DecisionVerb.DECLINE, reason=reason, actor="anna")
decided: Operation = show("decide", decide_verification.sync_detailed(user, client=api, body=decision, idempotency_key="case-1"))
print("after", decided.after, str(decided.changed).lower())
history: History = show("history", verification_history.sync_detailed(user, client=api))
print("actor", next(step.actor for step in history.steps if step.actor))
listed: List = show("list", list_verifications.sync_detailed(client=api, limit=10))
print("listed", len(listed.verifications))
refused = cancel_verification.sync_detailed(user, client=api, body=Action(reason=reason))
assert isinstance(refused.parsed, Problem)
print("cancel", int(refused.status_code), refused.parsed.type_)
opened: Verification = show("start", start_verification.sync_detailed(client=api, body=Input(user_id="generated-2")))
by = Action(reason=reason, actor="anna")
refreshed: Verification = show("refresh", refresh_verification.sync_detailed(opened.user_id, client=api, body=by))
print("refreshed", refreshed.status)
cancelled: Verification = show("cancel", cancel_verification.sync_detailed(opened.user_id, client=api, body=by))
print("cancelled", cancelled.outcome)
done = False
while not done:
    erasure = Erasure(legal_hold_checked=True, reason=reason, actor="anna")
    erased: Operation = show("erase", erase_user.sync_detailed(user, client=api, body=erasure, idempotency_key="case-1"))
    done = erased.done
gone = find_verification.sync_detailed(user, client=api)
assert isinstance(gone.parsed, Problem)
print("gone", int(gone.status_code), gone.parsed.type_, flush=True)
