"""What the linked views of an answer are drawn from in the browser: columns of members, and places with their route.

docs/decisions/0860. The same as the tables beside the views say; times are whole seconds since 1970.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sudonglian.api.pages.answer import KINDS, Answer
from sudonglian.api.pages.language import texts, word
from sudonglian.api.pages.times import told
from sudonglian.api.settings import Lang
from sudonglian.trace.casework.geojson import Told
from sudonglian.trace.engine.pictures import route
from sudonglian.trace.engine.pictures.route import ROOT, Stop
from sudonglian.trace.engine.pictures.times import local

WORDS: Final = "views."

NOWHERE: Final = -1

UNDATED: Final = None

COLUMNS: Final = (
    *("id", "name", "since", "until", "from", "by", "people", "items", "evidence", "longitude", "latitude"),
)


def views(answer: Answer, seed: str, said: Told) -> dict[str, Any]:
    """Return everything that the views show of an answer, in the reader's language."""
    stops = route.stops(answer.rows, answer.names.of, backward=answer.backward)
    rows = {row.key: row for row in answer.rows if row.kind == "place"}
    place = {rows[stop.key].id: at for at, stop in enumerate(stops)}
    others = dict.fromkeys(row.place for row in answer.rows if row.place and row.place not in place)
    place |= {name: at for at, name in enumerate(others, len(place))}
    counted = Counter((row.place, row.kind) for row in answer.rows)
    tiers = [*dict.fromkeys((row.tier, row.tier_name) for row in answer.rows)]
    number = {tier: at for at, tier in enumerate(tiers)}
    return {
        "backward": answer.backward,
        "seed": seed,
        "words": words(answer.names.lang),
        "tiers": [{"id": name, "name": title} for name, title in tiers],
        "places": [
            *(_stop(stop, rows[stop.key].id, rows[stop.key].intervals, said) for stop in stops),
            *(_other(answer, name, counted, said) for name in others),
        ],
        "members": {
            "kind": [KINDS.index(row.kind) for row in answer.rows],
            "id": [row.id for row in answer.rows],
            "name": [row.name for row in answer.rows],
            "tier": [number[row.tier, row.tier_name] for row in answer.rows],
            "certain": [int(row.evidence == "certain") for row in answer.rows],
            "time": [seconds(row.time) for row in answer.rows],
            "generation": [row.generation for row in answer.rows],
            "place": [place.get(row.place, NOWHERE) for row in answer.rows],
            "reason": [row.reason for row in answer.rows],
        },
    }


def words(lang: Lang) -> dict[str, str]:
    """Return the words of the views; in braces stand the names of what the script fills in."""
    return {key.removeprefix(WORDS): both[lang] for key, both in texts().items() if key.startswith(WORDS)}


def _stop(stop: Stop, name: str, spans: Sequence[tuple[str, str]], said: Told) -> dict[str, Any]:
    return {
        "id": name,
        "name": stop.name,
        "kind": stop.kind,
        "certain": int(stop.evidence == "certain"),
        "time": seconds(stop.time),
        "spans": [[seconds(start), seconds(end)] for start, end in spans],
        "previous": stop.previous,
        "carrier": stop.carrier,
        "people": stop.people,
        "goods": stop.goods,
        "point": _point(name, said),
    }


def _other(answer: Answer, name: str, counted: Counter[tuple[str, str]], said: Told) -> dict[str, Any]:
    """Return a place where somebody was reached, which is not itself on the list."""
    return {
        "id": name,
        "name": answer.names.thing(name),
        "kind": "location",
        "certain": 1,
        "time": UNDATED,
        "spans": [],
        "previous": NOWHERE,
        "carrier": "",
        "people": counted[name, "person"],
        "goods": counted[name, "item"],
        "point": _point(name, said),
    }


def _point(name: str, said: Told) -> list[float] | None:
    point = said.points.get(name)
    return None if point is None else [float(value) for value in point]


def seconds(text: str) -> int | None:
    """Return a time as whole seconds since 1970, rounded down; None for an open end.

    >>> seconds("1970-01-01T00:01:00.999999Z"), seconds("")
    (60, None)
    """
    moment = local(text)
    return UNDATED if moment is None else int(moment.timestamp() // 1)


def places(answer: Answer, seed: str, said: Told) -> list[dict[str, Any]]:
    """Return the places of an answer in the order of its route, each with what the pictures show of it."""
    stops = route.stops(answer.rows, answer.names.of, backward=answer.backward)
    rows = {row.key: row for row in answer.rows if row.kind == "place"}
    return [
        {
            "id": rows[stop.key].id,
            "name": stop.name,
            "since": stop.time,
            "until": max((end or "" for _, end in rows[stop.key].intervals), default="")
            if all(end for _, end in rows[stop.key].intervals)
            else "",
            "from": stops[stop.previous].name if stop.previous != ROOT else seed,
            "by": stop.carrier,
            "people": stop.people,
            "items": stop.goods,
            "evidence": stop.evidence,
            "point": _point(rows[stop.key].id, said),
        }
        for stop in stops
    ]


def listed(answer: Answer, found: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Yield the lines of a table of places, its headings first."""
    lang = answer.names.lang
    yield tuple(word(lang, f"places.{name}") for name in COLUMNS)
    for one in found:
        longitude, latitude = (str(value) for value in one["point"] or ("", ""))
        yield (
            *(one["id"], one["name"], told(one["since"]), told(one["until"]) if one["until"] else ""),
            *(one["from"], one["by"], str(one["people"]), str(one["items"])),
            *(word(lang, f"evidence.{one['evidence']}"), longitude, latitude),
        )
