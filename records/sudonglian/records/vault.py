"""The vault: people by random number, their data under a key of their own, and erasure.

docs/spec/entry.md rules 5 and 6, docs/spec/record.md rule 7; docs/decisions/0500. Functions that name no connection
are pure; nothing here logs or raises an error that holds a person's data.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import randbelow, token_bytes
from typing import Final

from sqlalchemy import Connection, delete, select, update

from sudonglian.chain import disclosure, entry
from sudonglian.chain.canonical import MAX_INTEGER, Json
from sudonglian.chain.errors import CanonicalRefused, RecordRefused
from sudonglian.chain.record import parse_record
from sudonglian.records import derive, private, sequencer, store
from sudonglian.records.errors import StoreCorrupt, UnknownPerson
from sudonglian.records.identities import Identity
from sudonglian.records.keys import Keys
from sudonglian.records.sealing import KEY_BYTES, opened
from sudonglian.records.sealing import sealed as sealed_under
from sudonglian.records.store import in_batches, insert_new
from sudonglian.records.tables import DISCLOSURES, KEKS, PERSONS, RECORDS

WRAP_LABEL: Final = b"sudonglian/person-key/v1\x00"

LEAST_NUMBER: Final = 10**15
"""Of a person: 16 digits, so that no telephone number and no identity card reads as one where a person is asked for."""

KEK_LOOKS: Final = 10
"""For the key that writes; each further one means a rotation that began in between."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person's number and key."""

    number: int
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did; the receipt is entry `private_index` of the private tree."""

    person_no: int
    records: tuple[bytes, ...]
    private_index: int
    tombstone: bytes


def lookup_of(keys: Keys, who: Identity) -> bytes:
    """Return the keyed digest under which a person is found."""
    return hmac.digest(keys.lookup, f"{who.kind}\x00{who.normal}".encode(errors="surrogatepass"), "sha256")


def writing_kek(connection: Connection) -> str:
    """Return the id of the key that wraps new persons' keys; it stays the one to the end of the transaction.

    Raises
    ------
    StoreCorrupt
        None does.
    """
    query = select(KEKS.c.id).where(KEKS.c.retired_us.is_(None)).with_for_update(read=True)
    for _ in range(KEK_LOOKS):
        # A rotation that was waited for has retired the row that was found: the next look sees its successor.
        found: str | None = connection.execute(query).scalar_one_or_none()
        if found is not None:
            return found
    raise StoreCorrupt("no key-encryption key writes", place="keks")


def wrap(keys: Keys, kek: str, person: Person) -> bytes:
    """Return a person's key under a key-encryption key, bound to the number."""
    return keys.keks.wrap(kek, person.key, WRAP_LABEL + person.number.to_bytes(8, "big"))


def unwrap(keys: Keys, kek: str, number: int, wrapped: bytes) -> Person:
    """Return a person's key.

    Raises
    ------
    StoreCorrupt
        Another key wrapped it, or it was altered.
    KekUnknown
        The key-encryption key is not here.
    """
    place = f"persons/{number}"
    return Person(number, keys.keks.unwrap(kek, wrapped, WRAP_LABEL + number.to_bytes(8, "big"), place))


def seal(person: Person, record_hash: bytes, digest: str, disclosed: str) -> bytes:
    """Return a disclosure under the person's key, bound to its place in the record."""
    return sealed_under(person.key, disclosed.encode("ascii"), record_hash + digest.encode("ascii"))


def unseal(person: Person, record_hash: bytes, digest: str, sealed: bytes) -> str:
    """Return the disclosure's text.

    Raises
    ------
    StoreCorrupt
        It was altered, or belongs to another record or person.
    """
    place = f"disclosures/{record_hash.hex()}/{digest}"
    plain = opened(person.key, sealed, record_hash + digest.encode("ascii"), place)
    try:
        return plain.decode("ascii")
    except UnicodeDecodeError as error:
        raise StoreCorrupt("not a disclosure", place=place) from error


