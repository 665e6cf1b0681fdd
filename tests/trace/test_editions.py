"""Documents of the first edition are made again to the byte: these digests are those of the engine that wrote it."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from tests.trace.test_facts import BOX, LOT, PORT, handover, two_cities

from sudonglian.chain import canonical
from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.editions import FIRST, SECOND, as_edition
from sudonglian.trace.engine.events import EventView
from sudonglian.trace.engine.facts import EPOCH
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import DOMAIN, TraceResult, trace
from sudonglian.trace.errors import QueryRefused

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def answer(events: list[EventView], seed: str, hour: int, **more: Any) -> TraceResult:
    return trace(derive_facts(events), TraceQuery(seed, at=EPOCH + hour * HOUR, **more))


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
    assert as_edition(document, SECOND) is document
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
