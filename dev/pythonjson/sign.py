"""Signs as Didit's documentation does. Reads a body in base64 a line, answers the digest, or "error" and why there is none."""
import base64
import hashlib
import hmac
import json
import sys

SECRET = sys.argv[1].encode()


def shorten(value):
    if isinstance(value, dict):
        return {k: shorten(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shorten(v) for v in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def once(pairs):
    """Refuses a key that is there twice: no Python dictionary was ever written so."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("repeated key")
    return dict(pairs)


def sign(body):
    value = shorten(json.loads(body.decode("utf-8"), object_pairs_hook=once))
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(SECRET, text.encode("utf-8"), hashlib.sha256).hexdigest()


for line in sys.stdin:
    try:
        print(sign(base64.b64decode(line)), flush=True)
    except (ValueError, RecursionError, OverflowError) as e:
        print("error", type(e).__name__, str(e).replace("\n", " ")[:100], flush=True)
