"""Cells: what stands in one becomes text, a number, a day or a moment, and nothing is guessed.

docs/sheets.md (what a cell may hold). Spreadsheets keep 15 digits of a number: longer ones are gone before we see them.
"""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from sudonglian.records.sheets.faults import CellRefused

Cell: TypeAlias = str | int | float | Decimal | bool | datetime | date | time | timedelta | None

EXACT_DIGITS: Final = 15
"""Of a number in a spreadsheet (IEEE 754 binary64)."""

FIRST_YEAR: Final = 2000
"""A year before it comes from a cell that was emptied or holds a time alone: day 0 is in 1900 or 1904."""

DEFAULT_ZONE: Final = "+08:00"

BLANK: Final = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters without width that come with what is copied from chats and pages."""

_NO_BLANK: Final = dict.fromkeys(map(ord, BLANK))
_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})
_SCIENTIFIC = re.compile(r"[+-]?\d(\.\d+)?[eE]\+?\d{1,3}")
_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_ZONE = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")
_DAY = r"(?:(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|(\d{4})(\d{2})(\d{2}))"
_HALF = r"(上午|下午|晚上|[AP]M)?"
_CLOCK = rf"{_HALF}\s*(\d{{1,2}})\s*(?::|时|点)\s*(?:(\d{{1,2}})\s*(?:[:分]\s*(\d{{1,2}})(?:\.\d{{1,9}})?\s*秒?|分)?)?\s*{_HALF}"
_MOMENT = re.compile(rf"{_DAY}[T\s]*{_CLOCK}\s*(Z|[+-]\d{{1,2}}:?\d{{2}})?", re.IGNORECASE)
_ONE_DAY = re.compile(_DAY)
_COMPACT = re.compile(r"(\d{8})[T\s]*(\d{2})(\d{2})(\d{2})?")


def shown(value: Cell) -> str:
    """Return what a cell is shown as in a finding.

    >>> shown(5.3e17), shown(None), shown(12.0)
    ('5.3E+17', '', '12')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15G}"
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def clean(text: str) -> str:
    """Return text without what nobody sees: space around it, characters without width, Excel's `="…"`."""
    text = text.strip()
    if text.isascii() and text.isalnum():
        return text
    text = text.translate(_NO_BLANK).strip()
    if text.startswith("=") and (match := _AS_TEXT.fullmatch(text)):
        text = match[1].strip()
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t") else text


def words(value: Cell) -> str:
    """Return a cell as words for people: names keep their characters."""
    if isinstance(value, str):
        text = clean(value)
        if text.upper() in _ERRORS:
            raise CellRefused("formula-error", "公式结果是错误值", "the result of a formula is an error")
        return text
    return code(value)


def code(value: Cell) -> str:
    """Return a cell as a number or code that names something; full-width characters become plain ones.

    >>> code(" 95200-01 "), code(9520001002014), code(9520001002014.0)
    ('95200-01', '9520001002014', '9520001002014')

    Raises
    ------
    CellRefused
        A spreadsheet has made a rounded number or a date of it.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        text = clean(value)
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text).strip()
        if text[:1] == "#" and text.upper() in _ERRORS:
            raise CellRefused("formula-error", "公式结果是错误值", "the result of a formula is an error")
        if "e" in text.lower() and _SCIENTIFIC.fullmatch(text):
            raise _rounded()
        return text
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CellRefused(
            "not-text", "表格软件把它变成了日期或逻辑值;请把该列设为文本后重填",
            "the spreadsheet made a date or a truth value of it; format the column as text and type it again",
        )  # fmt: skip
    if abs(value) >= 10**EXACT_DIGITS:
        raise _rounded()
    if not float(value).is_integer():
        raise CellRefused(
            "not-text", "编号应为文本,不应为小数;请把该列设为文本后重填",
            "a code is text and no fraction; format the column as text and type it again",
        )  # fmt: skip
    return str(int(value))


def _rounded() -> CellRefused:
    return CellRefused(
        "number-rounded",
        f"表格软件只保留数字的前 {EXACT_DIGITS} 位,后面的已丢失;请把该列设为文本,再从原单据重新填写",
        f"a spreadsheet keeps {EXACT_DIGITS} digits of a number, the rest is lost; format the column as text and type it "
        "again from the paper",
    )


def number(value: Cell) -> Decimal:
    """Return a cell as a number; thousands may be set apart by commas.

    >>> number("1,200.5"), number(0.1 + 0.2), number("-18")
    (Decimal('1200.5'), Decimal('0.3'), Decimal('-18'))
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.15g}")
        if found.is_finite():
            return found
    elif isinstance(value, str):
        text = unicodedata.normalize("NFKC", clean(value)).replace("−", "-").strip()
        text = re.sub(r"\s*(°C|C|度)$", "", text)
        if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", text, re.ASCII):
            text = text.replace(",", "")
        if re.fullmatch(r"[+-]?(\d{1,15}(\.\d{1,15})?|\.\d{1,15})", text, re.ASCII):
            try:
                return Decimal(text)
            except InvalidOperation:
                pass
    raise CellRefused("number", "应为数字,单位另填", "must be a number; its unit has a column of its own")


