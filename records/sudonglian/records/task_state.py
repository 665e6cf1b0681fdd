"""Tasks of a case as its events make them: who is to be called, tested or advised, what is to be sealed or cleaned.

docs/spec/access-log.md rule 11; docs/decisions/0820. Pure: `case_state` folds these changes with the others of a case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

PERSON: Final = "person"

VOID: Final = "void"
"""The outcome of a task that should not have been made."""

_TESTED: Final = ("positive", "negative", "inconclusive")

OF_PERSONS: Final = {
    "contact": ("reached", "unreachable", "refused"),
    "test": _TESTED,
    "health-check": ("well", "symptoms", "unreachable"),
    "advice": ("advised", "unreachable", "refused"),
}
"""Tasks about a person, and how each may end."""

OF_GOODS: Final = {
    "seal": ("sealed", "gone"),
    "test": _TESTED,
    "disinfect": ("disinfected", "gone"),
    "release": ("released", "gone"),
    "destroy": ("destroyed", "gone"),
}
"""Tasks about a lot, an item or a place, and how each may end."""

ONCE: Final = {"contact": frozenset({"reached", "refused"}), "advice": frozenset({"advised", "refused"})}
"""Tasks that are not made anew for whom they ended so."""

RECORDED: Final = {"disinfect": frozenset({"disinfected"}), "test": frozenset(_TESTED)}
"""What came of goods and places that a record must say, so that it is a fact for traces."""

OPEN: Final = frozenset({"open", "assigned"})


@dataclass(slots=True)
class Task:
    """Something that somebody is to do about one person, lot, item or place."""

    number: int
    kind: str
    subject_kind: str
    subject: str
    place: str
    """Where a lot is that is meant there alone."""
    tier: str
    area: str
    advice: str
    due_us: int
    order: int
    """Whom to call first: the line list's order when the task was made, from 1."""
    made_us: int
    state: str = "open"
    assignee: str | None = None
    escalated_us: int | None = None
    backs: int = 0
    """How often it was handed back."""
    outcome: str | None = None
    closed_us: int | None = None
    closed_by: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.state in OPEN

    @property
    def person(self) -> int | None:
        """The person whom it is about."""
        return int(self.subject) if self.subject_kind == PERSON else None

    def is_overdue(self, now_us: int) -> bool:
        """Whether it should have been done by now."""
        return self.is_open and now_us > self.due_us


@dataclass(frozen=True, slots=True)
class Look:
    """A follow-up worker was shown how to reach a task's person; the entry about it follows the event's."""

    task: int
    person: int
    reveal: int
    by: str
    at_us: int
    entry: int


@dataclass(slots=True)
class Tasks:
    """The tasks of one case, who works which area, and each look at a person for a task."""

    by_number: dict[int, Task]
    areas: dict[str, str]
    looks: list[Look]


Said: TypeAlias = Mapping[str, Any]


def outcomes(kind: str, subject_kind: str) -> tuple[str, ...]:
    """Return how a task may end; nothing if there is no such task."""
    return (OF_PERSONS if subject_kind == PERSON else OF_GOODS).get(kind, ())


def made(tasks: Tasks, said: Said, at: int, at_us: int) -> None:
    """Take in new tasks, each for who works its area."""
    to = tasks.areas.get(str(said["area"])) if said["area"] else None
    for number, subject_kind, subject, place, tier, due_us, order in said["tasks"]:
        told = str(said["kind"]), subject_kind, subject, place, tier, str(said["area"]), str(said["advice"])
        state = "open" if to is None else "assigned"
        tasks.by_number[number] = Task(number, *told, due_us, order, at_us, state, to)


def assigned(tasks: Tasks, said: Said, at: int, at_us: int) -> None:
    """Give tasks to somebody, and an area if one is named: what is made there later is theirs too."""
    if said["area"]:
        tasks.areas[str(said["area"])] = str(said["to"])
    for number in said["tasks"]:
        one = tasks.by_number[number]
        one.assignee, one.state = str(said["to"]), "assigned"


def escalated(tasks: Tasks, said: Said, at: int, at_us: int) -> None:
    """Keep that a task needs more than its worker."""
    tasks.by_number[int(said["task"])].escalated_us = at_us


def handed_back(tasks: Tasks, said: Said, at: int, at_us: int) -> None:
    """Take a task from a worker who gives it back."""
    one = tasks.by_number[int(said["task"])]
    one.state, one.assignee, one.backs = "open", None, one.backs + 1


def shown(tasks: Tasks, said: Said, at: int, at_us: int) -> None:
    """Keep that a worker was shown how to reach the person."""
    told = int(said["task"]), int(said["person"]), int(said["reveal"]), str(said["by"])
    tasks.looks.append(Look(*told, at_us, at + 1))


def closed(tasks: Tasks, said: Said, at: int, at_us: int) -> None:
    """End a task: it is done, or will not be."""
    one = tasks.by_number[int(said["task"])]
    one.state, one.outcome, one.closed_us, one.closed_by = "closed", str(said["outcome"]), at_us, str(said["by"])


CHANGES: Final = {
    "tasks-made": made,
    "tasks-assigned": assigned,
    "task-escalated": escalated,
    "task-back": handed_back,
    "task-shown": shown,
    "task-closed": closed,
}
