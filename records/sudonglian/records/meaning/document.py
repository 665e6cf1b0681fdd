"""The meaning of a document: events that cannot be right together.

records.md (layer 2); docs/profiles.md lists the codes. All are warnings: a file shows a part of what happened.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records.epcis.findings import Finding, pointer, warning
from sudonglian.records.meaning.kinds import within_itself
from sudonglian.records.profiles.goods import Families, Told

LEAVING: Final = frozenset({"shipping", "departing"})
ENTERING: Final = frozenset({"receiving", "arriving", "accepting"})

RULE: Final = "EPCIS 2.0 §7.4"


def check_document(events: Sequence[Told]) -> Iterator[tuple[int, Finding]]:
    """Yield what cannot be right between the events of one document, which may stand in any order."""
    ordered = sorted(events, key=lambda one: one.at)
    yield from _packing(ordered)
    yield from _moves(ordered)
    yield from _releases(ordered)


def _packing(ordered: Sequence[Told]) -> Iterator[tuple[int, Finding]]:
    inside: dict[str, str] = {}
    known: set[str] = set()
    """Parents that were filled within the document: what is not in them was never put in."""
    for one in ordered:
        if one.event.get("type") != "AggregationEvent" or one.parent is None:
            continue
        action = one.event.get("action")
        children = _children(one)
        if action == "ADD":
            for place, child in children:
                holder = inside.get(child)
                if holder is not None:
                    zh, en = f"已在 {holder} 中,未取出又装入", f"is in {holder} already, and was not taken out"
                    yield one.index, warning("packed-twice", one.pointer + place, RULE + ".3", zh, en)
                if child != one.parent and child in _around(inside, one.parent):
                    yield one.index, within_itself(one.pointer + place)
                inside[child] = one.parent
            known.add(one.parent)
        elif action == "DELETE":
            for place, child in children:
                if inside.pop(child, None) != one.parent and one.parent in known:
                    zh, en = f"从未装入 {one.parent}", f"was never put into {one.parent}"
                    yield one.index, warning("unpacked-never-packed", one.pointer + place, RULE + ".3", zh, en)
            if not children and not one.event.get("childQuantityList"):
                inside = {child: holder for child, holder in inside.items() if holder != one.parent}


def _around(inside: Mapping[str, str], name: str) -> Iterator[str]:
    """Yield what a thing is inside, from the innermost; what was packed in a ring ends where it began."""
    seen = {name}
    while (holder := inside.get(name)) is not None and holder not in seen:
        yield holder
        seen.add(holder)
        name = holder


def _children(one: Told) -> list[tuple[str, str]]:
    listed = one.event.get("childEPCs")
    return [
        (pointer("childEPCs", index), normal(uri))
        for index, uri in enumerate(listed if isinstance(listed, list) else ())
        if isinstance(uri, str)
    ]


def _moves(ordered: Sequence[Told]) -> Iterator[tuple[int, Finding]]:
    seen: dict[str, set[str]] = {}
    arrived: dict[tuple[str, str], Told] = {}
    left: set[tuple[str, str]] = set()
    families = Families()
    for one in ordered:
        families.add(one)
        here, there = _site(one.event.get("readPoint")), _site(one.event.get("bizLocation"))
        if one.step in LEAVING:
            leaves = here or there
            for name in one.goods:
                bound = _destinations(one)
                early = next((arrived[name, site] for site in bound if (name, site) in arrived), None)
                if early is not None and early.at < one.at and (name, "") not in left:
                    zh, en = "到达早于出发", "arrives before it departs"
                    place = f"{early.pointer}/eventTime"
                    yield early.index, warning("arrives-before-departing", place, RULE, zh, en)
                elif leaves is not None and (been := _been(name, families, seen)) and leaves not in been:
                    member = "readPoint" if here else "bizLocation"
                    zh, en = f"{name} 从未进入此地点", f"{name} never entered this place"
                    place = f"{one.pointer}/{member}"
                    yield one.index, warning("left-without-entering", place, RULE, zh, en)
                left.add((name, ""))
        elif one.step in ENTERING:
            for name in one.goods:
                for site in {here, there} - {None}:
                    arrived.setdefault((name, str(site)), one)
        for name in one.names:
            seen.setdefault(name, set()).update(site for site in (here, there) if site is not None)


def _been(name: str, families: Families, seen: dict[str, set[str]]) -> set[str]:
    """Return where goods have been, themselves or in what they were packed in."""
    return {site for one in families.around(name) for site in seen.get(one, ())}


def _destinations(one: Told) -> list[str]:
    listed = one.event.get("destinationList")
    sites = (
        _site({"id": element.get("destination")})
        for element in (listed if isinstance(listed, list) else ())
        if isinstance(element, dict)
    )
    return [site for site in sites if site is not None]


def _site(place: Json) -> str | None:
    """Return the site of a place: rooms of one GLN are one site, and a party's GLN is its own site's.

    >>> _site({"id": "https://id.gs1.org/414/9520001001017/254/pack"})
    'gln:9520001001017'
    """
    uri = place.get("id") if isinstance(place, dict) else None
    if not isinstance(uri, str):
        return None
    name = normal(uri)
    for ai in ("414", "417"):
        head = f"https://id.gs1.org/{ai}/"
        if name.startswith(head):
            return "gln:" + name.removeprefix(head).partition("/")[0]
    return name


RELEASE: Final = "urn:sudonglian:bt:exit-permit"


def _releases(ordered: Sequence[Told]) -> Iterator[tuple[int, Finding]]:
    released: dict[str, Told] = {}
    tested: set[str] = set()
    for one in ordered:
        listed = one.event.get("bizTransactionList")
        kinds = {
            element.get("type") for element in (listed if isinstance(listed, list) else ()) if isinstance(element, dict)
        }
        if "sdl:labTest" in one.event or "testres" in kinds:
            for name in one.goods:
                early = released.get(name)
                if early is not None and name not in tested and early.at < one.at:
                    zh, en = "放行早于检测", "was released before it was tested"
                    place = f"{early.pointer}/eventTime"
                    yield (
                        early.index,
                        warning("released-before-test", place, "进口冷链食品预防性全面消毒工作方案 (2020)", zh, en),
                    )
                tested.add(name)
        if RELEASE in kinds:
            for name in one.goods:
                released.setdefault(name, one)
