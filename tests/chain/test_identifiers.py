"""The normal form of identifiers: the specification's vectors, texts that must not become one, and work that is bounded."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain.identifiers import digital_link, identifiers_of, named_by, names_of, normal
from sudonglian.chain.identifiers.gs1 import KEYS

VECTORS = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "identifiers.json").read_text())


@pytest.mark.parametrize("case", VECTORS["normal"], ids=lambda case: f"{case['rule']}-{case['written']!a:.40}")
def test_the_vectors_of_the_specification(case: Any) -> None:
    assert normal(case["written"]) == case["normal"]


def test_every_rule_has_a_vector() -> None:
    assert {case["rule"] for case in VECTORS["normal"]} == {1, 2, 3, 4, 5, 7}  # 6 is among what events name


@pytest.mark.parametrize("case", VECTORS["named"])
def test_what_an_event_names(case: Any) -> None:
    assert sorted(named_by(case["event"])) == case["names"]
    each = dict.fromkeys((one.role, one.normal) for one in identifiers_of(case["event"]))
    assert [*dict.fromkeys(names_of(case["event"]))] == [*each]


@given(st.integers(0, 32), st.integers(0, 53))
def test_a_control_character_anywhere_makes_another_name(code: int, place: int) -> None:
    link = "https://id.gs1.org/01/06901234000016/10/FROZEN1/21/7"
    assert normal(link) == link
    assert normal(link[:place] + chr(code) + link[place:]) != link


@given(st.text(st.sampled_from(":/?#@%.AaZzéİ*'0123456789urnepc")))
def test_the_normal_form_is_its_own(text: str) -> None:
    assert normal(normal(text)) == normal(text)


def test_only_the_last_segments_of_a_path_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    # With every segment of a long path tried, one identifier of 4 MiB would take hours.
    tried: list[int] = []
    read = digital_link._read

    def counted(segments: list[str], query: str) -> Any:
        tried.append(len(segments))
        return read(segments, query)

    monkeypatch.setattr(digital_link, "_read", counted)
    assert normal("https://a.example/" + "01/09780345418913/" * 5_000).endswith("/01/09780345418913")
    assert max(tried) <= digital_link.MAX_SEGMENTS
    full = "https://id.gs1.org/01/09780345418913/22/2/10/A/21/7/235/T"
    assert normal(full.replace("org", "org/01")) == full
    assert digital_link.MAX_SEGMENTS == 2 + 2 * max(len(key.qualifiers) for key in KEYS.values())


LINK_PARTS = st.sampled_from(
    [
        "01",
        "gtin",
        "10614141073464",
        "614141123452",
        "21",
        "10",
        "00",
        "106141412345678908",
        "414",
        "254",
        "A%2F1",
        "é",
        "lot",
        "[",
        "%zz",
        "%ff",
        "x?21=7",
        "y#z",
        ";",
    ]
)


@given(st.lists(LINK_PARTS, max_size=8))
def test_a_link_on_gs1s_own_domain_is_read_as_on_any_other(parts: list[str]) -> None:
    path = "/".join(parts)
    home, other = digital_link.parse(f"https://id.gs1.org/{path}"), digital_link.parse(f"https://shop.example/{path}")
    assert home == other
