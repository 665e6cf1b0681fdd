"""Traces: a question is a job; its progress is told as it goes; only whoever asked reads the answer.

service.md (HTTP: 202, job, server-sent progress); docs/decisions/0701.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Final

import anyio
import orjson
from fastapi import Depends, Request
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from sudonglian.api.http import tracing
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Tracer
from sudonglian.api.http.captures import request_mac
from sudonglian.api.http.door import Door, door_of
from sudonglian.api.http.parameters import IdempotencyKey, JsonBody, described, door_router, parsed
from sudonglian.api.http.routes.sheets import KINDS
from sudonglian.api.http.tracing import TraceAsk
from sudonglian.api.signing import confirmations_of
from sudonglian.chain import canonical
from sudonglian.records import jobs
from sudonglian.records.errors import NotInLog
from sudonglian.records.jobs import Job
from sudonglian.trace.casework import geojson, line_list
from sudonglian.trace.casework.again import answered
from sudonglian.trace.engine import table
from sudonglian.trace.engine.result import TraceResult

router = door_router("/traces", "Traces")

LOOK_S: Final = 0.2
"""How often a progress stream looks: what a person still calls at once."""


def own_job(request: Request, caller: Tracer, trace_id: str) -> Job:
    """Return the caller's own trace."""
    with door_of(request).store.read() as connection:
        return jobs.find(connection, caller.principal, "trace", trace_id)


OwnJob = Annotated[Job, Depends(own_job)]


@router.post("", status_code=202, openapi_extra=described(TraceAsk))
def ask(request: Request, caller: Tracer, raw: JsonBody, idempotency_key: IdempotencyKey = None) -> Response:
    """Ask who and what was exposed, for a case or a purpose; the answer is made in the background."""
    asked = parsed(TraceAsk, raw)
    asked.query()
    question = canonical.encode(asked.model_dump())
    door = door_of(request)
    tracing.check_case(door, caller, asked)
    mac = None if idempotency_key is None else request_mac(door.keys.content, question)
    with door.store.write() as connection:
        job = None
        if idempotency_key is not None and mac is not None:
            job = jobs.earlier(connection, caller.principal, "trace", idempotency_key, mac)
        if job is None:
            job = jobs.add(
                connection,
                caller.principal,
                "trace",
                question,
                datetime.now(UTC),
                idempotency_key=idempotency_key,
                request_mac=mac,
            )
    door.wake.set()
    return json_answer(tracing.document(job), 202, {"Location": f"{router.prefix}/{job.name}"})


@router.get("/{trace_id}")
def answer(request: Request, caller: Tracer, job: OwnJob) -> Response:
    """Give a trace: its state, and when it is over its answer or why there is none; who has signed is told as of now."""
    document = tracing.document(job)
    if document["answer"] is not None:
        with door_of(request).store.read() as connection:
            document["answer"]["confirmations"] = confirmations_of(connection, document["answer"])
    return json_answer(document)


@router.get("/{trace_id}/events", response_class=EventSourceResponse)
async def progress(request: Request, caller: Tracer, job: OwnJob) -> AsyncIterator[ServerSentEvent]:
    """Tell a trace's states as they change, and while it runs how far it is, until it is over."""
    state, stage = "", None
    while True:
        if job.state != state:
            state = job.state
            yield ServerSentEvent(event="state", data=_state(job))
        if job.progress != stage and job.progress is not None:
            yield ServerSentEvent(event="progress", data={"id": job.name, **orjson.loads(job.progress)})
        stage = job.progress
        if job.is_over or await request.is_disconnected():
            return
        await anyio.sleep(LOOK_S)
        job = await anyio.to_thread.run_sync(_again, door_of(request), job)


@router.get("/{trace_id}/graph.graphml")
def graph(request: Request, caller: Tracer, job: OwnJob) -> Response:
    """Give the exposed as a graph that network tools read."""
    with door_of(request).store.read() as connection:
        drawn = jobs.graph(connection, job)
    if drawn is None:
        raise NotInLog("this trace has no graph (yet)", place="graph.graphml")
    return _file(drawn, "trace.graphml", "application/xml")


@router.get("/{trace_id}/list.csv")
def list_csv(request: Request, caller: Tracer, job: OwnJob) -> Response:
    """Give the exposed as a table."""
    return _file(table.encode(_answered(request, job)), "list.csv", "text/csv; charset=utf-8")


@router.get("/{trace_id}/list.xlsx")
def list_xlsx(request: Request, caller: Tracer, job: OwnJob) -> Response:
    """Give the line list and the walks behind it as a workbook."""
    return _file(line_list.encode(_answered(request, job)), "list.xlsx", KINDS["xlsx"])


@router.get("/{trace_id}/places.geojson")
def places(request: Request, caller: Tracer, job: OwnJob) -> Response:
    """Give the places for a map, where firms say they are."""
    found = _answered(request, job)
    with door_of(request).store.read() as connection:
        told = geojson.told_of(connection, found)
    return _file(geojson.encode(found, told), "places.geojson", "application/geo+json")


@router.get("/{trace_id}/deliveries.json")
def deliveries(request: Request, caller: Tracer, job: OwnJob) -> Response:
    """Give the deliveries of the goods as FoodChain-Lab JSON."""
    # With its arrays, which no other answer needs.
    from sudonglian.trace.tables.fcl_write import encode_answer

    return _file(encode_answer(_answered(request, job)), "deliveries.json", "application/json")


def _answered(request: Request, job: Job) -> TraceResult:
    """Return a trace's answer, made again from the log as it was, to be written in another form."""
    number = orjson.loads(job.result or b"{}").get("trace") if job.state == "success" else None
    if number is None:
        raise NotInLog("this trace has no answer (yet)", place="trace_id")
    door = door_of(request)
    return answered(door.store, door.keys, number)


def _file(data: bytes, name: str, kind: str) -> Response:
    return Response(data, 200, {"Content-Disposition": f'attachment; filename="{name}"'}, kind)


def _again(door: Door, job: Job) -> Job:
    with door.store.read() as connection:
        return jobs.find(connection, job.owner, "trace", job.name)


def _state(job: Job) -> dict[str, object]:
    said: dict[str, object] = {"id": job.name, "state": job.state}
    if job.is_over and job.result is not None:
        result = orjson.loads(job.result)
        said["members"] = len(result.get("members", []))
        said["document_hash"] = result.get("document_hash")
    return said
