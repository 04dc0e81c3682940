#!/bin/sh
# standardwebhooks 1.1.0 (Python): sign() reads a datetime as UTC and ignores its zone. The same time
# in another zone has another signature, which verify() of the same object refuses with
# "No matching signature found". The error does not mention the time.
. "$(dirname "$0")/common"

pip_get standardwebhooks==1.1.0
cat >sign.py <<'PY'
import base64
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook("whsec_" + base64.b64encode(bytes(32)).decode())
now = datetime.now(timezone.utc)
for hours in (0, 2, -5):
    moment = now.astimezone(timezone(timedelta(hours=hours)))
    assert moment == now
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": webhook.sign("msg_1", moment, "{}"),
    }
    try:
        webhook.verify("{}", headers)
        print(f"UTC{hours:+d}: verified")
    except WebhookVerificationError as err:
        print(f"UTC{hours:+d}: {err}")
PY

expect "$(venv/bin/python sign.py)" "UTC+0: verified
UTC+2: No matching signature found
UTC-5: No matching signature found"
