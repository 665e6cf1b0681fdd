"""Jobs: what was asked over HTTP, by whom, how far it is, and its first answer.

service.md (HTTP: 202 and a job; Idempotency-Key); docs/decisions/0711 (what a job keeps, for how long, who runs it).
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import ClassVar, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, delete, insert, or_, select, update

from sudonglian.chain.errors import SudonglianError
from sudonglian.records import derive, store
from sudonglian.records.tables import JOBS

Kind: TypeAlias = Literal["capture", "event", "trace"]
State: TypeAlias = Literal["queued", "running", "success", "failed"]

LEASE: Final = timedelta(seconds=60)
"""A process that runs a job says so four times in this span; if it died, another takes the job after it."""

KEPT: Final = timedelta(days=30)
"""How long a job and its Idempotency-Key are known: longer than any client retries, shorter than firms' disputes last
(which are about records, and those stay)."""


class JobUnknown(SudonglianError):
    """No such job, or not the asker's."""

    slug: ClassVar[str] = "job-unknown"


class IdempotencyConflict(SudonglianError):
    """An Idempotency-Key that was used for another request."""

    slug: ClassVar[str] = "idempotency-conflict"


@dataclass(frozen=True, slots=True)
class Job:
    """One row, without the graph."""

    id: int
    name: str
    kind: Kind
    state: State
    owner: str
    """Who asked: the principal of a caller, key:N or account:N."""
    submitter: str | None
    """The firm that a capture was for."""
    asked: bytes
    created_us: int
    finished_us: int | None
    result: bytes | None
    progress: bytes | None

    @property
    def is_over(self) -> bool:
        """Whether its answer is final."""
        return self.state in ("success", "failed")


