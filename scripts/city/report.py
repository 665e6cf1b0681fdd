"""How right each method is over many seeds of a kind of world: recall, precision, and intervals over the seeds.

docs/simulation.md; a seed is a city of its own, so the interval is of what another city of the kind would give.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean
from typing import Any, Final, NamedTuple

import numpy as np
from scripts.city.inquiry import ENGINE, METHODS, NEAREST, ONE_HOP, SAME_LOT, lists
from scripts.city.simulation import Simulation
from scripts.city.world import WORLDS, phone, world_of

ASKED: Final = (ENGINE, NEAREST)
RESAMPLES: Final = 4_000
"""Of the bootstrap of a mean over the seeds."""
INTERVAL: Final = (2.5, 97.5)
SPREAD: Final = (5, 95)
WHAT: Final = ("people", "units")
CHUNK: Final = 4


_Task = tuple[str, int, Mapping[str, str]]


class Line(NamedTuple):
    """One seed, one method: how many were listed, really exposed, and both."""

    world: str
    seed: int
    what: str
    method: str
    listed: int
    exposed: int
    both: int

    @property
    def recall(self) -> float | None:
        """Return the share of the exposed that is listed; nothing if nobody was exposed."""
        return self.both / self.exposed if self.exposed else None

    @property
    def precision(self) -> float | None:
        """Return the share of the listed that was exposed; nothing if nobody is listed."""
        return self.both / self.listed if self.listed else None


def lines_of(name: str, seed: int, changes: Mapping[str, str] | None = None) -> list[Line]:
    """Return how each method did in one city."""
    simulation = Simulation(world_of(name, changes), seed)
    events = list(simulation.events())
    sampled = simulation.sampled
    if sampled is None:
        return []
    truth = {
        "people": frozenset(map(phone, simulation.truth.people)),
        "units": frozenset(simulation.truth.units) - {sampled.pallet},
    }
    found = []
    for method, listed in lists(events, sampled).items():
        for what in WHAT:
            told: frozenset[str] = getattr(listed, what)
            found.append(
                Line(name, seed, what, method, len(told), len(truth[what]), len(told & truth[what]))
            )  # fmt: skip
    return found


def run(
    worlds: Sequence[str],
    seeds: int,
    jobs: int,
    progress: Callable[[int, int], None],
    changes: Mapping[str, str] | None = None,
) -> list[Line]:
    """Run every seed of every world; the lines come in the same order whatever the number of jobs."""
    tasks = [(name, seed, changes or {}) for name in worlds for seed in range(1, seeds + 1)]
    found: list[Line] = []
    for done, lines in enumerate(_mapped(tasks, jobs), 1):
        found += lines
        progress(done, len(tasks))
    return found


def _mapped(tasks: Sequence[_Task], jobs: int) -> Iterator[list[Line]]:
    if jobs == 1:
        yield from (lines_of(*task) for task in tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_lines_of, tasks, chunksize=CHUNK)


def _lines_of(task: _Task) -> list[Line]:
    return lines_of(*task)


def summary(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Return recall, precision and size of the lists by world, kind of member and method, each with its intervals."""
    grouped: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        grouped.setdefault((line.world, line.what, line.method), []).append(line)
    told = []
    for world in WORLDS:
        for what in WHAT:
            for method in METHODS:
                some = grouped.get((world, what, method))
                if some:
                    base = grouped[world, what, ONE_HOP], grouped[world, what, SAME_LOT]
                    told.append({"world": world, "what": what, "method": method, **_measured(some, *base)})
    return told


def _measured(some: Sequence[Line], by_hand: Sequence[Line], by_lot: Sequence[Line]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "cities": len(some),
        "listed": round(fmean(one.listed for one in some), 2),
        "exposed": round(fmean(one.exposed for one in some), 2),
    }
    for measure in ("recall", "precision"):
        values = [value for one in some if (value := getattr(one, measure)) is not None]
        found[measure] = _interval(values)
        for name, base in ((ONE_HOP, by_hand), (SAME_LOT, by_lot)):
            pairs = [(getattr(one, measure), getattr(other, measure)) for one, other in zip(some, base, strict=True)]
            apart = [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]
            if some[0].method in ASKED:
                found[measure][f"minus {name}"] = _interval(apart)
    return found


def _interval(values: Sequence[float]) -> dict[str, Any]:
    """Return the mean, its 95 % bootstrap interval over the seeds, and where 90 % of the seeds lie."""
    if not values:
        return {"mean": None, "low": None, "high": None, "p5": None, "p95": None, "cities": 0}
    array = np.array(values)
    dice = np.random.default_rng(len(values))
    means = array[dice.integers(0, len(array), (RESAMPLES, len(array)))].mean(axis=1)
    low, high = np.percentile(means, INTERVAL)
    p5, p95 = np.percentile(array, SPREAD)
    named = {"mean": array.mean(), "low": low, "high": high, "p5": p5, "p95": p95}
    return {**{name: round(float(value), 3) for name, value in named.items()}, "cities": len(values)}


def verdict(apart: dict[str, Any]) -> str:
    """Return in a word whether we are ahead: only if the whole interval says so."""
    if apart["mean"] is None:
        return "?"
    return "ahead" if apart["low"] > 0 else "BEHIND" if apart["high"] < 0 else "even"


def table(told: Sequence[dict[str, Any]], what: str) -> Iterator[str]:
    """Yield the summary as lines of a Markdown table."""
    yield "| world | method | listed | recall | precision |"
    yield "|---|---|---|---|---|"
    for one in told:
        if one["what"] == what:
            cells = (_cell(one["recall"]), _cell(one["precision"]))
            yield f"| {one['world']} | {one['method']} | {one['listed']:.1f} of {one['exposed']:.1f} | {cells[0]} | {cells[1]} |"


def compared(told: Sequence[dict[str, Any]], what: str) -> Iterator[str]:
    """Yield, as a Markdown table, where the engine is ahead or behind, asked in two ways."""
    yield "| world | method | against | recall | precision |"
    yield "|---|---|---|---|---|"
    for one in told:
        if one["what"] == what and one["method"] in ASKED:
            for base in (ONE_HOP, SAME_LOT):
                apart = [one[measure][f"minus {base}"] for measure in ("recall", "precision")]
                cells = [f"{verdict(each)} {_signed(each)}" for each in apart]
                yield f"| {one['world']} | {one['method']} | {base} | {cells[0]} | {cells[1]} |"


def _cell(told: dict[str, Any]) -> str:
    if told["mean"] is None:
        return "–"
    return f"{told['mean']:.2f} [{told['low']:.2f}, {told['high']:.2f}] ({told['p5']:.2f}–{told['p95']:.2f})"


def _signed(told: dict[str, Any]) -> str:
    return "–" if told["mean"] is None else f"{told['mean']:+.2f} [{told['low']:+.2f}, {told['high']:+.2f}]"
