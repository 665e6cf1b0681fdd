"""Statements in the memory: whom they name, what they show, how they are taken back; on every store."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.records.test_cases import ANA, NOW, PHONES, change, found, opened, ran

from sudonglian.records import cases, interviews, reader, reveals, sight, vault
from sudonglian.records.case_state import Case
from sudonglian.records.cases import CaseRefused
from sudonglian.records.epcis.check import check_event
from sudonglian.records.errors import UnknownPerson
from sudonglian.records.fsck import fsck
from sudonglian.records.identities import identity
from sudonglian.records.interviews import Statement, StatementRefused, Who, reference_of
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tasks import positive
from sudonglian.trace.casework import interviews as casework

AUTHORITY = "urn:sudonglian:submitter:cdc"
PLACE = "https://id.gs1.org/414/9520001001031"
EVENING = NOW - timedelta(hours=12)
NEW = "13712345678"
FIRM = "https://id.gs1.org/417/9520001001031"


@pytest.fixture
def person(
    store: Store, keys: Keys, capture: Callable[..., Any], seal: Callable[..., Any], event: Any, handler: Any
) -> int:
    """Somebody of a firm's record."""
    assert capture(event(**{"sdl:participants": [handler(PHONES[0])]})).accepted == 1
    seal()
    return number(store, keys, PHONES[0])


@pytest.fixture
def case(store: Store, person: int) -> Case:
    made = opened(store)
    ran(store, made, [(person, "close", 0)])
    return found(store, made)


def number(store: Store, keys: Keys, phone: str) -> int:
    with store.read() as connection:
        return vault.find(connection, keys, identity("phone", phone, "")) or 0


def statement(*who: Who, **more: Any) -> Statement:
    return Statement(who, **{"told": NOW - timedelta(hours=1), "begin": (EVENING, EVENING), **more})


def record(store: Store, keys: Keys, case: Case, *said: Statement, **more: Any) -> list[casework.Taken]:
    with store.write() as connection:
        now = cases.to_change(connection, case.number)
        return casework.record(connection, keys, now, ANA, said, submitter=AUTHORITY, **more)


def test_a_statement_names_by_number_or_by_identity(store: Store, keys: Keys, case: Case, person: int) -> None:
    known, new = Who(number=person), Who(kind="phone", value=NEW, name="Friend")
    (one,) = record(store, keys, case, statement(known, new))
    assert one.persons == (person, number(store, keys, NEW))
    # The same said again, in other words: by whose telephone it is.
    same = statement(Who(kind="phone", value=f"+86 {PHONES[0]}"), Who(number=one.persons[1]))
    assert [(it.record, it.unchanged) for it in record(store, keys, case, same, same)] == [(one.record, True)] * 2
    twice = statement(known, Who(kind="phone", value="13612345678"), place=PLACE)
    first, second = record(store, keys, case, twice, twice)
    assert (first.record, first.unchanged, second.unchanged) == (second.record, False, True)
    assert fsck(store, keys)["ok"]
    with store.read() as connection:
        told = reveals.identities(connection, keys, one.persons)
    assert [it.value for it in told[person]] == [PHONES[0]], "that a record named them by number tells nothing"
    assert [(it.value, it.name) for it in told[one.persons[1]]] == [(NEW, "Friend")]


def test_nobody_can_be_named_by_number_through_a_firms_door(
    store: Store, keys: Keys, capture: Callable[..., Any], event: Any, handler: Any, person: int
) -> None:
    reference = Who(number=person).reference()
    named = handler("x") | {"personRef": reference}
    other_id = "urn:uuid:6f0b2f3a-1111-4c3e-9f43-000000000002"
    assert capture(event(eventID=other_id, **{"sdl:participants": [named]}), submitter=FIRM).accepted == 1
    with store.read() as connection:
        other = vault.find(connection, keys, identity("badge", str(reference["value"]), FIRM))
        assert other != person
        rows = reveals.identities(connection, keys, [person])[person]
    assert [it.value for it in rows] == [PHONES[0]]
    assert fsck(store, keys)["ok"]


def test_what_a_record_says_in_the_clear_is_that_there_was_an_interview(
    store: Store, keys: Keys, case: Case, person: int, seal: Callable[..., Any]
) -> None:
    said = statement(Who(number=person), Who(kind="phone", value=NEW), place=PLACE, items=("urn:epc:id:sgtin:0.1.2",))
    (one,) = record(store, keys, case, said)
    seal()
    with store.read() as connection:
        kept = reader.record(connection, bytes.fromhex(one.record))
        assert not sight.Sight(connection, AUTHORITY).may_read(kept)
        assert not sight.Sight(connection, AUTHORITY).may_disclose(kept, ["sdl:interview"])
        assert reader.naming(connection, PLACE) == []
    for secret in (NEW, PLACE, "sgtin", str(person), EVENING.isoformat()[:13]):
        assert secret.encode() not in kept.body
    assert kept.event()["bizStep"] == interviews.STEP


