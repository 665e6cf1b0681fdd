"""Tasks of a case: made, assigned, escalated, handed back, closed, and a look at how to reach their person.

docs/spec/access-log.md rules 11 and 12; docs/decisions/0820 and 0821. `task_state` says what the events make of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, NamedTuple

from sqlalchemy import Connection, func, select

from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import cases, derive, private, reveals, store
from sudonglian.records.case_state import LISTED, Case, Reveal
from sudonglian.records.cases import Act
from sudonglian.records.keys import Keys
from sudonglian.records.reveals import Identity, OwnReveal
from sudonglian.records.tables import TASKS
from sudonglian.records.task_state import OF_GOODS, OF_PERSONS, ONCE, PERSON, RECORDED, VOID, Task, outcomes

LOOKS_LAST: Final = timedelta(days=14)
"""From the approval: as long as a contact is followed; later workers need another approval."""

MAX_TASKS: Final = 10_000

SPOKEN: Final = frozenset({"reached", "advised", "well", "symptoms"})
"""Outcomes that say that somebody spoke to the person."""


class TaskRefused(SudonglianError):
    """Something that cannot be done with a task; `place` names what is wrong."""

    slug: ClassVar[str] = "task"


class TaskUnknown(TaskRefused):
    """There is no such task, or none of whoever asks."""

    slug = "task-unknown"


class TaskOver(TaskRefused):
    """A task that is closed already."""

    slug = "task-over"


class NotRevealed(TaskRefused):
    """Nobody approved that workers see how to reach this person."""

    slug = "task-not-revealed"


class Wanted(NamedTuple):
    """One task to be made."""

    subject_kind: str
    subject: str
    place: str
    tier: str
    due: datetime
    order: int


def make(
    connection: Connection,
    case: Case,
    act: Act,
    kind: str,
    wanted: Sequence[Wanted],
    *,
    area: str = "",
    advice: str = "",
) -> list[Task]:
    """Make tasks of one kind, but none for whom there is an open one, or a contact that was reached already.

    Raises
    ------
    TaskRefused, CaseRefused
        No such kind, somebody who is not on the line list, too many at once, or a text that cannot be kept.
    """
    busy = {(one.subject_kind, one.subject, one.place) for one in case.tasks.by_number.values() if _stands(one, kind)}
    made: list[Wanted] = []
    for one in wanted:
        if not outcomes(kind, one.subject_kind):
            known = OF_PERSONS if one.subject_kind == PERSON else OF_GOODS
            raise TaskRefused(f"{kind[:40]!r} is none of {', '.join(known)}", place="kind")
        if one.subject_kind == PERSON and cases.person_of(one.subject) not in case.members:
            raise TaskRefused(f"person {one.subject} is not on the line list of case {case.number}", place="person")
        if (key := (one.subject_kind, one.subject, one.place)) not in busy:
            busy.add(key)
            made.append(one)
    if len(made) > MAX_TASKS:
        raise TaskRefused(f"more than {MAX_TASKS} at once", place="case")
    told = {"area": _area(area), "advice": cases.text_of(advice, "advice", needed=False)}
    if not made:
        return []
    last = connection.execute(select(func.max(TASKS.c.id))).scalar() or 0
    numbers = range(last + 1, last + 1 + len(made))
    rows: list[Json] = [
        [number, one.subject_kind, one.subject, one.place, one.tier, derive.micros(one.due), one.order]
        for number, one in zip(numbers, made, strict=True)
    ]
    cases.append(connection, case, act, {"do": "tasks-made", "kind": kind, "tasks": rows, **told})
    return [case.tasks.by_number[number] for number in numbers]


def assign(
    connection: Connection, case: Case, act: Act, to: str, numbers: Iterable[int] = (), *, area: str = ""
) -> list[Task]:
    """Give open tasks to somebody, by number or all of an area; what is made in the area later is theirs too.

    Raises
    ------
    TaskRefused
        Neither a task nor an area is named, or there is no such open task.
    """
    cases.check_principal(to)
    where = _area(area)
    given = {number: _open_task(case, number) for number in numbers}
    if where:
        given |= {one.number: one for one in case.tasks.by_number.values() if one.is_open and one.area == where}
    elif not given:
        raise TaskRefused("neither a task nor an area is named", place="task")
    said: dict[str, Json] = {"do": "tasks-assigned", "to": to, "area": where, "tasks": list[Json](sorted(given))}
    cases.append(connection, case, act, said)
    return [given[number] for number in sorted(given)]


def escalate(connection: Connection, case: Case, act: Act, number: int, why: str) -> Task:
    """Say that a task needs more than its worker; it stays whose it is."""
    one = _open_task(case, number)
    said: dict[str, Json] = {"do": "task-escalated", "task": number, "why": cases.text_of(why, "reason")}
    cases.append(connection, case, act, said)
    return one


def hand_back(connection: Connection, case: Case, act: Act, number: int, why: str) -> Task:
    """Give a task back to who dispatches.

    Raises
    ------
    TaskRefused
        It is nobody's.
    """
    one = _open_task(case, number)
    if one.assignee is None:
        raise TaskRefused(f"task {number} is assigned to nobody", place="task")
    cases.append(connection, case, act, {"do": "task-back", "task": number, "why": cases.text_of(why, "reason")})
    return one


def close(
    connection: Connection,
    case: Case,
    act: Act,
    number: int,
    outcome: str,
    *,
    note: str = "",
    ct: str = "",
    at: datetime | None = None,
    record: str = "",
) -> Task:
    """Close a task with its outcome; a call and a test about somebody on the line list change that status too.

    `record` is the hash of the record that says what was done to goods.

    Raises
    ------
    TaskOver, TaskRefused, CaseRefused
        It is closed, or cannot end so.
    """
    one = _open_task(case, number)
    known = (*outcomes(one.kind, one.subject_kind), VOID)
    if outcome not in known:
        raise TaskRefused(f"{outcome[:40]!r} is none of {', '.join(known)}", place="outcome")
    if one.person is None and outcome in RECORDED.get(one.kind, ()) and not record:
        raise TaskRefused("what was done to goods is a record too, and there is none of it", place="task")
    told = cases.text_of(note, "note", needed=False)
    said: dict[str, Json] = {"do": "task-closed", "task": number, "outcome": outcome, "note": told, "record": record}
    cases.append(connection, case, act, said)
    person = one.person
    if person is not None and person in case.members and outcome != VOID:
        status = case.members[person].status
        if one.kind == "test":
            tested: dict[str, Any] = {"result": outcome, "ct": ct, "at": at or act.now}
            cases.add_result(connection, case, act, subject=one.subject, is_person=True, **tested)
            if outcome == "positive":
                # Whoever is positive exposes others: the case begins from there too (docs/decisions/0831).
                cases.add_positive(connection, case, act, person, at=tested["at"], ct=ct)
        elif outcome in SPOKEN and status in (LISTED, "unreachable"):
            cases.set_status(connection, case, act, person, "contacted")
        elif outcome == "unreachable" and status == LISTED:
            cases.set_status(connection, case, act, person, "unreachable")
    return one


def positive(
    connection: Connection, case: Case, act: Act, person: int, *, at: datetime, ct: str = "", sample: str = ""
) -> tuple[int, bool, list[Task]]:
    """Keep that a person is positive (`cases.add_positive`), and end the open tasks that were to find that out.

    Returns
    -------
    The seed's number, whether it is new, and the tasks that ended.

    Raises
    ------
    CaseRefused
        The case knows no such person.
    """
    seed, is_new = cases.add_positive(connection, case, act, person, at=at, ct=ct, sample=sample)
    ended = [
        one for one in case.tasks.by_number.values() if one.is_open and one.kind == "test" and one.person == person
    ]
    for one in ended:
        said: dict[str, Json] = {
            "do": "task-closed",
            "task": one.number,
            "outcome": "positive",
            "note": "",
            "record": "",
        }
        cases.append(connection, case, act, said)
    return seed, is_new, ended


def of_worker(connection: Connection, by: str, *, is_open: bool = True) -> list[tuple[Case, Task]]:
    """Return the tasks of one worker in open cases, in call-first order."""
    query = select(TASKS.c.id, TASKS.c.case_id).where(TASKS.c.assignee == by)
    if is_open:
        query = query.where(TASKS.c.state == "assigned")
    rows = connection.execute(query).all()
    known = {number: cases.find(connection, number) for number in {row.case_id for row in rows}}
    found = [(known[row.case_id], known[row.case_id].tasks.by_number[row.id]) for row in rows]
    return sorted(
        (pair for pair in found if pair[0].standing == "open"),
        key=lambda pair: (pair[1].escalated_us is None, pair[1].due_us, pair[1].order, pair[1].number),
    )


def of(connection: Connection, number: int, *, by: str | None = None) -> tuple[Case, Task]:
    """Return a task with its case; for a worker, its own alone.

    Raises
    ------
    TaskUnknown
        There is none, or it is another's.
    """
    query = select(TASKS.c.case_id).where(TASKS.c.id == number)
    if by is not None:
        query = query.where(TASKS.c.assignee == by)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise TaskUnknown(f"there is no task {number} of yours" if by else f"there is no task {number}", place="task")
    case = cases.find(connection, found)
    return case, case.tasks.by_number[number]


def to_change(connection: Connection, number: int, *, by: str | None = None) -> tuple[Case, Task]:
    """Return a task with its open case, so that nobody else changes it before this transaction ends.

    Raises
    ------
    TaskUnknown, CaseClosed
        There is none, or nothing more is done in its case.
    """
    store.lock(connection, cases.LOCK)
    case, one = of(connection, number, by=by)
    cases.check_open(case)
    return case, one


def leave(case: Case, one: Task, now: datetime) -> tuple[Reveal | None, str]:
    """Return the reveal under which a task's worker may see how to reach its person, or what is missing."""
    person = one.person
    if person is None:
        return None, ""
    if person not in case.members:
        return None, "not on the line list any more"
    for_it = [it for it in case.reveals.values() if it.for_tasks and person in it.persons]
    for reveal in reversed(for_it):
        if reveal.state in ("approved", "released") and reveal.decided_us is not None:
            if now < derive.moment(reveal.decided_us) + LOOKS_LAST:
                return reveal, ""
            return None, "the approval for tasks has ended"
    if any(it.state == "asked" and derive.micros(now) < it.until_us for it in for_it):
        return None, "a reveal for tasks waits for a second person's approval"
    return None, "no reveal for tasks was asked for"


