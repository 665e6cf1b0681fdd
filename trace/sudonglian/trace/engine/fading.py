"""How long exposure lasts on a subject: until when what is exposed at a tick still exposes, and since when at the earliest.

tracing.md §3.2 and §3.7; docs/spec/facts.md §13. Whole numbers alone: no time is ever made of a float.
"""

from typing import NamedTuple, Protocol

from sudonglian.trace.engine.facts import OPEN_END, Micros


class Fading(Protocol):
    """Two functions that never decrease, each the other's inverse: last(a) ≥ t if and only if first(t) ≤ a."""

    def last(self, tick: Micros) -> Micros:
        """Return the last tick at which what was exposed at a tick still exposes."""

    def first(self, tick: Micros) -> Micros:
        """Return the first tick at which what still exposes at a tick can have been exposed."""


class For(NamedTuple):
    """A span that is the same at any time."""

    span: Micros

    def last(self, tick: Micros) -> Micros:
        """Return the end of the span."""
        return tick + self.span

    def first(self, tick: Micros) -> Micros:
        """Return its beginning."""
        return tick - self.span


class Ever(NamedTuple):
    """No end."""

    def last(self, tick: Micros) -> Micros:
        """Return a tick that nothing comes after."""
        return max(tick, 2 * OPEN_END)

    def first(self, tick: Micros) -> Micros:
        """Return a tick that nothing comes before."""
        return min(tick, -2 * OPEN_END)


EVER = Ever()
