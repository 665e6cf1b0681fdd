"""The handoffs that wait for a party's own signature: it gave or took, and has not signed.

docs/spec/signature.md (roles), docs/signing.md; docs/decisions/0414 (what counts as a handoff).
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from sudonglian.chain.identifiers import normal
from sudonglian.records.reader import StoredRecord
from sudonglian.records.tables import HANDOFFS, RECORDS, SIGNATURES


@dataclass(frozen=True, slots=True)
class Waiting:
    """A handoff, who gives and who takes, and the side that a party stands on."""

    record: StoredRecord
    consignor: str
    consignee: str
    role: Literal["consignor", "consignee"]
    is_signed: bool
    """Whether this side has signed."""


def page(
    connection: Connection, firm: str, limit: int, before: int | None = None, *, signed: bool = False
) -> list[Waiting]:
    """Return a firm's handoffs that it has not signed, the newest first; with `signed` also those that it has."""
    # tenants: handoffs that name the firm as who gives or takes
    party = normal(firm)
    columns = tuple(RECORDS.c[name] for name in StoredRecord.__slots__)
    done = exists().where(
        SIGNATURES.c.record_id == HANDOFFS.c.record_id,
        _by(party),
    )
    query = (
        select(*columns, HANDOFFS.c.consignor, HANDOFFS.c.consignee, done.label("done"))
        .join(HANDOFFS, HANDOFFS.c.record_id == RECORDS.c.id)
        .where(_of(party))
        .order_by(RECORDS.c.id.desc())
        .limit(limit)
    )
    if not signed:
        query = query.where(~done)
    if before is not None:
        query = query.where(RECORDS.c.id < before)
    return [
        Waiting(
            StoredRecord(*row[:-3]),
            row[-3],
            row[-2],
            "consignor" if row[-3] == party else "consignee",
            bool(row[-1]),
        )
        for row in connection.execute(query)
    ]


def count(connection: Connection, firm: str) -> int:
    """Count the handoffs that a firm has not signed."""
    # tenants: handoffs that name the firm as who gives or takes
    party = normal(firm)
    standing = select(func.count()).select_from(HANDOFFS).where(_of(party))
    signed = (
        select(func.count())
        .select_from(HANDOFFS.join(SIGNATURES, SIGNATURES.c.record_id == HANDOFFS.c.record_id))
        .where(_of(party), _by(party))
    )
    return int(connection.execute(standing).scalar_one()) - int(connection.execute(signed).scalar_one())


def of_record(connection: Connection, firm: str, record_id: int) -> Waiting | None:
    """Return a record as a handoff of a firm; None if it is none, or one between others, or taken back."""
    return next(
        (one for one in page(connection, firm, 1, record_id + 1, signed=True) if one.record.id == record_id), None
    )


def _of(party: str) -> ColumnElement[bool]:
    # tenants: handoffs that name the party
    return and_(HANDOFFS.c.taken_back.is_(False), or_(HANDOFFS.c.consignor == party, HANDOFFS.c.consignee == party))


def _by(party: str) -> ColumnElement[bool]:
    # tenants: signatures of handoffs that name the party
    return or_(
        and_(HANDOFFS.c.consignor == party, SIGNATURES.c.fills == "consignor"),
        and_(HANDOFFS.c.consignee == party, SIGNATURES.c.fills == "consignee"),
    )
