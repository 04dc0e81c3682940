"""Calls every method of the SDK's two clients, and prints a JSON object a call."""

import asyncio
import base64
import inspect
import json
import sys
import tempfile
from pathlib import Path

import httpx
from didit import AsyncDidit, Didit
from didit.errors import DiditAPIError
from didit.models.decision import DecisionResponse
from didit.models.session import ObservedSessionState

given = json.load(sys.stdin)
FLOW = given["flow"]
routes: list[str] = []


def note(response):
    routes.append(f"{response.request.method} {response.request.url.path} {response.status_code}")


async def anote(response):
    note(response)


def options():
    return {"api_key": given["key"], "base_url": given["url"] + "/v3", "webhook_secret": given["secret"], "max_retries": 0}


def sync_client(**more):
    return Didit(**{**options(), **more}, http_client=httpx.Client(event_hooks={"response": [note]}))


def async_client(**more):
    return AsyncDidit(**{**options(), **more}, http_client=httpx.AsyncClient(event_hooks={"response": [anote]}))


def press(url, action):
    """The person, who needs no SDK."""
    httpx.get(url)
    httpx.post(url, data={"action": action})


def api(method, path, body=None):
    """Didit's API without the SDK, for what the SDK does not have."""
    return httpx.request(method, given["url"] + path, json=body, headers={"x-api-key": given["key"]}).json()


async def call(name, make, want="ok", check=None):
    routes.clear()
    try:
        value = make()
        if inspect.isawaitable(value):
            value = await value
        got = "ok"
        if check is not None and not check(value):
            got = f"unexpected: {value!r}"[:200]
    except DiditAPIError as e:
        value, got = None, f"{type(e).__name__} {e.status_code}"
    except Exception as e:  # an answer that the SDK cannot read
        value, got = None, type(e).__name__
    print(json.dumps({"call": name, "routes": ", ".join(dict.fromkeys(routes)), "got": got, "want": want}))
    return value


async def nulls(kind, client):
    s = api("POST", "/v3/session/", {"workflow_id": FLOW, "vendor_data": kind + "-null"})
    await call(f"{kind} sessions.get_decision, null", lambda: client.sessions.get_decision(s["session_id"]))


async def calls(kind, client):
    async def do(name, make, **more):
        return await call(f"{kind} {name}", make, **more)

    sessions, user = client.sessions, kind + "-1"
    await do("healthcheck", client.healthcheck, check=lambda h: h.is_healthy)
    s = await do("sessions.create", lambda: sessions.create(
        user, workflow_id=FLOW, callback="myapp://callback", callback_method="both", language="es", metadata={"a": [1]},
        sandbox_scenario="approve"), check=lambda v: v.session_token and v.url and v.status.value == "Not Started")
    await do("sessions.create, no such workflow", lambda: sessions.create(workflow_id="wf_kyc"), want="DiditAPIError 400")
    await do("sessions.get", lambda: sessions.get(s.session_id))
    await do("sessions.list", lambda: sessions.list(vendor_data=user, workflow_id=FLOW, search=user, date_from="2020-01-01T00:00:00Z",
             date_to="2099-01-01T00:00:00+00:00", status="Not Started"), check=lambda p: p.count == 1)
    await do("sessions.list, another country", lambda: sessions.list(vendor_data=user, country="ESP"), check=lambda p: p.count == 0)
    await do("sessions.generate_pdf_report, too early", lambda: sessions.generate_pdf_report(s.session_id), want="DiditPermissionError 403")
    await do("sessions.update_status, too early", lambda: sessions.update_status(s.session_id, "Approved"), want="DiditAPIError 400")
    press(s.url, "review")
    await do("sessions.get_decision", lambda: sessions.get_decision(s.session_id),
             check=lambda d: d.status.value == "In Review" and d.warning_codes == ["POSSIBLE_FRAUD"])
    await do("sessions.poll_decision", lambda: sessions.poll_decision(s.session_id, timeout=5, interval=0.01),
             check=lambda d: d.status.requires_review)
    await do("sessions.update_status", lambda: sessions.update_status(s.session_id, "Declined", comment="T-1"),
             check=lambda r: r.session_id == s.session_id)
    await do("sessions.resubmit", lambda: sessions.resubmit(s.session_id, ["feature_ocr_1:OCR"], send_email=True, email_address="a@mail.example"))
    await do("sessions.resubmit, twice", lambda: sessions.resubmit(s.session_id, ["feature_ocr_1:OCR"]), want="DiditAPIError 400")
    press(s.url, "approve")
    await do("sessions.reconcile", lambda: sessions.reconcile(s.session_id, ObservedSessionState(session_id=s.session_id, status="Approved")),
             check=lambda r: r.is_in_sync)
    await do("sessions.reconcile, unknown", lambda: sessions.reconcile("11111111-2222-4333-8444-555555555555"),
             check=lambda r: r.remote_missing)

    class Source:
        def get(self, session_id):
            return ObservedSessionState(session_id=session_id, status="Approved")

        async def aget(self, session_id):
            return self.get(session_id)

    await do("sessions.reconcile_range", lambda: sessions.reconcile_range(source=Source(), max_sessions=10),
             check=lambda r: r.total_evaluated >= 1)
    for name in ("generate_pdf_report", "get_pdf_report"):
        await do("sessions." + name, lambda: getattr(sessions, name)(s.session_id), check=lambda b: b.startswith(b"%PDF-"))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("download_pdf_report", *(["adownload_pdf_report"] if kind == "async" else [])):
            await do("sessions." + name, lambda: getattr(sessions, name)(s.session_id, Path(folder) / name))
    imports, risk = client.session_imports, client.risk
    for name, make in {
        "session_imports.create": lambda: imports.create(file=b"a,b\n", filename="x.csv"),
        "session_imports.get": lambda: imports.get("x"),
        "session_imports.list_errors": lambda: imports.list_errors("x"),
        "session_imports.get_template": lambda: imports.get_template(),
        "risk.email": lambda: risk.email("a@mail.example"),
        "risk.phone": lambda: risk.phone("+10000000000"),
        "risk.ip": lambda: risk.ip("192.0.2.7"),
    }.items():
        await do(name, make, want="DiditServerError 501")


