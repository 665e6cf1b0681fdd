"""The words that stand in the pictures, in Chinese and English.

docs/glossary.md; service.md (Pages: Chinese first and English).
"""

from collections.abc import Mapping
from typing import Final, Literal

Lang = Literal["zh", "en"]

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "route": ("路线图：暴露从哪个场所到哪个场所", "Route: from which place the exposure went to which"),
    "timeline": (
        "时间线：各场所何时涉疫，谁与什么在那里被波及",
        "Timeline: when each place counts as exposed, and who and what was reached there",
    ),
    "seed": ("起点", "seed"),
    "note": ("{people} 人 · {goods} 件 · 经 {carrier}", "people {people} · goods {goods} · by {carrier}"),
    "possible": ("（可能）", "(possibly) "),
    "elsewhere": ("地点未记录", "no place recorded"),
    "route-legend": (
        "■ 场所 ◆ 车辆 ◎ 起点；虚线为可能。",
        "■ place ◆ vehicle ◎ seed; a dashed line is only possible.",
    ),
    "timeline-legend": (
        "横条：涉疫时段（箭头：尚无结束）。圆圈：人员（实心：密接）。方块：货物。虚线为可能。",
        (
            "Bar: while it counts as exposed (arrow: no end recorded). Circle: a person (filled: close contact). "
            "Square: goods. Dashed: only possible."
        ),
    ),
    "cut": ("另有 {count} 处未画出", "{count} more places are not drawn"),
    "none": ("没有可画的记录", "nothing to draw"),
    "zone": (
        "时间为北京时间（UTC+8）。暴露不等于感染。",
        "Times are those of China (UTC+8). Exposed is not infected.",
    ),
}


def word(lang: Lang, name: str, **values: object) -> str:
    """Return a text in a language, with its values filled in.

    >>> word("en", "cut", count=3)
    '3 more places are not drawn'
    """
    found = WORDS[name][0 if lang == "zh" else 1]
    return found.format(**values) if values else found
