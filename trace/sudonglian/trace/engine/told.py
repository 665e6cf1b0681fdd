"""Stays of facts in columns, made once: the possible run of a trace takes all rows, the certain one some.

tracing.md §2 (columnar arrays); docs/decisions/0353. They are kept beside the facts, and follow them as they change
(docs/decisions/0354).
"""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from itertools import chain, compress
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sudonglian.trace.engine.facts import OPEN_END, Beside, Facts, Party, Place, Stay
from sudonglian.trace.engine.spans import Codes, Times

Subject = TypeVar("Subject", Party, Place, str)

Column = TypeVar("Column", Codes, NDArray[np.bool_])


class Told(NamedTuple):
    """Stays; of each who and where by their places among all that are named, and its times."""

    stays: Sequence[Stay]
    parties: Sequence[Party]
    places: Sequence[Place]
    who: Codes
    where: Codes
    start: Times
    end: Times
    certain: NDArray[np.bool_]
    contact: Codes
    contacts: Sequence[str]
    """The words for how they touched, which `contact` numbers."""

    def of(self, parties: Sequence[int]) -> Codes:
        """Return the rows of some parties."""
        asked = np.zeros(len(self.parties), np.bool_)
        asked[list(parties)] = True
        return np.flatnonzero(asked[self.who])

    def earliest(self, parties: Sequence[int]) -> Times:
        """Return when the first stay of each of some parties begins."""
        rows = self.of(parties)
        found = np.full(len(self.parties), OPEN_END, np.int64)
        np.minimum.at(found, self.who[rows], self.start[rows])
        return found[list(parties)]

    def only_certain(self) -> "Told":
        """Return the stays that are certain."""
        if self.certain.all():
            return self
        some = np.flatnonzero(self.certain)
        stays = self.stays
        return self._replace(
            stays=[stays[one] for one in some.tolist()],
            who=self.who[some],
            where=self.where[some],
            start=self.start[some],
            end=self.end[some],
            certain=self.certain[some],
            contact=self.contact[some],
        )


def told_of(facts: Facts) -> Told:
    """Return the stays of facts in columns, which are made by whoever asks first."""
    known: Told | None = facts.beside.told
    if known is None or known.stays is not facts.stays:
        known = facts.beside.told = told(facts.stays)
    return known


def told(stays: Sequence[Stay]) -> Told:
    """Return stays in columns."""
    columns: dict[str, Sequence[Any]] = dict(zip(Stay._fields, zip(*stays, strict=True), strict=True)) if stays else {}
    parties, who = _coded(columns.get("who", ()))
    places, where = _coded(columns.get("where", ()))
    contacts, contact = _coded(columns.get("contact", ()))
    start, end = (np.array(columns.get(name, ()), np.int64) for name in ("start", "end"))
    certain = np.array(columns.get("certain", ()), np.bool_)
    return Told(stays, parties, places, who, where, start, end, certain, contact, contacts)


def _coded(subjects: Sequence[Subject]) -> tuple[list[Subject], Codes]:
    """Return the subjects in their order, each once, and where each stands in it."""
    found = sorted(set(subjects))
    codes = {subject: number for number, subject in enumerate(found)}
    return found, np.fromiter(map(codes.__getitem__, subjects), np.int64, len(subjects))


def followed(facts: Facts, away: Collection[Stay], added: Collection[Stay], stays: Sequence[Stay]) -> Beside:
    """Return what is kept beside `stays`, which are the canonical ones of facts without some and with others."""
    known: Told | None = facts.beside.told
    if known is None or known.stays is not facts.stays:
        return Beside()
    left = np.ones(len(known.stays), np.bool_)
    left[[bisect_left(known.stays, one) for one in away]] = False
    new = told(sorted(added))
    old = np.ones(len(stays), np.bool_)
    old[[bisect_left(stays, one) for one in new.stays]] = False

    def column(before: Column, coming: Column) -> Column:
        found = np.empty(len(stays), before.dtype)
        found[old], found[~old] = before[left], coming
        return found

    def coded(
        names: Sequence[Subject], before: Codes, coming: Sequence[Subject], codes: Codes
    ) -> tuple[Sequence[Subject], Codes]:
        both, first, second = _united(names, coming)
        found = column(first[before], second[codes])
        used = np.bincount(found, minlength=len(both)) > 0
        if used.all():
            return both, found
        return [both[one] for one in np.flatnonzero(used).tolist()], (np.cumsum(used) - 1)[found]

    parties, who = coded(known.parties, known.who, new.parties, new.who)
    places, where = coded(known.places, known.where, new.places, new.where)
    contacts, contact = coded(known.contacts, known.contact, new.contacts, new.contact)
    start, end = column(known.start, new.start), column(known.end, new.end)
    certain = column(known.certain, new.certain)
    return Beside(Told(stays, parties, places, who, where, start, end, certain, contact, contacts))


def _united(names: Sequence[Subject], coming: Sequence[Subject]) -> tuple[Sequence[Subject], Codes, Codes]:
    """Return sorted names with others among them, and where each of the ones and of the others stands then.

    >>> names, first, second = _united(["b", "d"], ["a", "d", "e"])
    >>> names, first.tolist(), second.tolist()
    (['a', 'b', 'd', 'e'], [1, 2], [0, 2, 3])
    """
    at = [bisect_left(names, one) for one in coming]
    fresh: list[bool] = [place == len(names) or names[place] != one for place, one in zip(at, coming, strict=True)]
    if not any(fresh):
        return names, np.arange(len(names)), np.array(at, np.int64)
    new, place = np.array(fresh, np.bool_), np.array(at, np.int64)
    both: list[Subject] = sorted(chain(names, compress(coming, fresh)))
    old = np.arange(len(names))
    first: Codes = old + np.searchsorted(place[new], old, "right")
    second: Codes = place + (np.cumsum(new) - new)
    return both, first, second
