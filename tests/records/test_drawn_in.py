"""Whoever is drawn into a case is not erased meanwhile, and nobody waits in a circle: on the store where two can write."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any, Final

import pytest
from sqlalchemy import select, text
from tests.records.conftest import FIRM, NOW, Cluster

from sudonglian.records import cases, intake, private, retention, sequencer, traces, vault
from sudonglian.records.case_state import Case
from sudonglian.records.cases import Act
from sudonglian.records.deployment import open_deployment
from sudonglian.records.identities import identity
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import PERSONS

pytestmark = pytest.mark.postgres

PHONES: Final = ("19900000001", "19900000002")
OVER: Final = datetime(2026, 2, 3, tzinfo=UTC)
ANA: Final = Act("account:1", OVER)
WITHIN_S: Final = 60


@pytest.fixture
def shared(postgres: Cluster, keys: Keys) -> Iterator[Store]:
    with postgres.database() as url:
        store = Store(url)
        open_deployment(store, keys, NOW)
        yield store
        store.close()


@pytest.fixture
def people(shared: Store, keys: Keys, event: Any, handler: Any, document: Any) -> list[int]:
    """Two persons whose time is over, each of a record that waits for its seal."""
    for number, phone in enumerate(PHONES):
        one = event(eventID=f"urn:x:{number}", **{"sdl:participants": [handler(phone)]})
        with shared.write() as connection:
            intake.capture(connection, keys, document(one), submitter=FIRM, now=NOW)
    with shared.read() as connection:
        return [vault.find(connection, keys, identity("phone", one, "")) or 0 for one in PHONES]


class Beside(Thread):
    """What somebody else does at the same time."""

    def __init__(self, store: Store, do: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.store, self.do = store, do
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.do()
        except Exception as error:  # noqa: BLE001  told by `over`
            self.error = error

    def waits(self) -> bool:
        """Come back when it waits for a lock, or is over; say whether it waits."""
        query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while self.is_alive():
            with self.store.read() as connection:
                if connection.execute(query).scalar_one():
                    return True
        return False

    def over(self) -> None:
        self.join(WITHIN_S)
        assert not self.is_alive()
        assert self.error is None, self.error


def opened(store: Store) -> Case:
    with store.write() as connection:
        return cases.open_case(connection, ANA, name="DL-1", purpose="p", basis="b", responsible="r")


def left(store: Store) -> set[int]:
    with store.read() as connection:
        return set(connection.execute(select(PERSONS.c.person_no)).scalars())


def as_seed(connection: Any, case: Case, person: int) -> None:
    cases.add_seed(connection, case, ANA, kind="person", subject=str(person), at=OVER)


def as_member(connection: Any, case: Case, person: int) -> None:
    cases.add_run(connection, case, ANA, 1, 0, [(person, "close", 0)])


DRAWN = pytest.mark.parametrize("draw", [as_seed, as_member])


@DRAWN
def test_retention_passes_over_whom_a_case_is_drawing_in(
    shared: Store, keys: Keys, people: list[int], draw: Callable[..., None]
) -> None:
    case = opened(shared)
    with shared.write() as connection:
        draw(connection, cases.to_change(connection, case.number), people[0])
        beside = Beside(shared, lambda: retention.run(shared, keys, OVER))
        beside.waits()
    beside.over()
    assert left(shared) == {people[0]}


def test_a_case_that_is_opened_again_keeps_its_people(shared: Store, keys: Keys, people: list[int]) -> None:
    case = opened(shared)
    with shared.write() as connection:
        as_member(connection, case, people[0])
        cases.close(connection, case, ANA, "over")
    late = OVER + timedelta(days=28)
    with shared.write() as connection:
        cases.reopen(connection, case.number, ANA, "a new exposure")
        beside = Beside(shared, lambda: retention.run(shared, keys, late))
        beside.waits()
    beside.over()
    assert left(shared) == {people[0]}


@DRAWN
def test_who_is_being_erased_and_who_draws_in_do_not_wait_for_each_other(
    shared: Store, keys: Keys, people: list[int], draw: Callable[..., None]
) -> None:
    case = opened(shared)

    def drawing() -> None:
        with shared.write() as connection:
            draw(connection, cases.to_change(connection, case.number), people[0])

    with shared.write() as connection:
        held = select(PERSONS.c.person_no).where(PERSONS.c.person_no == people[0]).with_for_update()
        assert connection.execute(held).scalar_one() == people[0]
        beside = Beside(shared, drawing)
        assert beside.waits()
        vault.erase(connection, keys, people[0], "asked for", OVER)
    beside.over()
    assert left(shared) == {people[1]}


def test_several_are_erased_while_a_trace_seals_and_asks(shared: Store, keys: Keys, people: list[int]) -> None:
    """A seal numbers records in their order; who erases several changes records in the order of the people's numbers."""

    def asking() -> None:
        with shared.write() as connection:
            sequencer.seal(connection, keys, OVER)
            traces.ask(connection, {"purpose": "p"}, {"seed": "x", "log_size": 0}, 0, OVER, "account:1")

    with shared.write() as connection:
        vault.erase(connection, keys, people[1], "retention", OVER)
        beside = Beside(shared, asking)
        assert beside.waits()
        vault.erase(connection, keys, people[0], "retention", OVER)
    beside.over()
    assert left(shared) == set()
    with shared.read() as connection:
        assert private.size(connection) == 3
