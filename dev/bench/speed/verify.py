"""Times what Didit's documentation does in Python. Reads "raw|v2 SECRET SIZE" and a body, answers "SECONDS DIGEST"."""
import hashlib
import hmac
import json
import sys
import time


def shorten(value):
    if isinstance(value, dict):
        return {k: shorten(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shorten(v) for v in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def raw(secret, body):
    digest = hmac.new(secret, body, hashlib.sha256).hexdigest()
    json.loads(body)
    return digest


def v2(secret, body):
    text = json.dumps(shorten(json.loads(body)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


for line in sys.stdin.buffer:
    what, secret, size = line.split()
    body = sys.stdin.buffer.read(int(size))
    verify = {b"raw": raw, b"v2": v2}[what]
    times, began = 0, time.perf_counter()
    while True:
        digest = verify(secret, body)
        times += 1
        took = time.perf_counter() - began
        if took > 0.02:
            break
    print(took / times, digest, flush=True)
