"""Pieces of pictures: escaped SVG elements, and texts that fit.

SVG 2. Looks come from the style sheet by class: the pages' Content-Security-Policy allows no inline style.
"""

from typing import Final

from markupsafe import Markup, escape

ELLIPSIS: Final = "…"

WIDE_FROM: Final = 0x2E80
"""From the first CJK block on a character is as wide as it is high; letters before are about half of it."""

NARROW_PERCENT: Final = 58


def element(name: str, content: Markup | str = "", **attributes: object) -> Markup:
    """Return an element; `class_` gives the class, `_` in other names stands for a hyphen.

    >>> element("text", "a < b", x=1, class_="name", text_anchor="end")
    Markup('<text x="1" class="name" text-anchor="end">a &lt; b</text>')
    """
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    inner = escape(content)
    return Markup(f"<{name}{given}>{inner}</{name}>" if inner else f"<{name}{given}/>")


def picture(width: int, height: int, label: str, *parts: Markup, class_: str = "") -> Markup:
    """Return a whole picture with its accessible name."""
    title = element("title", label)
    return element(
        "svg",
        Markup("").join([title, *parts]),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        class_=class_,
        xmlns="http://www.w3.org/2000/svg",
    )


def width_of(text: str, size: int) -> int:
    """Return about how many pixels a text takes."""
    return sum(size * 100 if ord(one) >= WIDE_FROM else size * NARROW_PERCENT for one in text) // 100


def fit(text: str, width: int, size: int) -> str:
    """Return a text cut to a width.

    >>> fit("cold store, room B", 60, 12)
    'cold st…'
    """
    if width_of(text, size) <= width:
        return text
    while text and width_of(text + ELLIPSIS, size) > width:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS
