"""The pages of an answer: its pictures and linked views, its lists as tables, and why one member is on the list.

service.md (Pages, epidemiologist); docs/decisions/0720 and 0860. The answer is that of a job of the HTTP door (0711).
"""

import gzip
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, ClassVar, Final, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from sudonglian.api.http import tracing
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.door import Door, door_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.http.routes import traces as trace_routes
from sudonglian.api.http.routes.sheets import file_answer
from sudonglian.api.http.tracing import MAX_IDENTIFIER
from sudonglian.api.pages import linked, rendering, steps, wanted
from sudonglian.api.pages.answer import KINDS, Answer, first_time, headline, read_answer
from sudonglian.api.pages.asking import again
from sudonglian.api.pages.language import lang_of, named_language, word
from sudonglian.api.pages.problems import PageRoute, advice
from sudonglian.api.pages.rendering import link, page
from sudonglian.api.pages.session import Tracer
from sudonglian.api.pages.times import told
from sudonglian.api.pages.wanted import Wanted, choices
from sudonglian.api.settings import Lang
from sudonglian.api.signing import confirmations_among
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import jobs, reader
from sudonglian.records.errors import UnknownRecord
from sudonglian.records.jobs import Job, JobUnknown
from sudonglian.records.master_data import described, names_of
from sudonglian.records.sheets import written
from sudonglian.trace.casework.geojson import Told
from sudonglian.trace.casework.run import seed_of
from sudonglian.trace.engine.pictures import route, timeline, words
from sudonglian.trace.engine.pictures.route_picture import draw_route
from sudonglian.trace.engine.pictures.svg import Picture

WAIT_S: Final = 1.0
"""How long a page waits for its answer before it shows that the trace runs: most are over by then."""

LOOK_S: Final = 0.05

REFRESH_S: Final = 1

ON_PAGE: Final = 12
"""Members of each kind beside the pictures: with its script a page of at most some 100 KB."""

ON_OWN_PAGE: Final = 100
"""Members, or places, on a page of a list alone."""

SQUEEZED: Final = 1_024
"""Bytes from which data for the views are worth compressing; nothing in them is a secret of a form (BREACH)."""

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


ALLOWED: Final = {"Content-Security-Policy": rendering.LINKED}

OwnTrace = Annotated[Job, Depends(own_trace)]
Wants = Annotated[Wanted, Depends(wanted.wanted)]
From = Annotated[int, Query(alias="from", ge=0, le=1_000_000)]
Form = Literal["csv", "xlsx"]


class NoAnswerYet(SudonglianError):
    """A list is asked of a trace that runs still, or that has failed."""

    slug: ClassVar[str] = "trace-no-answer"


def seed_name(answer: Answer) -> str:
    """Return what the seed of an answer is called."""
    seeds = answer.document["seeds"]
    if len(seeds) == 1:
        return answer.names.of(seeds[0]["kind"], seeds[0]["id"])
    return answer.names.thing(seed_of(answer.document["seed"]))


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
    wants: Wants,
    was: Annotated[str, Query(max_length=64)] = "",
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
        rows = wants.of(answer)
        values |= {
            **_pictures(answer),
            **_filters(request, answer, wants, f"/trace/{job.name}/list"),
            "seed_name": seed_name(answer),
            "answer": answer,
            "counts": headline(answer),
            "first": first_time(answer),
            "generations": answer.generations(),
            "kinds": [(kind, [row for row in rows if row.kind == kind]) for kind in KINDS],
            "chosen": answer.find(wants.selected) if wants.selected else None,
            "on_page": ON_PAGE,
            "again": again(said["asked"], job.name),
            "before": _before(request, caller, was, answer),
        }
        return page(request, "trace.html", caller, values, json_url=json_url, headers=ALLOWED, script="views.js")


@router.get("/trace/{trace_id}/views.json")
def trace_views(request: Request, caller: Tracer, job: OwnTrace) -> Response:
    """Give what the linked views draw: every member and place in columns, in the reader's language."""
    said = _over(job)
    with _answer(request, said) as answer:
        found = linked.views(answer, seed_name(answer), _described(request, answer))
    return squeezed(request, orjson.dumps(found))


@router.get("/trace/{trace_id}/list.json")
def list_json(request: Request, caller: Tracer, job: OwnTrace, wants: Wants) -> Response:
    """Give the members that are wanted."""
    with _answer(request, _over(job)) as answer:
        return json_answer({"members": wanted.as_json(answer, wants.of(answer))})


@router.get("/trace/{trace_id}/list.{form}")
def list_table(request: Request, caller: Tracer, job: OwnTrace, form: Form, wants: Wants) -> Response:
    """Give the members that are wanted as a table for a spreadsheet."""
    with _answer(request, _over(job)) as answer:
        return _table("members", form, wanted.listed(answer, wants.of(answer)))


@router.get("/trace/{trace_id}/list")
def list_page(request: Request, caller: Tracer, job: OwnTrace, wants: Wants, start: From = 0) -> Response:
    """Show the members that are wanted, a hundred at a time."""
    said = _over(job)
    with _answer(request, said) as answer:
        path = f"/trace/{job.name}/list"
        values = {
            **_filters(request, answer, wants, path),
            "job": said,
            "answer": answer,
            "rows": wants.of(answer),
            "start": start,
            "on_page": ON_OWN_PAGE,
            "of": len(answer.rows),
        }
        json_url = link(request, f"{path}.json", **wants.asked())
        return page(request, "trace_list.html", caller, values, json_url=json_url)


@router.get("/trace/{trace_id}/places.json")
def places_json(request: Request, caller: Tracer, job: OwnTrace) -> Response:
    """Give the places of the route."""
    with _answer(request, _over(job)) as answer:
        return json_answer({"places": linked.places(answer, seed_name(answer), _described(request, answer))})


@router.get("/trace/{trace_id}/places.{form}")
def places_table(request: Request, caller: Tracer, job: OwnTrace, form: Form) -> Response:
    """Give the places of the route as a table for a spreadsheet."""
    with _answer(request, _over(job)) as answer:
        found = linked.places(answer, seed_name(answer), _described(request, answer))
        return _table("places", form, linked.listed(answer, found))


@router.get("/trace/{trace_id}/places")
def places_page(request: Request, caller: Tracer, job: OwnTrace, start: From = 0) -> Response:
    """Show the places of the route: what the route, the timeline and the map draw, as a table."""
    said = _over(job)
    with _answer(request, said) as answer:
        values = {
            "job": said,
            "places": linked.places(answer, seed_name(answer), _described(request, answer)),
            "start": start,
            "on_page": ON_OWN_PAGE,
        }
    json_url = link(request, f"/trace/{job.name}/places.json")
    return page(request, "trace_places.html", caller, values, json_url=json_url)


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


def _over(job: Job) -> dict[str, Any]:
    """Return a trace that has its answer.

    Raises
    ------
    NoAnswerYet
        It runs still, or it has failed.
    """
    said = tracing.document(job)
    if said["answer"] is None:
        raise NoAnswerYet("this trace has no answer (yet); its own page says why", place=job.name)
    return said


def _described(request: Request, answer: Answer) -> Told:
    """Return what firms say of where the places of an answer are."""
    names = {row.place for row in answer.rows if row.place}
    # tenants: of a trace that its asker was given, who may trace
    with door_of(request).store.read() as connection:
        return Told(described(connection, names, limit=len(names) * 10 + 100))


def _filters(request: Request, answer: Answer, wants: Wanted, path: str) -> dict[str, Any]:
    """Return what the form of filters shows, and the addresses of what they leave."""
    return {
        "wants": wants,
        "choices": choices(answer),
        "list_url": path,
        "tables": [(form, link(request, f"{path}.{form.lower()}", **wants.asked())) for form in ("CSV", "XLSX")],
    }


def _before(request: Request, caller: Tracer, was: str, answer: Answer) -> dict[str, Any] | None:
    """Return how an answer differs from the one that it was asked again after, if that is the caller's own."""
    if not was:
        return None
    try:
        said = tracing.document(own_trace(request, caller, was))
    except JobUnknown:
        return None
    if said["answer"] is None:
        return None
    before = {f"{one['kind']}:{one['id']}" for one in said["answer"]["members"]}
    now = {row.key for row in answer.rows}
    return {"id": was, "more": len(now - before), "fewer": len(before - now), "same": len(now & before)}


def _table(name: str, form: Form, rows: Iterable[tuple[str, ...]]) -> Response:
    data = written.csv_bytes(rows) if form == "csv" else written.workbook_bytes([(name, rows)])
    answer = file_answer(data, form, f"sudonglian-{name}")
    answer.headers.update(rendering.HEADERS)
    return answer


def squeezed(request: Request, body: bytes) -> Response:
    """Return JSON, compressed for whoever takes that: columns of names fold to a tenth."""
    headers = {"Vary": rendering.HEADERS["Vary"] + ", Accept-Encoding"}
    if len(body) > SQUEEZED and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 6, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, 200, headers, "application/json")


def _pictures(answer: Answer) -> dict[str, Any]:
    """Return the pictures, wide and narrow, with what their tables show."""
    lang = answer.names.lang
    seed = seed_name(answer)
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
