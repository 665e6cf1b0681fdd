"""The pages of a trace: the question, the answer with its pictures, and why one member is on the list.

service.md (Pages, epidemiologist); docs/decisions/0720. A question is a job of the HTTP door, so that the API has it too.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from sudonglian.api.commands import sample
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import tracing
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.door import Door, door_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.http.routes import traces as trace_routes
from sudonglian.api.http.tracing import MAX_IDENTIFIER, TraceAsk
from sudonglian.api.pages import rendering, steps
from sudonglian.api.pages.answer import KINDS, Answer, first_time, headline, read_answer
from sudonglian.api.pages.forms import Form, SmallForm
from sudonglian.api.pages.language import lang_of, named_language, word
from sudonglian.api.pages.problems import PageRoute, advice
from sudonglian.api.pages.rendering import SEE_OTHER, link, page
from sudonglian.api.pages.routes import SAMPLE
from sudonglian.api.pages.session import Anyone, Tracer
from sudonglian.api.pages.times import told
from sudonglian.api.settings import Lang
from sudonglian.api.signing import confirmations_among
from sudonglian.chain import canonical
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import jobs, reader
from sudonglian.records.cases import MAX_NAME
from sudonglian.records.errors import UnknownRecord
from sudonglian.records.jobs import Job
from sudonglian.records.master_data import names_of
from sudonglian.trace.casework.run import MAX_WHY, seed_of
from sudonglian.trace.engine.pictures import route, timeline, words
from sudonglian.trace.engine.pictures.route_picture import draw_route
from sudonglian.trace.engine.pictures.svg import Picture
from sudonglian.trace.engine.pictures.times import local
from sudonglian.trace.engine.query import LOOKBACK

WAIT_S: Final = 1.0
"""How long a page waits for its answer before it shows that the trace runs: most are over by then."""

LOOK_S: Final = 0.05

REFRESH_S: Final = 1

ON_PAGE: Final = 20
"""Members of each kind beside the pictures: a page of at most some 100 KB."""

ON_OWN_PAGE: Final = 100
"""Members on a page of one kind alone."""

WIDE: Final = 1040
HALF: Final = 660
NARROW: Final = 330
"""Pictures for a desktop (the route leaves room beside it) and for a telephone of 390 pixels: the style sheet shows
one of them."""

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Text = Annotated[str, Query(max_length=MAX_IDENTIFIER)]


def own_trace(request: Request, caller: Tracer, trace_id: str) -> Job:
    """Return the caller's own trace."""
    with door_of(request).store.read() as connection:
        return jobs.find(connection, caller.principal, "trace", trace_id)


OwnTrace = Annotated[Job, Depends(own_trace)]


@router.get("/trace")
def trace_form(
    request: Request,
    caller: Anyone,
    seed: Text = "",
    at: Text = "",
    lookback: Text = "",
    place: Text = "",
    case: Annotated[str, Query(max_length=MAX_NAME)] = "",
) -> Response:
    """Ask what is to be traced; whatever the address names is filled in."""
    moment = local(at)
    asked = {
        "seed": seed,
        "at": "" if moment is None else f"{moment:%Y-%m-%dT%H:%M}",
        "lookback": lookback or f"{LOOKBACK.days}d",
        "place": place,
        "why": case,
        "why_kind": "case" if case else "",
    }
    return _form(request, caller, asked)


@router.post("/trace")
def ask(request: Request, caller: Tracer, form: SmallForm) -> Response:
    """Take a question; its answer has a page of its own."""
    try:
        asked = _asked(form)
        asked.query()
        tracing.check_case(door_of(request), caller, asked)
    except SudonglianError as refusal:
        told_ = {"slug": refusal.slug, "reason": refusal.reason, "place": refusal.place.strip("/-")}
        return _form(request, caller, form.fields, {**told_, "next": advice(refusal.slug, 400, lang_of(request))})
    door = door_of(request)
    question = canonical.encode(asked.model_dump())
    with door.store.write() as connection:
        job = jobs.add(connection, caller.principal, "trace", question, datetime.now(UTC))
    door.wake.set()
    return RedirectResponse(link(request, f"/trace/{job.name}"), SEE_OTHER, rendering.HEADERS)


