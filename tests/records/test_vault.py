import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select, text, update
from tests.scanning import spellings

from sudonglian.chain import canonical, disclosure, entry, merkle
from sudonglian.chain.record import open_record, parse_record
from sudonglian.records import derive, log, private, reader, vault
from sudonglian.records.errors import StoreCorrupt, UnknownPerson, VaultRefused
from sudonglian.records.identities import Identity, identity
from sudonglian.records.intake import CaptureResult
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import DISCLOSURES, ENTRIES, PARTICIPANTS, PERSONS, RECORDS
from sudonglian.records.vault import Person

Capture = Callable[..., CaptureResult]
Make = Callable[..., dict[str, Any]]
NOW = datetime(2026, 1, 6, 0, 0, 0, 123456, tzinfo=UTC)
HASH_ID = "ni:///sha-256;" + "ab" * 32 + "?ver=CBV2.0"


def test_kinds_do_not_meet(keys: Keys) -> None:
    assert len({vault.lookup_of(keys, Identity(kind, "1")) for kind in ("phone", "cn-id", "passport", "badge")}) == 4


def test_a_persons_key_is_bound_to_the_number(keys: Keys) -> None:
    person = Person(7, b"k" * 32)
    (kek,) = keys.keks.ids()
    wrapped = vault.wrap(keys, kek, person)
    assert vault.unwrap(keys, kek, 7, wrapped) == person
    assert person.key not in wrapped
    assert wrapped != vault.wrap(keys, kek, person)
    for number, altered in [(8, wrapped), (7, wrapped[:-1]), (7, b""), (7, bytes([wrapped[0] ^ 1]) + wrapped[1:])]:
        with pytest.raises(StoreCorrupt):
            vault.unwrap(keys, kek, number, altered)
    assert "k" * 8 not in repr(person)


