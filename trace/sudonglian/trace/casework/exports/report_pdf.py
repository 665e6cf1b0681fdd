"""The report of a case as PDF: text that can be searched, figures drawn as lines, codes and the proofs themselves.

ISO 32000-1 §7.11.4 (embedded files), §9.7 (composite fonts); ISO/IEC 18004 by segno; docs/decisions/0844.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import segno
from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from sudonglian.trace.casework.clock import clock, iso
from sudonglian.trace.casework.counts import Counts
from sudonglian.trace.casework.exports import fonts, report
from sudonglian.trace.casework.exports.book import Identities, Told
from sudonglian.trace.casework.exports.contents import Contents, when
from sudonglian.trace.casework.exports.proving import Proven
from sudonglian.trace.casework.exports.report_words import word
from sudonglian.trace.casework.exports.stamp import Made

FORM: Final = "report"

FONT: Final = "report"
GREY: Final = (90, 90, 90)
BLUE: Final = (31, 78, 121)
BAR: Final = (120, 160, 200)

MARGIN_MM: Final = 18
CODE_MM: Final = 32
QUIET: Final = 4
"""ISO/IEC 18004: modules of nothing around a code."""

LANES: Final = 24
LABEL_MM: Final = 72

HIDDEN: Final = "·"

HEADINGS: Final = FontFace(fill_color=(225, 233, 241), emphasis="")


class _Report(FPDF):
    """Pages with a running foot."""

    def __init__(self, contents: Contents, made: Made) -> None:
        super().__init__(format="A4")
        self.contents, self.made, self.tongue = contents, made, made.lang
        found = fonts.face()
        self.add_font(FONT, "", found.path, collection_font_number=found.number)
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, MARGIN_MM)
        self.set_title(f"{word(self.tongue, 'title')}: {contents.case.name}")
        self.set_author(made.by)
        self.set_lang("zh-CN" if self.tongue == "zh" else "en")
        self.set_creation_date(made.now)
        self.add_page()

    def footer(self) -> None:
        """Write which case and page this is."""
        self.set_y(-12)
        self.set_font(FONT, size=8)
        self.set_text_color(*GREY)
        self.cell(0, 5, self.told("page", case=self.contents.case.name, n=self.page_no()), align="C")

    def told(self, name: str, **values: object) -> str:
        """Return a text of the report."""
        return word(self.tongue, name, **values)

    def called(self, identifier: str) -> str:
        """Return what a thing is called, and where two may be called the same its identifier."""
        return self.contents.names.get(identifier, "") or identifier or "—"

    @property
    def wrap(self) -> WrapMode:
        """Chinese breaks between any two characters."""
        return WrapMode.CHAR if self.tongue == "zh" else WrapMode.WORD

    def heading(self, text: str, size: int = 13) -> None:
        """Write a heading, not alone at a page's foot."""
        if self.will_page_break(30):
            self.add_page()
        self.ln(3)
        self.set_font(FONT, size=size)
        self.set_text_color(*BLUE)
        self.multi_cell(0, size * 0.55, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_color(0, 0, 0)
        self.ln(1)

    def paragraph(self, text: str, size: float = 9.5) -> None:
        """Write a paragraph."""
        self.set_font(FONT, size=size)
        self.multi_cell(0, size * 0.52, text, wrapmode=self.wrap, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        self.ln(1)

    def rows(self, lines: Iterable[Sequence[str]], widths: Sequence[int], head: Sequence[str] = ()) -> None:
        """Write a table."""
        self.set_font(FONT, size=8)
        self.set_fill_color(255, 255, 255)
        options: dict[str, Any] = {"col_widths": tuple(widths), "line_height": 4.4, "padding": 0.8, "text_align": "L"}
        found = [*([head] if head else []), *lines]
        with self.table(
            wrapmode=self.wrap, first_row_as_headings=bool(head), headings_style=HEADINGS, **options
        ) as table:
            for line in found:
                row = table.row()
                for cell in line:
                    row.cell(cell)
        self.ln(2)


def encode(contents: Contents, made: Made, tell: Told, identities: Identities | None = None) -> bytes:
    """Return the report.

    Raises
    ------
    ExportRefused
        This machine has no font with Chinese characters.
    """
    pdf = _Report(contents, made)
    _head(pdf)
    _method(pdf)
    _figures(pdf)
    _tables(pdf)
    pdf.heading(pdf.told("limits"))
    for number in range(1, 7):
        pdf.paragraph(f"{number}. {pdf.told(f'limit-{number}')}")
    _proofs(pdf)
    return bytes(pdf.output())


def _head(pdf: _Report) -> None:
    case, made = pdf.contents.case, pdf.made
    pdf.set_font(FONT, size=20)
    pdf.set_text_color(*BLUE)
    pdf.multi_cell(0, 10, f"{pdf.told('title')}: {case.name}", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_text_color(0, 0, 0)
    pdf.paragraph(pdf.told("made", at=made.now.isoformat(timespec="seconds")[:19].replace("T", " "), by=made.by))
    pdf.paragraph(pdf.told("exposed", k=made.k))
    pdf.heading(pdf.told("head"))
    lines = [
        (pdf.told("purpose"), case.purpose),
        (pdf.told("basis"), case.basis),
        (pdf.told("responsible"), case.responsible),
        (pdf.told("opened"), when(iso(case.opened_us))),
        (pdf.told("state"), case.standing),
        (pdf.told("persons"), _number(pdf, report.counted(pdf.contents.persons, "kind", made.k).total)),
    ]
    for name, term in clock(case, made.now).items():
        at = term.due_us if term.done_us is None else term.done_us
        told = pdf.told("due" if term.done_us is None else "done", at=when(iso(at)))
        lines.append((pdf.told(f"clock-{name}"), told + (pdf.told("late") if term.is_overdue else "")))
    pdf.rows(lines, (40, 134))
    pdf.heading(pdf.told("seeds"))
    found, people = report.seeds(pdf.contents)
    head = [pdf.told(name) for name in ("subject", "sampled", "result", "sample", "place")]
    pdf.rows(
        (
            (
                *(f"{pdf.called(one.subject)}\n{one.subject}", when(iso(one.at_us))),
                *(f"{one.result} {f'Ct {one.ct}' if one.ct else ''}".strip() or "—", one.sample or "—"),
                pdf.called(one.place),
            )
            for one in found
        ),
        (62, 34, 26, 24, 28),
        head,
    )
    if people:
        count = str(people) if people >= made.k else pdf.told("few", k=made.k)
        pdf.paragraph(pdf.told("people-seeds", count=count))


def _method(pdf: _Report) -> None:
    contents = pdf.contents
    pdf.heading(pdf.told("method"))
    pdf.paragraph(pdf.told("method-text"))
    head = [pdf.told(name) for name in ("trace", "seed", "direction", "size", "policy", "tiers")]
    pdf.rows(
        (
            (
                *(str(run.trace), str(run.document["query"].get("seed", ""))),
                *(str(run.document["query"].get("direction", "")), str(run.document["log"]["size"])),
                *(str(run.document["versions"].get(one, "")) for one in ("policy", "tiers")),
            )
            for run in contents.runs
        ),
        (16, 62, 22, 20, 30, 24),
        head,
    )
    for version in report.editions(contents, "tiers"):
        text, source = report.protocol(version, pdf.tongue)
        pdf.paragraph(f"{version}: {text}\n{pdf.told('sources')}: {source}", 8.5)
    pdf.heading(pdf.told("assumptions"))
    for name in report.editions(contents, "policy"):
        pdf.rows(report.assumptions(name, pdf.tongue), (44, 130))
    for run in contents.runs:
        pdf.heading(pdf.told("parameters", trace=run.trace), 10)
        pdf.rows(report.asked(run.document["query"]), (44, 130))


def _figures(pdf: _Report) -> None:
    pdf.heading(pdf.told("figures"))
    _timeline(pdf)
    for name, by in (("days", "day"), ("generations", "generation")):
        counts = report.counted(pdf.contents.persons, by, pdf.made.k)
        pdf.heading(pdf.told(name), 10)
        _bars(pdf, counts)


def _timeline(pdf: _Report) -> None:
    """Draw a bar for each place: since when and until when it counts as exposed."""
    found = report.lanes(pdf.contents)
    drawn = [(one, start, _moment(one.end)) for one in found if (start := _moment(one.start)) is not None][:LANES]
    pdf.heading(pdf.told("timeline"), 10)
    if not drawn:
        pdf.paragraph("—")
        return
    first = min(start for _, start, _ in drawn)
    last = max(end or start for _, start, end in drawn)
    whole = max((last - first).total_seconds(), 1)
    left, width = MARGIN_MM + LABEL_MM, pdf.epw - LABEL_MM - 4
    pdf.set_font(FONT, size=7.5)
    for one, start, end in drawn:
        if pdf.will_page_break(6):
            pdf.add_page()
            pdf.set_font(FONT, size=7.5)
        y = pdf.get_y()
        pdf.set_x(MARGIN_MM)
        pdf.cell(LABEL_MM - 2, 5, _short(pdf, f"{one.generation}  {pdf.called(one.place)}", LABEL_MM - 3))
        x = left + width * (start - first).total_seconds() / whole
        right = left + width if end is None else left + width * (end - first).total_seconds() / whole
        pdf.set_fill_color(*BAR)
        pdf.rect(x, y + 1, max(right - x, 0.8), 3, style="F")
        if end is None:
            pdf.text(left + width + 0.5, y + 4, "→")
        pdf.set_y(y + 5)
    pdf.set_draw_color(*GREY)
    y = pdf.get_y()
    pdf.line(left, y, left + width, y)
    pdf.text(left, y + 4, f"{first:%Y-%m-%d %H:%M}")
    told = f"{last:%Y-%m-%d %H:%M}"
    pdf.text(left + width - pdf.get_string_width(told), y + 4, told)
    pdf.set_y(y + 7)
    if len(found) > len(drawn):
        pdf.paragraph(pdf.told("more", count=len(found) - len(drawn)), 8)


def _bars(pdf: _Report, counts: Counts) -> None:
    """Draw a bar for each count that may be shown; one that is hidden is a mark without a length."""
    if counts.is_withheld:
        pdf.paragraph(pdf.told("withheld"))
        return
    most = max((count or 0 for count in counts.cells.values()), default=0) or 1
    pdf.set_font(FONT, size=8)
    pdf.set_fill_color(*BAR)
    for name, count in sorted(counts.cells.items()):
        y = pdf.get_y()
        pdf.set_x(MARGIN_MM)
        pdf.cell(34, 5, name or "—")
        if count:
            pdf.rect(MARGIN_MM + 36, y + 1, 100 * count / most, 3, style="F")
        pdf.text(
            MARGIN_MM + 38 + (100 * count / most if count else 0), y + 3.8, HIDDEN if count is None else str(count)
        )
        pdf.set_y(y + 5)
    pdf.ln(2)


def _tables(pdf: _Report) -> None:
    contents, k = pdf.contents, pdf.made.k
    pdf.heading(pdf.told("tables"))
    pdf.heading(pdf.told("by-tier"), 10)
    counts = report.counted(contents.persons, "tier_zh" if pdf.tongue == "zh" else "tier", k)
    if counts.is_withheld:
        pdf.paragraph(pdf.told("withheld"))
    else:
        lines = [(name or "—", HIDDEN if count is None else str(count)) for name, count in sorted(counts.cells.items())]
        pdf.rows(lines, (80, 94), (pdf.told("tier"), pdf.told("count")))
    pdf.heading(pdf.told("attack"), 10)
    found = report.attacks(contents.persons, k)
    if found is None:
        pdf.paragraph(pdf.told("withheld"))
    else:
        head = [pdf.told(name) for name in ("place", "reached", "positive", "rate")]
        lines4 = [
            (pdf.called(one.place), _shown(one.exposed), _shown(one.positive), one.rate or pdf.told("unknown"))
            for one in found
        ]
        pdf.rows(lines4, (84, 32, 28, 30), head)
    pdf.paragraph(pdf.told("attack-note"), 8.5)
    pdf.heading(pdf.told("goods"), 10)
    head = [pdf.told(name) for name in ("place", "done-about", "count")]
    listed = [
        (pdf.called(place), state or pdf.told("none"), str(count)) for place, state, count in report.goods(contents)
    ]
    pdf.rows(listed, (90, 64, 20), head)
    pdf.heading(pdf.told("places"), 10)
    head = [pdf.told(name) for name in ("place", "from", "since", "until", "generation")]
    route = [
        (pdf.called(one.place), pdf.called(one.before), one.start, one.end or pdf.told("open"), str(one.generation))
        for one in report.lanes(contents)
    ]
    pdf.rows(route, (46, 46, 32, 32, 18), head)


def _proofs(pdf: _Report) -> None:
    pdf.add_page()
    pdf.heading(pdf.told("proof"))
    pdf.paragraph(pdf.told("proof-text"))
    for one in pdf.made.proofs:
        if pdf.will_page_break(CODE_MM + 44):
            pdf.add_page()
        pdf.heading(f"{pdf.told('trace')} {one.run.trace}", 10)
        _code(pdf, one.code(pdf.made.url))
        log = one.run.document["log"]
        pdf.rows(
            [
                (pdf.told("document"), one.run.document_hash),
                (pdf.told("log"), f"{log['size']} · {log['root']}"),
                (pdf.told("entry"), str(one.entry)),
                (
                    pdf.told("checkpoint"),
                    f"{one.origin} · {one.size} · {one.root}" if one.raw else pdf.told("not-sealed"),
                ),
                (pdf.told("anchor"), _anchor(pdf, one)),
                (
                    pdf.told("offline"),
                    f"sudonglian access proof {one.entry} -o {one.file}\nsudonglian-verify {one.file} --trust trust.json",
                ),
                (pdf.told("again"), f"sudonglian retrace {one.run.trace}"),
            ],
            (40, 134),
        )
        if one.raw:
            pdf.embed_file(basename=one.file, bytes=one.raw, desc=one.run.document_hash, mime_type="application/json")


def _code(pdf: _Report, text: str) -> None:
    """Draw a code of modules, each a square; what it says stands below for who has no reader."""
    matrix = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    side = CODE_MM / (len(matrix) + 2 * QUIET)
    top, left = pdf.get_y(), MARGIN_MM
    pdf.set_fill_color(0, 0, 0)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                pdf.rect(left + (x + QUIET) * side, top + (y + QUIET) * side, side, side, style="F")
    pdf.set_y(top + CODE_MM)
    pdf.set_font(FONT, size=7)
    pdf.multi_cell(0, 3.6, text, wrapmode=WrapMode.CHAR, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(1)


def _anchor(pdf: _Report, one: Proven) -> str:
    if one.anchor is None:
        return pdf.told("not-anchored")
    return pdf.told("chain", chain=one.anchor.chain_id, contract=one.anchor.contract, size=one.anchor.size)


def _number(pdf: _Report, count: int | None) -> str:
    return pdf.told("few", k=pdf.made.k) if count is None else str(count)


def _shown(count: int | None) -> str:
    return HIDDEN if count is None else str(count)


def _moment(text: str) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S") if text else None


def _short(pdf: _Report, text: str, width: float) -> str:
    while text and pdf.get_string_width(text) > width:
        text = text[:-2] + "…" if text.endswith("…") else text[:-1] + "…"
    return text
