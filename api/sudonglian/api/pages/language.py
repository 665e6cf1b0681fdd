"""The language of a page, and its words.

service.md (Pages: Chinese first and English; state lives in the URL). The words stand in texts.json; a test compares
them with what the pages use.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

from fastapi import Query, Request

from sudonglian.api.settings import Lang

DEFAULT: Final[Lang] = "zh"
"""For a browser that asks for neither: the pages are for a Chinese city."""

MAX_HEADER: Final = 200
"""Of Accept-Language so much is read; browsers send less than half of it."""


def lang_of(request: Request) -> Lang:
    """Return the language that the URL names, else the one that the browser prefers."""
    match request.query_params.get("lang"):
        case "zh" | "en" as named:
            return named
        case _:
            return preferred(request.headers.get("accept-language", ""))


def preferred(header: str) -> Lang:
    """Return the language that an Accept-Language header likes best.

    >>> preferred("fr, en-GB;q=0.9, zh;q=0.8"), preferred("zh-CN,en;q=0.7"), preferred("de")
    ('en', 'zh', 'zh')
    """
    best: tuple[int, Lang] = 0, DEFAULT
    for part in header[:MAX_HEADER].split(","):
        name, _, weight = part.partition(";")
        quality = _thousandths(weight.strip())
        primary = name.strip().lower().partition("-")[0]
        if primary in ("zh", "en") and quality > best[0]:
            best = quality, "zh" if primary == "zh" else "en"
    return best[1]


def named_language(lang: Annotated[Literal["zh", "en"] | None, Query()] = None) -> None:
    """Let every page's address name a language; `lang_of` reads it."""


@cache
def texts() -> dict[str, dict[Lang, str]]:
    """Return every text of the pages by its key."""
    table: dict[str, dict[Lang, str]] = json.loads(
        files("sudonglian.api.pages").joinpath("texts.json").read_text(encoding="utf-8")
    )
    return table


def word(lang: Lang, key: str, **values: object) -> str:
    """Return a text in a language, with its values filled in.

    >>> word("en", "name.nth", n=3)
    'person 3'
    """
    found = texts()[key][lang]
    return found.format(**values) if values else found


def known(lang: Lang, key: str, otherwise: str) -> str:
    """Return the text of a key that data gave (a step, a tier), or what the data said if no text is known."""
    found = texts().get(key)
    return otherwise if found is None else found[lang]


def _thousandths(text: str) -> int:
    if not text.startswith("q="):
        return 1000
    whole, _, part = text[2:].partition(".")
    digits = f"{whole}{part:0<3.3}"
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 4 else 0
