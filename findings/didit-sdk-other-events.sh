#!/bin/sh
# PyPI didit-sdk 0.4.0: parse_webhook_payload() documents DiditSignatureError alone, but a correctly
# signed event that is not about a session (user.status.updated, transaction.status.updated) raises
# pydantic's ValidationError, and so does a session's data.updated. An endpoint that catches only
# the documented error answers 500, and Didit sends the event again.
. "$(dirname "$0")/common"

pip_get didit-sdk==0.4.0
cat >parse.py <<'PY'
import json
import time

from didit.webhooks import compute_signature, parse_webhook_payload, verify_webhook_signature

secret = "only-for-this-test"
events = (
    {"webhook_type": "status.updated", "session_id": "s", "status": "Approved"},
    {"webhook_type": "data.updated", "session_id": "s"},
    {"webhook_type": "user.status.updated", "vendor_data": "u", "status": "ACTIVE"},
    {"webhook_type": "transaction.status.updated", "transaction_id": "t", "status": "APPROVED"},
)
for event in events:
    body = json.dumps({**event, "timestamp": int(time.time())}).encode()
    headers = {"X-Signature": compute_signature(secret, body, version="v1")}
    verified = verify_webhook_signature(body, headers, secret)
    try:
        outcome = type(parse_webhook_payload(body, headers, secret)).__name__
    except Exception as err:
        outcome = type(err).__name__
    print(f"{event['webhook_type']}: verified {verified}, parse gives {outcome}")
PY

expect "$(venv/bin/python parse.py)" \
	"status.updated: verified True, parse gives WebhookPayload
data.updated: verified True, parse gives ValidationError
user.status.updated: verified True, parse gives ValidationError
transaction.status.updated: verified True, parse gives ValidationError"
