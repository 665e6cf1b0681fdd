"""Labels: links, the text under them, exact places on the sheet, and what no label is made of."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain.identifiers import digital_link
from sudonglian.chain.identifiers.digital_link import DigitalLink
from sudonglian.chain.identifiers.gs1 import QUALIFIERS
from sudonglian.trace.answers.labels import FORMATS, Label, LabelRefused, html, label_of, numbered, pages

GTIN = "https://id.gs1.org/01/09520001002014"
SVG = "{http://www.w3.org/2000/svg}"
LOTS = st.from_regex(QUALIFIERS["10"], fullmatch=True)


@given(LOTS, LOTS)
def test_a_link_holds_any_lot_and_serial_and_reads_back(lot: str, serial: str) -> None:
    link = DigitalLink("01", "09520001002014", (("10", lot), ("21", serial)))
    made = label_of(str(link), "https://q.example/p")
    assert made.uri.startswith("https://q.example/p/01/09520001002014/10/")
    assert digital_link.parse(made.uri) == link
    assert made.text == f"(01)09520001002014(10){lot}(21){serial}"
    assert re.fullmatch(r"https://q\.example/p(?:/[A-Za-z0-9._~'%-]+)+", made.uri)


@pytest.mark.parametrize("name", ["urn:x:box", "https://id.gs1.org/00/395200010000000029", "(17)251018", ""])
def test_no_label_is_made_of(name: str) -> None:
    with pytest.raises(LabelRefused):
        label_of(name)


def test_every_label_lies_within_its_own_place() -> None:
    for name, form in FORMATS.items():
        across = form.margin[0] + (form.grid[0] - 1) * form.pitch[0] + form.label[0]
        down = form.margin[1] + (form.grid[1] - 1) * form.pitch[1] + form.label[1]
        assert (across <= form.page[0], down <= form.page[1]) == (True, True), name
        assert form.pitch[0] >= form.label[0] or form.grid[0] == 1
        (sheet,) = pages([Label("https://q.example/00/395200010000000028", "(00)395200010000000028", "x" * 300)], name)
        root = ElementTree.fromstring(sheet)
        assert root.get("width") == f"{form.page[0]}mm"
        group = root.find(f"{SVG}g")
        assert group is not None
        path = group.find(f"{SVG}path")
        assert path is not None
        found = re.fullmatch(r"translate\(([\d.]+) ([\d.]+)\) scale\(([\d.]+)\)", path.get("transform", ""))
        assert found is not None
        left, top, module = map(float, found.groups())
        rows = [int(at) for at in re.findall(r"M\d+ (\d+)h", path.get("d", ""))]
        # Four modules of white on every side.
        assert min(rows) == 4
        side = (max(rows) + 5) * module
        assert left >= 0
        assert left + side <= form.label[0] + 0.001
        baselines = [float(text.get("y", "0")) for text in group.iter(f"{SVG}text")]
        assert top + side <= min(baselines)
        assert max(baselines) <= form.label[1] - 1


def test_serial_numbers_follow_each_other() -> None:
    made = numbered(GTIN, "A", "098", 3)
    assert [one.rpartition("/")[2] for one in made] == ["098", "099", "100"]
    assert numbered(GTIN, "", "", 2) == [GTIN, GTIN]
    for lot, serial in (("A B", ""), ("x" * 21, ""), ("", "1A"), ("", "9" * 21)):
        with pytest.raises(LabelRefused):
            numbered(GTIN, lot, serial, 1)
    with pytest.raises(LabelRefused):
        numbered("https://id.gs1.org/00/395200010000000028", "A", "", 1)


def test_what_does_not_fit_is_refused() -> None:
    long = label_of(f"{GTIN}/10/{'Z' * 20}/21/{'9' * 20}", "https://a-very-long-name.example/" + "x" * 400)
    with pytest.raises(LabelRefused, match="too fine"):
        pages([long], "a4-40")
    assert len(pages([long], "roll-100x150")) == 1
    for labels, name in (([], "a4-24"), ([long], "letter")):
        with pytest.raises(LabelRefused):
            pages(labels, name)


def test_names_are_text_and_fit() -> None:
    (sheet,) = pages([label_of(GTIN, called="<script>\x00" + "鳕" * 80)], "a4-24")
    told = [one.text or "" for one in ElementTree.fromstring(sheet).iter(f"{SVG}text")]
    assert told[0].startswith("<script>鳕")
    assert told[0].endswith("…")
    assert len(told[0]) < 40
    assert b"<script>" not in html([sheet], "a4-24", "en")
