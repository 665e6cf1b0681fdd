import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import select, text

from sudonglian.records import cases, derive, private, retention, vault
from sudonglian.records.cases import Act
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.fsck import fsck
from sudonglian.records.identities import identity
from sudonglian.records.intake import CaptureResult
from sudonglian.records.keys import Keys
from sudonglian.records.pseudonyms import PseudonymRefused, month, pseudonym
from sudonglian.records.store import Store
from sudonglian.records.tables import PERSONS

Capture = Callable[..., CaptureResult]
Make = Callable[..., dict[str, Any]]
DAY: Final = timedelta(days=1)
EVENT: Final = datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
OVER: Final = EVENT + 28 * DAY


def people(connection: Any) -> set[int]:
    return set(connection.execute(select(PERSONS.c.person_no)).scalars())


def number_of(store: Store, keys: Keys, phone: str) -> int | None:
    with store.read() as connection:
        return vault.find(connection, keys, identity("phone", phone, ""))


@pytest.fixture
def two(store: Store, keys: Keys, capture: Capture, event: Make, handler: Make) -> tuple[int, int]:
    """Somebody of an event at 08:30 and somebody of a second one, ten days later."""
    capture(event(**{"sdl:participants": [handler("19900000001"), handler("19900000002")]}))
    later = event(
        eventID="urn:x:2", eventTime="2026-01-15T08:30:00+08:00", **{"sdl:participants": [handler("19900000002")]}
    )
    capture(later, now=datetime(2026, 1, 16, tzinfo=UTC))
    first, second = number_of(store, keys, "19900000001"), number_of(store, keys, "19900000002")
    assert first is not None
    assert second is not None
    return first, second


def test_whoever_took_part_last_28_days_ago_is_erased_and_nobody_a_moment_earlier(
    store: Store, keys: Keys, two: tuple[int, int]
) -> None:
    moment = timedelta(microseconds=1)
    assert retention.run(store, keys, OVER - moment)[0].receipts == []
    done, is_over = retention.run(store, keys, OVER)
    assert (done.due, done.held, len(done.receipts), is_over) == (1, 0, 1, True)
    assert derive.moment(done.oldest_us or 0) == OVER
    assert number_of(store, keys, "19900000001") is None
    assert number_of(store, keys, "19900000002") == two[1]
    with store.read() as connection:
        said = private.value_of(private.entry(connection, done.receipts[0]))
        assert retention.last_run_us(connection) == derive.micros(OVER)
    assert isinstance(said, dict)
    assert (said["k"], said["person"], said["reason"]) == ("erasure", two[0], "retention")
    assert retention.run(store, keys, OVER + 9 * DAY)[0].receipts == []
    assert len(retention.run(store, keys, OVER + 10 * DAY)[0].receipts) == 1
    assert {one["code"] for one in fsck(store, keys, None)["faults"]} <= {"time"}


def test_a_dry_run_erases_nobody(store: Store, keys: Keys, two: tuple[int, int]) -> None:
    with store.read() as connection:
        done = retention.dry(connection, OVER + 40 * DAY)
        assert (done.due, done.receipts, people(connection)) == (2, [], set(two))
        assert retention.last_run_us(connection) is None


@pytest.mark.parametrize(
    ("end", "captured", "over"),
    [
        ("2026-01-08T08:30:00+08:00", datetime(2026, 1, 9, tzinfo=UTC), EVENT + 31 * DAY),
        ("2062-01-08T08:30:00+08:00", datetime(2026, 1, 9, tzinfo=UTC), datetime(2026, 2, 6, tzinfo=UTC)),
        (None, datetime(2026, 1, 9, tzinfo=UTC), OVER),
    ],
)
def test_the_last_moment_is_that_of_taking_part_and_not_beyond_the_capture(
    store: Store,
    keys: Keys,
    capture: Capture,
    event: Make,
    handler: Make,
    end: str | None,
    captured: datetime,
    over: datetime,
) -> None:
    times = {} if end is None else {"start": "2026-01-05T08:30:00+08:00", "end": end}
    capture(event(**{"sdl:participants": [handler(**times)]}), now=captured)
    with store.read() as connection:
        assert retention.due(connection, over - timedelta(microseconds=1)) == []
        assert [derive.moment(one.since_us) for one in retention.due(connection, over)] == [over]


