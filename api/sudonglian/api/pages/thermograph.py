"""What pages show of a report: the curve in two widths, and how a verdict looks.

service.md (Pages: colour never alone); docs/spec/temperature.md §8.
"""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from sudonglian.api import temperature_curve as curves
from sudonglian.api.settings import Lang
from sudonglian.records.temperature import words
from sudonglian.records.temperature.report import Report

MARKS: Final = {"within": "✓", "excursion": "✗"}

LOOKS: Final = {"within": "VALID", "excursion": "INVALID"}
"""A verdict looks like one about a proof."""


def pictures_of(report: Report, lang: Lang) -> tuple[Markup, ...]:
    """Return the curve for a desktop and for a telephone, or nothing."""
    found = []
    for width, name in ((curves.WIDE, "wide"), (curves.NARROW, "narrow")):
        drawn = curves.draw(report, lang, width)
        if drawn is not None:
            found.append(drawn.within(f"temperature {name}"))
    return tuple(found)


def measured(report: Report | None, lang: Lang) -> dict[str, Any]:
    """Return what a record's page shows of its sensors; nothing where there are none, or they are not to be seen."""
    if report is None or not report.readings:
        return {"temperature": None, "pictures": (), "legend": ""}
    return {
        "temperature": judged(report.as_json(), lang),
        "pictures": pictures_of(report, lang),
        "legend": curves.legend(lang),
    }


def judged(told: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    """Return a report as JSON tells it, with how its verdict looks and its spans of time in words."""
    verdict = told["verdict"]
    return {
        **told,
        "text": told["sentence"][lang],
        "mark": MARKS.get(verdict, "?"),
        "look": LOOKS.get(verdict, "INDETERMINATE"),
        "measured": span_of(told.get("measured_s"), lang),
        "duration": span_of(told.get("duration_s"), lang),
    }


def span_of(seconds: float | None, lang: Lang) -> str:
    """Return a span of time in words; what nobody knows is a question mark."""
    return "?" if seconds is None else words.lasting(round(seconds * 1_000_000))[lang]