async def models():
    """The SDK's models of what goes beyond a person's document: companies, monitoring, documents that expire."""
    kyb = api("POST", "/v3/workflows/", {"features": [{"feature": f} for f in ("KYB_REGISTRY", "KYB_DOCUMENTS", "KYB_KEY_PEOPLE")]})
    aml = api("POST", "/v3/workflows/", {"features": [{"feature": f} for f in ("OCR", "AML")]})
    company = api("POST", "/v3/session/", {"workflow_id": kyb["uuid"], "vendor_data": "company-1"})
    press(company["url"], "approve")
    person = api("POST", "/v3/session/", {"workflow_id": aml["uuid"], "vendor_data": "monitored-1"})
    press(person["url"], "approve")

    def decision(s):
        return DecisionResponse.model_validate(api("GET", f"/v3/session/{s['session_id']}/decision/"))

    await call("models, a company", lambda: decision(company),
               check=lambda d: d.status.value == "Approved" and d.session_kind == "business" and d.registry_checks[0]["status"] == "Approved")
    api("POST", f"/v3/sessions/{person['session_id']}/reviews/", {"new_status": "In Review", "comment": "monitoring"})
    await call("models, monitoring reopens", lambda: decision(person),
               check=lambda d: d.status.requires_review and d.aml_screenings[0].status == "In Review" and d.warning_codes == ["AML_HIT"])
    api("PATCH", f"/v3/session/{person['session_id']}/update-status/", {"new_status": "Resubmitted", "nodes_to_resubmit": ["feature_aml_1"]})
    await call("models, monitoring asks again", lambda: decision(person),
               check=lambda d: d.status.requires_resubmission and d.aml_screenings[0].status == "Resub Requested")
    press(person["url"], "approve")
    api("POST", f"/v3/sessions/{person['session_id']}/reviews/", {"new_status": "Kyc Expired"})
    await call("models, a document expires", lambda: decision(person),
               check=lambda d: d.status.value == "Kyc Expired" and d.id_verifications[0].status == "Expired")
    again = api("POST", "/v3/session/", {"workflow_id": aml["uuid"], "vendor_data": "monitored-1"})
    await call("models, verified anew", lambda: again, check=lambda s: s["session_id"] != person["session_id"])


async def webhooks(kind, client):
    got = [(base64.b64decode(w["body"]), w["headers"]) for w in given["webhooks"]]
    parse = lambda body, headers: client.parse_webhook(body, headers, max_age_seconds=3600)  # noqa: E731
    # Blocks that are null are a known difference of the decision's model.
    plain = [w for w in got if b'"decision"' not in w[0]]
    await call(f"{kind} verify_webhook, {len(got)}", lambda: all(client.verify_webhook(b, h, max_age_seconds=3600) for b, h in got), check=lambda ok: ok and len(got) > 20)
    await call(f"{kind} parse_webhook, {len(plain)}", lambda: [parse(b, h) for b, h in plain], check=lambda all: all[0].event_id and all[0].webhook_type)
    await call(f"{kind} verify_webhook, changed", lambda: client.verify_webhook(got[0][0].replace(b"Not Started", b"Approved"), got[0][1], max_age_seconds=3600),
               check=lambda genuine: genuine is False)


LOCAL = {"close", "aclose", "with_options"}  # these reach no server


async def missing(kind, client):
    """A row for each method of the client and its resources that was not called."""
    resources = {name + ".": r for name, r in vars(client).items() if type(r).__module__.startswith("didit.resources")}
    for prefix, owner in {"": client, **resources}.items():
        for name, _ in inspect.getmembers(type(owner), inspect.isfunction):
            if not name.startswith("_") and name not in LOCAL and f"{kind} {prefix}{name}" not in given["called"]:
                print(json.dumps({"call": f"{kind} {prefix}{name}", "got": "never called", "want": "a call"}))


async def main():
    part = globals()[given["part"]]
    with sync_client() as client:
        await part("sync", client)
    async with async_client() as client:
        await part("async", client)
    if given["part"] == "calls":
        with sync_client(api_key="wrong") as client:
            await call("sync sessions.list, wrong key", client.sessions.list, want="DiditAuthenticationError 401")
        await models()


asyncio.run(main())
