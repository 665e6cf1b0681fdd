"""Parsing of arguments: what is understood, and that nothing else but wrong usage comes out."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.api.cli import Shared, hoist
from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import address_of, moment, record_hash_of, seed_of, span


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14d", timedelta(days=14)),
        ("0", timedelta(0)),
        ("36h", timedelta(hours=36)),
        ("90m", timedelta(minutes=90)),
        ("30s", timedelta(seconds=30)),
    ],
)
def test_spans(text: str, expected: timedelta) -> None:
    assert span(text, "--lookback") == expected


@pytest.mark.parametrize("text", ["", "d", "-1d", "1w", "1.5d", "14 d ays", "９d", "1234567"])
def test_no_spans(text: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        span(text, "--lookback")
    assert refused.value.place == "--lookback"


@pytest.mark.parametrize(
    "text", ["13987654321", " person:139-8765-4321", "11010519491231002X", "person:110105491231002"]
)
def test_a_telephone_or_identity_number_is_no_seed_and_is_not_repeated(text: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        seed_of(text, "SEED")
    assert text.removeprefix(" person:") not in refused.value.diagnostics()
    assert seed_of("person:7113840018923441", "SEED") == "person:7113840018923441"


def test_a_moment_needs_its_offset() -> None:
    assert moment("2024-11-10T14:00:00+08:00", "--at") == datetime(2024, 11, 10, 6, tzinfo=UTC)
    for text in ("2024-11-10T14:00:00", "2024-11-10", "yesterday", "2024-13-10T14:00:00Z"):
        with pytest.raises(UsageRefused):
            moment(text, "--at")


@given(st.text())
@pytest.mark.parametrize(
    "parse", [record_hash_of, address_of, lambda text: span(text, "x"), lambda text: moment(text, "x")]
)
def test_garbage_is_wrong_usage_and_nothing_else(parse: Callable[[str], object], text: str) -> None:
    with contextlib.suppress(UsageRefused):
        parse(text)


@pytest.mark.parametrize(
    ("given_", "shared", "rest"),
    [
        (["status"], Shared(False, None, None), ["status"]),
        (["--json", "status"], Shared(True, None, None), ["status"]),
        (["status", "--json", "--data-dir", "x"], Shared(True, "x", None), ["status"]),
        (["status", "--data-dir=x", "--lang=zh"], Shared(False, "x", "zh"), ["status"]),
        (["capture", "--", "--json"], Shared(False, None, None), ["capture", "--", "--json"]),
        ([], Shared(False, None, None), []),
    ],
)
def test_shared_options_stand_anywhere(given_: list[str], shared: Shared, rest: list[str]) -> None:
    assert hoist(given_) == (shared, rest)


@pytest.mark.parametrize("given_", [["status", "--lang"], ["--data-dir"], ["--data-dir="]])
def test_a_shared_option_without_its_value_is_wrong_usage(given_: list[str]) -> None:
    with pytest.raises(UsageRefused):
        hoist(given_)