@router.get("/trace/{trace_id}.json")
def trace_json(caller: Tracer, job: OwnTrace) -> Response:
    """Give a trace as the API does."""
    return json_answer(tracing.document(job))


@router.get("/trace/{trace_id}.graphml")
def trace_graph(request: Request, caller: Tracer, job: OwnTrace) -> Response:
    """Give the exposed as a graph that network tools read."""
    return trace_routes.graph(request, caller, job)


@router.get("/trace/{trace_id}")
def trace(
    request: Request,
    caller: Tracer,
    job: OwnTrace,
    kind: Annotated[str, Query(pattern="^(person|place|item)?$")] = "",
    start: Annotated[int, Query(alias="from", ge=0, le=1_000_000)] = 0,
) -> Response:
    """Show an answer: how many, whom to call first, the route, the timeline, everything as tables."""
    job = _awaited(door_of(request), job)
    json_url = link(request, f"/trace/{job.name}.json")
    said = tracing.document(job)
    values: dict[str, Any] = {"job": said, "asked": said["asked"]}
    if not job.is_over:
        values["stage"] = _stage(said["progress"], lang_of(request))
        return page(request, "running.html", caller, values, json_url=json_url, refresh_s=REFRESH_S)
    if said["answer"] is None:
        slug = said["problem"]["code"]
        values["next_text"] = advice(slug, 422, lang_of(request))
        return page(request, "failed.html", caller, values, json_url=json_url)
    with _answer(request, said) as answer:
        if not kind:
            values |= _pictures(answer)
        values |= {
            "kind": kind,
            "seed_name": _seed_name(answer),
            "answer": answer,
            "counts": headline(answer),
            "first": first_time(answer),
            "generations": answer.generations(),
            "kinds": [(one, answer.of(one)) for one in ((kind,) if kind else KINDS)],
            "start": start if kind else 0,
            "on_page": ON_OWN_PAGE if kind else ON_PAGE,
        }
        return page(request, "trace.html", caller, values, json_url=json_url)


@router.get("/trace/{trace_id}/why.json")
def why_json(caller: Tracer, job: OwnTrace, member: Text) -> Response:
    """Give one member with its walks."""
    return json_answer(_member(job, member))


@router.get("/trace/{trace_id}/why")
def why(request: Request, caller: Tracer, job: OwnTrace, member: Text) -> Response:
    """Tell why a person, place or item is listed, step by step, each step with its records and their proofs."""
    found = _member(job, member)
    with _answer(request, tracing.document(job)) as answer:
        row = answer.find(member)
        assert row is not None
        walk = steps.meetings(found["walk"], answer.names)
        earliest = steps.meetings(found["earliest_walk"], answer.names)
        values: dict[str, Any] = {
            "job": tracing.document(job),
            "row": row,
            "walk": walk,
            "earliest": earliest if found["earliest_walk"] != found["walk"] else [],
            "possible": found["possible"],
            "rule": found["rule"],
            "backward": answer.backward,
        }
    rests_on = {record for one in (*walk, *earliest) for fact in one.facts for record in fact.records}
    with door_of(request).store.read() as connection:
        values["confirmations"] = confirmations_among(connection, rests_on)
    json_url = link(request, f"/trace/{job.name}/why.json", member=member)
    return page(request, "why.html", caller, values, json_url=json_url)


