"""The form of a question: seed, window, generations, policy; a question asked again keeps the way back to its last answer.

service.md (Pages, epidemiologist); docs/decisions/0720 and 0860. A question is a job of the HTTP door (0711).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from sudonglian.api.commands import sample
from sudonglian.api.errors import UsageRefused, sentence
from sudonglian.api.http import tracing
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.http.tracing import MAX_IDENTIFIER, TraceAsk
from sudonglian.api.pages import rendering
from sudonglian.api.pages.forms import Form, SmallForm
from sudonglian.api.pages.language import lang_of, named_language
from sudonglian.api.pages.problems import PageRoute, advice
from sudonglian.api.pages.rendering import SEE_OTHER, link, page
from sudonglian.api.pages.routes import SAMPLE
from sudonglian.api.pages.session import Anyone, Tracer
from sudonglian.chain import canonical
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import jobs
from sudonglian.records.cases import MAX_NAME
from sudonglian.trace.casework.run import MAX_WHY
from sudonglian.trace.engine.pictures.times import local
from sudonglian.trace.engine.policies import policy_table
from sudonglian.trace.engine.query import LOOKBACK, POLICY, TIERS
from sudonglian.trace.engine.tiers import tier_tables

MAX_DAYS: Final = 60
MAX_HOURS: Final = 336
MAX_MINUTES: Final = 240
MAX_GENERATIONS: Final = 12
"""Where the sliders end; the fields beside them take more."""

FIELDS: Final = (
    "seed",
    "at",
    "lookback",
    "until",
    "direction",
    "generations",
    "policy",
    "tiers",
    "persistence",
    "dwell",
    "place",
)
"""What a form keeps of a question, beside what it is for."""

MAX_ID: Final = 64

ALLOWED: Final = {"Content-Security-Policy": rendering.SCRIPTED}

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Text = Annotated[str, Query(max_length=MAX_IDENTIFIER)]
Short = Annotated[str, Query(max_length=64)]


@router.get("/trace")
def trace_form(
    request: Request,
    caller: Anyone,
    seed: Text = "",
    at: Short = "",
    lookback: Short = "",
    until: Short = "",
    direction: Short = "",
    generations: Short = "",
    policy: Short = "",
    tiers: Short = "",
    persistence: Short = "",
    dwell: Short = "",
    place: Text = "",
    case: Annotated[str, Query(max_length=MAX_NAME)] = "",
    purpose: Annotated[str, Query(max_length=MAX_WHY)] = "",
    was: Short = "",
) -> Response:
    """Ask what is to be traced; whatever the address names is filled in."""
    asked = {
        "seed": seed,
        "at": _minutes(at),
        "lookback": lookback or f"{LOOKBACK.days}d",
        "until": _minutes(until),
        "direction": direction,
        "generations": generations,
        "policy": policy or POLICY,
        "tiers": tiers or TIERS,
        "persistence": persistence,
        "dwell": dwell,
        "place": place,
        "why": case or purpose,
        "why_kind": "case" if case else "",
        "was": was,
    }
    return _form(request, caller, asked)


@router.post("/trace")
def ask(request: Request, caller: Tracer, form: SmallForm) -> Response:
    """Take a question; its answer has a page of its own."""
    try:
        asked = asked_of(form)
        asked.query()
        tracing.check_case(door_of(request), caller, asked)
    except SudonglianError as refusal:
        lang = lang_of(request)
        told = {"slug": refusal.slug, "reason": sentence(refusal, lang), "place": refusal.place.strip("/-")}
        return _form(request, caller, form.fields, {**told, "next": advice(refusal.slug, 400, lang)})
    door = door_of(request)
    question = canonical.encode(asked.model_dump())
    with door.store.write() as connection:
        job = jobs.add(connection, caller.principal, "trace", question, datetime.now(UTC))
    door.wake.set()
    was = form.field("was")[:MAX_ID]
    return RedirectResponse(link(request, f"/trace/{job.name}", was=was), SEE_OTHER, rendering.HEADERS)


def again(asked: Mapping[str, Any], name: str) -> dict[str, object]:
    """Return the parameters of the form that asks a question again, changed."""
    persistence, dwell = asked.get("persistence") or {}, asked.get("min_dwell") or {}
    most = asked.get("max_generation")
    return {
        "seed": asked["seed"],
        "at": asked["at"],
        "lookback": asked["lookback"],
        "until": asked.get("until") or "",
        "direction": "backward" if asked["backward"] else "",
        "generations": "" if most is None else most,
        "policy": asked.get("policy", ""),
        "tiers": asked.get("tiers", ""),
        "persistence": _said(persistence),
        "dwell": _said(dwell),
        "place": asked["place"],
        "case": asked["case"],
        "purpose": asked["purpose"],
        "was": name,
    }


def asked_of(form: Form) -> TraceAsk:
    """Return a form as the API's question.

    Raises
    ------
    UsageRefused
        A field that is missing or too long; it is named, what was filled in is not repeated.
    """
    why = form.field("why")
    generations = form.field("generations")
    if generations and not (generations.isascii() and generations.isdigit() and len(generations) < 8):
        raise UsageRefused("a whole number, or empty for all", place="generations", zh="应为整数,或留空表示不限")
    given = {
        "seed": form.field("seed"),
        "at": _offset(form.field("at")),
        "lookback": form.field("lookback") or f"{LOOKBACK.days}d",
        "until": _offset(form.field("until")) or None,
        "backward": form.field("direction") == "backward",
        "max_generation": int(generations) if generations else None,
        "place": form.field("place"),
        "policy": form.field("policy") or POLICY,
        "tiers": form.field("tiers") or TIERS,
        "persistence": _bindings(form.field("persistence"), "persistence"),
        "min_dwell": _bindings(form.field("dwell"), "dwell"),
        "case": why if form.field("why_kind") == "case" else "",
        "purpose": "" if form.field("why_kind") == "case" else why,
    }
    try:
        return TraceAsk.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise UsageRefused(first["msg"], place="/".join(map(str, first["loc"]))) from error


def _form(
    request: Request, caller: Any, asked: Mapping[str, str], problem: Mapping[str, str] | None = None
) -> Response:
    values = {
        "asked": {name: asked.get(name, "") for name in (*FIELDS, "why", "why_kind", "was")},
        "problem": problem,
        "story": sample.stories()[SAMPLE],
        "policies": [*policy_table()],
        "editions": [*tier_tables()],
        "max_why": MAX_WHY,
        "max_identifier": MAX_IDENTIFIER,
        "most": {"days": MAX_DAYS, "hours": MAX_HOURS, "minutes": MAX_MINUTES, "generations": MAX_GENERATIONS},
    }
    return page(
        request,
        "trace_form.html",
        caller,
        values,
        status=200 if problem is None else 422,
        headers=ALLOWED,
        script="ask.js",
    )


def _minutes(text: str) -> str:
    moment = local(text)
    return "" if moment is None else f"{moment:%Y-%m-%dT%H:%M}"


def _offset(text: str) -> str:
    # A browser's local time names no offset: the pages speak China's.
    return f"{text}:00+08:00" if len(text) == len("2024-11-10T14:00") else text


def _bindings(text: str, place: str) -> dict[str, str]:
    """Return spans by kind of place: one span alone is for every kind of place.

    >>> _bindings("48h", ""), _bindings("vehicle=2h, location=48h", "")
    ({'place': '48h'}, {'vehicle': '2h', 'location': '48h'})
    """
    found: dict[str, str] = {}
    for part in (one.strip() for one in text.split(",") if one.strip()):
        kind, mark, span = part.partition("=")
        if mark and not kind.strip():
            raise UsageRefused(f"{part[:40]!r} names no kind", place=place, zh=f"{part[:40]!r} 没有写明种类")
        found[kind.strip() if mark else "place"] = (span if mark else kind).strip()
    return found


def _said(spans: Mapping[str, str]) -> str:
    pairs: Iterable[tuple[str, str]] = spans.items()
    return ",".join(span if kind == "place" else f"{kind}={span}" for kind, span in pairs)
