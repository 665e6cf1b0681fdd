"""The report as PDF: its text in both languages, its codes read from its pages, its proofs checked offline."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from tests.api.test_cases import PHONE
from tests.api.test_exports import PSEUDONYM, case

from sudonglian.chain import canonical
from sudonglian.chain import trust as trusts
from sudonglian.chain.verify import verify
from sudonglian.trace.casework.exports import fonts, report
from sudonglian.trace.casework.exports.contents import Row

__all__ = ["case"]

Run = Callable[..., Any]


@pytest.fixture
def anchored(case: Run) -> Run:
    assert case("anchor").code == 0
    return case


def written(run: Run, file: Path, *more: str) -> pypdfium2.PdfDocument:
    done = run("case", "export", "1", "--format", "report", "-o", str(file), *more)
    assert done.code == 0, done.err
    return pypdfium2.PdfDocument(file)


def text_of(document: pypdfium2.PdfDocument) -> str:
    pages = [document[number].get_textpage().get_text_bounded() for number in range(len(document))]
    return "".join("".join(pages).split())


def codes_of(document: pypdfium2.PdfDocument) -> Iterator[str]:
    for number in range(len(document)):
        for code in zxingcpp.read_barcodes(document[number].render(scale=3).to_pil()):
            yield code.text


def test_both_languages_say_the_same_and_name_nobody(anchored: Run, tmp_path: Path) -> None:
    people = anchored("case", "members", "1", "--json").json["members"]
    kept = anchored("retrace", "1", "--json").json
    for lang, sayings in (
        ("en", ("Case report: =1+1", "What this does not show", "Exposed is not infected", "sudonglian retrace 1")),
        ("zh", ("案件报告: =1+1", "本报告不说明什么", "受波及不等于感染", "按场所的罹患率", "sudonglian retrace 1")),
    ):
        text = text_of(written(anchored, tmp_path / f"{lang}.pdf", "--lang", lang))
        for saying in (*sayings, "policy/1", "cn-nhc-8/1", "监管冷库 拆箱月台", "a positive pallet", "336 h"):
            assert "".join(saying.split()) in text, saying
        assert str(kept["document_hash"]) in text
        assert not PSEUDONYM.findall(text)
        assert PHONE not in text
        assert not [one for one in people if str(one["person"]) in text]


def test_its_codes_lead_to_proofs_that_hold_without_the_server(anchored: Run, tmp_path: Path) -> None:
    document = written(anchored, tmp_path / "r.pdf", "--url", "https://trace.example/")
    (code,) = codes_of(document)
    address, _, told = code.partition("#")
    assert address.startswith("https://trace.example/access/entries/")
    assert address.endswith("/proof")
    assert document.count_attachments() == 1
    attached = document.get_attachment(0)
    raw = bytes(attached.get_data())
    proof: Any = canonical.parse_stored(raw)
    assert proof["index"] == int(address.split("/")[-2])
    entry: Any = canonical.parse_stored(proof["entry"].encode())
    assert (entry["k"], entry["trace"], entry["document_hash"]) == ("trace-answer", 1, told)
    assert anchored("trust", "add", "-o", str(tmp_path / "trust.json")).code == 0
    verdict = verify(raw, trusts.parse((tmp_path / "trust.json").read_bytes()))
    assert verdict.verdict == "VALID", verdict
    # The commands that the report prints give the same proof.
    out = tmp_path / attached.get_name()
    assert anchored("access", "proof", str(proof["index"]), "-o", str(out)).code == 0
    assert out.read_bytes() == raw
    assert f"sudonglian-verify{out.name}" in text_of(document)


def test_without_an_address_or_a_seal_it_says_what_it_is_of(case: Run, tmp_path: Path) -> None:
    document = written(case, tmp_path / "r.pdf", "--lang", "en")
    (code,) = codes_of(document)
    assert code.startswith("urn:sudonglian:trace:")
    assert "&root=" in code
    assert document.count_attachments() == 0
    assert "waitsforthenextseal" in text_of(document)


def test_the_font_is_in_the_file(case: Run, tmp_path: Path) -> None:
    written(case, tmp_path / "r.pdf", "--lang", "zh")
    raw = (tmp_path / "r.pdf").read_bytes()
    assert b"/FontFile" in raw
    assert len(raw) < 300_000  # what it uses of the font, and no more
    assert fonts.face().path.exists()


@pytest.mark.parametrize("url", ["trace.example", "javascript:alert(1)"])
def test_an_address_is_one(case: Run, tmp_path: Path, url: str) -> None:
    done = case("case", "export", "1", "--format", "report", "-o", str(tmp_path / "r.pdf"), "--url", url)
    assert (done.code, (tmp_path / "r.pdf").exists()) == (64, False)


def listed(*counts: tuple[str, str, int]) -> list[Row]:
    return [
        Row({"kind": "person", "place": place, "status": status, "earliest": "2024-11-10 14:00:00"}, ())
        for place, status, count in counts
        for _ in range(count)
    ]


def test_an_attack_rate_needs_a_result_of_everybody_and_counts_that_may_be_told() -> None:
    rows = listed(
        ("market", "positive", 10), ("market", "negative", 30), ("store", "negative", 20), ("store", "listed", 1)
    )
    found = {one.place: one for one in report.attacks(rows, 5) or ()}
    assert (found["market"].exposed, found["market"].positive, found["market"].rate) == (40, 10, "25.0 %")
    assert (found["store"].exposed, found["store"].positive, found["store"].rate) == (21, 0, None)
    few = listed(("market", "positive", 2), ("market", "negative", 30), ("store", "negative", 20))
    told = {one.place: one for one in report.attacks(few, 5) or ()}
    assert told["market"].positive is None
    assert told["market"].exposed is None
    assert told["market"].rate is None
    assert report.attacks(listed(("market", "positive", 3)), 5) is None


def test_counts_of_days_are_hidden_as_counts_are() -> None:
    rows = listed(("market", "listed", 7))
    assert report.counted(rows, "day", 5).cells == {"2024-11-10": 7}
    assert report.counted(rows[:3], "day", 5).is_withheld
