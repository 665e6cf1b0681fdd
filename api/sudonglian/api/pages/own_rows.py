"""Records of a firm as its lists show them: what, when, where, who has signed, and how late it was told.

service.md (Pages: Firm); docs/decisions/0851. The caller has looked whose records they are.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from sudonglian.api.pages.naming import Names, places_of
from sudonglian.api.settings import Lang
from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import identifiers_of
from sudonglian.records import confirmation, own_records, reader
from sudonglian.records.master_data import names_of
from sudonglian.records.querying.values import bare
from sudonglian.records.reader import StoredRecord
from sudonglian.records.temperature import words


def rows_of(connection: Connection, found: list[StoredRecord], lang: Lang) -> list[dict[str, Any]]:
    """Return records of a firm as a list shows them."""
    # tenants: the caller has asked for this firm's records alone
    hashes = [one.record_hash for one in found]
    confirmed = {bytes.fromhex(one["record_hash"]): one for one in confirmation.brief(connection, hashes)}
    taken_back = reader.taken_back(connection, hashes)
    events = [one.event() for one in found]
    called = names_of(connection, {one.normal for event in events for one in identifiers_of(event)})
    called |= {place: name for event in events for place, name in places_of(event) if name}
    names = Names(lang, called)
    return [
        _row(one, event, names, confirmed[one.record_hash], one.record_hash in taken_back)
        for one, event in zip(found, events, strict=True)
    ]


def _row(
    one: StoredRecord, event: dict[str, Json], names: Names, confirmed: Mapping[str, Any], taken_back: bool
) -> dict[str, Any]:
    things = [(names.thing(each.normal), each.normal) for each in identifiers_of(event)]
    step = bare(str(event.get("bizStep", "")))
    late_us = own_records.lateness_us(one)
    return {
        "record_hash": one.record_hash.hex(),
        "step": step,
        "event_us": one.event_time_us,
        "captured_us": one.captured_us,
        "late_s": late_us // 1_000_000,
        "late": words.lasting(late_us)[names.lang] if late_us else "",
        "things": [{"name": name, "id": identifier} for name, identifier in things],
        "place": next((names.thing(place) for place, _ in places_of(event)), ""),
        "is_handoff": confirmed["is_handoff"],
        "confirmation": confirmed["confirmation"],
        "log_index": one.log_index,
        "is_declaration": one.is_error_declaration,
        "taken_back": taken_back,
    }
