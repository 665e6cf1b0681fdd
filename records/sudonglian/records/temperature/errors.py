"""What judging temperatures refuses.

The rules of the tree: sudonglian.chain.errors.
"""

from typing import ClassVar

from sudonglian.chain.errors import SudonglianError


class TemperatureRefused(SudonglianError):
    """A question about temperatures that cannot be answered; `place` says what of it."""

    slug: ClassVar[str] = "temperature"


class ClassRefused(TemperatureRefused):
    """A product class that is not known, is written wrongly, or asks for less than the one that it replaces."""

    slug: ClassVar[str] = "temperature-class"
