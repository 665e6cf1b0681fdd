"""The font of reports: one with Chinese characters that this machine has, of which each file carries what it uses.

ISO/IEC 14496-22 (collections); docs/decisions/0844.
"""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from fontTools.ttLib import TTCollection, TTFont, TTLibError

from sudonglian.trace.casework.exports.stamp import ExportRefused

FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "/System/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts")  # fmt: skip

NAMES: Final = ("NotoSansCJK-Regular", "NotoSansCJKsc-Regular", "NotoSansSC-Regular", "SourceHanSansSC-Regular", "SourceHanSansCN-Regular", "SourceHanSans-Regular", "wqy-microhei", "wqy-zenhei", "msyh", "PingFang", "STHeiti Light", "DroidSansFallbackFull")  # fmt: skip
"""Sans-serif faces that come with systems, the best first."""

ENDS: Final = frozenset({".ttc", ".ttf", ".otf", ".otc"})

FULL_NAME: Final = 4

SIMPLIFIED: Final = frozenset({"SC", "CN", "Simplified"})

PROBE: Final = "溯冻链"


class Face(NamedTuple):
    """A font's file, and which of its faces."""

    path: Path
    number: int


@cache
def face() -> Face:
    """Return the font of reports.

    Raises
    ------
    ExportRefused
        This machine has none with Chinese characters.
    """
    found = sorted(_files(), key=lambda one: (NAMES.index(one.stem), str(one)))
    for path in found:
        if (number := _number(path)) is not None:
            return Face(path, number)
    raise ExportRefused(
        "a report needs a font with Chinese characters, and this machine has none that is known: install Noto Sans CJK",
        place="font",
    )


def _files() -> Iterator[Path]:
    for folder in FOLDERS:
        for root, _, names in os.walk(os.path.expanduser(folder)):
            for name in names:
                path = Path(root, name)
                if path.suffix.lower() in ENDS and path.stem in NAMES:
                    yield path


def _number(path: Path) -> int | None:
    """Return which face of a file draws simplified Chinese, if one does."""
    try:
        if path.suffix.lower() not in (".ttc", ".otc"):
            with TTFont(path, lazy=True) as font:
                return 0 if _draws(font) else None
        with TTCollection(path, lazy=True) as fonts:
            drawing = [number for number, font in enumerate(fonts.fonts) if _draws(font)]
            named = [one for one in drawing if set(_name(fonts.fonts[one]).split()) & SIMPLIFIED]
            return next(iter((*named, *drawing)), None)
    except (TTLibError, OSError, KeyError, ValueError):
        return None


def _draws(font: TTFont) -> bool:
    letters = font.getBestCmap() or {}
    return all(ord(one) in letters for one in PROBE)


def _name(font: TTFont) -> str:
    return str(font["name"].getDebugName(FULL_NAME) or "")
