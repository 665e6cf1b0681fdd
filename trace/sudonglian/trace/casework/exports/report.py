"""What a case's report says, in numbers that may be shown: counts of persons hide small ones and their neighbours.

docs/cases.md (Take it with you); docs/decisions/0803 and 0844. Pure but for what it is given.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sudonglian.trace.casework.counts import Counts, shown
from sudonglian.trace.casework.exports.contents import Contents, Row
from sudonglian.trace.casework.exports.masking import PERSON
from sudonglian.trace.casework.exports.stamp import Lang
from sudonglian.trace.engine.policies import policy_table
from sudonglian.trace.engine.rules import data

TESTED: Final = frozenset({"positive", "negative", "inconclusive"})

DAY: Final = 10
HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Lane:
    """A place of the timeline: since when and until when it counts as exposed, and from where it was reached."""

    place: str
    generation: int
    start: str
    end: str
    before: str


@dataclass(frozen=True, slots=True)
class Attack:
    """How many of those first exposed at a place were positive; None is hidden. `rate` in percent where it is known."""

    place: str
    exposed: int | None
    positive: int | None
    rate: str | None


def counted(rows: Iterable[Row], by: str, k: int) -> Counts:
    """Return how many persons there are by a column of the line list, or by day."""
    return shown(Counter(str(row.cells["earliest"])[:DAY] if by == "day" else str(row.cells[by]) for row in rows), k)


def attacks(rows: Iterable[Row], k: int) -> list[Attack] | None:
    """Return attack rates by the place of the earliest exposure, or None if no count of them may be told.

    Each person is in one cell of one table (place and whether positive), of which `counts.shown` hides cells; so no
    table by place or by result alone stands beside it. A rate needs both counts, and a result of everybody there.
    """
    listed = list(rows)
    cells = Counter((str(row.cells["place"]), row.cells["status"] == "positive") for row in listed)
    hidden = shown({f"{place}\x00{positive}": count for (place, positive), count in cells.items()}, k)
    if hidden.is_withheld:
        return None
    untested = {str(row.cells["place"]) for row in listed if row.cells["status"] not in TESTED}
    found = []
    for place in sorted({place for place, _ in cells}):
        positive, rest = (hidden.cells.get(f"{place}\x00{one}", 0) for one in (True, False))
        exposed = None if positive is None or rest is None else positive + rest
        rate = None
        if exposed and positive is not None and place not in untested:
            rate = f"{(1000 * positive + exposed // 2) // exposed / 10:.1f} %"
        found.append(Attack(place, exposed, positive, rate))
    return sorted(found, key=lambda one: (-(one.exposed or 0), one.place))


def lanes(contents: Contents) -> list[Lane]:
    """Return the places of the case, by when they were reached first."""
    found = []
    for row in contents.rows:
        if row.cells["kind"] == "place":
            cells = row.cells
            told = cells["member"], cells["generation"], cells["earliest"], cells["latest"], _before(row)
            found.append(Lane(*told))
    return sorted(found, key=lambda one: (one.start, one.place))


def goods(contents: Contents) -> list[tuple[str, str, int]]:
    """Return how many goods there are by the place of their exposure and by what was done about them."""
    found = Counter(
        (str(row.cells["place"]), str(row.cells["tasks"])) for row in contents.rows if row.cells["kind"] == "item"
    )
    return [(place, state, count) for (place, state), count in sorted(found.items(), key=lambda one: (-one[1], one[0]))]


def editions(contents: Contents, part: str) -> list[str]:
    """Return which editions of something the traces used."""
    return sorted({str(run.document["versions"].get(part, "")) for run in contents.runs} - {""})


def assumptions(name: str, lang: Lang) -> Iterator[tuple[str, str]]:
    """Yield what a policy assumes, each value with its source as the table has it."""
    table = next((one for one in data("policies.json")["policies"] if one["policy"] == name), None)
    if table is None:
        return
    yield name, policy_table()[name].zh if lang == "zh" else policy_table()[name].en
    for part in ("dwell", "persistence"):
        for kind, value in table[part].items():
            yield f"{part} {kind}", _sourced(value)
    for curve, value in table["curves"].items():
        for anchor in value["anchors"]:
            yield f"curve {curve}", _sourced(anchor)
        for one in ("gone", "unknown"):
            if one in value:
                yield f"curve {curve} {one}", _sourced(value[one])


def protocol(version: str, lang: Lang) -> tuple[str, str]:
    """Return which rules name the tiers, and where they come from."""
    table: dict[str, Any] = next((one for one in data("tiers.json")["editions"] if one["version"] == version), {})
    return str(table.get(lang, "")), str(table.get("source", ""))


def asked(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a question's parameters as text; lengths of time in hours."""
    for name, value in sorted(query.items()):
        if name.endswith("_us") and isinstance(value, int):
            yield name.removesuffix("_us"), f"{value // HOUR_US} h"
        elif isinstance(value, Mapping):
            hours = "; ".join(f"{kind} {_hours(one)}" for kind, one in sorted(value.items()))
            yield name.removesuffix("_us"), hours or "—"
        else:
            yield name, str(value) if value not in ("", -1) else "—"


def _hours(value: Any) -> str:
    if not isinstance(value, int):
        return str(value)
    return "∞" if value < 0 else f"{value / HOUR_US:g} h"


def _sourced(value: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {one}" for name, one in value.items() if name not in ("source", "seen"))
    return f"{told} ({value['source']})" if "source" in value else told


def _before(row: Row) -> str:
    """Return the place of the walk from which a place was reached."""
    earlier = [
        step["where"]["id"]
        for step in row.steps
        if step["where"]["kind"] in ("location", "vehicle") and step["where"]["id"] != row.cells["member"]
    ]
    return str(earlier[-1]) if earlier else ""


def seeds(contents: Contents) -> tuple[list[Any], int]:
    """Return the goods and places that the case began from, by time, and how many persons."""
    found = [one for one in contents.case.seeds.values() if one.kind != PERSON]
    people = sum(one.kind == PERSON for one in contents.case.seeds.values())
    return sorted(found, key=lambda one: (one.at_us, one.subject)), people