@pytest.mark.parametrize("seed", [False, True])
def test_a_case_keeps_whom_it_drew_in_until_28_days_after_it_closes(
    store: Store, keys: Keys, two: tuple[int, int], seed: bool
) -> None:
    late = OVER + 100 * DAY
    act = Act("account:1", OVER)
    with store.write() as connection:
        told = {"purpose": "p", "basis": "b", "responsible": "r"}
        one, other = (cases.open_case(connection, act, name=name, **told) for name in ("DL-1", "DL-2"))
        if seed:
            cases.add_seed(connection, one, act, kind="person", subject=str(two[0]), at=OVER)
            cases.add_seed(connection, one, act, kind="item", subject=str(two[1]), at=OVER)
        else:
            cases.add_run(connection, one, act, 1, 0, [(two[0], "close", 0)])
        cases.add_run(connection, other, act, 2, 0, [(two[1], "close", 0)])
        cases.close(connection, other, act, "over")
    done, _ = retention.run(store, keys, late)
    assert (done.due, done.held, len(done.receipts)) == (2, 1, 1)
    assert number_of(store, keys, "19900000001") == two[0]
    with store.write() as connection:
        cases.close(connection, cases.to_change(connection, 1), Act("account:1", late), "over")
    assert retention.run(store, keys, late + 28 * DAY - timedelta(microseconds=1))[0].held == 1
    assert len(retention.run(store, keys, late + 28 * DAY)[0].receipts) == 1


def test_a_run_goes_batch_by_batch_and_says_when_it_is_over(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    capture(event(**{"sdl:participants": [handler(f"1990000000{n}") for n in range(5)]}))
    told = []
    erased = [retention.run(store, keys, OVER, lambda done, _: told.append(done), batches=1) for _ in range(3)]
    assert [(len(done.receipts), is_over) for done, is_over in erased] == [(2, False), (2, False), (1, True)]
    assert told == [2, 2, 1]


CHILD: Final = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from sudonglian.records import retention
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
url, folder, now = sys.argv[1:]
retention.BATCH = 2
def die(done, _):
    if done >= 4: os.kill(os.getpid(), signal.SIGKILL)
retention.run(Store(url), Keys.open(Path(folder)), datetime.fromisoformat(now), die)
"""


def test_killed_between_batches_the_next_run_goes_on(
    store: Store, keys: Keys, capture: Capture, event: Make, handler: Make
) -> None:
    capture(event(**{"sdl:participants": [handler(f"1990000000{n}") for n in range(7)]}))
    url = store.url.render_as_string(hide_password=False)
    arguments = [sys.executable, "-c", CHILD, url, str(keys.folder), OVER.isoformat()]
    child = subprocess.run(arguments, capture_output=True, text=True, env=os.environ.copy(), check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr
    with store.read() as connection:
        assert (len(people(connection)), retention.last_run_us(connection)) == (3, None)
    done, is_over = retention.run(store, keys, OVER)
    assert (len(done.receipts), is_over) == (3, True)


def test_a_mark_that_is_no_time_is_named(store: Store, keys: Keys) -> None:
    retention.run(store, keys, OVER)
    with store.write() as connection:
        connection.execute(text("UPDATE meta SET value = 'soon' WHERE key = 'retained_us'"))
    with pytest.raises(StoreCorrupt), store.read() as connection:
        retention.last_run_us(connection)
    assert [one["place"] for one in fsck(store, keys, None)["faults"]] == ["meta/retained_us"]


def test_fsck_tells_of_people_who_are_kept_too_long_and_finds_no_fault_in_that(
    store: Store, keys: Keys, two: tuple[int, int]
) -> None:
    report = fsck(store, keys, None)
    assert report["faults"] == []
    assert [one["code"] for one in report["notices"]] == ["retention"]
    assert report["notices"][0]["detail"].startswith("2 persons")
    retention.run(store, keys, OVER + 40 * DAY)
    assert "notices" not in fsck(store, keys, None)


def test_the_rules_are_data() -> None:
    rules = retention.rules()
    assert {name: rule.days for name, rule in rules.items()} == {"participation": 28, "case": 28}


def test_pseudonyms_join_within_a_purpose_and_an_epoch_alone(keys: Keys, tmp_path: Any) -> None:
    one = pseudonym(keys, "line-list", "case-1", 7)
    assert one == pseudonym(keys, "line-list", "case-1", 7)
    others = {
        pseudonym(keys, "line-list", "case-2", 7),
        pseudonym(keys, "graph", "case-1", 7),
        pseudonym(keys, "line-list", "case-1", 8),
        pseudonym(keys, "case-1", "line-list", 7),
        pseudonym(Keys.open(tmp_path / "other", create=True), "line-list", "case-1", 7),
    }
    assert len(others | {one}) == 6
    assert len({pseudonym(keys, "line-list", "case-1", n) for n in range(2_000)}) == 2_000
    assert month(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == "2026-12"


@pytest.mark.parametrize(
    ("purpose", "epoch"), [("", "1"), ("a", ""), ("A", "1"), ("a\x00b", "1"), ("a", "x" * 65), ("-a", "1")]
)
def test_what_names_no_purpose_or_epoch(keys: Keys, purpose: str, epoch: str) -> None:
    with pytest.raises(PseudonymRefused):
        pseudonym(keys, purpose, epoch, 1)
