"""Retention: how long a person's data are kept for which purpose, and the erasure of those whose time is over.

service.md (person data); docs/decisions/0506; docs/privacy.md. The rules are data: retention-1.json.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    and_,
    case,
    func,
    or_,
    select,
)

from sudonglian.records import derive, marks, vault
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store, in_batches
from sudonglian.records.tables import CASE_MEMBERS as MEMBERS
from sudonglian.records.tables import CASE_SEEDS as SEEDS
from sudonglian.records.tables import CASES, PARTICIPANTS, PERSONS, RECORDS

TABLE: Final = "retention-1.json"

REASON: Final = "retention"
"""In the receipt."""

MARK: Final = "retained_us"
"""In `meta`: when everybody whose time was over had last been erased."""

EVERY: Final = timedelta(days=1)

BATCH: Final = 50
"""Persons erased in one transaction: some tenths of a second, in which SQLite takes no capture."""

SEEN: Final = 5_000
"""Persons looked at in one query for the ones whose time is over."""


class Rule(NamedTuple):
    """For which purpose a person's data are kept, and how long after what."""

    purpose: str
    days: int
    after: str
    law: str

    @property
    def span(self) -> timedelta:
        """How long."""
        return timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Due:
    """A person whose time is over, and since when."""

    person_no: int
    since_us: int


@dataclass(slots=True)
class Retained:
    """What a run did, or with a dry one would do."""

    due: int = 0
    """Whose time is over by the events, those of cases among them."""
    held: int = 0
    """Of these, whom a case keeps."""
    receipts: list[int] = field(default_factory=list)
    """Indexes of the receipts in the private tree, one for each person erased."""
    oldest_us: int | None = None
    """Since when the first of them should have been erased."""


@cache
def rules() -> dict[str, Rule]:
    """Return the rules by their purpose."""
    raw = json.loads((resources.files("sudonglian.records") / TABLE).read_text("utf-8"))
    return {one["purpose"]: Rule(**one) for one in raw["rules"]}


def held(connection: Connection, person_nos: Iterable[int], now: datetime) -> set[int]:
    """Return those whom a case keeps: drawn into one that is open, or closed for less than its rule's time.

    The one place that knows what being drawn into a case is: on its line list, or its seed.
    """
    numbers = sorted(set(person_nos))
    until_us = derive.micros(now - rules()["case"].span)
    keeps = or_(and_(CASES.c.closed_us.is_(None), CASES.c.state != "merged"), CASES.c.closed_us > until_us)
    found: set[int] = set()
    for batch in in_batches(numbers):
        query = select(MEMBERS.c.person_no).join_from(MEMBERS, CASES, CASES.c.id == MEMBERS.c.case_id)
        found |= set(connection.execute(query.where(MEMBERS.c.person_no.in_(batch), keeps)).scalars())
        seeds = select(SEEDS.c.subject).join_from(SEEDS, CASES, CASES.c.id == SEEDS.c.case_id)
        seeds = seeds.where(SEEDS.c.kind == "person", SEEDS.c.subject.in_([str(one) for one in batch]), keeps)
        found |= {int(one) for one in connection.execute(seeds).scalars()}
    return found


def due(connection: Connection, now: datetime, *, after: int = 0, limit: int = SEEN) -> list[Due]:
    """Return the persons with numbers above `after` whose last event lies far enough back, by number; cases apart."""
    span = rules()["participation"].span
    query = _last_events(derive.micros(now - span)).where(PARTICIPANTS.c.person_no > after)
    rows = connection.execute(query.order_by(PARTICIPANTS.c.person_no).limit(limit))
    return [Due(row.person_no, row.last_us + span // derive.MICROSECOND) for row in rows]


def dry(connection: Connection, now: datetime) -> Retained:
    """Return what a run would do."""
    done = Retained()
    after = 0
    while found := due(connection, now, after=after):
        after = found[-1].person_no
        _count(done, found, held(connection, (one.person_no for one in found), now))
    return done


def run(
    store: Store,
    keys: Keys,
    now: datetime,
    progress: Callable[[int, int | None], None] = lambda _done, _total: None,
    *,
    batches: int | None = None,
) -> tuple[Retained, bool]:
    """Erase whoever's time is over, a batch a transaction; say whether all are done, which the mark then says too.

    Killed at any moment, the next run goes on. `batches` bounds this one.
    """
    done, after, is_over = Retained(), 0, False
    while not is_over and (batches is None or batches > 0):
        with store.write() as connection:
            found = due(connection, now, after=after, limit=BATCH)
            kept = held(connection, (one.person_no for one in found), now)
            ripe = _locked(connection, [one.person_no for one in found if one.person_no not in kept], now)
            done.receipts += [vault.erase(connection, keys, one, REASON, now).private_index for one in ripe]
            is_over = len(found) < BATCH
            if is_over:
                marks.move(connection, MARK, derive.micros(now))
        _count(done, found, kept)
        after = found[-1].person_no if found else after
        # Those whom a case keeps are no work: they are passed over anew each day.
        batches = batches - 1 if batches is not None and ripe else batches
        progress(len(done.receipts), None)
    if is_over:
        # Also for the erasures on request since the last run: somebody may have been reading the old state then.
        store.forget_deleted()
    return done, is_over


def last_run_us(connection: Connection) -> int | None:
    """Return when everybody whose time was over had last been erased; None before the first time."""
    return marks.read(connection, MARK)


def _last_events(before_us: int) -> Select[Any]:
    # Nobody takes part beyond the moment at which it was written down: a mistyped end keeps nobody for years.
    event, end, captured = RECORDS.c.event_time_us, PARTICIPANTS.c.end_us, RECORDS.c.captured_us
    moment = case(
        (and_(end > event, end <= captured), end), (and_(end > captured, captured > event), captured), else_=event
    )
    last = func.max(moment).label("last_us")
    joined = PARTICIPANTS.join(RECORDS, RECORDS.c.id == PARTICIPANTS.c.record_id).join(
        PERSONS, PERSONS.c.person_no == PARTICIPANTS.c.person_no
    )
    query = select(PARTICIPANTS.c.person_no, last).select_from(joined).group_by(PARTICIPANTS.c.person_no)
    return query.having(func.max(moment) <= before_us)


def _locked(connection: Connection, numbers: Sequence[int], now: datetime) -> list[int]:
    """Return those of the persons who are still to be erased once their rows are held: a capture may have been faster."""
    rows = select(PERSONS.c.person_no).where(PERSONS.c.person_no.in_(numbers)).with_for_update(skip_locked=True)
    mine = sorted(connection.execute(rows).scalars())
    if not mine:
        return []
    query = _last_events(derive.micros(now - rules()["participation"].span))
    still = {row.person_no for row in connection.execute(query.where(PARTICIPANTS.c.person_no.in_(mine)))}
    return sorted(still - held(connection, still, now))


def _count(done: Retained, found: Sequence[Due], kept: set[int]) -> None:
    done.due += len(found)
    done.held += len(kept)
    ripe = [one.since_us for one in found if one.person_no not in kept]
    if ripe:
        done.oldest_us = min(ripe) if done.oldest_us is None else min(done.oldest_us, *ripe)
