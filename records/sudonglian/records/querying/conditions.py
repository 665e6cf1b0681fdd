"""Conditions: what one parameter asks of an event, as a function of the event.

EPCIS 2.0 §8.2.7.1. Each parameter is fulfilled by itself: GE_value and LT_value may be by two reports of one event.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Final, TypeAlias

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers import normal
from sudonglian.records.epcis import units
from sudonglian.records.epcis.times import instant
from sudonglian.records.querying.fields import Event, Field, Holders, itself, member, reports
from sudonglian.records.querying.values import COMPARE, Op, bare, number_of

Test: TypeAlias = Callable[[Json], bool]

CLEAR: Final[frozenset[str]] = frozenset()
"""What a condition needs that looks at members in the clear alone."""

SENSORS: Final = frozenset({"sensorElementList"})
ERROR: Final = frozenset({"errorDeclaration"})
TRANSACTIONS: Final = frozenset({"bizTransactionList"})

QUANTITIES: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")

EXTENSION: Final = "254"
"""The application identifier of a GLN's extension: a part of the place."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What one parameter asks."""

    fits: Callable[[Event], bool]
    needs: frozenset[str] | None = CLEAR
    """The withheld members that it looks at; None for any."""
    names: Callable[[Event], Iterable[str]] | None = None
    """The identifiers, in their normal form, whose master data it looks at."""


def one_of(test: Test, holders: Holders, field: Field, needs: frozenset[str] | None) -> Condition:
    """Return the condition that a field has a fitting value in one of its holders."""
    return Condition(lambda event: any(test(value) for value in field.of(holders, event)), needs)


def exists(holders: Holders, field: Field, needs: frozenset[str] | None) -> Condition:
    """Return the condition that a field is there."""
    return Condition(lambda event: any(True for _ in field.of(holders, event)), needs)


def vocabulary(values: Iterable[str]) -> Test:
    """Return the test that a value of a vocabulary, in any of its spellings, is one of these; also one of an array."""
    wanted = frozenset(map(bare, values))

    def test(value: Json) -> bool:
        listed = value if isinstance(value, list) else [value]
        return any(isinstance(one, str) and bare(one) in wanted for one in listed)

    return test


def identifier(values: Iterable[str]) -> Test:
    """Return the test that an identifier, or one of an array, is one of these in any spelling."""
    wanted = frozenset(map(normal, values))

    def test(value: Json) -> bool:
        listed = value if isinstance(value, list) else [value]
        return any(isinstance(one, str) and normal(one) in wanted for one in listed)

    return test


def text(values: Iterable[str]) -> Test:
    """Return the test that a text is one of these."""
    wanted = frozenset(values)
    return lambda value: isinstance(value, str) and value in wanted


def hexadecimal(values: Iterable[str]) -> Test:
    """Return the test that bytes in hexadecimal digits are one of these."""
    wanted = frozenset(one.lower() for one in values)
    return lambda value: isinstance(value, str) and value.lower() in wanted


def truth(wanted: bool) -> Test:
    """Return the test that a value is true, or is false."""
    return lambda value: value is wanted


def at(op: Op, wanted: datetime) -> Test:
    """Return the test that a time stands so to another."""

    def test(value: Json) -> bool:
        found = instant(value)
        return found is not None and COMPARE[op](found, wanted)

    return test


def amount(op: Op, wanted: Iterable[Fraction]) -> Test:
    """Return the test that a number stands so to one of these, whatever its unit."""
    stands = _stands(op, wanted)

    def test(value: Json) -> bool:
        found = number_of(value)
        return found is not None and stands(found)

    return test


def place(name: str, values: Iterable[str], *, parts: bool) -> Condition:
    """Return the condition that the event's place is one of these, or with `parts` one by an extension of its GLN."""
    wanted = frozenset(map(normal, values))

    def fits(event: Event) -> bool:
        for holder in member(name)(event):
            if isinstance(found := holder.get("id"), str):
                whole = normal(found)
                return whole in wanted or (parts and whole.partition(f"/{EXTENSION}/")[0] in wanted)
        return False

    return Condition(fits)


def listed(name: str, inner: str, kind: str, values: Iterable[str], needs: frozenset[str]) -> Condition:
    """Return the condition that a list like `bizTransactionList` has one of these, of a type; "" is no type."""
    wanted, wanted_type = frozenset(map(normal, values)), bare(kind)

    def fits(event: Event) -> bool:
        for one in _objects(event.get(name)):
            given, found = one.get("type", ""), one.get(inner)
            if (
                isinstance(given, str)
                and isinstance(found, str)
                and bare(given) == wanted_type
                and normal(found) in wanted
            ):
                return True
        return False

    return Condition(fits, needs)


def quantity(op: Op, wanted: Iterable[Fraction], uom: str) -> Condition:
    """Return the condition that an amount of a class stands so to one of these; "" is any unit, as written."""
    return Condition(_measured(_quantities, "quantity", op, wanted, uom))


def measure(name: str, op: Op, wanted: Iterable[Fraction], uom: str) -> Condition:
    """Return the condition that a measured value stands so to one of these; "" is any unit, as written."""
    return Condition(_measured(reports, name, op, wanted, uom), SENSORS)


def disposition(name: str, values: Iterable[str]) -> Condition:
    """Return the condition that a persistent disposition is set, or is unset."""
    test = vocabulary(values)
    return Condition(lambda event: any(test(one.get(name)) for one in member("persistentDisposition")(event)))


def standard(name: str, test: Test) -> Condition:
    """Return the condition on a member of the event that the standard names and that is in the clear."""
    return one_of(test, itself, Field(name), CLEAR)


def _measured(holders: Holders, name: str, op: Op, wanted: Iterable[Fraction], uom: str) -> Callable[[Event], bool]:
    is_difference = name == "sDev"
    if not uom:
        test = amount(op, wanted)
        return lambda event: any(test(one.get(name)) for one in holders(event))
    kinds, numbers = zip(*(units.comparable(one, uom, is_difference=is_difference) for one in wanted), strict=True)
    kind, stands = kinds[0], _stands(op, numbers)

    def fits(event: Event) -> bool:
        for one in holders(event):
            found, unit = number_of(one.get(name)), one.get("uom")
            if found is None or not isinstance(unit, str):
                continue
            found_kind, value = units.comparable(found, unit, is_difference=is_difference)
            if found_kind == kind and stands(value):
                return True
        return False

    return fits


def _stands(op: Op, wanted: Iterable[Fraction]) -> Callable[[Fraction], bool]:
    numbers = frozenset(wanted)
    if op == "EQ":
        return numbers.__contains__
    return lambda found: any(COMPARE[op](found, one) for one in numbers)


def _quantities(event: Event) -> Iterator[Event]:
    for name in QUANTITIES:
        yield from _objects(event.get(name))


def _objects(value: Json) -> Iterator[Mapping[str, Json]]:
    yield from (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()
