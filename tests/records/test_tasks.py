"""Tasks are what their case's events say; a worker sees its own alone, and nobody's telephone without approval and entry."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.records.test_cases import ANA, BO, NOW, PHONES, change, found, later, opened, ran

from sudonglian.records import access, cases, private, reveals, tasks, vault
from sudonglian.records.case_state import Case
from sudonglian.records.cases import Act, CaseClosed, CaseRefused
from sudonglian.records.fsck import fsck
from sudonglian.records.identities import identity
from sudonglian.records.keys import Keys
from sudonglian.records.reveals import OwnReveal
from sudonglian.records.store import Store
from sudonglian.records.tables import PRIVATE_ENTRIES, TASKS
from sudonglian.records.task_state import Task
from sudonglian.records.tasks import NotRevealed, TaskOver, TaskRefused, TaskUnknown, Wanted

WEN, XIN = Act("account:7", NOW), Act("account:8", NOW)
DUE = NOW + timedelta(hours=24)


@pytest.fixture
def people(
    store: Store, capture: Callable[..., Any], seal: Callable[..., Any], event: Any, handler: Any, keys: Keys
) -> list[int]:
    """Three persons of a sealed record."""
    assert capture(event(**{"sdl:participants": [handler(phone) for phone in PHONES]})).accepted == 1
    seal()
    with store.read() as connection:
        return [vault.find(connection, keys, identity("phone", one, "")) or 0 for one in PHONES]


@pytest.fixture
def case(store: Store, people: list[int]) -> Case:
    """A case that lists them, the first two as tasks of a worker's area."""
    made = opened(store)
    ran(store, made, [(people[0], "close", 0), (people[1], "secondary", 1), (people[2], "general", 2)])
    return found(store, made)


def wanted(*persons: int) -> list[Wanted]:
    return [Wanted("person", str(one), "", "close", DUE, order) for order, one in enumerate(persons, 1)]


def make(store: Store, case: Case, *persons: int, kind: str = "contact", act: Act = ANA, **told: str) -> list[Task]:
    made: list[Task] = change(store, case, tasks.make, kind, wanted(*persons), act=act, **told)
    return made


def approve(store: Store, case: Case, *persons: int, for_tasks: bool = True, by: Act = BO) -> int:
    asked = change(store, case, reveals.ask, "call", persons, for_tasks=for_tasks)
    with store.write() as connection:
        reveals.approve(connection, asked.number, by)
    return int(asked.number)


def look(store: Store, number: int, act: Act = WEN) -> tuple[Case, Task]:
    with store.write() as connection:
        return tasks.look(connection, number, act)


def sound(store: Store, keys: Keys) -> bool:
    return bool(fsck(store, keys)["ok"])


def test_tasks_are_made_once_and_what_was_reached_is_not_called_again(
    store: Store, keys: Keys, case: Case, people: list[int]
) -> None:
    made = make(store, case, *people, area="南市街", advice="stay at home")
    assert [(one.number, one.order, one.state, one.area) for one in made] == [
        (1, 1, "open", "南市街"),
        (2, 2, "open", "南市街"),
        (3, 3, "open", "南市街"),
    ]
    assert make(store, case, *people) == []
    change(store, case, tasks.close, 1, "reached", act=WEN)
    change(store, case, tasks.close, 2, "unreachable", act=WEN)
    now = found(store, case)
    assert [now.members[one].status for one in people] == ["contacted", "unreachable", "listed"]
    assert [one.subject for one in make(store, case, *people)] == [str(people[1])]
    assert len(make(store, case, *people, kind="health-check")) == 3
    assert sound(store, keys)


def test_what_is_no_task_is_refused(store: Store, case: Case, people: list[int]) -> None:
    for refused in (
        lambda: make(store, case, 5),
        lambda: make(store, case, people[0], kind="seal"),
        lambda: make(store, case, people[0], area="call 138 0000 0000"),
        lambda: make(store, case, people[0], advice="x" * 2_001),
        lambda: change(store, case, tasks.assign, "somebody", [1]),
        lambda: change(store, case, tasks.assign, WEN.by),
        lambda: change(store, case, tasks.assign, WEN.by, [9]),
        lambda: change(store, case, tasks.hand_back, 9, "why"),
    ):
        with pytest.raises((TaskRefused, CaseRefused)):
            refused()
    make(store, case, people[0])
    with pytest.raises(TaskRefused):
        change(store, case, tasks.close, 1, "positive")
    with pytest.raises(TaskRefused):
        change(store, case, tasks.hand_back, 1, "it is nobody's")
    change(store, case, tasks.close, 1, "void")
    assert found(store, case).members[people[0]].status == "listed"
    with pytest.raises(TaskOver):
        change(store, case, tasks.close, 1, "reached")
    with pytest.raises(TaskOver):
        change(store, case, tasks.assign, WEN.by, [1])


def test_an_area_is_somebodys_and_so_is_what_is_made_there_later(store: Store, case: Case, people: list[int]) -> None:
    make(store, case, people[0], area="A")
    make(store, case, people[1], area="B")
    given = change(store, case, tasks.assign, WEN.by, area="A")
    assert [(one.number, one.assignee) for one in given] == [(1, WEN.by)]
    (later_made,) = make(store, case, people[2], area="A")
    assert (later_made.assignee, later_made.state) == (WEN.by, "assigned")
    with store.read() as connection:
        assert [one.number for _, one in tasks.of_worker(connection, WEN.by)] == [1, 3]
        assert tasks.of_worker(connection, XIN.by) == []
        assert tasks.of(connection, 1, by=WEN.by)[1].number == 1
        for number, who in ((1, XIN.by), (2, WEN.by), (9, WEN.by)):
            with pytest.raises(TaskUnknown):
                tasks.of(connection, number, by=who)
    change(store, case, tasks.hand_back, 1, "speaks no dialect of mine", act=WEN)
    change(store, case, tasks.escalate, 3, "does not open the door", act=WEN)
    now = found(store, case)
    assert (now.tasks.by_number[1].state, now.tasks.by_number[1].backs) == ("open", 1)
    assert now.tasks.by_number[3].escalated_us is not None
    assert not now.tasks.by_number[3].is_overdue(0)
    with store.read() as connection:
        assert [one.number for _, one in tasks.of_worker(connection, WEN.by)] == [3]


