"""Master data in the memory: what each firm says its identifiers stand for; for showing, never for proof.

EPCIS 2.0 §7.1; docs/decisions/0207. The last word of a firm about an identifier counts, and stands beside other firms'.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.records import derive
from sudonglian.records.epcis.master_data import Element
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.store import in_batches
from sudonglian.records.tables import MASTER_DATA


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
