"""Stays of facts in columns, made once for a trace: the possible run takes all rows, the certain one some.

tracing.md §2 (columnar arrays); docs/decisions/0353.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sudonglian.trace.engine.facts import Contact, Party, Place, Stay
from sudonglian.trace.engine.spans import Codes, Times

Subject = TypeVar("Subject", Party, Place, Contact)


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
