"""How far two places are apart at least, and how long nobody can need less than for that.

docs/spec/facts.md §18; decimal arithmetic alone, so that every machine comes to the same metre.
"""

from collections.abc import Callable, Collection, Mapping
from decimal import ROUND_FLOOR, Context, Decimal, InvalidOperation
from functools import cache
from typing import Any, Final, NamedTuple

from sudonglian.trace.engine.rules import data
from sudonglian.trace.errors import TableRefused

Point = tuple[Decimal, Decimal]
"""Latitude and longitude in degrees."""

Positions = Callable[[Collection[str]], Mapping[str, Point]]
"""Gives where places are, of those whose position is known."""

RADIUS_M: Final = 6_371_000
"""Of the Earth, the mean."""

PI: Final = Decimal("3.14159265358979323846264338327950288")

EXACT: Final = Context(prec=34)

TERMS: Final = 24
"""Of the series of a sine: for angles up to π the rest is below 10⁻³⁰."""


class Fastest(NamedTuple):
    """How fast anybody is on a way of up to so many metres."""

    up_to_m: int
    km_per_h: int


class Table(NamedTuple):
    """What is taken for impossible, and the words for it."""

    version: str
    slack_us: int
    near_m: int
    fastest: tuple[Fastest, ...]
    reasons: Mapping[str, Mapping[str, str]]

    def speed(self, distance_m: int) -> int:
        """Return the kilometres an hour that nobody exceeds on a way."""
        return next((one.km_per_h for one in self.fastest if distance_m <= one.up_to_m), self.fastest[-1].km_per_h)

    def least_us(self, distance_m: int) -> int:
        """Return the microseconds below which nobody is there.

        >>> table().least_us(350_000) // 60_000_000
        21
        """
        return distance_m * 3_600_000 // self.speed(distance_m)


@cache
def table() -> Table:
    """Return the table in force."""
    return parse(data("impossible.json"))


def parse(value: Any) -> Table:
    """Return the table that a parsed JSON document holds.

    Raises
    ------
    TableRefused
        It lacks something.
    """
    try:
        fastest = tuple(Fastest(int(one["up_to_m"]), int(one["km_per_h"])) for one in value["fastest"])
        slack, near = int(value["slack_s"]["value"]), int(value["near_m"]["value"])
        reasons = {str(code): {"zh": str(one["zh"]), "en": str(one["en"])} for code, one in value["reasons"].items()}
        if not fastest or min(one.km_per_h for one in fastest) <= 0:
            raise TableRefused("nobody moves", place="impossible.json")
        return Table(str(value["version"]), slack * 1_000_000, near, fastest, reasons)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TableRefused(f"the table lacks {error}", place="impossible.json") from error


def distance_m(one: Point, other: Point) -> int:
    """Return the metres of the straight line between two points, rounded down: no way is shorter.

    >>> distance_m((Decimal("38.9140"), Decimal("121.6147")), (Decimal("39.9042"), Decimal("116.4074")))
    460547
    >>> distance_m((Decimal(90), Decimal(0)), (Decimal(90), Decimal(77)))
    0
    """
    (latitude, longitude), (other_latitude, other_longitude) = one, other
    up = _sine(EXACT.divide(other_latitude - latitude, Decimal(2)))
    along = _sine(EXACT.divide(other_longitude - longitude, Decimal(2)))
    level = EXACT.multiply(_sine(Decimal(90) - latitude), _sine(Decimal(90) - other_latitude))
    half = EXACT.add(EXACT.multiply(up, up), EXACT.multiply(level, EXACT.multiply(along, along)))
    chord = EXACT.multiply(Decimal(2 * RADIUS_M), EXACT.sqrt(max(half, Decimal(0))))
    return int(chord.quantize(Decimal(1), rounding=ROUND_FLOOR))


def point_of(latitude: str, longitude: str) -> Point | None:
    """Return a point on the Earth, or None.

    >>> point_of("38.92", "+121.6"), point_of("91", "0"), point_of("here", "0")
    ((Decimal('38.92'), Decimal('121.6')), None, None)
    """
    try:
        found = Decimal(latitude.strip()), Decimal(longitude.strip())
    except InvalidOperation:
        return None
    if not all(one.is_finite() for one in found) or abs(found[0]) > 90 or abs(found[1]) > 180:
        return None
    return found


def geo(uri: str) -> Point | None:
    """Return the point that a `geo:` URI (RFC 5870) names.

    >>> geo("geo:38.92,121.6;u=10"), geo("https://id.gs1.org/414/9520001001048")
    ((Decimal('38.92'), Decimal('121.6')), None)
    """
    if not uri.startswith("geo:"):
        return None
    parts = uri.removeprefix("geo:").partition(";")[0].split(",")
    return point_of(parts[0], parts[1]) if len(parts) in (2, 3) else None


def _sine(degrees: Decimal) -> Decimal:
    angle = EXACT.divide(EXACT.multiply(degrees, PI), Decimal(180))
    square, term, total = EXACT.multiply(angle, angle), angle, angle
    for number in range(1, TERMS):
        term = EXACT.divide(EXACT.multiply(-term, square), Decimal(2 * number * (2 * number + 1)))
        total = EXACT.add(total, term)
    return total