def test_a_sealed_disclosure_is_bound_to_its_place() -> None:
    person = Person(7, b"k" * 32)
    sealed = vault.seal(person, b"h" * 32, "digest", "disclosed")
    assert vault.unseal(person, b"h" * 32, "digest", sealed) == "disclosed"
    for place in range(len(sealed)):
        with pytest.raises(StoreCorrupt):
            vault.unseal(person, b"h" * 32, "digest", sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
    for who, record, digest in [
        (Person(7, b"j" * 32), b"h" * 32, "digest"),
        (person, b"i" * 32, "digest"),
        (person, b"h" * 32, "other"),
    ]:
        with pytest.raises(StoreCorrupt):
            vault.unseal(who, record, digest, sealed)


def test_one_person_in_two_records_is_one_number(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    capture(event(**{"sdl:participants": [handler("+86 199-0000-0001"), handler("19900000002")]}))
    capture(event(eventID="urn:x:2", **{"sdl:participants": [handler("19900000001")]}), submitter="urn:x:other")
    with store.read() as connection:
        numbers = (
            connection.execute(select(PARTICIPANTS.c.person_no).order_by(PARTICIPANTS.c.record_id)).scalars().all()
        )
        known = vault.find(connection, keys, identity("phone", "19900000001", ""))
        assert vault.find(connection, keys, identity("phone", "19900000009", "")) is None
    assert [number == known for number in numbers] == [True, False, True]
    assert all(10**15 <= number < 2**53 for number in numbers)


def test_numbers_tell_nothing(store: Store, keys: Keys) -> None:
    who = [Identity("phone", str(number)) for number in range(200)]
    with store.write() as connection:
        admitted = vault.admit(connection, keys, who)
        assert {one: person.number for one, person in vault.admit(connection, keys, reversed(who)).items()} == {
            one: person.number for one, person in admitted.items()
        }
    numbers = [admitted[one].number for one in who]
    assert len(set(numbers)) == 200
    assert numbers != sorted(numbers)
    assert len({person.key for person in admitted.values()}) == 200


def test_two_captures_that_meet_the_same_people_agree(store: Store, keys: Keys) -> None:
    found: list[dict[Identity, int]] = []

    def work(names: list[int]) -> None:
        who = [Identity("phone", str(name)) for name in names]
        with store.write() as connection:
            found.append({one: person.number for one, person in vault.admit(connection, keys, who).items()})

    threads = [Thread(target=work, args=(names,)) for names in ([*range(60)], [*range(59, -1, -1)], [*range(30, 90)])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    for first in found:
        for second in found:
            assert all(first[one] == second[one] for one in first.keys() & second.keys())


def erase(store: Store, keys: Keys, value: str = "19900000001") -> vault.Erasure:
    with store.write() as connection:
        number = vault.find(connection, keys, identity("phone", value, ""))
        assert number is not None
        return vault.erase(connection, keys, number, "asked for", NOW)


def test_an_erased_person_is_gone_and_the_record_still_proves(
    store: Store, keys: Keys, capture: Capture, seal: Any, event: Make, handler: Make
) -> None:
    both = [handler("19900000001"), handler("19900000002")]
    (receipt,) = capture(event(**{"sdl:participants": both})).records
    untouched = capture(event(eventID="urn:x:2", **{"sdl:participants": [handler("19900000002")]})).records[0]
    erasure = erase(store, keys)
    assert erasure.records == (receipt.record_hash,)
    with store.read() as connection:
        assert vault.find(connection, keys, identity("phone", "19900000001", "")) is None
        assert vault.persons(connection, keys, [erasure.person_no]) == {}
        assert len(connection.execute(select(PERSONS)).all()) == 1
        plain = reader.plain(connection, keys, receipt.record_hash, people=True)
        assert [one["personRef"]["value"] for one in plain["sdl:participants"]] == ["19900000002"]  # type: ignore
        assert plain["eventID"] == event()["eventID"]
        macs = {row.record_hash: row.content_mac for row in connection.execute(select(RECORDS))}
        assert macs[receipt.record_hash] is None
        assert macs[untouched.record_hash] is not None
        numbers = connection.execute(select(PARTICIPANTS.c.person_no)).scalars().all()
        assert numbers.count(erasure.person_no) == 1
    seal()
    with store.read() as connection:
        record = reader.record(connection, receipt.record_hash)
        texts = reader.disclosures(connection, keys, receipt.record_hash, people=True)
        open_record(parse_record(record.body), texts)
        assert record.log_index is not None
        size = log.size(connection)
        leaf = merkle.leaf_hash(entry.record_entry(receipt.record_hash))
        path = log.inclusion(connection, record.log_index, size)
        merkle.verify_inclusion(leaf, record.log_index, size, path, log.root(connection, size))


def test_an_erasure_leaves_a_receipt_and_a_tombstone(
    store: Store, keys: Keys, capture: Capture, seal: Any, event: Make, handler: Make
) -> None:
    (receipt,) = capture(event(**{"sdl:participants": [handler()]})).records
    erasure = erase(store, keys)
    seal()
    with store.read() as connection:
        kept = private.entry(connection, erasure.private_index)
        value = canonical.parse_stored(kept.data)
        entries = [entry.parse_entry(data) for _, data in log.entries(connection)]
    assert value == {
        "at": NOW.isoformat(),
        "k": "erasure",
        "person": erasure.person_no,
        "reason": "asked for",
        "records": [receipt.record_hash.hex()],
    }
    assert entries[1] == entry.TombstoneEntry(entry.tombstone_digest(kept.blinding, value))
    assert erasure.tombstone == entries[1].h


def test_nobody_is_erased_twice(store: Store, keys: Keys, capture: Capture, event: Make, handler: Make) -> None:
    capture(event(**{"sdl:participants": [handler()]}))
    number = erase(store, keys).person_no
    for unknown in (number, 0, 5):
        with pytest.raises(UnknownPerson), store.write() as connection:
            vault.erase(connection, keys, unknown, "again", NOW)


def test_an_erasure_that_is_not_committed_erased_nothing(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    one = event(**{"sdl:participants": [handler()]})
    capture(one)
    with store.write() as connection:
        number = vault.find(connection, keys, identity("phone", "19900000001", ""))
        assert number is not None
        vault.erase(connection, keys, number, "asked for", NOW)
        connection.rollback()
    assert capture(one).unchanged == 1


def test_event_ids_that_hash_over_the_person_are_erased_with_them(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    capture(event(eventID=HASH_ID, **{"sdl:participants": [handler()]}))
    declares = {"declarationTime": "2026-01-05T10:00:00+08:00", "correctiveEventIDs": [HASH_ID]}
    declared = capture(event(eventID="urn:x:2", errorDeclaration=declares)).records[0]
    other = capture(event(eventID="urn:x:3", errorDeclaration=declares | {"correctiveEventIDs": ["urn:x:9"]})).records[
        0
    ]
    erase(store, keys)
    with store.read() as connection:
        left = connection.execute(select(DISCLOSURES.c.text)).scalars().all()
        assert not [one for one in left if one and HASH_ID in json.dumps(disclosure.parse(one).value)]
        macs = {row.record_hash: row.content_mac for row in connection.execute(select(RECORDS))}
        assert macs[declared.record_hash] is None
        assert macs[other.record_hash] is not None
        guess = derive.event_mac(
            keys.content, "https://id.gs1.org/417/6901234000009", event(eventID=HASH_ID), declares_error=False
        )
        assert guess not in connection.execute(select(RECORDS.c.event_mac)).scalars().all()


def test_a_moved_or_altered_disclosure_is_named(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    one = capture(event(**{"sdl:participants": [handler()]})).records[0].record_hash
    with store.write() as connection:
        connection.execute(update(DISCLOSURES).where(DISCLOSURES.c.sealed.is_not(None)).values(sealed=b"x" * 60))
    with pytest.raises(StoreCorrupt) as told, store.read() as connection:
        reader.plain(connection, keys, one, people=True)
    assert told.value.place.startswith("disclosures/")


def test_people_are_given_only_where_they_are_asked_for(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    one = capture(event(**{"sdl:participants": [handler()]})).records[0].record_hash
    with store.read() as connection:
        assert "sdl:participants" not in reader.plain(connection, keys, one)
        with pytest.raises(VaultRefused):
            reader.disclosures(connection, keys, one, ["sdl:participants"])
        assert len(reader.disclosures(connection, keys, one, ["sdl:participants"], people=True)) == 1


def files_of(store: Store) -> bytes:
    path = Path(store.url.database or "")
    return b"".join(one.read_bytes() for one in path.parent.glob(path.name + "*"))


def test_values_and_salts_of_people_are_nowhere_in_the_files(
    sqlite_store: Store, keys: Keys, document: Any, event: Make, handler: Make
) -> None:
    from sudonglian.records import intake

    one = event(**{"sdl:participants": [handler("19912345678", role="角色甲"), handler("E7654321Q", "passport")]})
    one["sdl:sealNo"] = "SEAL-998877665544"
    with sqlite_store.write() as connection:
        made = intake.capture(connection, keys, document(one), submitter="urn:x:1", now=NOW).records[0].record_hash
    with sqlite_store.read() as connection:
        texts = reader.disclosures(connection, keys, made, ["sdl:participants"], people=True)
        seal_no = reader.disclosures(connection, keys, made, ["sdl:sealNo"])[0]
    salts = [json.loads(disclosure.unbase64url(one))[0] for one in texts]
    assert len(salts) == 2
    held = files_of(sqlite_store)
    assert seal_no.encode() in held  # what is not a person's is found, so the search does search
    assert any(one in held for one in spellings("SEAL-998877665544"))
    for secret in ("19912345678", "E7654321Q", "测试员甲", "角色甲", *salts, *texts):
        for spelling in spellings(secret):
            assert spelling not in held
    for salt in salts:
        assert disclosure.unbase64url(salt) not in held


def test_after_erasure_no_wrapped_key_and_no_sealed_byte_is_left_in_the_files(
    sqlite_store: Store, keys: Keys, document: Any, event: Make, handler: Make
) -> None:
    from sudonglian.records import intake

    with sqlite_store.write() as connection:
        intake.capture(
            connection, keys, document(event(**{"sdl:participants": [handler()]})), submitter="urn:x:1", now=NOW
        )
    with sqlite_store.read() as connection:
        gone = [
            *connection.execute(select(PERSONS.c.wrapped_key)).scalars().all(),
            *connection.execute(select(PERSONS.c.lookup)).scalars().all(),
            *connection.execute(select(DISCLOSURES.c.sealed).where(DISCLOSURES.c.sealed.is_not(None))).scalars().all(),
            *connection.execute(select(RECORDS.c.content_mac)).scalars().all(),
        ]
    assert len(gone) == 4
    assert all(one in files_of(sqlite_store) for one in gone)
    erase(sqlite_store, keys)
    assert sqlite_store.forget_deleted()
    held = files_of(sqlite_store)
    for one in gone:
        assert one not in held
        assert one[:16] not in held
        assert one[-16:] not in held


def test_log_and_tables_name_nobody(
    store: Store, keys: Keys, capture: Capture, seal: Any, event: Make, handler: Make
) -> None:
    capture(event(**{"sdl:participants": [handler()]}))
    number = erase(store, keys).person_no
    seal()
    with store.read() as connection:
        leaves = b"".join(connection.execute(select(ENTRIES.c.data)).scalars().all())
        bodies = b"".join(connection.execute(select(RECORDS.c.body)).scalars().all())
        assert connection.execute(text("SELECT count(*) FROM persons")).scalar_one() == 0
    assert str(number).encode() not in leaves + bodies
