"""tracing.md §3, definitions 1-3, word for word: every arrival of every walk, found by trying all rows until nothing changes."""

from collections.abc import Sequence

Row = tuple[int, int, int, int | None]
"""Source, target, start, end; an end of None is an instant."""


def arrivals(
    rows: Sequence[Row],
    seed: int,
    *,
    at: int | None = None,
    until: int | None = None,
    step: int = 0,
    max_wait: int | None = None,
    strict: bool = False,
) -> dict[int, int]:
    """Return the earliest arrival at everybody whom the seed reaches."""
    states: set[tuple[int, int | None]] = {(seed, None)}
    changed = True
    while changed:
        changed = False
        for u, v, start, end in rows:
            for party, arrived in states.copy():
                if party != u or v == u:
                    continue
                source = at if arrived is None else arrived
                earliest = start if source is None else max(source, start)
                # In an interval a contact passes on at any tick; an instant has one.
                for begins in [start] if end is None else range(earliest, end):
                    fits = source is None or begins >= source
                    if end is None:
                        fits = fits and (until is None or begins <= until)
                        fits = fits and not (strict and arrived is not None and begins <= arrived)
                    else:
                        fits = begins + step <= end and (until is None or begins + step < until)
                    if max_wait is not None and source is not None:
                        fits = fits and begins - source <= max_wait
                    if fits and (v, begins + step) not in states:
                        states.add((v, begins + step))
                        changed = True
    found: dict[int, int] = {}
    for party, arrived in states:
        if arrived is not None and party != seed:
            found[party] = min(arrived, found.get(party, arrived))
    return found
