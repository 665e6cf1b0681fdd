"""The table: every member once, as the document has it, with the records of its own meeting; no formula survives."""

import csv
import io
from datetime import timedelta

import pytest
from tests.trace.test_facts import BOX, LOT, PORT, SHOP, STORE, ask, event, handover, two_cities

from sudonglian.trace.engine.result import TraceResult
from sudonglian.trace.engine.table import COLUMNS, encode


def read(answer: TraceResult) -> list[dict[str, str]]:
    raw = encode(answer)
    assert raw.startswith(b"\xef\xbb\xbfkind,id,")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("backward", [False, True])
def test_each_member_is_a_row_that_says_what_the_document_says(backward: bool) -> None:
    seed, hour = ("late", 10) if backward else (BOX, 3)
    answer = ask(handover(), seed, hour, backward=backward, lookback=timedelta(days=1))
    found = read(answer)
    when = "latest" if backward else "earliest"
    told = {(one["kind"], one["id"]): one for one in answer.document()["members"]}
    assert [set(row) for row in found] == [set(COLUMNS)] * len(told)
    assert {(row["kind"], row["id"]) for row in found} == told.keys()
    for row in found:
        one = told[row["kind"], row["id"]]
        generation = one["generation"]
        assert (row["kind"], row["id"], row["evidence"], row["time"]) == (
            one["kind"],
            one["id"],
            one["evidence"],
            one[when],
        )
        assert (row["through_objects"], row["through_persons"]) == (
            str(generation["objects"]),
            str(generation["persons"]),
        )
        assert (row["tier"], row["tier_zh"], row["rule"]) == (one["tier"], one["tier_zh"], one["rule"])


def test_people_come_first_and_whoever_is_to_be_called_first() -> None:
    found = read(ask(handover(), BOX, 3))
    assert [row["kind"] for row in found] == sorted(
        (row["kind"] for row in found), key=("person", "item", "place").index
    )
    ranks = [int(row["risk_rank"]) for row in found if row["kind"] == "person"]
    assert ranks == sorted(ranks)
    assert [row["tier"] for row in found if row["kind"] == "person"] == ["close", "close", "general"]


def test_a_row_names_how_and_by_what_and_the_records_of_that_meeting() -> None:
    late = next(row for row in read(ask(handover(), BOX, 3)) if row["id"] == "late")
    assert (late["contact"], late["from"]) == ("opened", BOX)
    assert late["record_hashes"].split(" ") == [f"009-receiving-{STORE}-{BOX}"]
    portion = next(row for row in read(ask(two_cities(), LOT, 2, seed_place=PORT)) if row["portion"])
    assert portion["lot"] == LOT


def test_no_cell_is_a_formula() -> None:
    events = [
        event(1, "inspecting", (BOX, "epc"), biz_location=SHOP, people=[("=cmd()", "opened"), ('a,"b"\n', "opened")])
    ]
    named = {row["id"] for row in read(ask(events, BOX, 0)) if row["kind"] == "person"}
    assert named == {"'=cmd()", 'a,"b"\n'}
