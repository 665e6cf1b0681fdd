"""The query language read: parameters by name and value become a query, or a refusal that says which one.

EPCIS 2.0 §8.2.7.1 and §12.8: an unknown or unsupported parameter is refused, never ignored.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from sudonglian.chain.identifiers import normal
from sudonglian.records.epcis.schema import EVENT_TYPES, document
from sudonglian.records.querying import conditions, matching
from sudonglian.records.querying.errors import QueryRefused, QueryTooComplex
from sudonglian.records.querying.families import FAMILIES
from sudonglian.records.querying.matching import Match
from sudonglian.records.querying.parameter import Asked, Parameter
from sudonglian.records.querying.query import EventQuery
from sudonglian.records.querying.standing import STANDING
from sudonglian.records.querying.values import bare

MAX_PARAMETERS: Final = 100
"""Of one query: a person writes ten, and each is asked of every event looked at."""

MAX_VALUE: Final = 8_000
"""Characters of one value: what servers take as the whole address."""

RESOURCES: Final = ("eventTypes", "epcs", "bizSteps", "bizLocations", "readPoints", "dispositions")
"""The resources by which events are browsed (EPCIS 2.0 §12.7)."""


def read(parameters: Iterable[tuple[str, str]], prefixes: Mapping[str, str] | None = None) -> EventQuery:
    """Return the query of parameters.

    Parameters
    ----------
    parameters
        Names and values, in any order, each name once.
    prefixes
        What prefixes of field names mean (the header GS1-Extensions); others are compared as they are written.

    Raises
    ------
    QueryRefused
        A parameter that is not known, is given twice or cannot have its value; `place` names it.
    QueryTooComplex
        Too many of them.
    """
    query = EventQuery()
    seen: set[str] = set()
    for name, value in parameters:
        if name in seen:
            raise QueryRefused("is given twice", place=name[:200])
        seen.add(name)
        if len(seen) > MAX_PARAMETERS:
            raise QueryTooComplex(f"more than {MAX_PARAMETERS} parameters")
        if len(value) > MAX_VALUE:
            raise QueryRefused(f"has more than {MAX_VALUE} characters", place=name[:200])
        if not (_is_text(name) and _is_text(value)):
            shown = name.encode(errors="replace").decode().replace("\x00", "")
            raise QueryRefused("holds a null character, or is not UTF-8", place=shown[:200])
        parameter, found = _parameter(name)
        query = parameter.ask(query, Asked(name[:200], value, found, prefixes or {}))
    if query.limit is not None and query.most is not None:
        raise QueryRefused("eventCountLimit and maxEventCount exclude each other", place="maxEventCount")
    if "orderDirection" in seen and not query.order_by:
        raise QueryRefused("is for orderBy, which is not given", place="orderDirection")
    return query


def browse(resource: str, value: str, query: EventQuery) -> EventQuery | None:
    """Return the query of what is found under a resource like `bizSteps/shipping`; None if there can be no such one."""
    if resource == "epcs":
        return query.with_match(Match(frozenset().union(*matching.ROLES.values()), frozenset({normal(value)}), ()))
    if resource == "eventTypes":
        known = value in EVENT_TYPES
        return query.with_condition(conditions.standard("type", conditions.vocabulary([value]))) if known else None
    if resource in ("bizSteps", "dispositions"):
        name = resource.removesuffix("s")
        if not _is_vocabulary(name, value):
            return None
        return query.with_condition(conditions.standard(name, conditions.vocabulary([value])))
    name = resource.removesuffix("s")
    return query.with_condition(conditions.place(name, [value], parts=False)) if ":" in value else None


def _is_text(text: str) -> bool:
    """Return whether both databases hold a text; a command line may give one that is none."""
    return "\x00" not in text and text.encode(errors="replace").decode() == text


def _parameter(name: str) -> tuple[Parameter, re.Match[str] | None]:
    if standing := STANDING.get(name):
        return standing, None
    for family, form in _forms():
        if found := form.fullmatch(name):
            return family, found
    near = difflib.get_close_matches(name[:100], STANDING, 1, 0.8)
    raise QueryRefused("is not known here" + (f"; is {near[0]} meant?" if near else ""), place=name[:200] or "?")


@cache
def _forms() -> tuple[tuple[Parameter, re.Pattern[str]], ...]:
    return tuple((one, re.compile(one.form, re.DOTALL)) for one in FAMILIES)


def _is_vocabulary(name: str, value: str) -> bool:
    words = document()["$defs"][name]["anyOf"][0]["enum"]
    return bare(value) in words or (":" in value and bare(value) == value)
