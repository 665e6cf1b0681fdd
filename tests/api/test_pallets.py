"""A pallet of many boxes: every box is in the list of the pallet and of the lot, each counted once."""

import json
from pathlib import Path
from typing import Any

PALLET = "https://id.gs1.org/00/395200010000000028"
LOT = "https://id.gs1.org/01/09520001002014/10/P"
BOXES = [f"{LOT}/21/{number}" for number in range(342)]


def test_three_hundred_and_forty_two_boxes(run: Any, tmp_path: Path) -> None:
    there = {"readPoint": {"id": "https://id.gs1.org/414/9520001001017"}}
    here = {"readPoint": {"id": "https://id.gs1.org/414/9520001001024"}}
    events: list[dict[str, Any]] = [
        {"bizStep": "commissioning", "action": "ADD", "epcList": BOXES, **there},
        {"type": "AggregationEvent", "bizStep": "packing", "action": "ADD", "parentID": PALLET, "childEPCs": BOXES, **there},
        {"bizStep": "shipping", "epcList": [PALLET], **there},
        {"bizStep": "receiving", "epcList": [PALLET], **here},
        {"bizStep": "retail_selling", "epcList": BOXES[:66], **here},
    ]  # fmt: skip
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-05T01:00:00Z",
        "epcisBody": {
            "eventList": [
                {"type": "ObjectEvent", "action": "OBSERVE", "eventTime": f"2026-01-05T0{hour}:00:00Z",
                 "eventTimeZoneOffset": "+08:00", **event}
                for hour, event in enumerate(events)
            ]
        },
    }  # fmt: skip
    path = tmp_path / "pallet.json"
    path.write_text(json.dumps(document), "utf-8")
    assert run("capture", str(path)).code == 0
    for epc in (PALLET, LOT):
        told = run("list", epc, "--json").json
        total = next(one for one in told["totals"] if one["item"] == LOT)
        assert (total["made"], total["in_stock"], total["sold"]) == ("342", "276", "66"), epc
        boxes = [one for one in told["holdings"] if one["item"].startswith(LOT + "/21/")]
        assert len(boxes) == 342
        assert {(one["status"], one["place"]) for one in boxes} == {
            ("in-stock", here["readPoint"]["id"]),
            ("sold", here["readPoint"]["id"]),
        }
        assert {one["inside"] for one in boxes if one["status"] == "in-stock"} == {PALLET}