def earlier(connection: Connection, owner: str, kind: Kind, idempotency_key: str, request_mac: bytes) -> Job | None:
    """Return the job that this Idempotency-Key has begun; of two requests at once the second one waits here.

    Raises
    ------
    IdempotencyConflict
        The key was used for another request.
    """
    store.lock(connection, f"sudonglian-jobs\x00{owner}\x00{idempotency_key}")
    query = _JOB.add_columns(JOBS.c.request_mac).where(
        JOBS.c.owner == owner, JOBS.c.kind == kind, JOBS.c.idempotency_key == idempotency_key
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.request_mac is None or not hmac.compare_digest(row.request_mac, request_mac):
        raise IdempotencyConflict("this Idempotency-Key was used for another request")
    return Job(*row[:-1])


def add(
    connection: Connection,
    owner: str,
    kind: Kind,
    asked: bytes,
    now: datetime,
    *,
    submitter: str | None = None,
    idempotency_key: str | None = None,
    request_mac: bytes | None = None,
    state: State = "queued",
    result: bytes | None = None,
) -> Job:
    """Write a job: one that waits, or with `state` and `result` one that is over with this transaction."""
    over = state in ("success", "failed")
    row = {
        "name": token_hex(16),
        "kind": kind,
        "state": state,
        "owner": owner,
        "submitter": submitter,
        "idempotency_key": idempotency_key,
        "request_mac": request_mac,
        "asked": asked,
        "created_us": derive.micros(now),
        "finished_us": derive.micros(now) if over else None,
        "result": result,
    }
    return Job(*connection.execute(insert(JOBS).returning(*_COLUMNS), row).one())


def find(connection: Connection, owner: str, kind: Kind, name: str) -> Job:
    """Return an asker's own job.

    Raises
    ------
    JobUnknown
        There is none, or it is somebody else's: the two are not told apart.
    """
    return _one(connection, JOBS.c.owner == owner, kind, name)


def find_of_firm(connection: Connection, submitter: str, kind: Kind, name: str) -> Job:
    """Return a job of a firm, whoever of it has asked.

    Raises
    ------
    JobUnknown
        There is none, or it is another firm's: the two are not told apart.
    """
    return _one(connection, JOBS.c.submitter == submitter, kind, name)


def page(connection: Connection, submitter: str, kind: Kind, limit: int, before: int | None = None) -> list[Job]:
    """Return a firm's jobs, the newest first, those with a lower id than `before`."""
    query = _JOB.where(JOBS.c.submitter == submitter, JOBS.c.kind == kind).order_by(JOBS.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(JOBS.c.id < before)
    return [Job(*row) for row in connection.execute(query)]


# tenants: of a job that its asker was given
def graph(connection: Connection, job: Job) -> bytes | None:
    """Return the graph of a trace that is over."""
    found: bytes | None = connection.execute(select(JOBS.c.graph).where(JOBS.c.id == job.id)).scalar_one()
    return found


def is_waiting(connection: Connection, now: datetime) -> bool:
    """Return whether a job waits for somebody to run it."""
    return connection.execute(_waiting(now).limit(1)).one_or_none() is not None


# tenants: whoever runs jobs takes the oldest, whose ever it is
def claim(connection: Connection, now: datetime) -> Job | None:
    """Take the oldest waiting job for a lease, or None."""
    store.lock(connection, "sudonglian-jobs")
    row = connection.execute(_waiting(now).limit(1)).one_or_none()
    if row is None:
        return None
    values = {"state": "running", "lease_us": derive.micros(now + LEASE), "progress": None}
    return Job(*connection.execute(update(JOBS).where(JOBS.c.id == row.id).values(values).returning(*_COLUMNS)).one())


# tenants: of a job that this process runs
def renew(connection: Connection, job: Job, now: datetime) -> None:
    """Say that a job is still being run."""
    kept = update(JOBS).where(JOBS.c.id == job.id, JOBS.c.state == "running")
    connection.execute(kept.values(lease_us=derive.micros(now + LEASE)))


# tenants: of a job that this process runs
def advance(connection: Connection, job: Job, progress: bytes) -> None:
    """Write how far a running job is, for whoever waits at another process."""
    running = update(JOBS).where(JOBS.c.id == job.id, JOBS.c.state == "running")
    connection.execute(running.values(progress=progress))


# tenants: of a job that this process runs
def finish(
    connection: Connection, job: Job, state: State, result: bytes, now: datetime, graph: bytes | None = None
) -> None:
    """Write a job's answer; the first one stays."""
    over = {"finished_us": derive.micros(now), "lease_us": None, "progress": None}
    values = {"state": state, "result": result, "graph": graph, **over}
    connection.execute(update(JOBS).where(JOBS.c.id == job.id, JOBS.c.finished_us.is_(None)).values(values))


# tenants: what is old goes, whose ever it is
def forget(connection: Connection, now: datetime) -> int:
    """Delete what is over for longer than `KEPT`; return how many."""
    return connection.execute(delete(JOBS).where(JOBS.c.finished_us < derive.micros(now - KEPT))).rowcount


# tenants: columns, and a query that every function narrows
_COLUMNS: Final = tuple(JOBS.c[name] for name in Job.__slots__)
# tenants: a query that every function above narrows
_JOB: Final = select(*_COLUMNS)


# tenants: `whose` is the condition: of an owner or of a firm
def _one(connection: Connection, whose: ColumnElement[bool], kind: Kind, name: str) -> Job:
    row = connection.execute(_JOB.where(JOBS.c.name == name, JOBS.c.kind == kind, whose)).one_or_none()
    if row is None:
        raise JobUnknown("no such job", place=name[:64])
    return Job(*row)


# tenants: whoever runs jobs takes the oldest, whose ever it is
def _waiting(now: datetime) -> Select[tuple[object, ...]]:
    abandoned = (JOBS.c.state == "running") & (JOBS.c.lease_us < derive.micros(now))
    return _JOB.where(or_(JOBS.c.state == "queued", abandoned)).order_by(JOBS.c.id)