def admit(connection: Connection, keys: Keys, who: Iterable[Identity]) -> dict[Identity, Person]:
    """Return the persons of identities, giving a number and a key to those not met before.

    The rows stay locked to the end of the transaction, so that nobody is erased while being written about.
    """
    wanted = {lookup_of(keys, one): one for one in who}
    lookups = sorted(wanted)  # in one order, or two captures could wait for each other
    found = _persons(connection, keys, lookups)
    missing = [lookup for lookup in lookups if lookup not in found]
    kek = writing_kek(connection) if missing else ""
    while missing:
        rows = []
        for lookup in missing:
            person = Person(LEAST_NUMBER + randbelow(MAX_INTEGER - LEAST_NUMBER + 1), token_bytes(KEY_BYTES))
            wrapped = wrap(keys, kek, person)
            rows.append({"person_no": person.number, "lookup": lookup, "kek": kek, "wrapped_key": wrapped})
        # Another capture may just have met the same person, or a number be taken: then the next look finds it.
        connection.execute(insert_new(connection, PERSONS), rows)
        found |= _persons(connection, keys, missing)
        missing = [lookup for lookup in missing if lookup not in found]
    return {wanted[lookup]: person for lookup, person in found.items()}


def find(connection: Connection, keys: Keys, who: Identity) -> int | None:
    """Return the number of a person, or None if nobody has this identity here."""
    query = select(PERSONS.c.person_no).where(PERSONS.c.lookup == lookup_of(keys, who))
    return connection.execute(query).scalar_one_or_none()


def persons(connection: Connection, keys: Keys, numbers: Iterable[int]) -> dict[int, Person]:
    """Return the keys of persons by number; the erased are not among them."""
    found = {}
    for batch in in_batches(sorted(set(numbers))):
        query = select(PERSONS).where(PERSONS.c.person_no.in_(batch))
        for row in connection.execute(query):
            found[row.person_no] = unwrap(keys, row.kek, row.person_no, row.wrapped_key)
    return found


def known(connection: Connection, keys: Keys, numbers: Iterable[int]) -> dict[int, Person]:
    """Return persons by number to write about; their rows stay locked as those of `admit` do.

    Raises
    ------
    UnknownPerson
        Nobody has one of the numbers, or the person has been erased.
    """
    wanted = sorted(set(numbers))
    found: dict[int, Person] = {}
    for batch in in_batches(wanted):
        query = select(PERSONS).where(PERSONS.c.person_no.in_(batch)).order_by(PERSONS.c.person_no)
        for row in connection.execute(query.with_for_update(read=True)):
            found[row.person_no] = unwrap(keys, row.kek, row.person_no, row.wrapped_key)
    if lacking := [one for one in wanted if one not in found]:
        raise UnknownPerson("nobody has this number, or the person has been erased", place=f"persons/{lacking[0]}")
    return found


def hold(connection: Connection, numbers: Iterable[int]) -> None:
    """See that nobody of these is erased before this transaction ends; the erased are not there any more.

    To be called before anything is appended to the private tree: an erasure holds its person first, and appends then.
    """
    for batch in in_batches(sorted(set(numbers))):
        theirs = select(PERSONS.c.person_no).where(PERSONS.c.person_no.in_(batch)).order_by(PERSONS.c.person_no)
        connection.execute(theirs.with_for_update(read=True)).all()


def erase(connection: Connection, keys: Keys, person_no: int, reason: str, now: datetime) -> Erasure:
    """Erase a person: number's lookup, key and sealed data; leave a receipt and, in the log, a tombstone.

    The records stay, their proofs hold with the person undisclosed, and `participants` keeps the number. Call
    `Store.forget_deleted` once this is committed.

    Raises
    ------
    UnknownPerson
        Nobody has this number, or the person has been erased.
    """
    lock = select(PERSONS.c.person_no).where(PERSONS.c.person_no == person_no).with_for_update()
    if connection.execute(lock).one_or_none() is None:
        raise UnknownPerson("nobody has this number, or the person has been erased", place=f"persons/{person_no}")
    # A seal numbers records in their order, and a trace appends after it; whoever erases several changes records in the
    # order of the people, having appended before: without this turn each could wait for the other.
    store.lock(connection, sequencer.LOCK)
    theirs = select(DISCLOSURES.c.record_id).where(DISCLOSURES.c.person_no == person_no).distinct()
    touched = [row.record_id for row in connection.execute(theirs)]
    connection.execute(delete(DISCLOSURES).where(DISCLOSURES.c.person_no == person_no))
    connection.execute(delete(PERSONS).where(PERSONS.c.person_no == person_no))
    hashes = _forget_contents(connection, keys, touched)
    receipt: Json = {
        "at": now.isoformat(timespec="microseconds"),
        "k": "erasure",
        "person": person_no,
        "reason": reason,
        "records": [one.hex() for one in hashes],
    }
    kept = private.append(connection, receipt)
    tombstone = entry.tombstone_digest(kept.blinding, receipt)
    sequencer.enqueue(connection, [entry.tombstone_entry(tombstone)], now)
    return Erasure(person_no, tuple(hashes), kept.index, tombstone)