def test_a_test_of_a_person_is_a_result_of_the_case(store: Store, keys: Keys, case: Case, people: list[int]) -> None:
    make(store, case, people[0], kind="test")
    change(store, case, tasks.close, 1, "positive", ct="24.1", act=WEN)
    now = found(store, case)
    assert now.members[people[0]].status == "positive"
    assert [(one.said["do"], one.said["by"]) for one in now.events[-3:]] == [
        ("task-closed", WEN.by),
        ("result", WEN.by),
        ("seed", WEN.by),
    ]
    assert now.events[-1].said["ct"] == "24.1"
    make(store, case, people[0])
    change(store, case, tasks.close, 2, "unreachable")
    assert found(store, case).members[people[0]].status == "positive"
    assert sound(store, keys)


def test_a_telephone_takes_an_approval_for_tasks_and_an_entry(
    store: Store, keys: Keys, case: Case, people: list[int]
) -> None:
    make(store, case, *people[:2])
    change(store, case, tasks.assign, WEN.by, [1, 2])
    with pytest.raises(NotRevealed, match="no reveal for tasks"):
        look(store, 1)
    approve(store, case, people[0], for_tasks=False)
    with pytest.raises(NotRevealed, match="no reveal for tasks"):
        look(store, 1)
    change(store, case, reveals.ask, "call", [people[0]], for_tasks=True)
    with pytest.raises(NotRevealed, match="waits"):
        look(store, 1)
    number = approve(store, case, people[0])
    with pytest.raises(NotRevealed):
        look(store, 2)
    with pytest.raises(TaskUnknown):
        look(store, 1, XIN)
    with pytest.raises(NotRevealed, match="ended"):
        look(store, 1, later(WEN, days=14))
    with store.read() as connection:
        before = private.size(connection)
    shown, one = look(store, 1)
    with store.read() as connection:
        assert tasks.reachable(connection, keys, one)[0]["contact"].endswith(PHONES[0])
        entry = private.value_of(private.entry(connection, before + 1))
        assert entry == {
            "approved_by": BO.by,
            "at": NOW.isoformat(timespec="microseconds"),
            "by": WEN.by,
            "case": case.number,
            "k": "access",
            "list": shown.reveals[number].digest,
            "person": people[0],
            "reveal": number,
            "why": "call",
        }
        looks = access.looks_at_person(connection, people[0])
        assert [(it["what"], it["by"]) for it in looks][-1] == ("reveal", WEN.by)
        assert access.looks_of_case(connection, shown)[-1]["entry"] == before + 1
    assert sound(store, keys)
    change(store, case, tasks.close, 1, "reached", act=WEN)
    with pytest.raises(TaskOver):
        look(store, 1)


def test_who_approved_does_not_look(store: Store, case: Case, people: list[int]) -> None:
    make(store, case, people[0])
    change(store, case, tasks.assign, BO.by, [1])
    approve(store, case, people[0])
    with pytest.raises(OwnReveal):
        look(store, 1, BO)


def test_in_a_closed_case_nobody_looks_or_changes(store: Store, case: Case, people: list[int]) -> None:
    make(store, case, people[0])
    change(store, case, tasks.assign, WEN.by, [1])
    approve(store, case, people[0])
    change(store, case, cases.close, "over")
    with pytest.raises(CaseClosed):
        look(store, 1)
    with store.read() as connection:
        assert tasks.of_worker(connection, WEN.by) == []


def test_who_left_the_list_is_not_shown(store: Store, case: Case, people: list[int]) -> None:
    make(store, case, people[0])
    change(store, case, tasks.assign, WEN.by, [1])
    approve(store, case, people[0])
    other = opened(store, "DL-2")
    with store.write() as connection:
        one, two = (cases.to_change(connection, it.number) for it in (case, other))
        cases.split(connection, one, two, ANA, [people[0]], [], "elsewhere")
    with pytest.raises(NotRevealed, match="not on the line list"):
        look(store, 1)
    change(store, case, tasks.close, 1, "reached", act=WEN)


def test_fsck_finds_a_changed_task_and_a_look_without_leave(
    store: Store, keys: Keys, case: Case, people: list[int]
) -> None:
    make(store, case, people[0])
    change(store, case, tasks.assign, WEN.by, [1])
    number = approve(store, case, people[0], for_tasks=False)
    assert sound(store, keys)
    with store.write() as connection:
        connection.execute(update(TASKS).values(assignee=XIN.by))
    assert {one["place"].split("/")[0] for one in fsck(store, keys)["faults"]} == {"tasks"}
    with store.write() as connection:
        connection.execute(update(TASKS).values(assignee=WEN.by))
    # A program that shows without leave, and writes it down as if it had some.
    told = {"do": "task-shown", "task": 1, "person": people[0], "reveal": number}
    change(store, case, cases.append, told, act=WEN)
    assert {one["code"] for one in fsck(store, keys)["faults"]} == {"access-beyond-reveal", "access-missing"}
    with store.read() as connection:
        assert (
            b"task-shown"
            in connection.execute(
                select(PRIVATE_ENTRIES.c.data).order_by(PRIVATE_ENTRIES.c.idx.desc()).limit(1)
            ).scalar_one()
        )
