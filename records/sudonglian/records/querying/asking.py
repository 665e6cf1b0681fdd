"""How a parameter's value changes a query: what the table of parameters is made of.

EPCIS 2.0 §8.2.7.1.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, TypeAlias

from sudonglian.records.querying import conditions, fields, matching, said, values
from sudonglian.records.querying.conditions import SENSORS, Condition, Test
from sudonglian.records.querying.errors import QueryRefused
from sudonglian.records.querying.fields import Event, Field, Holders
from sudonglian.records.querying.parameter import Asked
from sudonglian.records.querying.query import EventQuery, Order
from sudonglian.records.querying.values import Op

MAX_PATTERNS: Final = 20
"""Of one query: each is tried on every identifier of every event."""

ACTIONS: Final = ("ADD", "OBSERVE", "DELETE")
"""EPCIS 2.0 §8.2.7.1: any other value of EQ_action is a QueryParameterException."""

Ask: TypeAlias = Callable[[EventQuery, Asked], EventQuery]


def sets(**members: Callable[[Asked], Any]) -> Ask:
    """Return what sets members of the query."""
    return lambda query, asked: replace(query, **{name: read(asked) for name, read in members.items()})


def condition(make: Callable[[Asked], Condition]) -> Ask:
    """Return what adds a condition."""
    return lambda query, asked: query.with_condition(make(asked))


def names_of(asked: Asked) -> tuple[str, ...]:
    """Return the identifiers or names that are asked for."""
    return values.names(asked.value, asked.name)


def actions_of(asked: Asked) -> tuple[str, ...]:
    """Return the actions that are asked for; another word is a mistake that would find nothing in silence."""
    found = names_of(asked)
    if wrong := next((one for one in found if one not in ACTIONS), None):
        raise QueryRefused(f"{wrong[:40]!r} is none of {', '.join(ACTIONS)}", place=asked.name)
    return found


def time_of(asked: Asked) -> Any:
    """Return the time that is asked for."""
    return values.time(asked.value, asked.name)


def named(name: str, test: Callable[[Iterable[str]], Test]) -> Ask:
    """Return what asks for a member of the event by its values."""
    return condition(lambda asked: conditions.standard(name, test(names_of(asked))))


def acting() -> Ask:
    """Return what asks for the action of an event."""
    return condition(lambda asked: conditions.standard("action", conditions.vocabulary(actions_of(asked))))


def placed(name: str) -> Ask:
    """Return what asks for a place."""
    return condition(lambda asked: conditions.place(name, names_of(asked), parts=False))


def within(name: str) -> Ask:
    """Return what asks for a place and all that lies within it."""
    return lambda query, asked: query.with_resting(said.located(name, names_of(asked)))


def matches(kind: str) -> Ask:
    """Return what asks for identifiers or patterns of them."""

    def ask(query: EventQuery, asked: Asked) -> EventQuery:
        match = matching.match(kind, names_of(asked), asked.name)
        if len(match.patterns) + sum(len(one.patterns) for one in query.matches) > MAX_PATTERNS:
            raise QueryRefused(f"a query has at most {MAX_PATTERNS} patterns", place=asked.name)
        return query.with_match(match)

    return ask


def attribute(holders: Holders, name: str, test: Callable[[Asked], Test], needs: frozenset[str] = SENSORS) -> Ask:
    """Return what asks for a member of the objects that hold it, sensors if not said otherwise."""
    return condition(lambda asked: conditions.one_of(test(asked), holders, Field(name), needs))


def at_of(op: Op) -> Callable[[Asked], Test]:
    """Return what makes the test of a time."""
    return lambda asked: conditions.at(op, values.time(asked.value, asked.name))


def identifier_of(asked: Asked) -> Test:
    """Return the test of an identifier."""
    return conditions.identifier(names_of(asked))


def truth_of(asked: Asked) -> Test:
    """Return the test of true or false."""
    if asked.value not in ("true", "false"):
        raise QueryRefused("is true or false", place=asked.name)
    return conditions.truth(asked.value == "true")


def word(query: EventQuery, asked: Asked) -> EventQuery:
    """Set the order, or its direction."""
    if asked.name == "orderBy":
        order = next((one for one in ORDERS if one == asked.value), None)
        if order is None:
            raise QueryRefused(f"events are ordered by {' or '.join(ORDERS)}", place=asked.name)
        return replace(query, order_by=order)
    if asked.value not in DIRECTIONS:
        raise QueryRefused(f"is {' or '.join(DIRECTIONS)}", place=asked.name)
    return replace(query, descending=asked.value == "DESC")


def declared(query: EventQuery, asked: Asked) -> EventQuery:
    """Ask for declarations of errors."""
    values.void(asked.value, asked.name)
    return replace(query, declares_error=True)


def sensed(query: EventQuery, asked: Asked) -> EventQuery:
    """Ask for events with sensor data."""
    values.void(asked.value, asked.name)
    return query.with_condition(Condition(_has_sensors, SENSORS))


def _has_sensors(event: Event) -> bool:
    return next(fields.elements(event), None) is not None


def has_ilmd(query: EventQuery, asked: Asked) -> EventQuery:
    """Ask for events with data of an instance or lot."""
    values.void(asked.value, asked.name)
    return query.with_condition(Condition(lambda event: bool(event.get("ilmd"))))


ORDERS: Final[tuple[Order, ...]] = ("eventTime", "recordTime")
DIRECTIONS: Final = ("ASC", "DESC")


def lasting(name: str) -> Ask:
    """Return what asks for a persistent disposition that is set, or unset."""
    return condition(lambda asked: conditions.disposition(name, names_of(asked)))


def amounts(op: Op) -> Ask:
    """Return what asks for an amount in any unit."""
    return condition(lambda asked: conditions.quantity(op, numbers(op, asked), ""))


def number_is(op: Op) -> Callable[[Asked], Test]:
    """Return what makes the test of a number."""
    return lambda asked: conditions.amount(op, numbers(op, asked))


def numbers(op: Op, asked: Asked) -> tuple[Any, ...]:
    """Return the number of a parameter, or the numbers where several may be equal."""
    parts = values.texts(asked.value, asked.name) if op == "EQ" else (asked.value,)
    return tuple(values.number(one, asked.name) for one in parts)
