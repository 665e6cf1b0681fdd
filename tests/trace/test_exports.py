"""The line list and the map: every member once, walks beside it, text that stays text; places where firms say they are."""

import io
import json
from datetime import timedelta

from python_calamine import CalamineWorkbook
from tests.trace.test_facts import BOX, PORT, SHOP, STORE, ask, event, handover

from sudonglian.records.epcis.master_data import Element
from sudonglian.records.master_data import Described
from sudonglian.trace.casework import geojson, line_list
from sudonglian.trace.engine import table


def sheets(raw: bytes) -> dict[str, list[list[str]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    return {
        name.split(" ")[1]: [[str(value) for value in row] for row in book.get_sheet_by_name(name).to_python()]
        for name in book.sheet_names
    }


def test_the_line_list_says_what_the_table_says() -> None:
    for backward, seed, hour in ((False, BOX, 3), (True, "late", 10)):
        answer = ask(handover(), seed, hour, backward=backward, lookback=timedelta(days=1))
        found = sheets(line_list.encode(answer))
        head, *rows = found["members"]
        assert [name.split(" ")[-1] for name in head] == list(table.COLUMNS)
        assert [tuple(row) for row in rows] == list(table.rows(answer))
        walked = [row[0] for row in found["walks"][1:]]
        assert walked == [one.key for one, _ in table.called(answer) for _ in one.earliest_walk()]
        assert ["document_hash", answer.document_hash()] in found["about"]


def test_no_cell_of_the_line_list_is_a_formula() -> None:
    events = [event(1, "inspecting", (BOX, "epc"), biz_location=SHOP, people=[("=cmd()", "opened")])]
    found = sheets(line_list.encode(ask(events, BOX, 0)))
    assert "=cmd()" in {row[1] for row in found["members"]}


def says(uri: str, *attributes: tuple[str, str], told_us: int = 0) -> Described:
    return Described("firm", Element("urn:epcglobal:epcis:vtype:BusinessLocation", uri, attributes, ()), told_us)


def test_places_are_where_the_latest_word_says() -> None:
    mda = "urn:epcglobal:cbv:mda#"
    told = geojson.Told(
        [
            says(PORT, (f"{mda}latitude", "38.92"), (f"{mda}longitude", "121.64"), (f"{mda}name", "港口")),
            says(PORT, (f"{mda}latitude", "1"), (f"{mda}longitude", "2")),
            says(STORE, (f"{mda}latitude", "north"), (f"{mda}longitude", "2")),
        ]
    )
    answer = ask(handover(), BOX, 0)
    found = {one["properties"]["id"]: one for one in json.loads(geojson.encode(answer, told))["features"]}
    assert set(found) == {one.id for one in answer.members if one.kind == "place"}
    assert found[PORT]["geometry"] == {"type": "Point", "coordinates": [121.64, 38.92]}
    assert found[PORT]["properties"]["role"] == "member"
    assert found[STORE]["geometry"] is None


def test_a_place_that_was_sampled_is_on_the_map() -> None:
    found = json.loads(geojson.encode(ask(handover(), PORT, 1), geojson.Told([])))["features"]
    assert [one["properties"]["id"] for one in found if one["properties"]["role"] == "seed"] == [PORT]
