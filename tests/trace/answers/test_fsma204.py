"""The spreadsheet of the US rule: each kind of event, lots inside pallets, master data, and what a row lacks."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sudonglian.records import intake
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.trace.answers.fsma204 import HEADINGS, PLACES, Row, Wanted, rows, spreadsheet, table

LOT = "https://id.gs1.org/01/09520001002014/10/BJ241018"
A, B = "https://id.gs1.org/414/9520001001017", "https://id.gs1.org/414/9520001001024"
PALLET = "https://id.gs1.org/00/395200010000000028"
NOW = datetime(2026, 1, 6, tzinfo=UTC)
MASTER = {
    "vocabularyList": [
        {
            "type": "urn:epcglobal:epcis:vtype:Location",
            "vocabularyElementList": [
                {
                    "id": place,
                    "attributes": [
                        {"id": f"urn:epcglobal:cbv:mda#{name}", "attribute": value}
                        for name, value in (
                            ("name", f"=cmd|{number}"), ("streetAddressOne", "1 Pier"), ("city", "Gloucester"),
                            ("state", "MA"), ("postalCode", "01930"), ("countryCode", "US"), ("telephone", "+1 555 0100"),
                        )
                    ],
                }
                for number, place in enumerate((A, B))
            ],
        },
        {
            "type": "urn:epcglobal:epcis:vtype:EPCClass",
            "vocabularyElementList": [
                {
                    "id": "https://id.gs1.org/01/09520001002014",
                    "attributes": [{"id": "urn:epcglobal:cbv:mda#descriptionShort", "attribute": "cod, frozen, 10 kg box"}],
                }
            ],
        },
    ]
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[Store, Keys]]:
    keys = Keys.open(tmp_path / "keys", create=True)
    opened = Store(f"sqlite:///{tmp_path / 'x.db'}")
    open_deployment(opened, keys, NOW)
    yield opened, keys
    opened.close()


def put(store: tuple[Store, Keys], *events: dict[str, Any], firm: str = "urn:x:firm", master: bool = True) -> None:
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-05T01:00:00Z",
        **({"epcisHeader": {"epcisMasterData": MASTER}} if master else {}),
        "epcisBody": {"eventList": list(events)},
    }
    with store[0].write() as connection:
        taken = intake.capture(connection, store[1], json.dumps(document).encode(), submitter=firm, now=NOW)
    assert taken.refused == ()


def event(step: str, hour: int, place: str = A, **members: Any) -> dict[str, Any]:
    whole = {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": step,
        "eventTime": f"2026-01-05T{hour:02}:00:00+08:00",
        "eventTimeZoneOffset": "-05:00",
        "readPoint": {"id": place},
        "bizLocation": {"id": place},
        **members,
    }
    return {name: value for name, value in whole.items() if value is not None}


SOLD: dict[str, Any] = {
    "sourceList": [{"type": "location", "source": A}],
    "destinationList": [{"type": "location", "destination": B}],
    "bizTransactionList": [{"type": "bol", "bizTransaction": "urn:x:bol:1"}],
    "sdl:tlcSource": A,
}
SOME: dict[str, Any] = {"quantityList": [{"epcClass": LOT, "quantity": 20, "uom": "XCS"}]}


def found(store: tuple[Store, Keys], **wanted: Any) -> list[Row]:
    with store[0].read() as connection:
        return list(rows(connection, Wanted(**wanted)))


def cells(row: Row) -> dict[str, Any]:
    return dict(zip(HEADINGS, row.cells, strict=True))


def test_a_shipping_and_a_receiving_that_lack_nothing(store: tuple[Store, Keys]) -> None:
    put(store, event("shipping", 8, **SOLD, **SOME), event("receiving", 12, B, **SOLD, **SOME))
    shipped, received = found(store)
    assert (shipped.missing, received.missing) == ((), ())
    told = cells(shipped)
    assert told["critical tracking event"] == "shipping"
    assert told["traceability lot code"] == "BJ241018"
    assert (told["GTIN"], told["product"]) == ("09520001002014", "cod, frozen, 10 kg box")
    assert (str(told["quantity"]), told["unit of measure"]) == ("20", "XCS")
    assert told["date"].isoformat() == "2026-01-04"  # where it happened
    assert told["location: city"] == "Gloucester"
    assert told["immediate subsequent recipient: identifier"] == "(414)9520001001024"
    assert told["TLC source: ZIP"] == "01930"
    assert told["reference document type"] == "bol"
    assert cells(received)["immediate previous source: phone"] == "+1 555 0100"


def test_what_is_lacking_is_named(store: tuple[Store, Keys]) -> None:
    put(store, event("shipping", 8, quantityList=[{"epcClass": "https://id.gs1.org/01/09520001002014"}]), master=False)
    (row,) = found(store)
    assert row.missing == (
        "traceability lot code", "quantity", "unit of measure", "product", "immediate subsequent recipient",
        *(f"location: {word}" for word in ("business name", "phone", "street", "city", "country")),
        "TLC source", "reference document number", "reference document type",
    )  # fmt: skip
    assert cells(row)["missing"] == "; ".join(row.missing)
    assert row.as_json()["missing"] == list(row.missing)


def test_lots_in_a_pallet_in_a_container_are_rows(store: tuple[Store, Keys]) -> None:
    pack: dict[str, Any] = {"type": "AggregationEvent", "action": "ADD"}
    put(
        store,
        event("packing", 6, **pack, parentID=PALLET, childQuantityList=SOME["quantityList"]),
        event("packing", 7, **pack, parentID="urn:x:container", childEPCs=[PALLET]),
        event("shipping", 8, epcList=["urn:x:container"], **SOLD),
        event(
            "unpacking", 9, B, type="AggregationEvent", action="DELETE", parentID="urn:x:container", childEPCs=[PALLET]
        ),
        event("shipping", 10, epcList=["urn:x:container"], **SOLD),
    )
    assert [(row.cells[2], str(row.cells[11])) for row in found(store)] == [("BJ241018", "20")]


def test_a_transformation_is_a_row_each_of_inputs_and_outputs(store: tuple[Store, Keys]) -> None:
    new = "https://id.gs1.org/01/09520001002021/10/DT1"
    made = event(
        "commissioning", 8, type="TransformationEvent", action=None, inputQuantityList=SOME["quantityList"],
        outputQuantityList=[{"epcClass": new, "quantity": 48.5, "uom": "KGM"}],
    )  # fmt: skip
    put(store, made)
    into, out = found(store)
    assert [cells(one)["critical tracking event"] for one in (into, out)] == [
        "transformation input",
        "transformation output",
    ]
    assert cells(out)["TLC source: identifier"] == "(414)9520001001017"
    assert "product" in out.missing
    assert into.missing == ()
    assert [one.cells[2] for one in found(store, lot=LOT)] == ["BJ241018"]


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("urn:gdst:bizStep:farmHarvest", "harvesting"),
        ("urn:x:harvesting", "harvesting"),
        ("urn:sudonglian:bizstep:cooling", "cooling"),
        ("urn:sudonglian:bizstep:initial_packing", "initial packing"),
        ("urn:gdst:bizStep:landing", "first land-based receiving"),
        ("departing", "shipping"),
        ("accepting", "receiving"),
        ("storing", None),
    ],
)
def test_the_kinds_of_events(store: tuple[Store, Keys], step: str, kind: str | None) -> None:
    put(store, event(step, 8, **SOME))
    assert [row.cells[0] for row in found(store)] == ([kind] if kind else [])
    put(store, event("storing", 9, **SOME, **{"sdl:cte": "cooling"}))
    assert found(store)[-1].cells[0] == "cooling"


def test_what_is_asked_for(store: tuple[Store, Keys]) -> None:
    put(store, event("shipping", 8, **SOLD, **SOME), firm="urn:x:one")
    put(store, event("receiving", 12, B, **SOLD, **SOME), firm="urn:x:two")
    assert len(found(store)) == 2
    assert [row.cells[0] for row in found(store, firm="urn:x:two")] == ["receiving"]
    assert [row.cells[0] for row in found(store, place=A + "/254/x")] == ["shipping"]
    noon = int(datetime(2026, 1, 5, 4, tzinfo=UTC).timestamp()) * 1_000_000
    assert [row.cells[0] for row in found(store, since_us=noon)] == ["receiving"]
    assert [row.cells[0] for row in found(store, before_us=noon)] == ["shipping"]
    assert [row.cells[0] for row in found(store, lot=LOT, firm="urn:x:one")] == ["shipping"]


def test_a_corrected_event_is_no_row(store: tuple[Store, Keys]) -> None:
    wrong = event("shipping", 8, **SOLD, **SOME, eventID="urn:uuid:6f0b2f3a-1111-4c3e-9f43-000000000001")
    declared = {"declarationTime": "2026-01-05T13:00:00Z", "reason": "incorrect_data"}
    put(store, wrong, wrong | {"errorDeclaration": declared})
    assert found(store) == []


def test_the_sheets_hold_text_that_does_not_run(store: tuple[Store, Keys]) -> None:
    put(store, event("shipping", 8, **SOLD, **SOME))
    book = openpyxl.load_workbook(io.BytesIO(spreadsheet(found(store), "xlsx")))
    heading, row = list(book["FSMA 204"].iter_rows())
    assert tuple(cell.value for cell in heading) == HEADINGS
    name = row[HEADINGS.index("location: business name")]
    assert (name.value, name.data_type) == ("=cmd|0", "s")
    assert row[HEADINGS.index("quantity")].value == 20
    assert row[HEADINGS.index("date")].is_date
    (told,) = csv.DictReader(io.StringIO(spreadsheet(found(store), "csv").decode("utf-8-sig")))
    assert told["location: business name"] == "'=cmd|0"


def test_every_need_is_one_that_is_judged() -> None:
    rules = table()["rules"]
    assert set(table()["steps"]) | {"transformation input", "transformation output"} == set(rules)
    needs = {need for one in rules.values() for need in one["needs"]}
    judged = {*PLACES, "document", "harvest_dates", "harvest_area", "species", "commodity", "tlc", "quantity", "uom"}
    assert needs <= judged | {
        "product",
        "date",
        "area",
        "harvester",
        "harvest_date",
        "received_date",
        "received_quantity",
    }


@pytest.mark.shared
def test_a_published_chain_with_master_data(store: tuple[Store, Keys], shared_data: Path) -> None:
    raw = (shared_data / "epcis" / "chains" / "gdst_data_withmasterdata.jsonld").read_bytes()
    with store[0].write() as connection:
        assert intake.capture(connection, store[1], raw, submitter="urn:x:f", now=NOW).refused == ()
    told = [cells(row) for row in found(store)]
    kinds = [one["critical tracking event"] for one in told]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "harvesting": 1, "first land-based receiving": 1, "shipping": 2, "receiving": 3, "transformation input": 3,
        "transformation output": 2,
    }  # fmt: skip
    assert all(one["traceability lot code"] for one in told)
    assert {one["product"] for one in told if one["critical tracking event"] == "first land-based receiving"} == {
        "Whole Yellowfin Tuna"
    }
