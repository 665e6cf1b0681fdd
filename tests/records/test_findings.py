"""Findings: their JSON, their pointers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.records.epcis.findings import Finding, error, pointer, refuses, warning
from sudonglian.records.epcis.times import instant


def test_the_json_that_commands_print() -> None:
    finding = error("biz-step", "/bizStep", "CBV 2.0 §7.1", "错", "wrong").under("/epcisBody/eventList/3")
    assert finding.as_json() == {
        "level": "error",
        "code": "biz-step",
        "pointer": "/epcisBody/eventList/3/bizStep",
        "rule": "CBV 2.0 §7.1",
        "message": {"zh": "错", "en": "wrong"},
    }


def test_only_errors_refuse() -> None:
    hint: Finding = warning("a", "", "r", "z", "e")
    assert not refuses([])
    assert not refuses([hint])
    assert refuses([hint, error("a", "", "r", "z", "e")])


@given(st.lists(st.text()))
def test_a_pointer_leads_back(path: list[str]) -> None:
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer(*path).split("/")[1:]]
    assert tokens == path
    nested: Any = "here"
    for name in reversed(path):
        nested = {name: nested}
    for token in tokens:
        nested = nested[token]
    assert nested == "here"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05T08:30:00+08:00", "2026-01-05T00:30:00+00:00"),
        ("2026-01-05T08:30:00.5Z", "2026-01-05T08:30:00.500000+00:00"),
        ("2023-07-19T11:31:26.6750000+00:00", "2023-07-19T11:31:26.675000+00:00"),
        ("2026-01-05T08:30:00", None),
        ("2026-01-05 08:30:00Z", None),
        ("2026-13-05T08:30:00Z", None),
        ("2026-01-05T08:30:00+25:00", None),
        ("0001-01-01T00:00:00+08:00", None),
        ("2026-01-05T08:30:00Z\n", None),
        ("２026-01-05T08:30:00Z", None),
        (5, None),
    ],
)
def test_instants(text: Any, expected: str | None) -> None:
    found = instant(text)
    assert (found.isoformat() if found else None) == expected
