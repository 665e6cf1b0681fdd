"""Lists as sheets: every holding with its sums; and the cn list of sources, destinations, quantities and places.

docs/answers.md (Lists, 来源去向清单). Headings and words in the reader's language; identifiers as labels have them.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Final

from sudonglian.records import derive
from sudonglian.records.identifiers import label
from sudonglian.records.sheets import words, written
from sudonglian.records.sheets.cells import Cell
from sudonglian.trace.answers.account import KINDS, ZERO
from sudonglian.trace.answers.lists import TOTALS, Holding, Listed, class_of, text, trade_item
from sudonglian.trace.engine.rules import site

CHINA: Final = timezone(timedelta(hours=8))

EXACT_DIGITS: Final = 15
"""A spreadsheet keeps so many digits of a number; longer ones are written as text."""

TITLES: Final = {
    "zh": {"list": "清单", "totals": "合计", "movements": "流向", "unexplained": "账实不符", "cn": "来源去向清单"},
    "en": {
        "list": "list",
        "totals": "totals",
        "movements": "movements",
        "unexplained": "unexplained",
        "cn": "from and to",
    },
}

HEADINGS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "zh": {
        "list": ("追溯码", "品名", "状态", "库存", "单位", "位置", "位置名称", "所在包装", "生产", "首次记录", "进货", "退回", "多出",
                 "出货", "销售", "销毁", "投料", "短少", "来源", "去向", "起始时间", "最后时间", "最后记录"),
        "totals": ("追溯码", "品名", "单位", "生产", "首次记录", "多出", "在库", "在途", "销售", "销毁", "投料", "短少", "透支", "不符合计"),
        "unexplained": ("类别", "追溯码", "位置", "数量", "单位", "记录"),
        "cn": ("序号", "品名", "追溯码", "批号", "类别", "来源", "去向", "数量", "单位", "位置", "时间", "记录数", "记录"),
    },
    "en": {
        "list": ("item", "name", "status", "stock", "unit", "place", "place name", "inside", "made", "entered", "arrived", "returned",
                 "found", "left", "sold", "destroyed", "used", "missing", "from", "to", "since", "last time", "last record"),
        "totals": ("item", "name", "unit", "made", "entered", "found", "in stock", "on the way", "sold", "destroyed", "used",
                   "missing", "short", "unaccounted"),
        "unexplained": ("kind", "item", "place", "quantity", "unit", "record"),
        "cn": ("no", "name", "item", "lot", "kind", "from", "to", "quantity", "unit", "place", "time", "records", "record"),
    },
}  # fmt: skip

WORDS: Final = {
    "zh": {
        "in-stock": "在库", "on-the-way": "在途", "sold": "销售", "destroyed": "销毁", "used": "投料", "gone": "已离开",
        "short": "透支(出多于进)", "uncounted": "数量未记", "made": "生产", "entered": "首次记录", "arrived": "进货",
        "returned": "退回", "found": "多出(未说明)", "left": "出货", "missing": "短少(未说明)", "no-departure": "无出货记录",
        "seen-again": "离链后再现", "each": "件", "outside": "记录之外", "consumers": "消费者", "way": "途中", "unaccounted": "不符合计",
    },
    "en": {
        "in-stock": "in stock", "on-the-way": "on the way", "short": "short (more left than came)", "gone": "gone",
        "uncounted": "uncounted", "found": "found (unexplained)", "missing": "missing (unexplained)",
        "no-departure": "no departure recorded", "seen-again": "seen again after its end", "each": "each",
        "outside": "outside the records", "consumers": "consumers", "way": "on the way", "unaccounted": "unaccounted",
    },
}  # fmt: skip


def list_file(answer: Listed, form: str, lang: str) -> bytes:
    """Return a list as `xlsx` (with its totals, movements and what is unexplained) or `csv` (the holdings)."""
    if form == "csv":
        return written.csv_bytes(_list(answer, lang))
    titles = TITLES[lang]
    return written.workbook_bytes(
        [
            (titles["list"], _list(answer, lang)),
            (titles["totals"], _totals(answer, lang)),
            (titles["movements"], cn_rows(answer, lang, stock=False)),
            (titles["unexplained"], _unexplained(answer, lang)),
        ]
    )


def cn_file(answer: Listed, form: str, lang: str, at: str = "") -> bytes:
    """Return the list of sources, destinations, quantities and places; with `at`, of one place or firm alone."""
    rows = cn_rows(answer, lang, at=at)
    return (
        written.csv_bytes(rows) if form == "csv" else written.workbook_bytes([(TITLES[lang]["cn"], rows)])
    )  # fmt: skip


def cn_rows(answer: Listed, lang: str, *, at: str = "", stock: bool = True) -> Iterator[list[Cell]]:
    """Yield the heading and the rows of the cn list: what came and went, then what is there.

    Movements of one kind between the same two, of one lot in one unit, are one row; single items are counted by lot.
    """
    yield [*HEADINGS[lang]["cn"]]
    number = 0
    for key, (amount, times, records) in _flows(answer).items():
        kind, thing, uom, place, source, destination = key
        if at and site(at) != site(place):
            continue
        number += 1
        came = source or (word(lang, "outside") if kind == "entered" else "")
        went = destination or (word(lang, "consumers") if kind == "sold" else "")
        yield [
            number, answer.names.get(thing), label.text_of(thing), _lot(thing), word(lang, kind), _called(answer, came),
            _called(answer, went), number_cell(amount), unit_word(uom, lang), _called(answer, place),
            _when(times), len(records), records[-1],
        ]  # fmt: skip
    for held, amount, count in _stocks(answer) if stock else ():
        if at and site(at) not in (site(held.place), site(held.source), site(held.destination)):
            continue
        number += 1
        on_way = held.status == "on-the-way"
        place = word(lang, "way") if on_way else _called(answer, held.place)
        yield [
            number, answer.names.get(held.thing), label.text_of(class_of(held.thing)), _lot(held.thing),
            word(lang, held.status), _called(answer, held.source) if on_way else "",
            _called(answer, held.destination) if on_way else "", number_cell(amount), unit_word(held.uom, lang), place,
            _time(held.last_us), count, held.record,
        ]  # fmt: skip


def _flows(answer: Listed) -> dict[tuple[str, ...], tuple[Decimal | None, tuple[int, int], list[str]]]:
    found: dict[tuple[str, ...], tuple[Decimal | None, tuple[int, int], list[str]]] = {}
    for one in answer.movements:
        about = "、".join(label.text_of(each) for each in one.about)
        source = one.source or (about if one.kind == "made" else "")
        destination = one.destination or (about if one.kind == "used" else "")
        if one.kind in ("arrived", "returned", "made", "entered") and not destination:
            destination = one.place
        if one.kind not in ("arrived", "returned", "made", "entered") and not source:
            source = one.place
        key = (one.kind, class_of(one.thing), one.uom, one.place, source, destination)
        amount, (first, last), records = found.get(key, (ZERO, (one.time_us, one.time_us), []))
        total = None if amount is None or one.amount is None else amount + one.amount
        if one.record not in records[-1:]:
            records.append(one.record)
        found[key] = total, (min(first, one.time_us), max(last, one.time_us)), records
    return found


def _stocks(answer: Listed) -> Iterator[tuple[Holding, Decimal, int]]:
    counted: dict[tuple[str, ...], tuple[Holding, Decimal, int]] = {}
    for held in answer.holdings:
        if held.status not in ("in-stock", "on-the-way", "short", "uncounted"):
            continue
        key = (class_of(held.thing), held.uom, held.status, held.place, held.source, held.destination)
        first, amount, count = counted.get(key, (held, ZERO, 0))
        counted[key] = (held if held.last_us >= first.last_us else first), amount + held.stock, count + 1
    yield from counted.values()


def _list(answer: Listed, lang: str) -> Iterator[list[Cell]]:
    yield [*HEADINGS[lang]["list"]]
    for held in answer.holdings:
        row = held.as_json(answer.names)
        yield [
            label.text_of(held.thing), answer.names.get(held.thing), word(lang, held.status), number_cell(held.stock),
            unit_word(held.uom, lang), label.text_of(held.place), answer.names.get(held.place), label.text_of(held.unit),
            *(number_cell(held.account.of(kind) if held.account else ZERO) for kind in KINDS),
            _names(answer, row["from"]), _names(answer, row["to"]), _time(held.since_us), _time(held.last_us), held.record,
        ]  # fmt: skip


def _totals(answer: Listed, lang: str) -> Iterator[list[Cell]]:
    yield [*HEADINGS[lang]["totals"]]
    for one in answer.totals():
        sums = [number_cell(Decimal(one[kind])) for kind in (*TOTALS, "unaccounted")]
        yield [label.text_of(one["item"]), one["name"], unit_word(one["unit"] or "", lang), *sums]


def _unexplained(answer: Listed, lang: str) -> Iterator[list[Cell]]:
    yield [*HEADINGS[lang]["unexplained"]]
    for one in answer.notes:
        amount = None if one.amount is None else number_cell(one.amount)
        yield [word(lang, one.code), label.text_of(one.thing), _called(answer, one.place), amount, unit_word(one.uom, lang), one.record]  # fmt: skip


def number_cell(amount: Decimal | None) -> Cell:
    """Return an amount as a number if a spreadsheet keeps all of it, else as text."""
    if amount is None:
        return None
    plain = text(amount)
    return Decimal(plain) if len(plain.strip("-").replace(".", "")) <= EXACT_DIGITS else plain


def unit_word(uom: str, lang: str) -> str:
    """Return a unit of measure with its code; what is counted singly has none.

    >>> unit_word("KGM", "zh"), unit_word("", "en"), unit_word("XYZ", "zh")
    ('千克 KGM', 'each', 'XYZ')
    """
    if not uom:
        return word(lang, "each")
    known = dict(zip(words.codes("unit"), words.choices("unit", lang), strict=True))
    return f"{known[uom]} {uom}" if uom in known else uom


def word(lang: str, code: str) -> str:
    """Return a word for people; what has none stays as it is."""
    return WORDS[lang].get(code, code)


def _lot(thing: str) -> str | None:
    found = label.text_of(thing)
    return found.partition("(10)")[2].partition("(21)")[0] or None if trade_item(thing) != thing else None


def _called(answer: Listed, uri: str) -> str:
    name = answer.names.get(uri)
    return f"{name} {label.text_of(uri)}" if name else label.text_of(uri)


def _names(answer: Listed, uris: Sequence[str]) -> str:
    return "\n".join(_called(answer, one) for one in uris if one)


def _time(time_us: int) -> str | None:
    return derive.moment(time_us).astimezone(CHINA).isoformat(sep=" ", timespec="seconds") if time_us else None


def _when(times: tuple[int, int]) -> str:
    first, last = _time(times[0]), _time(times[1])
    return first or "" if first == last else f"{first} – {last}"
