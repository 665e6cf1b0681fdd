"""Statements of an interview as people type them, and the signing of their records with a key that is at hand.

docs/cases.md; docs/signing.md. Who gives a statement is the consignor, who keeps the case the consignee.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import identifier_of, moment
from sudonglian.api.signing import add_signature
from sudonglian.api.wiring import House
from sudonglian.chain import anchor_contract, canonical, signature
from sudonglian.chain.errors import SudonglianError
from sudonglian.records.interviews import Statement, StatementRefused, reference_of
from sudonglian.trace.casework.interviews import parted


def statement_of(
    *,
    persons: Iterable[str],
    told: str,
    begin: Sequence[str],
    end: Sequence[str] = (),
    place: str = "",
    goods: Iterable[str] = (),
    contact: str = "",
    by: str = "self",
    certainty: str = "remembered",
    at: Callable[[str], str] = lambda name: name,
) -> Statement:
    """Return a statement; `at` names a member as the door that asks for it does.

    Raises
    ------
    UsageRefused, StatementRefused
        A time or an identifier that is none, or somebody who is named in no known way.
    """
    items, lots = parted([identifier_of(one, at("goods")) for one in goods])
    return Statement(
        persons=tuple(reference_of(one) for one in persons),
        told=moment(told, at("told")),
        begin=_range(begin, at("begin")),
        end=_range(end, at("end")) if end else None,
        place=identifier_of(place, at("place")) if place else "",
        items=items,
        lots=lots,
        contact=contact,
        by=by,
        certainty=certainty,
    )


def goods_of(goods: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return items and lots, identifiers as people type them.

    Raises
    ------
    StatementRefused
        One is neither.
    """
    try:
        return parted([identifier_of(one, "goods") for one in goods])
    except UsageRefused as error:
        raise StatementRefused(error.reason, place="items", zh=error.zh) from None


def sign_all(house: House, key: bytes, records: Iterable[str], counterparty: str) -> list[dict[str, Any]]:
    """Sign records that are committed, and take the signatures in; say of each what became of it."""
    found = []
    for record in records:
        now = datetime.now(UTC)
        party = anchor_contract.party_id(counterparty)
        made = signature.sign(key, house.keys.origin, bytes.fromhex(record), "consignor", party, int(now.timestamp()))
        raw = canonical.encode(made.to_json())
        try:
            add_signature(house.store, house.keys, lambda: house.network, raw, lambda: datetime.now(UTC))
        except SudonglianError as error:
            found.append({"record_hash": record, "signed": False, "code": error.slug, "message": error.reason})
        else:
            found.append({"record_hash": record, "signed": True, "code": "", "message": ""})
    return found


def _range(told: Sequence[str], place: str) -> tuple[datetime, datetime]:
    if len(told) not in (1, 2):
        raise UsageRefused("one time, or the earliest and the latest", place=place)
    moments = [moment(one.strip(), place) for one in told]
    return moments[0], moments[-1]
