"""Holders: which firm has the newest record of a thing, and so is told that it holds exposed stock.

docs/decisions/0822. Of a lot at a place, the newest record of the lot there.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from sudonglian.chain import canonical
from sudonglian.chain.identifiers import normal
from sudonglian.records.tables import IDENTIFIERS, RECORDS


# tenants: the authority asks which firm to tell, by the scope case
def holder(connection: Connection, subject: str, place: str = "", besides: Collection[bytes] = ()) -> str | None:
    """Return the submitter of the newest record of a thing, those left out that the authority made itself."""
    columns = (RECORDS.c.submitter, RECORDS.c.record_hash, RECORDS.c.body)
    named = select(IDENTIFIERS.c.record_id).where(IDENTIFIERS.c.normal == subject)
    query = select(*columns).where(RECORDS.c.id.in_(named), RECORDS.c.is_error_declaration.is_(False))
    for row in connection.execute(query.order_by(RECORDS.c.event_time_us.desc(), RECORDS.c.id.desc())):
        if row.record_hash not in besides and (not place or place in _places(row.body)):
            return str(row.submitter)
    return None


def _places(body: bytes) -> set[str]:
    """Return where a record's event was."""
    told: Any = canonical.parse_stored(body)
    named = (told["event"].get(name) for name in ("readPoint", "bizLocation"))
    return {normal(str(one["id"])) for one in named if isinstance(one, dict) and "id" in one}
