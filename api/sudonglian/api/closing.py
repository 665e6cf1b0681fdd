"""Closing a task through a door: what was done to goods is a record of the authority, if the server knows who that is.

docs/decisions/0822 and 0825; docs/cases.md.
"""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Connection

from sudonglian.api.errors import DoorError
from sudonglian.api.http.door import Door
from sudonglian.records.case_state import Case
from sudonglian.records.cases import Act
from sudonglian.records.task_state import RECORDED, Task
from sudonglian.trace.casework import goods


class NoAuthority(DoorError):
    """Something is to be recorded in the authority's name, and the server was not told who the authority is."""

    slug: ClassVar[str] = "no-authority"


def authority(submitter: str | None) -> str:
    """Return whose the records of the authority are.

    Raises
    ------
    NoAuthority
        Nobody has said so.
    """
    if submitter is None:
        raise NoAuthority(
            "what was done to goods, or said by people, becomes a record of the authority: start the server with"
            " SUDONGLIAN_SUBMITTER set to its URI",
            place="SUDONGLIAN_SUBMITTER",
            zh="对货物和场所所做的处置、人员的陈述要作为主管部门的记录:请用 SUDONGLIAN_SUBMITTER 设置其 URI 后重新启动服务器",
        )
    return submitter


def close(
    connection: Connection,
    door: Door,
    case: Case,
    act: Act,
    number: int,
    outcome: str,
    *,
    note: str = "",
    ct: str = "",
    at: datetime | None = None,
    place: str = "",
) -> Task:
    """Close any task with its outcome.

    Raises
    ------
    NoAuthority
        It becomes a record, and nobody has said whose.
    TaskOver, TaskRefused, CaseRefused
        It is closed, cannot end so, or its record is refused.
    """
    one = case.tasks.by_number.get(number)
    is_record = one is not None and one.is_open and one.person is None and outcome in RECORDED.get(one.kind, ())
    submitter = authority(door.submitter) if is_record else door.submitter or ""
    return goods.close(
        connection, door.keys, case, act, number, outcome, submitter=submitter, note=note, ct=ct, at=at, place=place
    )
