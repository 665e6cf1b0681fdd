"""Master data in the memory: what each firm says its identifiers stand for; for showing, never for proof.

EPCIS 2.0 §7.1; docs/decisions/0207, 0750. The last word of a firm about an identifier counts, and stands beside other firms'.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, or_, select

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records import derive
from sudonglian.records.epcis.master_data import Element
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.querying.errors import QueryTooComplex
from sudonglian.records.querying.said import attribute_name
from sudonglian.records.store import in_batches
from sudonglian.records.tables import MASTER_DATA

PLACES: Final = ("BusinessLocation", "ReadPoint")
"""How the types of vocabularies of places end (EPCIS 2.0 §7.2)."""

SITE: Final = "urn:epcglobal:cbv:mda:site"
"""The attribute of a part of a site that names the site, by 13 digits or by URI (CBV 2.0 §9)."""

EXTENSION: Final = "/254/"
"""Before the extension of a GLN: a part of the place."""

MAX_PLACES: Final = 100_000
"""Of one firm, looked through for one question of what lies within a place: about a second."""


@dataclass(frozen=True, slots=True)
class Described:
    """What one firm says about one identifier."""

    submitter: str
    element: Element
    told_us: int

    def as_json(self) -> dict[str, Any]:
        """Return the members that commands print."""
        return {
            "id": self.element.uri,
            "vocabulary": self.element.vocabulary,
            "name": self.element.name,
            "attributes": [{"id": name, "attribute": value} for name, value in self.element.attributes],
            "children": [*self.element.children],
            "submitter": self.submitter,
            "told_at": derive.moment(self.told_us).isoformat(),
        }


def put(connection: Connection, submitter: str, elements: Sequence[Element], now: datetime) -> None:
    """Keep what a firm says; what it said of the same identifiers before is replaced."""
    saying = {(one.normal, one.vocabulary): one for one in elements}
    table = MASTER_DATA.c
    for batch in in_batches(sorted({name for name, _ in saying})):
        before = select(table.id, table.normal, table.vocabulary).where(
            table.submitter == submitter, table.normal.in_(batch)
        )
        old = [row.id for row in connection.execute(before) if (row.normal, row.vocabulary) in saying]
        for ids in in_batches(old):
            connection.execute(delete(MASTER_DATA).where(table.id.in_(ids)))
    rows = [
        {
            "submitter": submitter,
            "normal": name,
            "vocabulary": vocabulary,
            "uri": one.uri,
            "body": canonical.encode(_body(one)),
            "told_us": derive.micros(now),
        }
        for (name, vocabulary), one in saying.items()
    ]
    if rows:
        connection.execute(insert(MASTER_DATA), rows)


def described(connection: Connection, names: Collection[str] | None = None, limit: int = 1_000) -> list[Described]:
    """Return what is said about identifiers in their normal form, or about all of them; the latest word first."""
    table = MASTER_DATA.c
    query = select(MASTER_DATA).order_by(table.told_us.desc(), table.id).limit(limit)
    if names is None:
        return [_described(row) for row in connection.execute(query)]
    found: list[Described] = []
    for batch in in_batches(sorted(names)):
        found += (_described(row) for row in connection.execute(query.where(table.normal.in_(batch))))
    return sorted(found, key=lambda one: -one.told_us)


def names_of(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    """Return what identifiers, in their normal form, are called; the latest word counts, whoever says it."""
    found: dict[str, str] = {}
    for one in described(connection, frozenset(names)):
        if (name := one.element.name) is not None:
            found.setdefault(one.element.normal, name)
    return found


class OwnWord:
    """What one firm has said of identifiers, for a search of its own events (`querying.said.Said`)."""

    def __init__(self, connection: Connection, submitter: str) -> None:
        self.connection = connection
        self.submitter = submitter
        self._attributes: dict[str, tuple[tuple[str, Json], ...]] = {}

    def learn(self, names: Iterable[str]) -> None:
        """Look identifiers up, many at once; those that were looked up stay known."""
        table = MASTER_DATA.c
        asked = {name for name in names if name not in self._attributes}
        self._attributes.update(dict.fromkeys(asked, ()))
        for batch in in_batches(sorted(asked)):
            query = select(MASTER_DATA).where(table.submitter == self.submitter, table.normal.in_(batch))
            for row in self.connection.execute(query.order_by(table.told_us, table.id)):
                self._attributes[row.normal] += _described(row).element.attributes

    def attributes(self, name: str) -> tuple[tuple[str, Json], ...]:
        """Return the attributes of an identifier in its normal form, of all vocabularies that it was described in."""
        self.learn([name])
        return self._attributes[name]

    def within(self, names: Collection[str]) -> frozenset[str]:
        """Return these places and all that lie within them, by children, by site, or by extension of a GLN.

        Raises
        ------
        QueryTooComplex
            The firm has described more places than are looked through for one question.
        """
        inner: dict[str, set[str]] = {}
        for one in self._places():
            for child in one.children:
                inner.setdefault(one.normal, set()).add(normal(child))
            for name, value in one.attributes:
                if attribute_name(name, {}) == SITE and isinstance(value, str):
                    inner.setdefault(_site(value.strip()), set()).add(one.normal)
        for name in [*inner, *(each for them in inner.values() for each in them)]:
            whole, mark, _ = name.partition(EXTENSION)
            if mark:
                inner.setdefault(whole, set()).add(name)
        found, pending = set(names), list(names)
        while pending:
            new = inner.get(pending.pop(), set()) - found
            found |= new
            pending += new
        return frozenset(found)

    def _places(self) -> Iterator[Element]:
        table = MASTER_DATA.c
        places = or_(*(table.vocabulary.like(f"%{kind}") for kind in PLACES))
        query = select(MASTER_DATA).where(table.submitter == self.submitter, places).order_by(table.id)
        for count, row in enumerate(self.connection.execute(query.limit(MAX_PLACES + 1))):
            if count == MAX_PLACES:
                raise QueryTooComplex(f"more than {MAX_PLACES} places are described", place="WD_")
            yield _described(row).element


def _site(value: str) -> str:
    return normal(f"https://id.gs1.org/414/{value}" if re.fullmatch("[0-9]{13}", value) else value)


def _body(element: Element) -> Json:
    attributes: list[Json] = [{"id": name, "attribute": value} for name, value in element.attributes]
    return {"attributes": attributes, "children": [*element.children]}


def _described(row: Any) -> Described:
    body: Any = canonical.parse_stored(row.body)
    try:
        attributes = tuple((one["id"], one["attribute"]) for one in body["attributes"])
        element = Element(row.vocabulary, row.uri, attributes, tuple(body["children"]))
    except (KeyError, TypeError) as error:
        raise StoreCorrupt("not what was kept", place=f"master_data/{row.id}") from error
    return Described(row.submitter, element, row.told_us)
