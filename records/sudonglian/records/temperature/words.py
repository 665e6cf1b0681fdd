"""What a report says to people: the verdict in one sentence, and the names of codes, in Chinese and English.

docs/spec/temperature.md §7; docs/glossary.md.
"""

import json
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from importlib import resources

from sudonglian.records.temperature.classes import decimal
from sudonglian.records.temperature.excursions import S


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """Return every text by its key."""
    text = resources.files("sudonglian.records.temperature").joinpath("words.json").read_text("utf-8")
    found: Mapping[str, Mapping[str, str]] = json.loads(text)
    return found


def both(key: str, **values: Mapping[str, str] | str | int) -> dict[str, str]:
    """Return a text in both languages; a value may be a text in both languages itself.

    >>> both("reason.no-data")
    {'zh': '无数据', 'en': 'no data'}
    """
    return {
        lang: table()[key][lang].format(
            **{name: value[lang] if isinstance(value, Mapping) else value for name, value in values.items()}
        )
        for lang in ("zh", "en")
    }


def lasting(time_us: int) -> dict[str, str]:
    """Return a span of time in words.

    >>> lasting(5_400 * S)["en"], lasting(59 * S)["en"], lasting(200_000)["en"], lasting(0)["en"]
    ('1 h 30 min', '59 s', '0.2 s', '0 s')
    """
    minutes, rest = divmod(time_us, 60 * S)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    shown = [(days, "天", "d"), (hours, "小时", "h"), (minutes, "分", "min")]
    parts = [(str(value), zh, en) for value, zh, en in shown if value]
    if not days and (rest or not parts):
        parts.append((decimal(Fraction(rest, S), 0 if parts else 1), "秒", "s"))
    parts = parts[:2]
    return {
        "zh": "".join(f"{value}{zh}" for value, zh, _ in parts),
        "en": " ".join(f"{value} {en}" for value, _, en in parts),
    }