def _forget_contents(connection: Connection, keys: Keys, record_ids: Sequence[int]) -> list[bytes]:
    """Delete what hashes over an erased person: content digests, and eventIDs that are such hashes."""
    hashes: list[bytes] = []
    hash_ids: list[str] = []
    for batch in in_batches(record_ids):
        columns = (RECORDS.c.id, RECORDS.c.record_hash, RECORDS.c.body, RECORDS.c.submitter)
        query = select(*columns, RECORDS.c.is_error_declaration).where(RECORDS.c.id.in_(batch)).order_by(RECORDS.c.id)
        for row in connection.execute(query).all():
            hashes.append(row.record_hash)
            changes: dict[str, bytes | None] = {"content_mac": None}
            if found := _hash_id(connection, row.id):
                disclosure_id, name = found
                hash_ids.append(name)
                connection.execute(delete(DISCLOSURES).where(DISCLOSURES.c.id == disclosure_id))
                event = _event(row.body, row.record_hash)
                changes["event_mac"] = derive.clear_mac(
                    keys.content, row.submitter, event, declares_error=row.is_error_declaration
                )
            connection.execute(update(RECORDS).where(RECORDS.c.id == row.id).values(changes))
    _forget_mentions(connection, hash_ids)
    return hashes


def _hash_id(connection: Connection, record_id: int) -> tuple[int, str] | None:
    query = select(DISCLOSURES.c.id, DISCLOSURES.c.text)
    row = connection.execute(
        query.where(DISCLOSURES.c.record_id == record_id, DISCLOSURES.c.name == derive.EVENT_ID)
    ).one_or_none()
    if row is None:
        return None
    value = _disclosed(row.text, row.id)
    return (row.id, value) if isinstance(value, str) and value.lower().startswith(derive.HASH_ID) else None


def _forget_mentions(connection: Connection, hash_ids: Sequence[str]) -> None:
    # An error declaration names the corrective events by the same kind of hash (docs/decisions/0001).
    if not hash_ids:
        return
    query = select(DISCLOSURES.c.id, DISCLOSURES.c.record_id, DISCLOSURES.c.text)
    for row in connection.execute(query.where(DISCLOSURES.c.name == derive.ERROR_DECLARATION)).all():
        value = _disclosed(row.text, row.id)
        named = value.get("correctiveEventIDs") if isinstance(value, dict) else None
        if isinstance(named, list) and any(one in named for one in hash_ids):
            connection.execute(delete(DISCLOSURES).where(DISCLOSURES.c.id == row.id))
            connection.execute(update(RECORDS).where(RECORDS.c.id == row.record_id).values(content_mac=None))


def _disclosed(disclosed: str | None, disclosure_id: int) -> Json:
    try:
        return disclosure.parse(disclosed or "").value
    except RecordRefused as error:
        raise StoreCorrupt(error.reason, place=f"disclosures/{disclosure_id}") from error


def _event(body: bytes, record_hash: bytes) -> dict[str, Json]:
    try:
        event = parse_record(body)["event"]
    except (RecordRefused, CanonicalRefused) as error:
        raise StoreCorrupt(error.reason, place=f"records/{record_hash.hex()}") from error
    assert isinstance(event, dict)
    return event


def _persons(connection: Connection, keys: Keys, lookups: Sequence[bytes]) -> dict[bytes, Person]:
    found = {}
    for batch in in_batches(lookups):
        query = select(PERSONS).where(PERSONS.c.lookup.in_(batch)).order_by(PERSONS.c.lookup)
        for row in connection.execute(query.with_for_update(read=True)):
            found[row.lookup] = unwrap(keys, row.kek, row.person_no, row.wrapped_key)
    return found
