"""Documents of earlier editions are made again to the byte: these digests are those of the engines that wrote them."""

import hashlib
from datetime import timedelta
from typing import Any, cast

import pytest
from tests.trace.test_facts import BOX, LOT, PORT, handover, two_cities

from sudonglian.chain import canonical
from sudonglian.trace.casework.again import query_of
from sudonglian.trace.casework.run import query_json
from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.editions import FIRST, FOURTH, SECOND, THIRD, as_edition
from sudonglian.trace.engine.events import EventView
from sudonglian.trace.engine.facts import EPOCH
from sudonglian.trace.engine.query import RANK, TIERS, TraceQuery
from sudonglian.trace.engine.result import DOMAIN, TraceResult, trace
from sudonglian.trace.errors import QueryRefused

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


EARLIER: dict[str, Any] = {"tiers": "tiers/1", "rank": "rank/1", "interviews": False}
"""What there was before the third edition."""


def answer(events: list[EventView], seed: str, hour: int, **more: Any) -> TraceResult:
    return trace(derive_facts(events), TraceQuery(seed, at=EPOCH + hour * HOUR, **{**EARLIER, **more}))


@pytest.mark.parametrize(
    ("made", "digest"),
    [
        (lambda: answer(handover(), BOX, 3), "ea347b40ef2018b3a559d1d2602bf379cb6ded8898ec3c9c53f1c113a473d30b"),
        (
            lambda: answer(handover(), BOX, 3, min_dwell={"location": HOUR / 4}, persistence={"item": DAY}),
            "24621695acffcf9ba804fa648e3127304da5fdd10310d0e5905e6310f64bb344",
        ),
        (lambda: answer(handover(), "driver", 3), "ee9e522f1d344ae2818ed841c25a66b9c5946e3f226a935873c793aa9a383014"),
        (
            lambda: answer(two_cities(), LOT, 2, policy="norovirus/1"),
            "5f1e0e0c9af2721f33d1fe906e9cd74cf00dc8f714a1f4784dce63610b743415",
        ),
        (
            lambda: answer(handover(), "late", 10, backward=True, lookback=DAY),
            "e90e9cdf9d2e509480245a84610e3763f251328c64eb3608fb90effe42f37433",
        ),
    ],
)
def test_the_second_edition_is_what_it_was(made: Any, digest: str) -> None:
    second = canonical.encode(as_edition(made().document(), SECOND))
    assert hashlib.sha256(DOMAIN + second).hexdigest() == digest


def test_a_question_that_was_kept_before_there_were_editions_is_asked_as_then() -> None:
    query = TraceQuery(BOX, at=EPOCH + 3 * HOUR)
    now = cast(dict[str, Any], query_json(query))
    assert query_of(now, 0, "").tiers == TIERS
    assert query_of(now, 0, "").rank == RANK
    then = query_of({name: value for name, value in now.items() if name not in EARLIER}, 0, "")
    assert {"tiers": then.tiers, "rank": then.rank, "interviews": then.interviews} == EARLIER


@pytest.mark.parametrize("more", [{"tiers": "cn-nhc-8/1"}, {"rank": "rank/2"}])
def test_what_the_second_edition_could_not_say_is_refused(more: dict[str, Any]) -> None:
    document = answer(handover(), BOX, 3, **more).document()
    assert document["versions"] | more == document["versions"]
    for edition in (FIRST, SECOND):
        with pytest.raises(QueryRefused):
            as_edition(document, edition)


@pytest.mark.parametrize(
    ("made", "digest"),
    [
        (lambda: answer(handover(), BOX, 3), "b8c23fc6099ea6a9d7f84c8dd0ca7e4627f06a7ca5bab29837a3f9a9debf0a6a"),
        (
            lambda: answer(handover(), BOX, 3, persistence={"location": DAY, "handoff": timedelta(minutes=1)}),
            "e99ff193ca1d6558a6a68de36a408362803677d424d5792387999f905aabc439",
        ),
        (
            lambda: answer(handover(), "late", 10, backward=True, lookback=DAY, persistence={"vehicle": HOUR}),
            "dcd779f5cc01b5a4c541289a6dbbab571c9cc6a5e87aeaa09860d60499fb5298",
        ),
        (
            lambda: answer(two_cities(), LOT, 2, seed_place=PORT, strict=False),
            "06814dea573d3783d958df46f60a6eea1e82ab8a8bc6e17a936ecab425a61e29",
        ),
    ],
)
def test_the_first_edition_is_what_it_was(made: Any, digest: str) -> None:
    document = made().document()
    assert as_edition(document, FOURTH) is document
    first = canonical.encode(as_edition(document, FIRST))
    assert hashlib.sha256(DOMAIN + first).hexdigest() == digest


@pytest.mark.parametrize(
    "more",
    [
        {"min_dwell": {"location": HOUR}},
        {"persistence": {"item": DAY}},
        {"policy": "norovirus/1"},
    ],
)
def test_what_the_first_edition_could_not_say_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(QueryRefused):
        as_edition(answer(handover(), BOX, 3, **more).document(), FIRST)
    with pytest.raises(QueryRefused):
        as_edition(answer(handover(), BOX, 3).document(), "sudonglian/trace/0")


@pytest.mark.parametrize(
    ("made", "digest"),
    [
        (lambda: plain(handover(), BOX, 3), "869e6fe378ba162dd6dd0edfcb31ef581fefac75b49e87c1570699c3326c8a96"),
        (
            lambda: plain(handover(), "driver", 3, min_dwell={"location": HOUR / 4}),
            "ace08bcf332ee17e2c27522c22dcb6aace8c14969770ed6001a6d807ed3087cc",
        ),
        (
            lambda: plain(two_cities(), LOT, 2, seed_place=PORT, tiers="cn-nhc-9/1"),
            "572644be8f2de7e86f89d487bedb68884bea89faae13a137c5af4843d45e2c01",
        ),
        (
            lambda: plain(handover(), "late", 10, backward=True, lookback=DAY),
            "a846ca2bc6ef400df3ece3b862903a1eb0b45966892095f24e50db2f559ab95d",
        ),
    ],
)
def test_the_third_edition_is_what_it_was(made: Any, digest: str) -> None:
    third = canonical.encode(as_edition(made().document(), THIRD))
    assert hashlib.sha256(DOMAIN + third).hexdigest() == digest


def test_the_third_edition_knows_no_interviews() -> None:
    asked = TraceQuery(BOX, at=EPOCH + 3 * HOUR)
    with pytest.raises(QueryRefused):
        as_edition(trace(derive_facts(handover()), asked).document(), THIRD)


def plain(events: list[EventView], seed: str, hour: int, **more: Any) -> TraceResult:
    """Answer a question of today, without what people said."""
    return trace(derive_facts(events), TraceQuery(seed, at=EPOCH + hour * HOUR, interviews=False, **more))
