"""The bench of capture: its documents are what a firm could send, and its schema part can tell a wrong event."""

import importlib.util
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain import canonical
from sudonglian.records.epcis.schema import EVENT_TYPES, check_schema, is_valid
from sudonglian.records.intake import rehearse

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
NOW = datetime(2026, 1, 6, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def bench() -> Any:
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location("capture_bench", SCRIPTS / "capture_bench.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(SCRIPTS))


def test_its_documents_would_be_taken_whole(bench: Any) -> None:
    day = bench.Day(1, NOW)
    raw = day.body(400)
    total, taken = rehearse(raw, submitter=day.firm, now=NOW)
    assert (total, taken.accepted, taken.refused) == (400, 400, ())
    assert {finding.code for _, finding in taken.warnings} <= {"arrives-before-departing", "left-without-entering"}
    events = json.loads(raw)["epcisBody"]["eventList"]
    assert {one["type"] for one in events} == set(EVENT_TYPES)
    people = sum("sdl:participants" in one for one in events)
    assert 0.2 < people / len(events) < 0.4


def test_equal_seeds_give_equal_days(bench: Any) -> None:
    assert bench.Day(5, NOW).body(30) == bench.Day(5, NOW).body(30) != bench.Day(6, NOW).body(30)


def test_every_wrong_event_is_wrong(bench: Any) -> None:
    events: Any = canonical.parse(json.dumps([bench.Day(2, NOW).event() for _ in range(40)]).encode())
    for event in events:
        assert is_valid(event)
        for one in bench.wrong(event):
            assert not is_valid(one)
            assert check_schema(one, frozenset({"sdl"}))


def test_the_two_validators_agree(bench: Any) -> None:
    bench.SLICES, bench.SLICE_S = 1, 0.0
    found = bench.schema(20)
    assert (found["differing"], found["wrong"]) == (0, 18)
