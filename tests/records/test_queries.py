"""The search over stored events: pages that end early, orders with equal times, what is counted, one firm's alone."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from sudonglian.records import queries
from sudonglian.records.intake import CaptureResult
from sudonglian.records.keys import Keys
from sudonglian.records.queries import Place
from sudonglian.records.querying import language
from sudonglian.records.querying.errors import QueryTooComplex, QueryTooLarge
from sudonglian.records.store import Store

FIRM = "https://id.gs1.org/417/4012345500004"
Ask = Callable[..., list[list[int]]]


@pytest.fixture
def ask(store: Store, keys: Keys, capture: Callable[..., CaptureResult], event: Callable[..., Any]) -> Ask:
    """Ask for the numbers of twelve events, page by page: three share each time, every fourth has step storing."""
    made = [
        event(
            eventID=f"urn:x:{n}", eventTime=f"2026-01-0{1 + n // 3}T08:00:00+08:00", epcList=[f"urn:x:item:{n % 2}"],
            bizStep="storing" if n % 4 == 0 else "shipping",
            sensorElementList=[{"sensorReport": [{"type": "Temperature", "value": n, "uom": "CEL"}]}],
        )
        for n in range(12)
    ]  # fmt: skip
    capture(*made, submitter=FIRM)
    capture(event(eventID="urn:x:99", bizStep="storing"), submitter="urn:x:other")

    def run(limit: int, **parameters: str) -> list[list[int]]:
        query = language.read(parameters.items())
        pages: list[list[int]] = []
        place: Place | None = None
        with store.read() as connection:
            while True:
                page = queries.search(connection, keys, FIRM, query, limit, place)
                pages.append([int(str(one["eventID"]).rpartition(":")[2]) for one in page.events])
                assert len(page.events) == len(page.hashes) <= limit
                place = page.next
                if place is None:
                    return pages

    return run


def test_pages_in_the_order_of_capture(ask: Ask) -> None:
    assert ask(5) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]
    assert ask(12) == [list(range(12))]
    assert ask(2, EQ_bizStep="storing") == [[0, 4], [8]]
    assert ask(5, EQ_bizStep="loading") == [[]]


def test_orders_with_equal_times(ask: Ask) -> None:
    rising = [one for page in ask(2, orderBy="eventTime", orderDirection="ASC") for one in page]
    falling = [one for page in ask(2, orderBy="eventTime") for one in page]
    assert rising == list(range(12)) == falling[::-1]
    assert [one for page in ask(5, orderBy="recordTime", EQ_bizStep="storing") for one in page] == [8, 4, 0]
    assert ask(2, orderBy="eventTime", eventCountLimit="5") == [[11, 10], [9, 8], [7]]
    assert ask(5, eventCountLimit="5") == [[0, 1, 2, 3, 4]]


def test_a_page_ends_when_enough_was_looked_at(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "SCANNED", 3)
    assert ask(10, EQ_bizStep="storing") == [[0], [4], [8], []]
    assert ask(10, GE_value_KEL="284", orderBy="eventTime") == [[11], [], [], []]
    monkeypatch.setattr(queries, "SCANNED", 5_000)
    monkeypatch.setattr(queries, "SCANNED_BYTES", 0)
    assert ask(10)[:2] == [[0], [1]]


def test_what_is_counted(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for parameters, count in (
        ({}, 12),
        ({"MATCH_epc": "urn:x:item:1"}, 6),
        ({"EQ_bizStep": "storing"}, 3),
        ({"GE_value_CEL": "9"}, 3),
    ):
        assert sum(map(len, ask(5, maxEventCount=str(count), **parameters))) == count
        if count > 1:
            with pytest.raises(QueryTooLarge):
                ask(5, maxEventCount=str(count - 1), **parameters)
    monkeypatch.setattr(queries, "COUNTED", 5)
    assert sum(map(len, ask(5, maxEventCount="12"))) == 12
    with pytest.raises(QueryTooComplex) as refused:
        ask(5, maxEventCount="11", EQ_bizStep="storing")
    assert refused.value.place == "maxEventCount"


def test_an_event_by_its_id_or_its_record(store: Store, keys: Keys, ask: Ask, capture: Any, event: Any) -> None:
    (nameless,) = capture(event(eventID=None, bizStep="loading"), submitter=FIRM).records
    address = f"{queries.RECORD}{nameless.record_hash.hex()}"
    with store.read() as connection:
        assert queries.by_event_id(connection, keys, FIRM, address).events[0]["bizStep"] == "loading"
        assert queries.by_event_id(connection, keys, "urn:x:other", address).events == ()
        assert len(queries.by_event_id(connection, keys, FIRM, "urn:x:3").events) == 1
        for none in ("urn:x:99", "urn:x:none", queries.RECORD, address.upper()):
            assert queries.by_event_id(connection, keys, FIRM, none).events == ()


def test_the_names_of_a_firm_page_by_page(store: Store, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def pages(of: queries.Named, limit: int) -> list[tuple[str, ...]]:
        found, after = [], (0, 0)
        while True:
            page = queries.names(connection, FIRM, of, limit, after)
            found.append(page.names)
            if page.next is None:
                return found
            after = page.next

    with store.read() as connection:
        assert pages("bizStep", 5) == [("shipping", "storing")]
        assert pages("epcs", 5) == [("urn:x:item:0", "urn:x:item:1")]
        assert pages("epcs", 1) == [(f"urn:x:item:{n % 2}",) for n in range(12)]
        monkeypatch.setattr(queries, "SCANNED", 2)
        assert pages("bizStep", 5) == [("shipping", "storing"), ("shipping",)] * 3
        monkeypatch.setattr(queries, "SCANNED_BYTES", 0)
        assert pages("bizStep", 5)[:2] == [("storing",), ("shipping",)]


def test_a_firm_is_found_by_an_index(sqlite_store: Store, keys: Keys) -> None:
    """A firm with few events among millions is not looked for in all of them."""
    seen: list[str] = []
    with sqlite_store.read() as connection:
        selected = queries._selected(keys, FIRM, language.read([])).order_by(text("id")).limit(30)
        compiled = selected.compile(connection, compile_kwargs={"literal_binds": True})
        seen += (row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}"))
    assert any("ix_records_submitter" in one for one in seen), seen
