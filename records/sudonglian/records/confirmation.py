"""Confirmation: which sides of a handoff have signed, how far that is shown, and how many handoffs wait for it.

docs/spec/signature.md rule 6; docs/decisions/0414 (what counts as a handoff, and where this shows).
"""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, func, select

from sudonglian.chain import anchor_contract
from sudonglian.records import anchor_book, derive, key_proofs, reader, registry, signatures
from sudonglian.records.handoffs import Handoff
from sudonglian.records.history import Direction
from sudonglian.records.reader import StoredRecord
from sudonglian.records.signatures import OTHER, StoredSignature
from sudonglian.records.store import in_batches
from sudonglian.records.tables import HANDOFFS, RECORDS, SIGNATURES

Confirmation: TypeAlias = Literal["unsigned", "consignor", "consignee", "both"]

State: TypeAlias = Literal["waiting", "logged", "proven", "void"]
"""Taken; in the log; shown by its anchor to count; shown by its anchor not to."""


def of(connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, Confirmation]:
    """Return the confirmation of each of these records, by the signatures that are not known not to count."""
    asked = list(hashes)
    found = signatures.of(connection, asked)
    return {one: of_signatures(found.get(one, ())) for one in asked}


def of_signatures(found: Iterable[StoredSignature]) -> Confirmation:
    """Return what a record's signatures confirm."""
    roles = {one.fills for one in found} - {None}
    if len(roles) == len(OTHER):
        return "both"
    return "unsigned" if not roles else "consignor" if "consignor" in roles else "consignee"


def described(connection: Connection, record: StoredRecord) -> dict[str, Any]:
    """Return a record's handoff, its confirmation, and each of its signatures with its state."""
    passed = handoff(connection, record.id)
    found = signatures.of(connection, [record.record_hash]).get(record.record_hash, [])
    names = _names(connection, passed)
    return {
        "handoff": None if passed is None else {"consignor": passed.consignor, "consignee": passed.consignee},
        "confirmation": of_signatures(found),
        "signatures": [shown(connection, one, names) for one in found],
    }


def shown(connection: Connection, one: StoredSignature, names: dict[bytes, str] | None = None) -> dict[str, Any]:
    """Return a signature as the doors show it; `party` is the URI where it is known, for the registry has its hash."""
    signed = one.parsed()
    state, size = state_of(connection, one)
    known = _names(connection, None) if names is None else names
    return {
        "record_hash": one.record_hash.hex(),
        "digest": one.digest.hex(),
        "role": one.role,
        "signer": one.signer.hex(),
        "party": known.get(one.party),
        "party_id": one.party.hex(),
        "counterparty": known.get(signed.counterparty),
        "counterparty_id": signed.counterparty.hex(),
        "signed_at": signed.signed_at,
        "taken": derive.moment(one.taken_us).isoformat(timespec="seconds"),
        "log_index": one.log_index,
        "state": state,
        "anchor_size": size,
        "signature": signed.to_json(),
    }


def state_of(connection: Connection, one: StoredSignature) -> tuple[State, int | None]:
    """Return how far a signature has come, and the size of the anchor that shows it."""
    first = None if one.log_index is None else anchor_book.first_covering(connection, one.log_index)
    if one.fills is None:
        return "void", None if first is None else first.size
    if first is not None and key_proofs.of(connection, first, one.signer) is not None:
        return "proven", first.size
    return ("waiting" if one.log_index is None else "logged"), None


def history(connection: Connection, normal: str, direction: Direction = "both") -> list[dict[str, Any]]:
    """Return an item's history as the doors show it, with the confirmation of each event."""
    events = reader.history(connection, normal, direction)
    confirmed = of(connection, (one.record_hash for one in events))
    passed = handoffs_among(connection, confirmed)
    return [
        {
            "event_id": one.event_id,
            "record_hash": one.record_hash.hex(),
            "event_time": one.event_time,
            "relation": one.relation,
            "through": one.through,
            "superseded_by": [other.hex() for other in one.superseded_by],
            "is_handoff": one.record_hash in passed,
            "confirmation": confirmed[one.record_hash],
        }
        for one in events
    ]


def brief(connection: Connection, hashes: Iterable[bytes]) -> list[dict[str, Any]]:
    """Return of each record whether it is a handoff and who has signed it, in their order."""
    confirmed = of(connection, hashes)
    passed = handoffs_among(connection, confirmed)
    return [
        {"record_hash": one.hex(), "is_handoff": one in passed, "confirmation": said} for one, said in confirmed.items()
    ]


def handoffs_among(connection: Connection, hashes: Iterable[bytes]) -> set[bytes]:
    """Return those of the records that are handoffs."""
    query = select(RECORDS.c.record_hash).join(HANDOFFS, HANDOFFS.c.record_id == RECORDS.c.id)
    found: set[bytes] = set()
    for batch in in_batches(list(hashes)):
        found |= {bytes(row.record_hash) for row in connection.execute(query.where(RECORDS.c.record_hash.in_(batch)))}
    return found


def handoff(connection: Connection, record_id: int) -> Handoff | None:
    """Return between whom goods pass by a record; None if it is no handoff."""
    query = select(HANDOFFS.c.consignor, HANDOFFS.c.consignee).where(HANDOFFS.c.record_id == record_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else Handoff(*row)


def unconfirmed(connection: Connection) -> int:
    """Count the handoffs that both sides have not signed, and that have not been taken back."""
    standing = select(func.count()).select_from(HANDOFFS).where(HANDOFFS.c.taken_back.is_(False))
    # Two plain counts: a question of each handoff by itself would take seconds at a million of them.
    signed = select(SIGNATURES.c.record_id).where(SIGNATURES.c.fills.is_not(None)).group_by(SIGNATURES.c.record_id)
    both = signed.having(func.count() == len(OTHER))
    confirmed = standing.where(HANDOFFS.c.record_id.in_(both))
    return int(connection.execute(standing).scalar_one()) - int(connection.execute(confirmed).scalar_one())


def _names(connection: Connection, passed: Handoff | None) -> dict[bytes, str]:
    """Return the URIs that are known, by the hash that stands for them in the registry."""
    named = [] if passed is None else [passed.consignor, passed.consignee]
    return registry.party_names(connection) | {anchor_contract.party_id(uri): uri for uri in named}
