"""Policies: what a trace assumes of a pathogen, as data with a source for each value.

tracing.md §3.7; docs/spec/facts.md §13 and §14; engine/data/policies.json. A document names the policy and its version.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.query import CARRIERS, PLACES
from sudonglian.trace.engine.rules import data
from sudonglian.trace.errors import TableRefused

EXACT: Final = Context(prec=34)
"""Logarithms of decimals are rounded correctly, so that every machine makes the same half-life of them."""

UNIT: Final = 1 << 64
"""How finely halvings are counted: a year's half-life still is half a million units a microsecond."""

HOUR: Final[Micros] = 3_600_000_000


class Anchor(NamedTuple):
    """At a temperature, how long until it has halved, in microseconds; negative: doubled; None: it stays as it is."""

    milli_c: int
    half_life: Fraction | None


class Curve(NamedTuple):
    """Half-lives by temperature, log-linear between anchors, level beyond them; and what counts as gone.

    `halvings` after its exposure something exposes no more; growth counts as none, but does not end it. What is not
    known to be between `low` and `high` is not assumed; a logger's readings further apart than `gap` do not join.
    """

    anchors: tuple[Anchor, ...]
    halvings: Fraction
    low: int
    high: int
    gap: Micros
    doublings: int = 0
    """How often it may double before it is as strong as it gets."""

    def rate(self, milli_c: int) -> int:
        """Return how many units of halving pass in a microsecond; negative where it grows."""
        return _rate(self.anchors, milli_c)

    def range(self, low: int, high: int) -> tuple[int, int]:
        """Return the least and the greatest rate between two temperatures."""
        inner = [one.milli_c for one in self.anchors if low < one.milli_c < high]
        rates = [self.rate(at) for at in (low, *inner, high)]
        # Just beyond an anchor that stays as it is the rate is the next one's.
        rates += [self.rate(at + 1) for at in (low, *inner) if at < high]
        return min(rates), max(rates)


@cache
def _rate(anchors: tuple[Anchor, ...], milli_c: int) -> int:
    if milli_c <= anchors[0].milli_c:
        return _units(anchors[0].half_life)
    for before, after in pairwise(anchors):
        if milli_c > after.milli_c:
            continue
        if milli_c == after.milli_c or before.half_life is None or after.half_life is None:
            return _units(after.half_life)
        if (before.half_life < 0) != (after.half_life < 0):
            return _units(after.half_life)
        first, last = EXACT.ln(_decimal(abs(before.half_life))), EXACT.ln(_decimal(abs(after.half_life)))
        share = EXACT.divide(Decimal(milli_c - before.milli_c), Decimal(after.milli_c - before.milli_c))
        life = EXACT.exp(EXACT.add(first, EXACT.multiply(EXACT.subtract(last, first), share)))
        return _units(Fraction(life) if before.half_life > 0 else -Fraction(life))
    return _units(anchors[-1].half_life)


def _units(half_life: Fraction | None) -> int:
    return 0 if half_life is None else round(UNIT / half_life)


def _decimal(value: Fraction) -> Decimal:
    return EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


class Lasting(NamedTuple):
    """How long a kind lasts: a span, or a curve's name; `is_ever` for without an end."""

    span: Micros = 0
    curve: str = ""
    is_ever: bool = False


class Touch(NamedTuple):
    """How whom to look at first is weighed: modes in ten thousandths of touching, and the dose that passes on half.

    `goods` where the source is a thing, `persons` where it is somebody, by kind of place; `half` is touching's times span.
    """

    goods: Mapping[str, int]
    persons: Mapping[str, int]
    half: int


TOUCHING: Final = 10_000
"""The mode of touching, in a `Touch`."""


class Risk(NamedTuple):
    """How doses are weighed: modes by kind of place, what each hop passes on, and lengths that nobody wrote down.

    `goods` are the modes where the source is a thing, which does not breathe; `modes` where it is a person.
    """

    modes: Mapping[str, int]
    goods: Mapping[str, int]
    transfer: Fraction
    instant: Micros
    flow: Micros
    touch: Touch


class Policy(NamedTuple):
    """One edition of the assumptions."""

    name: str
    zh: str
    en: str
    dwell: Mapping[str, Micros]
    persistence: Mapping[str, Lasting]
    curves: Mapping[str, Curve]
    risk: Risk


