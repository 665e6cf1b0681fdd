"""Announcing: what an event of a case tells to servers that are told what happens; numbers of cases and tasks alone.

docs/webhooks.md; docs/decisions/0823. Pure. No person, name, place, note or outcome: who may know asks with a key.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from sudonglian.chain.canonical import Json
from sudonglian.records.case_state import Case, Happened

PING: Final = "ping"
OVERDUE: Final = "task.overdue"
CLOCK: Final = "case.clock_passed"
STOCK: Final = "stock.exposed"

TYPES: Final = {
    "case.opened": "a case was opened",
    "case.closed": "a case was closed, or merged into another one",
    "case.reopened": "a closed case was opened again",
    CLOCK: "a time of the case's clock has passed: first_list or all_reached",
    "reveal.asked": "identities are asked for, and wait for a second person",
    "task.dispatched": "tasks were made",
    "task.assigned": "tasks were given to a worker",
    "task.escalated": "a task needs more than its worker",
    "task.handed_back": "a task was given back by its worker",
    "task.closed": "a task was closed",
    OVERDUE: "tasks should have been done by now",
    "firm.told": "firms were told of exposed stock",
}
"""What the authority's own servers can be told."""

OF_FIRMS: Final = {STOCK: "exposed stock of which the firm has the newest record: lots and items, and where"}
"""What a firm's server can be told."""

MANY: Final = 500
"""Tasks, or lots, in one message: some kilobytes."""


class Message(NamedTuple):
    """Something to tell."""

    type: str
    data: dict[str, Json]


def told(case: Case, happened: Happened) -> list[Message]:
    """Return what an event of a case, which it has taken in, tells."""
    tell = _TELLS.get(str(happened.said["do"]))
    return [] if tell is None else list(tell(case, happened))


def overdue(case: int, numbers: Iterable[int]) -> Iterator[Message]:
    """Yield that tasks are overdue."""
    for part in _parts(sorted(numbers)):
        yield Message(OVERDUE, {"case": case, "tasks": part})


def clock_passed(case: int, term: str) -> Message:
    """Return that a time of a case's clock has passed."""
    return Message(CLOCK, {"case": case, "term": term})


def stock(rows: list[dict[str, Any]]) -> Iterator[Message]:
    """Yield a firm's list of exposed stock, and nothing else."""
    for part in _parts(rows):
        yield Message(STOCK, {"stock": part})


def _opened(case: Case, happened: Happened) -> Iterator[Message]:
    yield Message("case.opened", {"case": case.number})


def _closed(case: Case, happened: Happened) -> Iterator[Message]:
    yield Message("case.closed", {"case": case.number, "into": case.into})


def _reopened(case: Case, happened: Happened) -> Iterator[Message]:
    yield Message("case.reopened", {"case": case.number})


def _asked(case: Case, happened: Happened) -> Iterator[Message]:
    yield Message("reveal.asked", {"case": case.number, "reveal": int(happened.said["reveal"])})


def _made(case: Case, happened: Happened) -> Iterator[Message]:
    numbers = [int(row[0]) for row in happened.said["tasks"]]
    whose = {"kind": str(happened.said["kind"]), "assignee": case.tasks.by_number[numbers[0]].assignee}
    for part in _parts(numbers):
        yield Message("task.dispatched", {"case": case.number, "tasks": part, **whose})
    # One that is made when it should have been done already: the clock never passes that time.
    yield from overdue(case.number, (n for n in numbers if case.tasks.by_number[n].due_us <= happened.at_us))


def _assigned(case: Case, happened: Happened) -> Iterator[Message]:
    for part in _parts([int(number) for number in happened.said["tasks"]]):
        yield Message("task.assigned", {"case": case.number, "tasks": part, "assignee": str(happened.said["to"])})


def _one(name: str) -> Callable[[Case, Happened], Iterator[Message]]:
    def tell(case: Case, happened: Happened) -> Iterator[Message]:
        yield Message(name, {"case": case.number, "tasks": [int(happened.said["task"])]})

    return tell


def _firms(case: Case, happened: Happened) -> Iterator[Message]:
    yield Message("firm.told", {"case": case.number, "firms": [str(row[0]) for row in happened.said["told"]]})


_TELLS: Final[dict[str, Callable[[Case, Happened], Iterator[Message]]]] = {
    "open": _opened,
    "close": _closed,
    "merged": _closed,
    "reopen": _reopened,
    "reveal-asked": _asked,
    "tasks-made": _made,
    "tasks-assigned": _assigned,
    "task-escalated": _one("task.escalated"),
    "task-back": _one("task.handed_back"),
    "task-closed": _one("task.closed"),
    "firms-told": _firms,
}


def _parts(whole: list[Any]) -> Iterator[list[Json]]:
    for start in range(0, len(whole), MANY):
        yield whole[start : start + MANY]