def _asked(form: Form) -> TraceAsk:
    """Return a form as the API's question.

    Raises
    ------
    UsageRefused
        A field that is missing or too long; it is named, what was filled in is not repeated.
    """
    why_ = form.field("why")
    seed = form.field("seed")
    at = form.field("at")
    given = {
        "seed": seed,
        # A browser's local time names no offset: the pages speak China's.
        "at": f"{at}:00+08:00" if len(at) == len("2024-11-10T14:00") else at,
        "lookback": form.field("lookback") or f"{LOOKBACK.days}d",
        "backward": form.field("direction") == "backward",
        "place": form.field("place"),
        "case": why_ if form.field("why_kind") == "case" else "",
        "purpose": "" if form.field("why_kind") == "case" else why_,
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
        "asked": asked,
        "problem": problem,
        "story": sample.stories()[SAMPLE],
        "sample_seed": sample.stories()[SAMPLE]["seed"],
        "max_why": MAX_WHY,
        "max_identifier": MAX_IDENTIFIER,
    }
    return page(request, "trace_form.html", caller, values, status=200 if problem is None else 422)


def _awaited(door: Door, job: Job) -> Job:
    """Return a job when it is over, or after a moment as it is then."""
    until = time.monotonic() + WAIT_S
    while not job.is_over and time.monotonic() < until:
        time.sleep(LOOK_S)
        with door.store.read() as connection:
            job = jobs.find(connection, job.owner, "trace", job.name)
    return job


def _stage(progress: Mapping[str, Any] | None, lang: Lang) -> str:
    """Return how far a running trace is, in words."""
    if progress is None:
        return ""
    return word(lang, f"stage.{progress['stage']}", **progress)


def _member(job: Job, key: str) -> dict[str, Any]:
    answer = orjson.loads(job.result) if job.state == "success" and job.result is not None else {"members": []}
    for one in answer["members"]:
        if f"{one['kind']}:{one['id']}" == key:
            found: dict[str, Any] = one
            return found
    raise UnknownRecord("this trace lists no such member", place=key[:64])


@contextmanager
def _answer(request: Request, said: Mapping[str, Any]) -> Iterator[Answer]:
    """Give an answer in the reader's language, with the store at hand for the names in its records."""
    # tenants: of a trace that its asker was given, who may trace
    with door_of(request).store.read() as connection:

        def read(record: str) -> Mapping[str, Any] | None:
            try:
                return reader.record(connection, bytes.fromhex(record)).event()
            except UnknownRecord:
                return None

        yield read_answer(
            said["answer"],
            lang_of(request),
            read,
            backward=said["asked"]["backward"],
            describe=partial(names_of, connection),
        )


def _seed_name(answer: Answer) -> str:
    seeds = answer.document["seeds"]
    if len(seeds) == 1:
        return answer.names.of(seeds[0]["kind"], seeds[0]["id"])
    return answer.names.thing(seed_of(answer.document["seed"]))


def _pictures(answer: Answer) -> dict[str, Any]:
    """Return the pictures, wide and narrow, with what their tables show."""
    lang = answer.names.lang
    seed = _seed_name(answer)
    names = answer.names
    found = route.stops(answer.rows, names.of, backward=answer.backward)
    lanes = timeline.lanes(answer.rows, found, lang)
    limit = timeline.marked(lanes)

    def over_time(width: int) -> Picture | None:
        return timeline.draw_timeline(lanes, names.persons, lang, width)

    wide, narrow = over_time(WIDE), over_time(NARROW)
    cut = word(lang, "picture.cut", shown=route.DRAWN, all=len(found)) if len(found) > route.DRAWN else ""
    return {
        "stops": found[: route.DRAWN],
        "lanes": lanes,
        "route_wide": draw_route(seed, found, lang, HALF).within("route wide"),
        "route_narrow": draw_route(seed, found, lang, NARROW).within("route narrow"),
        "timeline_wide": wide and wide.within("timeline wide"),
        "timeline_narrow": narrow and narrow.within("timeline narrow"),
        "route_legend": words.word(lang, "route-legend"),
        "route_cut": cut,
        "times": [(lane, [(told(row.time), row) for _, row in lane.marks[:limit]], limit) for lane in lanes],
    }
