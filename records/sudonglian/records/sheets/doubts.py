"""What is doubtful: a temperature that the goods' class does not bear, rows that nobody sees.

docs/sheets.md (doubts); docs/spec/temperature.md §1 (the limits of a class). A lost minus sign is the commonest slip of all.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.records.sheets.faults import CellRefused
from sudonglian.records.sheets.handoffs import Handoff
from sudonglian.records.temperature import classes

READINGS: Final = ("temperature", "coldest", "warmest")


def doubts(handoff: Handoff) -> Iterator[tuple[int, str, str, CellRefused]]:
    """Yield row, column and text of readings that are outside what the class of any of the goods allows, and why."""
    told = {str(line.said["temperatureClass"]) for line in handoff.lines if "temperatureClass" in line.said}
    limits = [classes.known()[name] for name in sorted(told & classes.known().keys())]
    for key in READINGS:
        if key not in handoff.values:
            continue
        value = _exact(handoff.values[key])
        row, text = handoff.seen[key]
        for limit in limits:
            if limit.upper_c is not None and value > limit.upper_c:
                bound, zh, en = limit.upper_c, "高于", "above"
            elif limit.lower_c is not None and value < limit.lower_c:
                bound, zh, en = limit.lower_c, "低于", "below"
            else:
                continue
            degrees = classes.decimal(bound)
            yield row, key, text, CellRefused(
                "temperature-class",
                f"{zh}“{limit.zh}”的限值 {degrees} ℃;若是漏写负号请改正",
                f"{en} the limit of {limit.en} goods, {degrees} °C; correct it if a minus sign is missing",
            )  # fmt: skip
            break


def hidden(rows: int) -> CellRefused:
    """Return what is said of rows that whoever looks at the sheet does not see, at the first of them."""
    return CellRefused(
        "row-hidden",
        f"有 {rows} 行被隐藏或筛选掉,也已读取;不应报送的请删除",
        f"hidden rows, or rows that a filter leaves out: {rows}; they are read too, delete what is not meant",
    )


def _exact(value: Json) -> Fraction:
    """Return a number as the canonical form keeps it."""
    return Fraction(Decimal(str(value["$dec"] if isinstance(value, dict) else value)))
