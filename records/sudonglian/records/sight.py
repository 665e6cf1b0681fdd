"""Sight: which records a firm may read: its own, and one step up or down those that concern a handoff with it.

service.md (who comes in: a firm sees its own and its direct partners' one step up/down); docs/decisions/0772.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, or_, select

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records.interviews import STEP
from sudonglian.records.reader import StoredRecord
from sudonglian.records.tables import HANDOFFS, IDENTIFIERS, RECORDS
from sudonglian.records.visibility import Visibility, visibility_of

PARTY_TYPES: Final = frozenset({"possessing_party", "owning_party"})
"""CBV 2.0 §7.4.2; a `location` is no party."""

INTERVIEWING: Final = f'"bizStep":"{STEP}"'.encode()
"""In the canonical form of a record of an interview, whoever has submitted it."""


@dataclass
class Sight:
    """What one firm may see of all records; of each record it is found out once."""

    connection: Connection
    firm: str
    _party: str = field(init=False)
    _seen: dict[bytes, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._party = normal(self.firm)

    def may_read(self, record: StoredRecord) -> bool:
        """Return whether the firm may read what a record says in the clear; an interview's no firm reads."""
        if INTERVIEWING in record.body:
            return False
        if record.submitter == self.firm:
            return True
        known = self._seen.get(record.record_hash)
        if known is None:
            event = record.event()
            known = self._party in parties(event) or self._packed_for_it(record, event)
            self._seen[record.record_hash] = known
        return known

    def may_disclose(self, record: StoredRecord, names: Iterable[str]) -> bool:
        """Return whether the firm may read withheld members: its own, of a partner's record those for partners."""
        if record.submitter == self.firm and INTERVIEWING not in record.body:
            return True
        return self.may_read(record) and all(visibility_of(one) is Visibility.PARTNER for one in names)

    def _packed_for_it(self, record: StoredRecord, event: dict[str, Json]) -> bool:
        """Return whether a partner's record tells what is in a unit that the same partner then handed to the firm.

        The next handoff counts: a container comes back, and is packed for somebody else (docs/decisions/0814).
        """
        unit = event.get("parentID")
        if event.get("type") != "AggregationEvent" or not isinstance(unit, str):
            return False
        query = (
            select(HANDOFFS.c.consignee, RECORDS.c.event_time_us)
            .join(RECORDS, RECORDS.c.id == HANDOFFS.c.record_id)
            .join(IDENTIFIERS, IDENTIFIERS.c.record_id == HANDOFFS.c.record_id)
            .where(
                RECORDS.c.submitter == record.submitter,
                RECORDS.c.event_time_us >= record.event_time_us,
                HANDOFFS.c.taken_back.is_(False),
                IDENTIFIERS.c.normal == normal(unit),
            )
        )
        handed = self.connection.execute(query.order_by(RECORDS.c.event_time_us)).all()
        return any(one.consignee == self._party for one in handed if one.event_time_us == handed[0].event_time_us)


def parties(event: dict[str, Json]) -> frozenset[str]:
    """Return the parties that an event names as before or after it, as normal URIs.

    >>> sorted(parties({"destinationList": [{"type": "owning_party", "destination": "urn:epc:id:pgln:0614141.12345"}]}))
    ['https://id.gs1.org/417/0614141123452']
    """
    found = set()
    for member, name in (("sourceList", "source"), ("destinationList", "destination")):
        listed = event.get(member)
        for one in listed if isinstance(listed, list) else []:
            if isinstance(one, dict) and one.get("type") in PARTY_TYPES and isinstance(uri := one.get(name), str):
                found.add(normal(uri))
    return frozenset(found)


def handed(
    connection: Connection, firm: str, limit: int, before: int | None = None
) -> list[tuple[StoredRecord, str, str]]:
    """Return the handoffs with a firm that others have recorded, the newest first, with who gave and who took."""
    party = normal(firm)
    columns = tuple(RECORDS.c[name] for name in StoredRecord.__slots__)
    query = (
        select(*columns, HANDOFFS.c.consignor, HANDOFFS.c.consignee)
        .join(HANDOFFS, HANDOFFS.c.record_id == RECORDS.c.id)
        .where(
            RECORDS.c.submitter != firm,
            or_(HANDOFFS.c.consignor == party, HANDOFFS.c.consignee == party),
        )
        .order_by(RECORDS.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(RECORDS.c.id < before)
    return [(StoredRecord(*row[:-2]), row[-2], row[-1]) for row in connection.execute(query)]
