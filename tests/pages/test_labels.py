"""Labels as they are printed: Chromium lays the sheets out, another library reads every code."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from playwright.sync_api import Browser

from sudonglian.chain.identifiers import digital_link, normal
from sudonglian.trace.answers.labels import FORMATS, Label, html, label_of, pages

pytestmark = pytest.mark.chromium

NAMES = (
    "https://id.gs1.org/01/09520001002014/10/BJ241018",
    "https://id.gs1.org/01/09520001002014/10/A%2FB%25/21/%22%3C%26'%3E",
    "urn:epc:id:sscc:9520001.0000000028",
    "urn:epc:id:sgtin:0614141.107346.20%2F17",
    "https://id.gs1.org/414/9520001001031/254/room-b",
    "https://id.gs1.org/8004/9520001TRUCK71A",
)
POINT_MM = 25.4 / 72


def read_codes(chromium: Browser, sheet: str) -> list[tuple[str, str, int]]:
    """Return what a sheet's codes hold, by a raster of 12 dots a millimetre (300 dpi)."""
    page = chromium.new_page()
    page.goto("about:blank")
    data = page.evaluate(
        """async svg => {
            const image = new Image();
            image.src = 'data:image/svg+xml;base64,' + svg;
            await image.decode();
            const canvas = document.createElement('canvas');
            canvas.width = image.width * 3.175; canvas.height = image.height * 3.175;
            const pen = canvas.getContext('2d');
            pen.fillStyle = '#fff'; pen.fillRect(0, 0, canvas.width, canvas.height);
            pen.drawImage(image, 0, 0, canvas.width, canvas.height);
            const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data;
            let text = '';
            const grey = new Uint8Array(pixels.length / 4).map((_, at) => pixels[4 * at]);
            for (let at = 0; at < grey.length; at += 30000) text += String.fromCharCode(...grey.subarray(at, at + 30000));
            return [btoa(text), canvas.width, canvas.height];
        }""",
        base64.b64encode(sheet.encode()).decode(),
    )
    page.close()
    grey = np.frombuffer(base64.b64decode(data[0]), dtype=np.uint8).reshape(data[2], data[1])
    found = zxingcpp.read_barcodes(grey)
    return [(one.text, one.ec_level, one.position.top_left.x) for one in found]


@pytest.mark.parametrize("format_name", ["a4-8", "a4-21", "a4-24", "roll-60x40", "roll-100x150"])
def test_every_code_of_a_sheet_is_read(chromium: Browser, format_name: str) -> None:
    labels = [
        label_of(name, "https://q.example/a", "冷冻鳕鱼 10 kg" if number % 2 else "")
        for number, name in enumerate(NAMES)
    ]
    sheets = pages(labels, format_name)
    found = [one for sheet in sheets for one in read_codes(chromium, sheet)]
    assert sorted(text for text, _, _ in found) == sorted(one.uri for one in labels)
    assert {level for _, level, _ in found} <= {"M", "Q", "H"}
    # What a telephone reads is the thing that was labelled, wherever the resolver is.
    assert sorted(str(digital_link.parse(text)) for text, _, _ in found) == sorted(normal(name) for name in NAMES)


def test_a_full_sheet_prints_on_its_pages_in_exact_size(chromium: Browser, tmp_path: Path) -> None:
    for format_name, form in FORMATS.items():
        count = form.count + 1
        made = [Label(f"https://q.example/00/{number:018}", f"(00){number:018}") for number in range(count)]
        path = tmp_path / f"{format_name}.html"
        path.write_bytes(html(pages(made, format_name), format_name, "zh"))
        page = chromium.new_page()
        page.goto(path.as_uri())
        pdf = page.pdf(prefer_css_page_size=True, print_background=True)
        boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
        assert len(boxes) == 2, format_name
        width, height = (float(side) * POINT_MM for side in boxes[0])
        assert (round(width), round(height)) == form.page
        marked = page.evaluate("[...document.querySelectorAll('svg')].map(e => e.getBoundingClientRect().width)")
        assert all(abs(one * 25.4 / 96 - form.page[0]) < 0.05 for one in marked)
        page.close()
