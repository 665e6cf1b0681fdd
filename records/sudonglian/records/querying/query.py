"""A query of events: what is asked, as parameters by name set it, for the search to find.

EPCIS 2.0 §8.2.7.1 (SimpleEventQuery).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self, TypeAlias

from sudonglian.records.querying.conditions import Condition
from sudonglian.records.querying.matching import Match
from sudonglian.records.querying.said import Resting

Order: TypeAlias = Literal["", "eventTime", "recordTime"]


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What is asked; everything must be fulfilled. What the tables hold as columns stands by itself."""

    since: datetime | None = None
    before: datetime | None = None
    recorded_since: datetime | None = None
    recorded_before: datetime | None = None
    event_ids: frozenset[str] | None = None
    transformation_ids: frozenset[str] | None = None
    declares_error: bool = False
    """Only error declarations are asked for."""
    matches: tuple[Match, ...] = ()
    conditions: tuple[Condition, ...] = ()
    resting: tuple[Resting, ...] = ()
    """Conditions that rest on what the asker has said of identifiers."""
    order_by: Order = ""
    """Empty: as they were taken."""
    descending: bool = True
    limit: int | None = None
    """Of all pages together (eventCountLimit)."""
    most: int | None = None
    """More than these are refused (maxEventCount)."""

    def with_condition(self, condition: Condition) -> Self:
        """Return the query that asks for this too."""
        return replace(self, conditions=(*self.conditions, condition))

    def with_resting(self, condition: Resting) -> Self:
        """Return the query that asks for this too, by master data."""
        return replace(self, resting=(*self.resting, condition))

    def with_match(self, match: Match) -> Self:
        """Return the query that asks for an identifier too."""
        return replace(self, matches=(*self.matches, match))
