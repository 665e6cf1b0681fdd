"""Parties' signatures as they come in: judged by form, key, role and counterparty, then kept, a log entry each.

docs/spec/signature.md; docs/signing.md; docs/decisions/0410 (what becomes of one whose key was not in force) and 0411
(who may sign a record that names its parties).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, Select, insert, select

from sudonglian.chain import anchor_contract, canonical, entry, signature
from sudonglian.chain.errors import CanonicalRefused, SudonglianError
from sudonglian.chain.network import Network
from sudonglian.chain.secp256k1 import SignatureRefused
from sudonglian.chain.signature import Signature
from sudonglian.chain.wallet import checksum_address
from sudonglian.records import derive, reader, sequencer, store
from sudonglian.records.anchor_book import Chain
from sudonglian.records.anchor_chain import Standing, standing
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.handoffs import possessors
from sudonglian.records.reader import StoredRecord
from sudonglian.records.store import in_batches
from sudonglian.records.tables import RECORDS, SIGNATURES

OTHER: Final[Mapping[str, signature.Role]] = {"consignor": "consignee", "consignee": "consignor"}

MAX_BYTES: Final = 4_096
"""A signature object has half a kilobyte."""


class SignatureNotTaken(SudonglianError):
    """A signature that is in order by itself, and not one that can be taken here and now."""

    slug: ClassVar[str] = "signature-not-taken"


class NoRegistry(SignatureNotTaken):
    """There is no registry of parties to ask: no contract yet, or a chain that is lost or behind."""

    slug = "no-registry"


class KeyUnknown(SignatureNotTaken):
    """The registry does not know the key."""

    slug = "party-key-unknown"


class KeyNotYet(SignatureNotTaken):
    """The key's time has not come."""

    slug = "party-key-not-yet"


class KeyExpired(SignatureNotTaken):
    """The key's time is over: it ended, or another one took its place."""

    slug = "party-key-expired"


class KeyRevoked(SignatureNotTaken):
    """The key was revoked."""

    slug = "party-key-revoked"


class KeyOfOtherRole(SignatureNotTaken):
    """The key signs for its party, and not in this role."""

    slug = "party-key-role"


class CounterpartyRefused(SignatureNotTaken):
    """The two sides of a handoff do not name each other."""

    slug = "signature-counterparty"


class PartyRefused(SignatureNotTaken):
    """The record itself names other parties."""

    slug = "signature-party"


class RoleFilled(SignatureNotTaken):
    """Somebody has signed in this role already."""

    slug = "signature-role-filled"


@dataclass(frozen=True, slots=True)
class Said:
    """What the registry says of a key at the chain's head."""

    chain: int
    party: bytes


@dataclass(frozen=True, slots=True)
class StoredSignature:
    """A signature that was taken."""

    id: int
    record_id: int
    record_hash: bytes
    digest: bytes
    body: bytes
    role: str
    signer: bytes
    party: bytes
    fills: str | None
    """Its role while it counts; None if its key was not in force at its anchor."""
    taken_us: int
    log_index: int | None

    def parsed(self) -> Signature:
        """Return the signature object.

        Raises
        ------
        StoreCorrupt
            What is stored is none.
        """
        try:
            return signature.parse(canonical.parse_stored(self.body))
        except (CanonicalRefused, SignatureRefused) as error:
            raise StoreCorrupt(error.reason, place=f"signatures/{self.id}") from error


def read(raw: bytes, origin: str) -> Signature:
    """Return a signature for the log of `origin`, its form and its maker checked.

    Raises
    ------
    SignatureRefused
        Malformed, for another log, or not by the key that it names.
    """
    try:
        signed = signature.parse(canonical.parse(raw, max_bytes=MAX_BYTES))
    except CanonicalRefused as error:
        raise SignatureRefused(error.reason, place=error.place) from error
    signed.verify(origin)
    return signed


