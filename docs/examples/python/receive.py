"""Receives results at POST /kyc/results on port PORT: verifies, drops repeats, orders, then prints what changed."""

import os
import sqlite3
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["RESULT_SECRET"])  # whsec_...
db = sqlite3.connect(os.environ.get("DATABASE", ":memory:"), isolation_level=None)
db.execute("CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY)")
db.execute("CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, kyc TEXT, updated_at TEXT)")


def save(message_id: str, message: dict[str, Any]) -> bool:
    """Reports whether the message is new: a repeat changes nothing, an older message nothing newer."""
    data = message["data"]
    with db:  # one transaction
        db.execute("BEGIN IMMEDIATE")
        if db.execute("INSERT OR IGNORE INTO messages VALUES (?)", (message_id,)).rowcount == 0:
            return False
        newer = db.execute(
            "INSERT INTO users VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET kyc = excluded.kyc, "
            "updated_at = excluded.updated_at WHERE users.updated_at < excluded.updated_at",
            (data["user_id"], data["outcome"] or data["status"], comparable(data["updated_at"])),
        )
        return newer.rowcount == 1


def comparable(time: str) -> str:
    """RFC 3339 with nine digits of a second, so that texts compare as times do: Go leaves zeros at the end out."""
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<9}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 1 << 20))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            message = webhook.verify(body, headers)
        except WebhookVerificationError:
            self.answer(401)
            return
        if save(headers["webhook-id"], message):  # an exception: no 2xx, and it comes again
            print(message["type"], message["data"]["user_id"], message["data"]["outcome"] or message["data"]["status"], flush=True)
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()


server = HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Handler)
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()
