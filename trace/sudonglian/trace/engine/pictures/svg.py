"""Pieces of pictures: escaped SVG elements, and texts that fit.

SVG 2. Looks come from one style sheet by class: the pages' Content-Security-Policy allows no inline style.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from markupsafe import Markup, escape

ELLIPSIS: Final = "…"

FOOT: Final = 20
"""Height of a line at the foot of a picture that stands alone."""

FONT: Final = "svg { font-family: system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif; }\n"
"""Of a picture that stands alone; no foreign font is fetched."""

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


@cache
def style() -> str:
    """Return the style sheet of the pictures; its colours are those of the page around them, if that names some."""
    return files("sudonglian.trace.engine.pictures").joinpath("pictures.css").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its accessible name, for a page or to stand alone."""

    width: int
    height: int
    label: str
    parts: tuple[Markup, ...]

    def within(self, class_: str) -> Markup:
        """Return the picture for a page that has the style sheet."""
        return self._element(self.height, self.parts, class_)

    def alone(self, class_: str, *foot: str) -> str:
        """Return the picture as a file: with its style, on white, and with lines of words at its foot."""
        height = self.height + FOOT * len(foot) + FOOT // 2
        ground = element("rect", width=self.width, height=height, fill="#fff")
        words = [
            element("text", line, x=4, y=self.height + FOOT * number, class_="note")
            for number, line in enumerate(foot, 1)
        ]
        sheet = element("style", Markup(style() + FONT))
        return xml_text(f"{self._element(height, (sheet, ground, *self.parts, *words), class_)}\n")

    def _element(self, height: int, parts: tuple[Markup, ...], class_: str) -> Markup:
        return element(
            "svg",
            Markup("").join([element("title", self.label), *parts]),
            viewBox=f"0 0 {self.width} {height}",
            width=self.width,
            height=height,
            role="img",
            aria_label=self.label,
            class_=class_,
            xmlns="http://www.w3.org/2000/svg",
        )


def xml_text(text: str) -> str:
    """Return a text with what XML cannot hold replaced, for identifiers may hold any character."""
    return "".join(one if one in "\t\n\r" or (one >= " " and one not in "\ufffe\uffff") else "\ufffd" for one in text)


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