def ask(network: Network, chain: Chain | None, signed: Signature, now: datetime) -> Said:
    """Return what the registry says of the signer, if the key is in force for this role.

    The time is the clock's or the head's, whichever is later: blocks of a busy chain may run ahead.

    Raises
    ------
    NoRegistry
        No contract can be asked.
    KeyUnknown, KeyNotYet, KeyExpired, KeyRevoked, KeyOfOtherRole
        The key does not sign in this role now.
    ChainError
        The node does not answer.
    """
    chain = require_registry(network, chain)
    place = checksum_address(signed.signer)
    party = anchor_contract.party(network, chain.contract, signed.signer)
    if party is None:
        raise KeyUnknown("the registry does not know this key", place=place)
    head = network.block(network.head())
    moment = max(derive.micros(now) // 1_000_000, 0 if head is None else head.timestamp)
    window = party.window
    match window.state_at(moment):
        case "revoked":
            raise KeyRevoked(f"revoked at {_told(window.revoked_at)}", place=place)
        case "not yet":
            raise KeyNotYet(f"in force from {_told(window.valid_from)}", place=place)
        case "expired":
            raise KeyExpired(f"in force until {_told(window.valid_to)}", place=place)
    if not window.open_at(moment, signature.ROLES[signed.role]):
        raise KeyOfOtherRole(f"this key does not sign as {signed.role}", place=place)
    return Said(chain.id, party.party_id)


def require_registry(network: Network, chain: Chain | None) -> Chain:
    """Return the chain whose contract can be asked, or raise NoRegistry."""
    if chain is None:
        raise NoRegistry("there is no contract yet: anchor first, then register the parties' keys")
    if (found := standing(network, chain)) is not Standing.SAME:
        raise NoRegistry(f"the contract cannot be asked: the chain is {found.value}")
    return chain


def find(connection: Connection, digest: bytes) -> StoredSignature | None:
    """Return the signature with this digest, if it was taken before."""
    row = connection.execute(_STORED.where(SIGNATURES.c.digest == digest)).one_or_none()
    return None if row is None else _stored(row)


def take(
    connection: Connection, signed: Signature, said: Said, now: datetime, *, live: Chain | None
) -> StoredSignature:
    """Keep a signature and put its entry in line; the one that is known already if it is the same.

    Parameters
    ----------
    connection
        Of `Store.write`; the caller commits, and acknowledges after that.
    signed, said
        From `read` and `ask`.
    now
        When it came, aware.
    live
        The chain that counts now; `said` must be of it.

    Raises
    ------
    UnknownRecord
        There is no such record.
    PartyRefused
        The record names its possessors, and the signer or the counterparty is another one.
    RoleFilled
        Another signature fills this role.
    CounterpartyRefused
        The signer names itself, or the two sides do not name each other.
    """
    store.lock(connection, f"sudonglian-signature\x00{signed.record.hex()}")
    digest = signed.digest()
    if (known := find(connection, digest)) is not None:
        return known
    if live is None or live.id != said.chain:
        raise NoRegistry("the chain was lost while the registry was asked")
    record = reader.record(connection, signed.record)
    _check_parties(connection, record, signed, said)
    values = {
        "record_id": record.id,
        "digest": digest,
        "body": canonical.encode(signed.to_json()),
        "role": signed.role,
        "signer": signed.signer,
        "party": said.party,
        "fills": signed.role,
        "taken_us": derive.micros(now),
    }
    connection.execute(insert(SIGNATURES).values(values))
    sequencer.enqueue(connection, [entry.signature_entry(signed.record, digest)], now)
    taken = find(connection, digest)
    assert taken is not None
    return taken


def of(connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, list[StoredSignature]]:
    """Return every signature of each record, in the order in which they were taken, also those that do not count."""
    found: dict[bytes, list[StoredSignature]] = {}
    for batch in in_batches(list(dict.fromkeys(hashes))):
        for row in connection.execute(_STORED.where(RECORDS.c.record_hash.in_(batch)).order_by(SIGNATURES.c.id)):
            found.setdefault(row.record_hash, []).append(_stored(row))
    return found


def between(connection: Connection, start: int, end: int) -> list[StoredSignature]:
    """Return the signatures whose entries have indexes in [start, end), in log order."""
    query = _STORED.where(SIGNATURES.c.log_index >= start, SIGNATURES.c.log_index < end)
    return [_stored(row) for row in connection.execute(query.order_by(SIGNATURES.c.log_index))]


def all_signatures(connection: Connection) -> list[StoredSignature]:
    """Return every signature, in the order in which they were taken."""
    return [_stored(row) for row in connection.execute(_STORED.order_by(SIGNATURES.c.id))]


def _check_parties(connection: Connection, record: StoredRecord, signed: Signature, said: Said) -> None:
    if signed.counterparty == said.party:
        raise CounterpartyRefused("the signer names its own party as the other one", place="counterparty")
    other = OTHER[signed.role]
    if named := possessors(record.event()):
        own, theirs = named.of(signed.role), named.of(other)
        if said.party != anchor_contract.party_id(own):
            raise PartyRefused(f"the record names {own} as {signed.role}, and the key is another party's")
        if signed.counterparty != anchor_contract.party_id(theirs):
            raise PartyRefused(f"the record names {theirs} as {other}", place="counterparty")
    query = _STORED.where(SIGNATURES.c.record_id == record.id, SIGNATURES.c.fills.is_not(None))
    for one in map(_stored, connection.execute(query)):
        if one.role == signed.role:
            raise RoleFilled(f"{checksum_address(one.signer)} has signed as {signed.role}", place=one.digest.hex())
        if (one.party, one.parsed().counterparty) != (signed.counterparty, said.party):
            raise CounterpartyRefused(f"the {one.role} and this signature do not name each other", place="counterparty")


_STORED: Final[Select[Any]] = select(
    SIGNATURES.c.id,
    SIGNATURES.c.record_id,
    RECORDS.c.record_hash,
    SIGNATURES.c.digest,
    SIGNATURES.c.body,
    SIGNATURES.c.role,
    SIGNATURES.c.signer,
    SIGNATURES.c.party,
    SIGNATURES.c.fills,
    SIGNATURES.c.taken_us,
    SIGNATURES.c.log_index,
).join(RECORDS, RECORDS.c.id == SIGNATURES.c.record_id)


def _stored(row: Any) -> StoredSignature:
    return StoredSignature(*row)


def _told(second: int) -> str:
    try:
        return derive.moment(second * 1_000_000).isoformat()
    except OverflowError:
        return f"second {second}"