def look(connection: Connection, number: int, act: Act) -> tuple[Case, Task]:
    """Append the entry about a worker's look at a person; once it is committed, and not before, it may be shown.

    Raises
    ------
    TaskUnknown, TaskOver, CaseClosed
        It is not an open task of whoever looks.
    TaskRefused, NotRevealed, OwnReveal
        It is about no person, or nobody, or only the worker, approved that the worker may see whom.
    """
    case, one = to_change(connection, number, by=act.by)
    _open_task(case, number)
    person = one.person
    if person is None:
        raise TaskRefused(f"task {number} is about no person", place="task")
    reveal, missing = leave(case, one, act.now)
    if reveal is None:
        raise NotRevealed(missing, place="task")
    if reveal.decided_by == act.by:
        raise OwnReveal("who approved cannot be the one who looks: that takes two persons", place="task")
    told: dict[str, Json] = {"task": number, "person": person, "reveal": reveal.number}
    happened = cases.append(connection, case, act, {"do": "task-shown", **told})
    private.append(connection, reveals.look_entry(case, reveal, person, act.by, happened.at_us))
    return case, one


def reachable(connection: Connection, keys: Keys, one: Task) -> list[dict[str, str]]:
    """Return the names and telephone numbers of a task's person, after `look` was committed; no other identifier."""
    person = one.person
    if person is None:
        return []
    told = reveals.identities(connection, keys, [person]).get(person, ())
    return list(map(_reach, told))


def _reach(told: Identity) -> dict[str, str]:
    return {"name": told.name, "contact": told.value if told.kind == "phone" else ""}


def _stands(one: Task, kind: str) -> bool:
    return one.kind == kind and (one.is_open or one.outcome in ONCE.get(kind, frozenset()))


def _open_task(case: Case, number: int) -> Task:
    one = case.tasks.by_number.get(number)
    if one is None:
        raise TaskUnknown(f"case {case.number} has no task {number}", place="task")
    if not one.is_open:
        raise TaskOver(f"task {number} is closed: {one.outcome}", place="task")
    return one


def _area(area: str) -> str:
    return cases.text_of(area, "area", cases.MAX_NAME, needed=False)
