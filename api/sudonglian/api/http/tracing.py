"""Traces over HTTP: asked as jobs, run in the background by any process, answered to whoever asked.

service.md (a trace from any door names a case or a purpose); docs/decisions/0701 and 0711.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import Event, Thread
from typing import Annotated, Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field

from sudonglian.api.caller import Caller
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import edge
from sudonglian.api.http.auth import Forbidden
from sudonglian.api.http.door import Door
from sudonglian.api.http.progress import Progress
from sudonglian.api.parsing import identifier_of, moment, seed_of, span, spans
from sudonglian.api.scopes import Scope
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import cases, derive, jobs
from sudonglian.records.jobs import LEASE, Job
from sudonglian.trace.casework import graphml
from sudonglian.trace.casework.run import MAX_WHY, reason, run_trace
from sudonglian.trace.engine.policies import policy_table
from sudonglian.trace.engine.progress import Report, Stage, silent
from sudonglian.trace.engine.query import CARRIERS, PLACES, POLICY, TIERS, TraceQuery
from sudonglian.trace.engine.tiers import tier_tables

POLL_S: Final = 1.0
"""How soon a job that another process took in, or left behind, is seen."""

FORGET_EVERY_S: Final = 3600.0

TELL_S: Final = 0.5
"""How often a running trace writes how far it is: a page asks once a second."""

MAX_IDENTIFIER: Final = 2_000
"""Longer URIs are cut by browsers and proxies."""

POLICIES: Final = ", ".join(policy_table())
EDITIONS: Final = ", ".join(tier_tables())

MAX_KINDS: Final = len(PLACES) + len(CARRIERS) + 2
"""Kinds that a span may be said for, and the two names for several or another of them."""


class TraceAsk(BaseModel):
    """The question of a trace: as `sudonglian trace` asks it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seed: str = Field(min_length=1, max_length=MAX_IDENTIFIER, description="An item, lot, place, or person:NUMBER.")
    at: str = Field(max_length=64, description="When it was sampled, with its offset.")
    lookback: str = Field("14d", max_length=16, description="How long before it may have been contaminated: 14d, 36h.")
    until: str | None = Field(None, max_length=64, description="Where the trace ends; the log's end if absent.")
    backward: bool = Field(False, description="Ask what may have exposed the seed.")
    max_generation: int | None = Field(None, ge=0, le=1_000_000)
    place: str = Field("", max_length=MAX_IDENTIFIER, description="Where a lot was sampled.")
    policy: str = Field(POLICY, max_length=64, description=f"What is assumed of the pathogen: {POLICIES}.")
    tiers: str = Field(TIERS, max_length=64, description=f"By whose rules contacts are named: {EDITIONS}.")
    persistence: dict[str, Annotated[str, Field(max_length=16)]] = Field(
        {},
        max_length=MAX_KINDS,
        description="How long a kind of place (location, vehicle, interior, handoff; place for all) exposes after its"
        " source left, and an item (surface) or person after its own exposure: 48h.",
    )
    min_dwell: dict[str, Annotated[str, Field(max_length=16)]] = Field(
        {},
        max_length=MAX_KINDS,
        description="How long they must be together in a kind of place to expose each other: 15m; an instant if absent.",
    )
    strict: bool | None = Field(
        None, description="Meetings of one instant do not chain; null: they do only where nothing but days is known."
    )
    interviews: bool = Field(True, description="false: firms' records alone, and not what people said.")
    log_size: int = Field(0, ge=0, description="Answer from so many entries, as it was answered then; 0 for all.")
    case: str = Field("", max_length=MAX_WHY, description="The open case that keeps the run; needs the scope case.")
    purpose: str = Field("", max_length=MAX_WHY)

    def query(self) -> TraceQuery:
        """Return the engine's question, checked.

        Raises
        ------
        UsageRefused, QueryRefused, PurposeRefused
            What cannot be asked so.
        """
        reason(self.case, self.purpose)
        if self.policy not in policy_table():
            raise UsageRefused(f"not a policy that is known: {', '.join(policy_table())}", place="/policy")
        if self.tiers not in tier_tables():
            raise UsageRefused(f"not an edition of the tiers: {EDITIONS}", place="/tiers")
        query = TraceQuery(
            seed=seed_of(self.seed, "/seed"),
            at=moment(self.at, "/at"),
            lookback=span(self.lookback, "/lookback"),
            until=moment(self.until, "/until") if self.until is not None else None,
            backward=self.backward,
            max_generation=self.max_generation,
            seed_place=identifier_of(self.place, "/place") if self.place else "",
            policy=self.policy,
            tiers=self.tiers,
            log_size=self.log_size,
            interviews=self.interviews,
            persistence=spans(self.persistence.items(), "/persistence"),
            min_dwell=spans(self.min_dwell.items(), "/min_dwell"),
            strict=self.strict,
        )
        query.check()
        return query


