"""Showing the identities of a released reveal: the entries about it are on disk before anything is read for showing.

docs/spec/access-log.md rule 3; docs/decisions/0801. What is returned is for the asker's answer, and kept nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sudonglian.records import reveals, tasks
from sudonglian.records.case_state import Case, Reveal
from sudonglian.records.cases import Act
from sudonglian.records.keys import Keys
from sudonglian.records.reveals import Identity
from sudonglian.records.store import Store
from sudonglian.records.task_state import Task


@dataclass(frozen=True, slots=True)
class Shown:
    """A released reveal with what it shows, which no `repr` repeats."""

    case: Case
    reveal: Reveal
    identities: Mapping[int, tuple[Identity, ...]] = field(repr=False)


def release(store: Store, keys: Keys, number: int, act: Act) -> Shown:
    """Release a reveal to who asked for it.

    Raises
    ------
    RevealRefused, CaseClosed
        It may not be released.
    """
    with store.write() as connection:
        case, reveal = reveals.release(connection, number, act)
    with store.read() as connection:
        return Shown(case, reveal, reveals.identities(connection, keys, reveal.persons))


@dataclass(frozen=True, slots=True)
class Reachable:
    """A task with how to reach its person, which no `repr` repeats."""

    case: Case
    task: Task
    reach: list[dict[str, str]] = field(repr=False)


def reach(store: Store, keys: Keys, number: int, act: Act) -> Reachable:
    """Show the worker of a task how to reach its person.

    Raises
    ------
    TaskRefused, RevealRefused, CaseClosed
        It may not be shown.
    """
    with store.write() as connection:
        case, task = tasks.look(connection, number, act)
    with store.read() as connection:
        return Reachable(case, task, tasks.reachable(connection, keys, task))
