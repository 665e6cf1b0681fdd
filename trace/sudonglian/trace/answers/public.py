"""What the public may see of a thing: what it is, where it comes from, which papers there are, how far it is proven.

service.md (resident); docs/decisions/0252. No party, no partner data, no person, no other customer of a lot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import digital_link
from sudonglian.chain.identifiers.digital_link import DigitalLink
from sudonglian.records import derive, history, master_data, naming, reader
from sudonglian.records.naming import Naming
from sudonglian.records.reader import StoredRecord
from sudonglian.trace.answers.lists import trade_item
from sudonglian.trace.engine.rules import fact_table, step_name

GOODS_CLASS: Final = "epcclass"
"""The end of the vocabulary in which firms describe goods for whoever buys them."""

PAPERS: Final = ("cert", "testres", "customs-declaration", "disinfection")
"""Kinds of papers that are named; their numbers are the partners'."""

PLACES: Final = ("414", "417")
"""Keys of places and firms: what is recorded of them is the partners' (docs/decisions/0225)."""

MAX_STEPS: Final = 30
"""A page holds so many; a pallet's whole way has fewer."""

FACTS: Final = {
    "origin": ("cbvmda:countryOfOrigin", "sdl:countryOfOrigin"),
    "produced": ("cbvmda:productionDate", "sdl:productionDate", "cbvmda:harvestEndDate"),
    "expires": ("cbvmda:itemExpirationDate", "cbvmda:bestBeforeDate", "sdl:expiryDate"),
    "plant": ("sdl:plantNo", "sdl:establishmentNo"),
}
NAME: Final = ("cbvmda:descriptionShort", "sdl:productName", "cbvmda:tradeItemDescription", "cbvmda:functionalName")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to it: when, what, at which place."""

    time_us: int
    step: str
    place: str
    place_name: str
    record_hash: str
    log_index: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """The public projection of a thing."""

    link: DigitalLink
    name: str
    """The identifier that records know: the link's own, or of its lot."""
    is_own: bool
    """Whether records speak of this very thing, not of its lot or kind alone."""
    called: str
    facts: dict[str, str]
    papers: tuple[str, ...]
    certificates: tuple[str, ...]
    """Certificates that the records name in the clear."""
    steps: tuple[Step, ...]
    records: int
    last: StoredRecord | None
    """The newest of the records that the page rests on."""

    @property
    def is_place(self) -> bool:
        """Whether it is a place or a firm, of which nothing is gathered in public, recorded or not."""
        return self.link.ai in PLACES

    def as_json(self) -> dict[str, Any]:
        """Return the document at the page's address."""
        return {
            "id": str(self.link),
            "known_as": self.name,
            "is_place": self.is_place,
            "own_records": self.is_own,
            "name": self.called or None,
            **{name: self.facts.get(name) for name in FACTS},
            "papers": [*self.papers],
            "certificates": [*self.certificates],
            "steps": [
                {
                    "time": derive.moment(one.time_us).isoformat(),
                    "step": one.step,
                    "place": one.place or None,
                    "place_name": one.place_name or None,
                    "record": one.record_hash,
                }
                for one in self.steps
            ],
            "records": self.records,
        }


def known_name(connection: Connection, link: DigitalLink) -> str | None:
    """Return the name under which records or firms know a thing: its own, else its lot's, else its kind's.

    A kind of goods is known by any of its lots; an item whose lot nobody has recorded is not known. A place or a firm
    always is: whether records name it is not for everybody.
    """
    if link.ai in PLACES:
        return str(link)
    for one in _names(link):
        if naming.is_named(connection, one) or (
            one == str(link) and not link.qualifiers and naming.has_lots(connection, one)
        ):
            return one
    return None