def test_erased_people_leave_the_statement_nameless(store: Store, keys: Keys, case: Case, person: int) -> None:
    (one,) = record(store, keys, case, statement(Who(number=person), Who(kind="phone", value=NEW), place=PLACE))
    with store.write() as connection:
        vault.erase(connection, keys, one.persons[1], "asked", NOW)
    with store.read() as connection:
        (told,) = casework.listed(connection, found(store, case))
        assert told["persons"] == list(one.persons)
        assert one.persons[1] not in reveals.identities(connection, keys, one.persons)
    with pytest.raises(UnknownPerson):
        record(store, keys, case, statement(Who(number=person), Who(number=one.persons[1])))
    assert fsck(store, keys)["ok"]


def test_a_statement_is_withdrawn_once_by_whose_it_is(store: Store, keys: Keys, case: Case, person: int) -> None:
    (one,) = record(store, keys, case, statement(Who(number=person), place=PLACE))

    def withdraw(submitter: str, digest: str = one.record) -> str:
        with store.write() as connection:
            now = cases.to_change(connection, case.number)
            return casework.withdraw(connection, keys, now, ANA, digest, "mixed up", submitter=submitter)

    for submitter, digest in (("urn:sudonglian:submitter:other", one.record), (AUTHORITY, "00" * 32)):
        with pytest.raises(CaseRefused):
            withdraw(submitter, digest)
    declaration = withdraw(AUTHORITY)
    with store.read() as connection:
        assert [it.record_hash.hex() for it in reader.corrections(connection, bytes.fromhex(one.record))] == [
            declaration
        ]
    with pytest.raises(CaseRefused):
        withdraw(AUTHORITY)
    (again,) = record(store, keys, case, statement(Who(number=person), place=PLACE))
    assert not again.unchanged
    assert fsck(store, keys)["ok"]


def test_a_merger_brings_interviews_and_whoever_they_name_can_be_positive(
    store: Store, keys: Keys, case: Case, person: int
) -> None:
    (one,) = record(store, keys, case, statement(Who(number=person), Who(kind="phone", value=NEW)))
    other = opened(store, "DL-2")
    with store.write() as connection:
        cases.merge(connection, cases.find(connection, other.number), cases.find(connection, case.number), ANA, "one")
    assert set(found(store, other).interviews) == {one.record}
    seed, is_new, ended = change(store, other, positive, one.persons[1], at=NOW, ct="24.1")
    assert (is_new, ended) == (True, [])
    assert change(store, other, positive, one.persons[1], at=NOW, ct="24.1") == (seed, False, [])
    with pytest.raises(CaseRefused):
        change(store, other, positive, 77, at=NOW)
    assert fsck(store, keys)["ok"]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({}, "place"),
        ({"place": PLACE, "begin": (EVENING, EVENING - timedelta(hours=1))}, "begin"),
        ({"place": PLACE, "end": (EVENING - timedelta(hours=2),) * 2}, "end"),
        ({"place": PLACE, "begin": (NOW, NOW)}, "begin"),
        ({"place": PLACE, "told": NOW + timedelta(hours=1)}, "told"),
        ({"lots": ("https://id.gs1.org/01/09520001002014/10/L1",)}, "place"),
        ({"place": PLACE, "by": "hearsay"}, "by"),
        ({"place": PLACE, "certainty": "sure"}, "certainty"),
        ({"place": PLACE, "contact": "opened"}, "contact"),
    ],
)
def test_what_cannot_have_been_said_is_refused(more: dict[str, Any], place: str) -> None:
    with pytest.raises(StatementRefused) as refused:
        statement(Who(number=10**15), **more).check(NOW)
    assert refused.value.place == place


@pytest.mark.parametrize(
    "text", ["", "person:x", "person:1=Li", "phone:12", "cn-id:110105194912310021", "badge:7", "Li"]
)
def test_who_is_named_in_no_known_way_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(StatementRefused) as refused:
        reference_of(text)
    assert "12" not in refused.value.reason


def test_a_record_of_another_system_is_judged_by_its_form(event: Any) -> None:
    told = {"told": "2026-01-05T20:00:00+08:00", "by": "self", "certainty": "remembered"}
    wrong: list[Any] = [
        7,
        told,
        told | {"begin": ["2026-01-05T19:00:00+08:00"] * 3},
        told | {"begin": ["2026-01-05T19:00:00+08:00", "2026-01-05T18:00:00+08:00"]},
        told | {"begin": ["2026-01-05T19:00:00+08:00"], "by": "hearsay"},
        told | {"begin": ["2026-01-05T19:00:00+08:00"], "items": "box"},
        told | {"begin": ["2026-01-05T19:00:00+08:00"], "place": 7},
        told | {"begin": ["2026-01-05T19:00:00+08:00"], "who": "Li"},
    ]
    for one in wrong:
        found_ = check_event(event(**{"sdl:interview": one}), NOW)
        assert any(it.code.startswith("interview") and it.level == "error" for it in found_), one
    good = told | {"begin": ["2026-01-05T19:00:00+08:00"]}
    assert not any(it.code.startswith("interview") for it in check_event(event(**{"sdl:interview": good}), NOW))
