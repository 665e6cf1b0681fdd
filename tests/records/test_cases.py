"""Cases are what their events say; nobody's identity leaves without a second person and an entry; fsck misses nothing."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from sudonglian.chain import canonical
from sudonglian.records import cases, derive, private, reveals, traces, vault
from sudonglian.records.case_state import Case
from sudonglian.records.cases import Act, CaseClosed, CaseExists, CaseRefused, CaseUnknown
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.fsck import fsck
from sudonglian.records.fsck_records import TRACE_DOMAIN
from sudonglian.records.identities import identity
from sudonglian.records.keys import Keys
from sudonglian.records.reveals import LineListChanged, OwnReveal, RevealOver, RevealRefused, RevealUnknown
from sudonglian.records.store import Store
from sudonglian.records.tables import CASE_MEMBERS, CASES, PRIVATE_ENTRIES

NOW = datetime.fromisoformat("2026-01-06T00:00:00.123456+00:00")
ANA, BO = Act("account:1", NOW), Act("account:2", NOW)
PHONES = ("19900000001", "19900000002", "19900000003")


def later(act: Act, **span: float) -> Act:
    return Act(act.by, act.now + timedelta(**span))


def opened(store: Store, name: str = "DL-1") -> Case:
    with store.write() as connection:
        told = {"purpose": "包装阳性溯源", "basis": "传染病防治法第三十八条", "responsible": "Ana"}
        return cases.open_case(connection, ANA, name=name, **told)


def ran(store: Store, case: Case, persons: list[tuple[int, str, int]], act: Act = ANA) -> int:
    """Keep a trace that lists these, with its document."""
    members: list[Any] = [{"kind": "person", "id": str(person), "tier": tier} for person, tier, _ in sorted(persons)]
    document = canonical.encode({"members": [*members, {"kind": "item", "id": "x", "tier": "high"}]})
    with store.write() as connection:
        number = traces.ask(connection, {"case": str(case.number)}, {"seed": "x", "log_size": 0}, 0, act.now, act.by)
        traces.answer(connection, number, document, sha256(TRACE_DOMAIN + document).digest())
        cases.add_run(connection, cases.to_change(connection, case.number), act, number, 0, persons)
    return number


def found(store: Store, case: Case) -> Case:
    with store.read() as connection:
        return cases.find(connection, case.number)


def change(store: Store, case: Case, do: Callable[..., Any], *rest: Any, act: Act = ANA, **more: Any) -> Any:
    with store.write() as connection:
        return do(connection, cases.to_change(connection, case.number), act, *rest, **more)


def held(store: Store) -> list[tuple[int, int]]:
    with store.read() as connection:
        query = select(CASE_MEMBERS.c.case_id, CASE_MEMBERS.c.person_no).order_by(*CASE_MEMBERS.primary_key)
        return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def people(
    store: Store, capture: Callable[..., Any], seal: Callable[..., Any], event: Any, handler: Any, keys: Keys
) -> list[int]:
    """Three persons of a sealed record."""
    taken = capture(event(**{"sdl:participants": [handler(phone) for phone in PHONES]}))
    assert taken.accepted == 1
    seal()
    with store.read() as connection:
        return [vault.find(connection, keys, identity("phone", one, "")) or 0 for one in PHONES]


@pytest.fixture
def case(store: Store, people: list[int]) -> Case:
    """A case with everybody on its list."""
    made = opened(store)
    ran(store, made, [(people[0], "close", 0), (people[1], "secondary", 1), (people[2], "general", 2)])
    return found(store, made)


def test_a_case_is_opened_once_under_its_name(store: Store) -> None:
    made = opened(store)
    assert (made.number, made.standing, made.basis) == (1, "open", "传染病防治法第三十八条")
    with pytest.raises(CaseExists):
        opened(store)
    for name in ("", "42", "x" * 65, "a\x00b", "\ud800", "call 138 0000 0000"):
        with pytest.raises(CaseRefused):
            opened(store, name)
    with store.read() as connection:
        assert cases.find(connection, "DL-1").number == cases.find(connection, "1").number == 1
        for unknown in ("DL-2", "2", "9" * 30, ""):
            with pytest.raises(CaseUnknown):
                cases.find(connection, unknown)


def test_a_person_has_the_strongest_tier_of_all_runs(store: Store, case: Case, people: list[int]) -> None:
    second = ran(store, case, [(people[0], "general", 2), (people[2], "close", 0)])
    now = found(store, case)
    assert [(now.members[one].tier, now.members[one].run) for one in people] == [
        ("close", 1),
        ("secondary", 1),
        ("close", second),
    ]
    assert sorted(now.runs) == [1, second]


def test_a_negative_result_removes_nobody(store: Store, case: Case, people: list[int]) -> None:
    told: dict[str, Any] = {
        "is_person": True,
        "result": "negative",
        "at": NOW,
        "ct": "40",
        "sample": "oropharyngeal swab",
    }
    change(store, case, cases.add_result, subject=str(people[0]), **told)
    now = found(store, case)
    assert (now.members[people[0]].status, len(now.members)) == ("negative", 3)
    assert now.events[-1].said["ct"] == "40"
    for wrong in ({"subject": "5"}, {"result": "maybe"}, {"ct": "1e3"}, {"subject": "x"}):
        with pytest.raises(CaseRefused):
            change(store, case, cases.add_result, **({"subject": str(people[1])} | told | wrong))
    with pytest.raises(CaseRefused):
        change(store, case, cases.set_status, people[0], "negative")


def test_seeds_have_the_test_that_found_them(store: Store, case: Case) -> None:
    lot = "https://id.gs1.org/01/06901234000016/10/L7"
    seed: dict[str, Any] = {
        "kind": "lot",
        "subject": lot,
        "at": NOW,
        "result": "positive",
        "ct": "31.5",
        "sample": "outer packaging",
    }
    assert change(store, case, cases.add_seed, **seed) == 0
    change(store, case, cases.add_result, subject=lot, is_person=False, result="negative", at=NOW)
    (one,) = found(store, case).seeds.values()
    assert (one.result, one.status, one.ct, one.sample) == ("positive", "negative", "31.5", "outer packaging")
    for wrong in ({"kind": "ship"}, {"kind": "person"}, {"ct": "-1"}, {"subject": ""}):
        with pytest.raises(CaseRefused):
            change(store, case, cases.add_seed, **(seed | wrong))


def test_a_merger_keeps_both_and_can_be_undone(store: Store, case: Case, people: list[int]) -> None:
    other = opened(store, "DL-2")
    ran(store, other, [(people[0], "close", 0), (77, "close", 0)])
    change(store, other, cases.add_seed, kind="person", subject="77", at=NOW)
    with store.write() as connection:
        one, two = cases.to_change(connection, 1), cases.to_change(connection, 2)
        cases.merge(connection, one, two, ANA, "one outbreak")
    merged = found(store, case)
    assert sorted(merged.members) == sorted([*people, 77])
    assert [merged.members[one].origin for one in (people[0], 77)] == [None, 2]
    assert [seed.origin for seed in merged.seeds.values()] == [2]
    gone = found(store, other)
    assert (gone.standing, gone.into, len(gone.members)) == ("merged", 1, 2)
    with pytest.raises(CaseClosed):
        change(store, other, cases.close, "x")
    change(store, case, cases.set_status, 77, "contacted")
    with store.write() as connection:
        one, two = cases.to_change(connection, 1), cases.find(connection, 2)
        cases.part(connection, one, two, ANA, "two strains")
    assert sorted(found(store, case).members) == sorted(people)
    assert found(store, case).seeds == {}
    back = found(store, other)
    assert (back.standing, back.into, back.members[77].status, len(back.seeds)) == ("open", None, "contacted", 1)
    assert len(found(store, case).events) == 5
    with store.write() as connection:
        one, two = cases.to_change(connection, 1), cases.find(connection, 2)
        with pytest.raises(CaseRefused):
            cases.part(connection, one, two, ANA, "again")


def test_a_split_moves_people_with_a_reason(store: Store, case: Case, people: list[int], keys: Keys) -> None:
    other = opened(store, "DL-3")

    def split(persons: list[int], why: str) -> None:
        with store.write() as connection:
            one, two = cases.to_change(connection, 1), cases.to_change(connection, 2)
            cases.split(connection, one, two, ANA, persons, [], why)

    for persons, why in (([5], "x"), ([], "x"), (people[:1], " ")):
        with pytest.raises(CaseRefused):
            split(persons, why)
    split(people[:1], "another chain")
    assert held(store) == sorted([(1, people[1]), (1, people[2]), (2, people[0])])
    assert found(store, other).members[people[0]].origin == 1
    assert fsck(store, keys)["ok"]


def test_nothing_happens_in_a_closed_case_until_it_is_opened_again(store: Store, case: Case) -> None:
    change(store, case, cases.close, "over")
    with store.read() as connection:
        assert connection.execute(select(CASES.c.closed_us)).scalar_one() is not None
    with pytest.raises(CaseClosed):
        change(store, case, cases.set_status, 1, "contacted")
    with store.write() as connection:
        cases.reopen(connection, 1, ANA, "a new case of illness")
    with store.write() as connection, pytest.raises(CaseRefused):
        cases.reopen(connection, 1, ANA, "again")
    assert found(store, case).closed_us is None


def test_who_was_called_by_mistake_is_still_to_be_reached(store: Store, case: Case, people: list[int]) -> None:
    def reached() -> int | None:
        return found(store, case).members[people[0]].reached_us

    change(store, case, cases.set_status, people[0], "contacted")
    assert reached() == derive.micros(NOW)
    change(store, case, cases.set_status, people[0], "unreachable", act=later(ANA, hours=1))
    assert reached() == derive.micros(NOW)
    change(store, case, cases.set_status, people[0], "listed", act=later(ANA, hours=2))
    assert reached() is None
    tested: dict[str, Any] = {"subject": str(people[0]), "is_person": True, "result": "inconclusive", "at": NOW}
    change(store, case, cases.add_result, act=later(ANA, hours=3), **tested)
    assert reached() == derive.micros(later(ANA, hours=3).now)
    number = ask(store, case)
    do(store, reveals.approve, number, BO)
    do(store, reveals.release, number, later(ANA, minutes=1))
    change(store, case, cases.set_status, people[0], "listed", act=later(ANA, hours=4))
    assert reached() == derive.micros(later(ANA, minutes=1).now)


def test_nobody_without_a_name_does_anything(store: Store, case: Case) -> None:
    for by in ("", "cli:", "key:x", "account:1 ", "root"):
        with pytest.raises(CaseRefused):
            change(store, case, cases.close, "x", act=Act(by, NOW))


def ask(store: Store, case: Case, persons: tuple[int, ...] = (), act: Act = ANA) -> int:
    return int(change(store, case, reveals.ask, "call everybody", persons, act=act).number)


def do(store: Store, what: Callable[..., Any], number: int, act: Act, *rest: Any) -> Any:
    with store.write() as connection:
        return what(connection, number, act, *rest)


def test_identities_need_a_second_person_and_leave_an_entry_for_each(
    store: Store, case: Case, people: list[int], keys: Keys
) -> None:
    number = ask(store, case)
    with store.read() as connection:
        before = private.size(connection)
    do(store, reveals.approve, number, BO)
    _, reveal = do(store, reveals.release, number, ANA)
    with store.read() as connection:
        entries: list[Any] = [private.value_of(private.entry(connection, before + 2 + n)) for n in range(3)]
        shown = reveals.identities(connection, keys, reveal.persons)
    assert [entry["person"] for entry in entries] == sorted(people)
    assert entries[0] == {
        "k": "access",
        "at": NOW.isoformat(timespec="microseconds"),
        "case": 1,
        "reveal": number,
        "person": min(people),
        "by": "account:1",
        "approved_by": "account:2",
        "why": "call everybody",
        "list": reveal.digest,
    }
    assert {one.value for told in shown.values() for one in told} == set(PHONES)
    assert found(store, case).members[people[0]].reached_us is not None
    assert fsck(store, keys)["ok"]


def test_the_two_person_rule(store: Store, case: Case, people: list[int]) -> None:
    number = ask(store, case)
    with pytest.raises(OwnReveal):  # another key of the same account is the same principal
        do(store, reveals.approve, number, ANA)
    with pytest.raises(RevealOver):  # not approved
        do(store, reveals.release, number, ANA)
    with pytest.raises(RevealUnknown):
        do(store, reveals.approve, number + 1, BO)
    do(store, reveals.approve, number, BO)
    with pytest.raises(RevealOver):  # twice
        do(store, reveals.approve, number, BO)
    for other in (BO, Act("account:3", NOW), Act("key:1", NOW), Act("account:11", NOW)):
        with pytest.raises(OwnReveal):  # for the asker alone
            do(store, reveals.release, number, other)
    do(store, reveals.release, number, ANA)
    with pytest.raises(RevealOver):  # replay
        do(store, reveals.release, number, ANA)
    with pytest.raises(RevealRefused):
        ask(store, case, (5,))


def test_a_reveal_ends_by_itself(store: Store, case: Case) -> None:
    first, second = ask(store, case), ask(store, case)
    with pytest.raises(RevealOver):
        do(store, reveals.approve, first, later(BO, hours=24))
    do(store, reveals.approve, second, later(BO, hours=23.9))
    with pytest.raises(RevealOver):
        do(store, reveals.release, second, later(ANA, hours=27.9))
    do(store, reveals.release, second, later(ANA, hours=27.8))


def test_another_line_list_than_was_asked_about(store: Store, case: Case, people: list[int]) -> None:
    number, other = ask(store, case, (people[0],)), ask(store, case)
    do(store, reveals.approve, number, BO)
    ran(store, case, [(88, "close", 0)])
    with pytest.raises(LineListChanged):
        do(store, reveals.approve, other, BO)
    with pytest.raises(LineListChanged):
        do(store, reveals.release, number, ANA)


def test_what_is_refused_or_whose_case_is_closed_is_over(store: Store, case: Case) -> None:
    number, other = ask(store, case), ask(store, case)
    do(store, reveals.approve, number, BO)
    do(store, reveals.refuse, number, BO, "not needed")
    with pytest.raises(RevealOver):
        do(store, reveals.release, number, ANA)
    do(store, reveals.approve, other, BO)
    change(store, case, cases.close, "over")
    with pytest.raises(CaseClosed):
        do(store, reveals.release, other, ANA)


def test_the_erased_are_revealed_no_more(store: Store, case: Case, people: list[int], keys: Keys) -> None:
    number = ask(store, case)
    do(store, reveals.approve, number, BO)
    with store.write() as connection:
        vault.erase(connection, keys, people[0], "asked for", NOW)
    _, reveal = do(store, reveals.release, number, ANA)
    with store.read() as connection:
        assert people[0] not in reveals.identities(connection, keys, reveal.persons)
    assert fsck(store, keys)["ok"]


ROWS = [
    ("DELETE FROM private_entries WHERE idx = {last}", "the last entry about a person"),
    ("DELETE FROM private_entries WHERE idx = {case}", "an event of the case"),
    ("DELETE FROM reveals", "the reveal"),
    ("DELETE FROM case_events WHERE n = 1", "a row of the timeline"),
    ("DELETE FROM case_members WHERE rank = 0", "a person"),
    ("DELETE FROM case_runs", "a run"),
    ("DELETE FROM cases", "the case"),
    ("UPDATE reveals SET decided_by = 'account:9'", "who approved"),
    ("UPDATE reveals SET persons = '[1]'", "whom it was about"),
    ("UPDATE case_members SET person_no = 5 WHERE rank = 0", "another person"),
    ("UPDATE case_events SET principal = 'account:9' WHERE n = 0", "who opened it"),
    ("UPDATE cases SET purpose = 'none'", "what for"),
]


@pytest.mark.parametrize(("statement", "what"), ROWS, ids=[what for _, what in ROWS])
def test_fsck_finds_what_is_taken_out_or_altered(
    store: Store, case: Case, keys: Keys, seal: Callable[..., Any], statement: str, what: str
) -> None:
    number = ask(store, case)
    do(store, reveals.approve, number, BO)
    do(store, reveals.release, number, ANA)
    seal()
    assert fsck(store, keys)["ok"]
    with store.write() as connection:
        if connection.dialect.name == "postgresql":
            statement = statement.replace("'[1]'", "'\\x5b315d'")
        last = private.size(connection) - 1
        connection.execute(text(statement.format(last=last, case=found(store, case).events[0].at)))
    report = fsck(store, keys)
    assert not report["ok"], what


def test_an_entry_that_is_rewritten_with_its_tree_is_still_found(
    store: Store, case: Case, keys: Keys, seal: Callable[..., Any]
) -> None:
    """Who takes the entry and makes all nodes anew fits no reveal, nor the seal of the log."""
    number = ask(store, case)
    do(store, reveals.approve, number, BO)
    do(store, reveals.release, number, ANA)
    seal()
    with store.write() as connection:
        rows = connection.execute(select(PRIVATE_ENTRIES).order_by(PRIVATE_ENTRIES.c.idx)).all()
        connection.execute(text("DELETE FROM private_entries"))
        connection.execute(text("DELETE FROM private_nodes"))
        for row in rows[:-1]:
            private.append(connection, canonical.parse_stored(row.data))
    codes = {one["code"] for one in fsck(store, keys)["faults"]}
    assert {"access-missing", "seal"} <= codes


def test_events_that_do_not_follow_each_other_make_no_case(store: Store, case: Case) -> None:
    with pytest.raises(StoreCorrupt):
        Case(case.number).apply(case.events[1])
    with store.write() as connection:
        connection.execute(text("DELETE FROM case_events WHERE n = 0"))
    with store.read() as connection, pytest.raises(StoreCorrupt):
        cases.find(connection, 1)


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path

from sqlalchemy import event

from sudonglian.records import reveals
from sudonglian.records.cases import Act
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.trace.casework import disclosing

url, keys, when = sys.argv[1:]
store = Store(url)


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


if when == "before the commit":
    event.listen(store.engine, "commit", die)
if when == "after the commit":
    reveals.identities = die
act = Act("account:1", datetime.fromisoformat("2026-01-06T00:00:00.123456+00:00"))
print(dict(disclosing.release(store, Keys.open(Path(keys)), 1, act).identities), flush=True)
"""


@pytest.mark.parametrize("when", ["before the commit", "after the commit", "never"])
def test_killed_between_the_entry_and_the_answer(
    store: Store, case: Case, keys: Keys, tmp_path: Path, when: str
) -> None:
    """Nothing is shown without its entry, wherever the process dies."""
    do(store, reveals.approve, ask(store, case), BO)
    url = store.url.render_as_string(hide_password=False)
    arguments = [sys.executable, "-c", KILLED, url, str(tmp_path / "keys"), when]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    with store.read() as connection:
        entries = [private.value_of(private.entry(connection, n)) for n in range(private.size(connection))]
    looked = [entry["person"] for entry in entries if isinstance(entry, dict) and entry["k"] == "access"]
    is_shown = any(phone in done.stdout + done.stderr for phone in PHONES)
    assert done.returncode == (0 if when == "never" else -signal.SIGKILL), done.stderr
    assert (is_shown, len(looked)) == {
        "before the commit": (False, 0),
        "after the commit": (False, 3),
        "never": (True, 3),
    }[when]
    assert fsck(store, keys)["ok"]
