"""What a trace refuses, as a branch of the project's error tree.

House rule 4 (one tree, stable slugs); each error names the value that it refuses.
"""

from typing import ClassVar

from sudonglian.chain.errors import SudonglianError


class TraceError(SudonglianError):
    """A question that cannot be answered as asked."""

    slug: ClassVar[str] = "trace"


class QueryRefused(TraceError):
    """A query whose parts contradict each other or are out of range."""

    slug = "trace-query"


class SeedUnknown(TraceError):
    """A seed that no record of the log names."""

    slug = "trace-seed-unknown"

    def __init__(self, seed: str, seed_place: str | None = None) -> None:
        where = f" at {seed_place!r}" if seed_place else ""
        super().__init__(f"no record names {seed!r}{where}", place="seed")
        self.seed, self.seed_place = seed, seed_place


class EventRefused(TraceError):
    """An event view that cannot be read as facts (its record should never have been stored so)."""

    slug = "trace-event"


class TableRefused(TraceError):
    """A rule table (facts, tiers, policy) that is malformed."""

    slug = "trace-table"
