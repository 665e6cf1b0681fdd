"""Dispatching: tasks for whom a case lists, in the order in which they are to be called, due by tier.

docs/cases.md; docs/decisions/0820. The order is the line list's: the strongest tier, then the risk.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from sudonglian.records import tasks
from sudonglian.records.case_state import Case
from sudonglian.records.cases import Act
from sudonglian.records.task_state import PERSON, Task
from sudonglian.records.tasks import TaskRefused, Wanted
from sudonglian.trace.casework import case_list
from sudonglian.trace.casework.clock import ALL_REACHED, HIGH

SOON: Final = timedelta(hours=48)
LATER: Final = timedelta(hours=72)
TIERS: Final = ("close", "high", "secondary", "on-site", "general", "exposed-place")


def due_of(tier: str, now: datetime) -> datetime:
    """Return when a task about somebody of a tier is due: a day for whom the case's clock counts, two, or three."""
    return now + (ALL_REACHED if tier in HIGH else SOON if tier == "secondary" else LATER)


def make(
    connection: Connection,
    case: Case,
    act: Act,
    *,
    kind: str,
    tiers: Collection[str] = (),
    persons: Collection[int] = (),
    place: str = "",
    area: str = "",
    advice: str = "",
    due: datetime | None = None,
) -> list[Task]:
    """Make tasks for everybody of the tiers (of all if none is named), or for some persons, or who was at a place.

    Raises
    ------
    TaskRefused, CaseRefused
        No such kind or tier, or somebody who is not on the line list.
    """
    for tier in tiers:
        if tier not in TIERS:
            raise TaskRefused(f"{tier[:40]!r} is none of {', '.join(TIERS)}", place="tier")
    for person in persons:
        if person not in case.members:
            raise TaskRefused(f"person {person} is not on the line list of case {case.number}", place="person")
    wanted = [
        Wanted(PERSON, str(row["person"]), "", row["tier"], due or due_of(row["tier"], act.now), order)
        for order, row in enumerate(case_list.rows(connection, case), 1)
        if (not tiers or row["tier"] in tiers)
        and (not persons or row["person"] in persons)
        and place in ("", row["place"])
    ]
    return tasks.make(connection, case, act, kind, wanted, area=area, advice=advice)
