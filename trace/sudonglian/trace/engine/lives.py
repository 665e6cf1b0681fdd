"""Lives: a complete disinfection cuts a party or a place in two, and what it was exposed to ends there.

docs/spec/facts.md §11. The kernel sees each life as a party or place of its own; nothing passes from one to the next.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Generic, TypeVar

from sudonglian.trace.engine.facts import INSTANT, OPEN_END, Facts, Micros, Party, Place

Subject = TypeVar("Subject", Party, Place)

Ends = Mapping[Party | Place, tuple[Micros, ...]]
"""For what was disinfected: the moments from which it was clean."""


def ends_of(facts: Facts, *, certain: bool) -> Ends:
    """Return when lives end.

    A certain exposure has no disinfection in its way that is even possible; a possible one has none that is certain.
    """
    found: dict[Party | Place, set[Micros]] = {}
    for clean in facts.cleans:
        if clean.complete and (clean.certain or certain):
            found.setdefault(clean.subject, set()).add(clean.time + INSTANT)
    return {subject: tuple(sorted(times)) for subject, times in found.items()}


class Numbered(Generic[Subject]):
    """The lives of all parties (or places), numbered in the order of subject and time."""

    def __init__(self, subjects: Sequence[Subject], others: Iterable[Subject], ends: Ends) -> None:
        """Take subjects in their order, each once, and others that may be among them."""
        self._ends: Ends = ends
        more: set[Subject] = {one for one in others if not _holds(subjects, one)}
        self.lives: list[Subject] = sorted(chain(subjects, more))
        self._twins: dict[int, int] = {}
        again: list[Subject] = [one for one in self.lives if one in ends] if ends else []
        if again:
            self.lives = sorted(chain(self.lives, (one for one in again for _ in ends[one])))
        self.has_ends = bool(again)
        self._is_plain = not more and not again
        self._size = len(self.lives)

    def __len__(self) -> int:
        return len(self.lives)

    def at(self, subject: Subject, time: Micros) -> int:
        """Return the number of the life that holds the instant."""
        ends = self._ends.get(subject)
        first = self._first_of(subject)
        return first if ends is None else first + bisect_right(ends, time)

    def firsts(self, subjects: Sequence[Subject]) -> Sequence[int]:
        """Return the numbers of the first lives of the subjects that were taken in their order."""
        if self._is_plain:
            return range(len(subjects))
        first = {subject: number for number, subject in reversed(list(enumerate(self.lives[: self._size])))}
        return list(map(first.__getitem__, subjects))

    def _first_of(self, subject: Subject) -> int:
        return bisect_left(self.lives, subject, 0, self._size)

    def ends(self, subject: Subject) -> Sequence[Micros]:
        """Return when a subject's lives end that another follows."""
        return self._ends.get(subject, ())

    def between(self, subject: Subject, start: Micros, last: Micros) -> list[tuple[int, Micros]]:
        """Return the lives that hold some instant from start to last, each with the first such instant."""
        begins = [start, *(end for end in self._ends.get(subject, ()) if start < end <= last)]
        return [(self.at(subject, begin), begin) for begin in begins]

    def twin(self, number: int) -> int:
        """Return a new number for the same life, which the kernel takes for another."""
        self._twins[len(self.lives)] = number
        self.lives.append(self.lives[number])
        return len(self.lives) - 1

    def is_twin(self, number: int) -> bool:
        """Tell whether a number stands for a life that another number stands for too."""
        return number in self._twins

    @property
    def has_twins(self) -> bool:
        """Tell whether any number stands for a life that another stands for."""
        return bool(self._twins)

    def span(self, number: int) -> tuple[Micros, Micros]:
        """Return from when to when a life lasts."""
        number = self._twins.get(number, number)
        subject = self.lives[number]
        ends: Sequence[Micros] = self._ends.get(subject, ())
        life = number - self._first_of(subject)
        return ends[life - 1] if life else -OPEN_END, ends[life] if life < len(ends) else OPEN_END


def _holds(subjects: Sequence[Subject], one: Subject) -> bool:
    """Tell whether one is among subjects in their order."""
    at = bisect_left(subjects, one)
    return at < len(subjects) and subjects[at] == one
