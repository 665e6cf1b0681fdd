"""The pages' routes: what is in the store, a record, a proof checked. Traces and accounts have modules of their own.

service.md (Pages); docs/decisions/0720-0722. Each page is also JSON, at its address with `.json`.
"""

import shlex
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from sudonglian.api.caller import Caller
from sudonglian.api.commands import sample
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Forbidden, Unauthenticated
from sudonglian.api.http.door import Door, door_of
from sudonglian.api.http.entitlement import may_see_sensors, record_for, sight_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.http.routes import lots as lot_routes
from sudonglian.api.http.routes import records as record_routes
from sudonglian.api.http.routes.verify import NOTICE
from sudonglian.api.pages import rendering, scripts, session, verdicts
from sudonglian.api.pages.forms import FilesForm, Form, SmallForm
from sudonglian.api.pages.language import lang_of, named_language
from sudonglian.api.pages.naming import Names, places_of
from sudonglian.api.pages.overview import overview
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import SEE_OTHER, link, page
from sudonglian.api.pages.session import Anyone, RecordReader
from sudonglian.api.pages.thermograph import measured
from sudonglian.api.parsing import record_hash_of
from sudonglian.api.scopes import Scope
from sudonglian.api.settings import Lang
from sudonglian.chain import trust as trusts
from sudonglian.chain.identifiers import identifiers_of, normal
from sudonglian.chain.verify import verify as judge
from sudonglian.records import confirmation, intake, own_trust, reader
from sudonglian.records.census import is_empty
from sudonglian.records.temperature import told

YEAR_S: Final = 31_536_000

SAMPLE: Final = "frozen-fish"


router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)


@router.get("/")
def home(request: Request, caller: Anyone, q: str = "") -> Response:
    """Show what is in the store."""
    # tenants: whether the sample is there; what it says is not told
    if q:
        return RedirectResponse(_found(request, q.strip()), SEE_OTHER, rendering.HEADERS)
    with door_of(request).store.read() as connection:
        seen = _overview(connection, caller)
        story = sample.stories()[SAMPLE]
        has_sample = next(reader.events_of(connection, story["seed"]), None) is not None
    waits = bool(seen["records"]) and bool(seen["lag"] or seen["pending"])
    may_load = not seen["records"] and (caller is not None or session.is_local(request))
    values = {"seen": seen, "may_load": may_load, "story": story, "has_sample": has_sample, "waits": waits}
    return page(request, "home.html", caller, values, json_url=link(request, "/index.json"))


@router.get("/index.json")
def home_json(request: Request, caller: Anyone) -> Response:
    """Give what the first page shows."""
    with door_of(request).store.read() as connection:
        seen = _overview(connection, caller)
    return json_answer({**seen, "newest": [asdict(one) for one in seen["newest"]]})


@router.post("/sample")
def load_sample(request: Request, caller: Anyone, form: SmallForm) -> Response:
    """Load the sample outbreak into an empty store: for whoever is signed in, or sits at this machine."""
    if caller is None and not session.is_local(request):
        raise Unauthenticated("loading the sample needs you to be signed in")
    door = door_of(request)
    with door.store.read() as connection:
        if not is_empty(connection):
            raise Forbidden("there are records here already: invented ones must not mix with them")
    for raw in sample.documents(SAMPLE).values():
        _capture(door, raw)
    return RedirectResponse(link(request, "/"), SEE_OTHER, rendering.HEADERS)


@router.get("/records/{record_hash}.json")
def record_json(request: Request, caller: RecordReader, record_hash: str) -> Response:
    """Give a record as the API does."""
    return record_routes.record(request, caller, record_hash)


@router.get("/records/{record_hash}")
def record(request: Request, caller: RecordReader, record_hash: str) -> Response:
    """Show a record: what it says in the clear, where it stands in the log, what proves it."""
    digest = record_hash_of(record_hash)
    with door_of(request).store.read() as connection:
        found = record_for(connection, caller, digest)
        event = found.event()
        against = reader.corrections(connection, digest)
        anchor = record_routes.anchor_of(connection, found)
        signed = confirmation.described(connection, found)
        judged = told.of_record(connection, digest) if may_see_sensors(connection, caller, found) else None
    names = Names(lang_of(request), {place: name for place, name in places_of(event) if name})
    values = {
        "hash": digest.hex(),
        "event": event,
        "submitter": found.submitter,
        "event_us": found.event_time_us,
        "captured_us": found.captured_us,
        "log_index": found.log_index,
        "is_declaration": found.is_error_declaration,
        "against": [one.record_hash.hex() for one in against],
        "anchor": anchor,
        **signed,
        **measured(judged, lang_of(request)),
        "things": [(names.thing(one.normal), one.normal, one.role) for one in identifiers_of(event)],
        "places": [(names.thing(place), place) for place, _ in dict(places_of(event)).items()],
        "withheld": len(event.get("_sd", ())),  # type: ignore[arg-type]
        "raw": orjson.dumps(orjson.loads(found.body), option=orjson.OPT_INDENT_2).decode(),
        "size": len(found.body),
        "may_sign": caller.may(Scope.read_own) and _is_side(caller, signed["handoff"]),
    }
    return page(request, "record.html", caller, values, json_url=link(request, f"/records/{digest.hex()}.json"))


