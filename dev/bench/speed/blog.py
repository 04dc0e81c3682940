"""The receiver of webhooks that Didit's blog published ("Boost Performance: Async Python for Didit API & Webhooks",
6 March 2026), with today's names of the header and of the field."""
import asyncio
import hashlib
import hmac
import os

from fastapi import FastAPI, HTTPException, Request

app = FastAPI()
SECRET = os.environ["WEBHOOK_SECRET"].encode()


async def process(event):
    await asyncio.sleep(2)


@app.post("/didit-webhook")
async def didit_webhook(request: Request):
    signature = request.headers.get("X-Signature")
    if not signature:
        raise HTTPException(status_code=400, detail="Missing X-Signature header")
    body = await request.body()
    expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature, expected):
        raise HTTPException(status_code=403, detail="Invalid webhook signature")
    event = await request.json()
    asyncio.create_task(process(event))
    return {"status": "received", "message": "Event accepted for processing"}