def shown(connection: Connection, link: DigitalLink, name: str) -> Shown:
    """Return what the public may see of a thing that `known_name` knows; of a place nothing but its number."""
    if link.ai in PLACES:
        return Shown(link, name, True, "", {}, (), (), (), 0, None)
    found = Naming(connection)
    # What was put into it, or what it was made of, is shown as it came into being; where else a lot went is its
    # buyers' business, and so is the way of a lot itself.
    origins = [
        one.event
        for one in history.walk(found.of, name, "back", found.transformation)
        if one.relation in ("self", "content", "input") and _made(one.event, one.through)
    ]
    own = [one for one in found.of(name) if not one.in_error]
    way = history.carried(found.of, name) if _is_single(name) else []
    seen = sorted(
        {one.record_hash: one for one in (*origins, *way) if not one.in_error}.values(), key=lambda one: one.order
    )
    records = [found.records[one.record_hash] for one in seen]
    goods = [found.records[one.record_hash] for one in own]
    facts: dict[str, str] = {}
    for _, event in (*goods, *records):
        for word, members in FACTS.items():
            if said := _said(event, members):
                facts.setdefault(word, said)
    last = max(
        (stored for stored, _ in records), key=lambda one: (one.log_index is None, one.log_index or 0), default=None
    )
    return Shown(
        link, name, name == str(link) or name in _finest(link), _called(connection, name, [event for _, event in goods]), facts,
        tuple(_papers(connection, [stored for stored, _ in records])), tuple(_certificates(event for _, event in records)),
        tuple(_step(stored, event) for stored, event in records)[-MAX_STEPS:], len(records), last,
    )  # fmt: skip


def _names(link: DigitalLink) -> Iterator[str]:
    """Yield the names of a thing from the finest: EPC URNs leave an item's lot out, and records may name the lot alone."""
    yield str(link)
    yield from (one for one in _finest(link) if one != str(link))
    qualifiers = dict(link.qualifiers)
    if "10" in qualifiers and "21" in qualifiers:
        yield str(DigitalLink(link.ai, link.value, (("10", qualifiers["10"]),)))


def _finest(link: DigitalLink) -> tuple[str, ...]:
    serial = dict(link.qualifiers).get("21")
    return (str(DigitalLink(link.ai, link.value, (("21", serial),))),) if serial else ()


def _is_single(name: str) -> bool:
    known = digital_link.parse(name)
    return known is not None and (known.ai != "01" or "21" in dict(known.qualifiers))


def _made(event: history.Event, name: str) -> bool:
    return name in event.of("output", "output_quantity") or (
        event.action == "ADD" and name in event.of("epc", "quantity")
    )


def _said(event: dict[str, Json], members: Sequence[str]) -> str:
    ilmd = event.get("ilmd")
    for holder in (ilmd if isinstance(ilmd, dict) else {}, event):
        for member in members:
            value = holder.get(member)
            if isinstance(value, str) and value.strip():
                return value.strip()
    return ""


def _called(connection: Connection, name: str, events: Sequence[dict[str, Json]]) -> str:
    """Return what the goods are called: by their records, else by what a firm says of their kind."""
    for event in events:
        if said := _said(event, NAME):
            return said
    wanted = {name, trade_item(name)}
    for one in master_data.described(connection, wanted):
        if one.element.vocabulary.lower().replace("/", ":").rpartition(":")[2] == GOODS_CLASS and one.element.name:
            return one.element.name
    return ""


def _papers(connection: Connection, records: Sequence[StoredRecord]) -> Iterator[str]:
    kept = reader.withheld(
        connection, [one.id for one in records], ["bizTransactionList", "sdl:disinfection", "sdl:labTest"]
    )
    kinds: set[str] = set()
    for members in kept.values():
        listed = members.get("bizTransactionList")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict):
                kinds.add(
                    step_name(str(one.get("type") or "")).replace("/", ":").rpartition(":")[2].removeprefix("BTT-")
                )
    yield from (one for one in PAPERS if one in kinds)


def _certificates(events: Iterator[dict[str, Json]]) -> Iterator[str]:
    found: dict[str, None] = {}
    for event in events:
        value = event.get("certificationInfo")
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one:
                found[one] = None
    yield from found


def _step(stored: StoredRecord, event: dict[str, Json]) -> Step:
    place: Json = event.get("readPoint") or event.get("bizLocation")
    uri, called = (place.get("id"), place.get("sdl:name")) if isinstance(place, dict) else (None, None)
    return Step(
        stored.event_time_us,
        fact_table().step(str(event.get("bizStep") or "")),
        uri if isinstance(uri, str) else "",
        called if isinstance(called, str) else "",
        stored.record_hash.hex(),
        stored.log_index,
    )