def check_case(door: Door, caller: Caller, ask: TraceAsk) -> None:
    """Refuse a case that is not open, and who may not work in cases.

    Raises
    ------
    Forbidden, CaseUnknown, CaseClosed
        Before a job is made of it.
    """
    if not ask.case.strip():
        return
    if not caller.may(Scope.case):
        raise Forbidden(f"a trace for a case needs the scope {Scope.case}", place="/case")
    with door.store.read() as connection:
        cases.check_open(cases.find(connection, ask.case))


class Runner:
    """The background thread of one process that runs what waits."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._stopping = Event()
        self._thread = Thread(target=self._work, name="traces", daemon=True)
        self._forget_at = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, wait_s: int) -> None:
        """End after the job at hand, or leave that to whoever finds its lease at its end."""
        self._stopping.set()
        self.door.wake.set()
        self._thread.join(wait_s)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self._turn():
                    self.door.wake.wait(POLL_S)
                    self.door.wake.clear()
            except Exception as error:  # noqa: BLE001  a store that is away must not end the thread for good
                edge.log_error({}, error)
                self._stopping.wait(POLL_S)

    def _turn(self) -> bool:
        """Run one job; say whether there was one."""
        now = datetime.now(UTC)
        if time.monotonic() >= self._forget_at:
            with self.door.store.write() as connection:
                jobs.forget(connection, now)
            self._forget_at = time.monotonic() + FORGET_EVERY_S
        with self.door.store.read() as connection:
            if not jobs.is_waiting(connection, now):
                return False
        with self.door.store.write() as connection:
            job = jobs.claim(connection, now)
        if job is not None:
            with _held(self.door, job), Progress(partial(advance, self.door, job), TELL_S) as progress:
                run(self.door, job, progress.report)
        return job is not None


def run(door: Door, job: Job, report: Report = silent) -> None:
    """Answer one question and write the answer, or why there is none."""
    began = time.monotonic_ns()
    graph = None
    try:
        ask = TraceAsk.model_validate_json(job.asked)
        why = ask.case, ask.purpose
        done = run_trace(door.store, door.keys, ask.query(), case=why[0], purpose=why[1], by=job.owner, report=report)
        report(Stage("graph", total=len(done.result.members)))
        answer = {**done.result.as_json(), "trace": done.number}
        graph = graphml.encode(done.result.to_networkx())
        state: jobs.State = "success"
    except SudonglianError as refusal:
        state, answer = "failed", {"code": refusal.slug, "detail": refusal.reason, "place": refusal.place}
    except Exception as error:  # noqa: BLE001  the asker must hear of it, whatever it is
        edge.log_error({}, error)
        state, answer = "failed", {"code": "unexpected", "detail": "an error that nobody foresaw", "place": ""}
    with door.store.write() as connection:
        jobs.finish(connection, job, state, orjson.dumps(answer), datetime.now(UTC), graph)
    door.metrics.count("sudonglian_traces_total", outcome=state)
    door.metrics.traced((time.monotonic_ns() - began) // 1_000_000)


def document(job: Job) -> dict[str, Any]:
    """Return a trace job: its state, and its answer or why there is none."""
    result = None if job.result is None else orjson.loads(job.result)
    finished = job.finished_us
    return {
        "id": job.name,
        "state": job.state,
        "asked": orjson.loads(job.asked),
        "created_at": derive.moment(job.created_us).isoformat(timespec="microseconds"),
        "progress": None if job.progress is None else orjson.loads(job.progress),
        "finished_at": None if finished is None else derive.moment(finished).isoformat(timespec="microseconds"),
        "answer": result if job.state == "success" else None,
        "problem": result if job.state == "failed" else None,
    }


def advance(door: Door, job: Job, stage: Stage) -> None:
    """Write how far a job is; a store that is away must not end the job, which will hear of it itself."""
    said = {"stage": stage.name, "done": stage.done, "total": stage.total, "size": stage.size}
    try:
        with door.store.write() as connection:
            jobs.advance(connection, job, orjson.dumps(said))
    except SudonglianError as error:
        edge.log_error({}, error)


@contextmanager
def _held(door: Door, job: Job) -> Iterator[None]:
    """Renew a job's lease while it runs."""
    done = Event()

    def renew() -> None:
        while not done.wait(LEASE.total_seconds() / 4):
            try:
                with door.store.write() as connection:
                    jobs.renew(connection, job, datetime.now(UTC))
            except SudonglianError as error:
                edge.log_error({}, error)

    thread = Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