@router.get("/records/{record_hash}/bundle")
def record_bundle(request: Request, caller: RecordReader, record_hash: str) -> Response:
    """Give a record's proof to a browser, which shows no key but a cookie."""
    return record_routes.bundle(request, caller, record_hash)


@router.get("/lots/{lot:path}/bundle")
def lot_bundle(request: Request, caller: RecordReader, lot: str) -> Response:
    """Give a lot's proof to a browser."""
    return lot_routes.lot_bundle(request, caller, lot)


@router.get("/verify")
def verify_form(request: Request, caller: Anyone) -> Response:
    """Offer to check a proof."""
    return page(request, "verify.html", caller, {"said": None})


@router.post("/verify")
def verify(request: Request, caller: Anyone, form: FilesForm) -> Response:
    """Judge a bundle by a trust file, step by step."""
    bundle, trust = form.files.get("bundle"), form.files.get("trust")
    if bundle is None or not bundle.data:
        raise UsageRefused("no bundle was chosen", place="bundle", zh="没有选择凭证包")
    own = trust is None or not trust.data
    if trust is None or not trust.data:
        with door_of(request).store.read() as connection:
            verdict = own_trust.judge(connection, door_of(request).keys, bundle.data)
    else:
        verdict = judge(bundle.data, trusts.parse(trust.data))
    given = "—" if own or trust is None else trust.name
    lang = lang_of(request)
    values = {
        "said": verdicts.shown(verdict, lang, own=own),
        "own": own,
        "notice": NOTICE,
        "files": (bundle.name, given),
        "command": _command(bundle.name, "trust.json" if own else given, lang),
    }
    return page(request, "verify.html", caller, values)


@router.get("/static/{name}")
def static(request: Request, caller: Anyone, name: str, v: str = "") -> Response:
    """Give a style sheet or a script, whose address changes with it, or the icon."""
    kind = rendering.STATIC.get(name)
    if kind is None:
        raise HTTPException(404)
    headers = {"Cache-Control": f"public, max-age={YEAR_S}, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(rendering.squeezed(name), 200, {**headers, "Content-Encoding": "gzip"}, kind)
    return Response(rendering.static(name), 200, headers, kind)


@router.get("/static/modules/{version}/{name:path}")
def module(caller: Anyone, version: str, name: str) -> Response:
    """Give a module of a page's script; its address changes with any of them."""
    body = scripts.modules().get(name)
    if body is None:
        raise HTTPException(404)
    kept = f"public, max-age={YEAR_S}, immutable" if version == scripts.version() else "no-store"
    return Response(body, 200, {"Cache-Control": kept, "X-Content-Type-Options": "nosniff"}, scripts.KIND)


def _is_side(caller: Caller, handoff: dict[str, str] | None) -> bool:
    """Whether a caller's firm gives or takes in a handoff."""
    return handoff is not None and caller.submitter is not None and normal(caller.submitter) in handoff.values()


def _overview(connection: Connection, caller: Caller | None) -> dict[str, Any]:
    """Return how the store stands, with what the caller may see of its newest records."""
    return overview(
        connection,
        people=caller is not None and (caller.may(Scope.trace) or caller.may(Scope.operate)),
        may_read=None if caller is None else sight_of(connection, caller),
    )


def _found(request: Request, text: str) -> str:
    """Return the address of what somebody searches: a record by its hash, or a trace from an identifier."""
    if len(text.removeprefix("0x")) == 64:
        try:
            return link(request, f"/records/{record_hash_of(text).hex()}")
        except UsageRefused:
            pass
    return link(request, "/trace", seed=text)


def _capture(door: Door, raw: bytes) -> None:
    # Each document of a sample names its sender, who is its submitter.
    with door.store.write() as connection:
        taken = intake.capture(connection, door.keys, raw, submitter=orjson.loads(raw)["sender"], now=datetime.now(UTC))
    door.metrics.count("sudonglian_captured_events_total", taken.accepted, outcome="accepted")


def _command(bundle: str, trust: str, lang: Lang) -> str:
    return f"sudonglian-verify {shlex.quote(bundle)} --trust {shlex.quote(trust)} --lang {lang}"


__all__ = ["Form", "router"]