def parse(value: Any) -> Mapping[str, Policy]:
    """Return the policies of a parsed JSON document, by name.

    Raises
    ------
    TableRefused
        A value is missing, has no source, or has no meaning.
    """
    try:
        risk = _risk(value["risk"])
        found = {one["policy"]: _policy(one, risk) for one in value["policies"]}
    except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise TableRefused(f"the policies lack {error}", place="policies.json") from error
    return found


def _risk(value: Any) -> Risk:
    for name in ("modes", "goods", "transfer", "instant", "flow"):
        _sourced(value[name])
    modes, goods = ({kind: int(value[name][kind]) for kind in PLACES} for name in ("modes", "goods"))
    transfer = Fraction(value["transfer"]["share"])
    if min(*modes.values(), *goods.values()) < 0 or not 0 < transfer <= 1:
        raise TableRefused("a mode is negative, or a hop passes on more than there is", place="policies.json")
    return Risk(modes, goods, transfer, _span(value["instant"]), _span(value["flow"]), _touch(value["touch"]))


def _touch(value: Any) -> Touch:
    for name in ("goods", "persons"):
        _sourced(value[name])
    goods, persons = ({kind: int(value[name][kind]) for kind in PLACES} for name in ("goods", "persons"))
    half = TOUCHING * _span(value["half"])
    if min(*goods.values(), *persons.values()) < 0 or not half:
        raise TableRefused("a mode is negative, or nothing is ever passed on", place="policies.json")
    return Touch(goods, persons, half)


def _policy(value: Any, risk: Risk) -> Policy:
    curves = {name: _curve(one) for name, one in value["curves"].items()}
    persistence = {kind: _lasting(one, kind, curves) for kind, one in value["persistence"].items()}
    dwell = {kind: _span(one) for kind, one in value["dwell"].items()}
    for kind in (*persistence, *dwell):
        if kind not in (*PLACES, *CARRIERS) or (kind in dwell and kind in CARRIERS):
            raise TableRefused(f"{kind!r} is no kind", place="policies.json")
    return Policy(str(value["policy"]), str(value["zh"]), str(value["en"]), dwell, persistence, curves, risk)


def _lasting(value: Any, kind: str, curves: Mapping[str, Curve]) -> Lasting:
    _sourced(value)
    if "curve" in value:
        if value["curve"] not in curves:
            raise TableRefused(f"there is no curve {value['curve']!r}", place="policies.json")
        return Lasting(curve=value["curve"])
    if value.get("ever") is True:
        return Lasting(is_ever=True)
    span = _span(value)
    if kind in CARRIERS and span == 0:
        raise TableRefused(f"{kind!r} carries nothing on", place="policies.json")
    return Lasting(span)


def _span(value: Any) -> Micros:
    _sourced(value)
    span = Fraction(value["hours"]) * HOUR
    if span < 0:
        raise TableRefused("a span is negative", place="policies.json")
    return int(span)


def _curve(value: Any) -> Curve:
    anchors = []
    for one in value["anchors"]:
        _sourced(one)
        told = [name for name in ("half_life_h", "doubling_h", "unchanged") if name in one]
        if len(told) != 1:
            raise TableRefused("an anchor says one of: half_life_h, doubling_h, unchanged", place="policies.json")
        hours = None if told == ["unchanged"] else Fraction(one[told[0]])
        if hours is not None and hours <= 0:
            raise TableRefused("half-lives and doublings take time", place="policies.json")
        sign = -1 if told == ["doubling_h"] else 1
        anchors.append(Anchor(_milli(one["celsius"]), None if hours is None else sign * hours * HOUR))
    if not anchors or any(before.milli_c >= after.milli_c for before, after in pairwise(anchors)):
        raise TableRefused("the anchors of a curve rise", place="policies.json")
    for name in ("gone", "unknown", "gap"):
        _sourced(value[name])
    low, high = _milli(value["unknown"]["from_celsius"]), _milli(value["unknown"]["to_celsius"])
    if low > high or (halvings := Fraction(value["gone"]["halvings"])) <= 0:
        raise TableRefused("a curve needs a range of temperatures and an end", place="policies.json")
    doublings = int(value["gone"].get("doublings", "0"))
    return Curve(tuple(anchors), halvings, low, high, _span(value["gap"]), doublings)


def _milli(text: str) -> int:
    return int(Fraction(text) * 1000)


def _sourced(value: Any) -> None:
    if not str(value["source"]).strip():
        raise TableRefused("a value without a source", place="policies.json")


@cache
def policy_table() -> Mapping[str, Policy]:
    """Return the policies that there are."""
    return parse(data("policies.json"))
