#!/bin/sh
# PyPI didit-sdk 0.4.0: max_retries (2 by default) has no effect on sessions.create(): a 429 with
# Retry-After, which created nothing, is raised at once. An idempotency_key in the options enables
# retries, and then a 500, after which a session may exist, is also sent three times. Didit's
# pages name no Idempotency-Key for this call.
. "$(dirname "$0")/common"

pip_get didit-sdk==0.4.0
cat >create.py <<'PY'
import http.server
import threading

import didit

calls, answer = [], [0]

class Api(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        calls.append(self.headers["Idempotency-Key"])
        self.send_response(answer[0])
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Api)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = didit.Didit(api_key="k", base_url=f"http://127.0.0.1:{server.server_port}/v3")
for status in (429, 500):
    for key in (None, "k1"):
        calls.clear()
        answer[0] = status
        try:
            client.sessions.create(
                "u", workflow_id="w", options=didit.RequestOptions(idempotency_key=key)
            )
        except didit.DiditAPIError:
            print(f"{status}, key {key}: sent {len(calls)} times")
PY

expect "$(venv/bin/python create.py)" "429, key None: sent 1 times
429, key k1: sent 3 times
500, key None: sent 1 times
500, key k1: sent 3 times"