def day(value: Cell) -> str:
    """Return a cell as a day of the calendar.

    >>> day("2026年1月5日"), day("20260105"), day(datetime(2026, 1, 5))
    ('2026-01-05', '2026-01-05', '2026-01-05')
    """
    found: date | None = None
    if isinstance(value, datetime):
        found = value.date()
    elif isinstance(value, date):
        found = value
    elif isinstance(value, str):
        text = unicodedata.normalize("NFKC", clean(value))
        match = _ONE_DAY.fullmatch(text) or re.fullmatch(rf"{_DAY}[T\s]+0?0:00(?::00)?", text)
        if match:
            found = _day(match.groups()[:6])
    else:
        found = _day(_eight(value))
    if found is None:
        raise _no_date("应为日期,如 2026-01-05", "must be a day, like 2026-01-05")
    return _within(found).isoformat()


def moment(value: Cell, zone: str) -> tuple[str, str]:
    """Return a cell as a time with its offset, and the offset; `zone` is for one that names none.

    >>> moment("2026/1/5 8:30", "+08:00"), moment("2026年1月5日 下午2时5分", "+08:00")[0]
    (('2026-01-05T08:30:00+08:00', '+08:00'), '2026-01-05T14:05:00+08:00')
    """
    if isinstance(value, datetime):
        at = (value.replace(tzinfo=None) + timedelta(milliseconds=500)).replace(microsecond=0)
        return f"{_within(at).isoformat()}{zone}", zone
    if isinstance(value, str):
        text = unicodedata.normalize("NFKC", clean(value))
        if compact := _COMPACT.fullmatch(text):
            text = f"{compact[1]} {compact[2]}:{compact[3]}:{compact[4] or '00'}"
        if match := _MOMENT.fullmatch(text):
            found, half = _day(match.groups()[:6]), (match[7] or match[11] or "").upper()
            hour, minute, second = (int(part or 0) for part in match.group(8, 9, 10))
            if half in ("下午", "晚上", "PM") and hour < 12:
                hour += 12
            elif half in ("上午", "AM") and hour == 12:
                hour = 0
            if found and hour < 24 and minute < 60 and second < 60:
                given = match[12]
                offset = zone if not given else "+00:00" if given.upper() == "Z" else offset_of(given)
                return f"{_within(found).isoformat()}T{hour:02}:{minute:02}:{second:02}{offset}", offset
        elif _ONE_DAY.fullmatch(text):
            raise CellRefused(
                "time-without-clock", "只有日期,还需几点几分", "this is a day; the time of day is needed too"
            )
    elif isinstance(value, date):
        raise CellRefused(
            "time-without-clock",
            "只有日期,还需几点几分(午夜请把单元格设为带时间的格式,如 yyyy-mm-dd hh:mm)",
            "this is a day; the time of day is needed too (for midnight, a format that shows the time: yyyy-mm-dd hh:mm)",
        )
    elif isinstance(value, int | float) and not isinstance(value, bool):
        raise _no_date("是数字而不是日期;请把单元格设为日期格式", "is a number and no date; format the cell as a date")
    raise _no_date("应为日期和时间,如 2026-01-05 08:30", "must be a day and a time, like 2026-01-05 08:30")


def offset_of(value: Cell) -> str:
    """Return an offset from UTC as EPCIS writes it.

    >>> offset_of("UTC+8"), offset_of("+0530"), offset_of("北京时间")
    ('+08:00', '+05:30', '+08:00')
    """
    text = code(value).replace(" ", "").upper().replace("−", "-")
    if text in ("北京时间", "中国标准时间", "CST", "ASIA/SHANGHAI"):
        return DEFAULT_ZONE
    if text in ("Z", "UTC", "GMT"):
        return "+00:00"
    if re.fullmatch(r"\d{1,2}", text):
        text = f"+{text}"
    match = _ZONE.fullmatch(text)
    if not match or int(match[2]) > 14 or int(match[3] or 0) > 59:
        raise CellRefused("time-zone", "应为与 UTC 的差,如 +08:00", "must be the offset from UTC, like +08:00")
    return f"{match[1]}{int(match[2]):02}:{match[3] or '00'}"


def _eight(value: Cell) -> tuple[str | None, ...]:
    text = str(value)
    return (None, None, None, text[:4], text[4:6], text[6:]) if re.fullmatch(r"\d{8}", text) else ()


def _day(parts: tuple[str | None, ...]) -> date | None:
    numbers = [int(part) for part in parts if part]
    try:
        return date(*numbers) if len(numbers) == 3 else None
    except ValueError:
        raise _no_date("日历上没有这一天", "is not in the calendar") from None


def _within(found: date) -> date:
    if found.year < FIRST_YEAR:
        raise CellRefused("time-year", f"年份早于 {FIRST_YEAR},应是填写有误", f"the year lies before {FIRST_YEAR}")
    return found


def _no_date(zh: str, en: str) -> CellRefused:
    return CellRefused("time", zh, en)
