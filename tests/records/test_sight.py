"""What is in a unit is read by whom it was handed to next, and by nobody whom the same container goes to another time."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from tests.records.conftest import FIRM

from sudonglian.records import reader
from sudonglian.records.keys import Keys
from sudonglian.records.sight import Sight
from sudonglian.records.store import Store

B, C, D = (f"https://id.gs1.org/417/690123400{tail}" for tail in ("0016", "0023", "0030"))
CRATE: Final = "https://id.gs1.org/8003/006901234000016CRATE1"


@pytest.fixture
def packed(store: Store, capture: Callable[..., Any], event: Any, seal: Callable[..., Any]) -> list[str]:
    """One crate packed and handed to B, come back, packed and handed to C, and packed once more; hashes of the packings."""

    def packing(hour: int) -> dict[str, Any]:
        return event(  # type: ignore[no-any-return]
            type="AggregationEvent", action="ADD", bizStep="packing", epcList=None, parentID=CRATE,
            childQuantityList=[{"epcClass": f"https://id.gs1.org/01/06901234000016/10/L{hour}"}],
            eventTime=f"2026-01-05T{hour:02}:00:00+08:00", eventID=f"urn:x:pack:{hour}",
        )  # fmt: skip

    def handing(hour: int, taker: str) -> dict[str, Any]:
        return event(  # type: ignore[no-any-return]
            epcList=[CRATE], eventTime=f"2026-01-05T{hour:02}:00:00+08:00", eventID=f"urn:x:hand:{hour}",
            sourceList=[{"type": "possessing_party", "source": FIRM}],
            destinationList=[{"type": "possessing_party", "destination": taker}],
        )  # fmt: skip

    taken = capture(packing(1), handing(2, B), packing(3), handing(3, C), packing(5))
    assert taken.accepted == 5, taken
    return [taken.records[at].record_hash for at in (0, 2, 4)]


def test_a_crate_that_comes_back_tells_nobody_of_the_others(store: Store, keys: Keys, packed: list[Any]) -> None:
    with store.read() as connection:
        records = [reader.record(connection, one) for one in packed]
        seen = {who: [Sight(connection, who).may_read(one) for one in records] for who in (FIRM, B, C, D)}
    assert seen == {
        FIRM: [True, True, True],
        B: [True, False, False],
        C: [False, True, False],
        D: [False, False, False],
    }
