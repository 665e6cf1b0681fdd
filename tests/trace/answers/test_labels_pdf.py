"""Labels as PDF: the file is one, its pages have their exact size, and every code on it is read by another library."""

import re

import numpy as np
import pytest
import zxingcpp

from sudonglian.trace.answers.labels import FORMATS, LabelRefused, label_of, pages
from sudonglian.trace.answers.labels_pdf import pdf

NAMES = (
    "https://id.gs1.org/01/09520001002014/10/BJ241018",
    "https://id.gs1.org/01/09520001002014/10/A%2FB%25/21/%22%3C%26'%3E",
    "urn:epc:id:sscc:9520001.0000000028",
    "https://id.gs1.org/8004/9520001TRUCK71A",
)
DOTS = 12
"""Of a millimetre: 300 dpi."""

NUMBER = r"(-?[0-9.]+)"
POINT_MM = 25.4 / 72


def streams(raw: bytes) -> list[str]:
    """Return what is drawn on each page, found through the table of objects alone."""
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n$", raw)[0])
    assert raw[start : start + 5] == b"xref\n"
    places = [int(one) for one in re.findall(rb"(\d{10}) 00000 n \n", raw[start:])]
    objects = []
    for number, place in enumerate(places, 1):
        head = f"{number} 0 obj\n".encode()
        assert raw[place : place + len(head)] == head
        objects.append(raw[place + len(head) : raw.index(b"endobj", place)])
    drawn = [one for one in objects if b"stream\n" in one]
    for one in drawn:
        length = int(re.findall(rb"/Length (\d+)", one)[0])
        assert len(one.split(b"stream\n", 1)[1]) == length + len(b"\nendstream\n")
    assert raw.count(b"/Type/Page/") == len(drawn)
    return [one.split(b"stream\n", 1)[1].decode("ascii") for one in drawn]


def painted(stream: str, page: tuple[float, float]) -> np.ndarray:
    """Return a page as a raster: the bars of its codes, put where the matrices say."""
    grey = np.full((round(page[1] * DOTS), round(page[0] * DOTS)), 255, dtype=np.uint8)
    scale, flip, up = re.findall(rf"^{NUMBER} 0 0 {NUMBER} 0 {NUMBER} cm", stream)[0]
    assert float(flip) == -float(scale)
    assert abs(float(up) * POINT_MM - page[1]) < 0.01
    assert abs(float(scale) * POINT_MM - 1) < 1e-5
    x0 = y0 = 0.0
    for line in stream.splitlines():
        if moved := re.fullmatch(rf"q 1 0 0 1 {NUMBER} {NUMBER} cm", line):
            x0, y0 = float(moved[1]), float(moved[2])
        elif bar := re.fullmatch(rf"{NUMBER} {NUMBER} {NUMBER} {NUMBER} re", line):
            x, y, width, height = map(float, bar.groups())
            grey[
                round((y0 + y) * DOTS) : round((y0 + y + height) * DOTS),
                round((x0 + x) * DOTS) : round((x0 + x + width) * DOTS),
            ] = 0
    return grey


@pytest.mark.parametrize("format_name", ["a4-8", "a4-24", "roll-60x40", "roll-100x150"])
def test_every_code_is_read_and_every_page_has_its_size(format_name: str) -> None:
    form = FORMATS[format_name]
    made = [
        label_of(name, "https://q.example/a", "冷冻鳕鱼 10 kg" if number % 2 else "")
        for number, name in enumerate(NAMES)
    ]
    raw = pdf(made, format_name)
    drawn = streams(raw)
    assert len(drawn) == len(pages(made, format_name))
    [box] = re.findall(rb"/MediaBox\[0 0 ([\d.]+) ([\d.]+)\]", raw)
    assert [round(float(side) * POINT_MM, 2) for side in box] == [*form.page]
    found = [one.text for stream in drawn for one in zxingcpp.read_barcodes(painted(stream, form.page))]
    assert sorted(found) == sorted(one.uri for one in made)


def test_what_stands_under_a_code_is_what_the_label_says() -> None:
    made = label_of(NAMES[0], called="冷冻鳕鱼 10 kg é")
    [stream] = streams(pdf([made], "a4-8"))
    told = [
        "".join(
            bytes.fromhex(code).decode("cp1252" if font == "F1" else "utf-16-be")
            for font, code in re.findall(r"/(F[12]) [\d.]+ Tf <([0-9a-f]+)> Tj", text)
        )
        for text in re.findall(r"BT(.*?)ET", stream, re.DOTALL)
    ]
    assert told[0] == "冷冻鳕鱼 10 kg é"
    assert "".join(told[1:]) == made.text


def test_a_sheet_more_is_a_page_more_and_none_is_refused() -> None:
    with pytest.raises(LabelRefused):
        pdf([], "a4-24")
    with pytest.raises(LabelRefused):
        pdf([label_of(NAMES[0])], "a5")
    assert len(streams(pdf([label_of(NAMES[2])] * 25, "a4-24"))) == 2
