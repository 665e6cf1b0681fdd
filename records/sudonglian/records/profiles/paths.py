"""Paths into an event: a JSON pointer whose `*` stands for every element of a list, and where it leads.

RFC 6901; docs/profiles.md.
"""

from collections.abc import Iterator, Mapping

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.findings import pointer

ANY = "*"


def tokens(path: str) -> tuple[str, ...]:
    """Return the steps of a path.

    >>> tokens("/quantityList/*/uom")
    ('quantityList', '*', 'uom')
    """
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:])


def is_told(value: Json) -> bool:
    """Return whether a member says something: blank texts, empty lists and null do not."""
    if isinstance(value, str):
        return bool(value.strip())
    return value is not None and value not in ([], {})


def walk(
    value: Json, path: tuple[str, ...], where: Mapping[str, frozenset[str]], at: tuple[str | int, ...] = ()
) -> Iterator[tuple[str, Json]]:
    """Yield the pointer and value of everything at the end of a path.

    `where` tells which elements of the list that `*` last stands for count: those with one of these words in these
    members.

    >>> list(walk({"a": [{"b": 1}, {"b": 2, "t": "x"}]}, ("a", "*", "b"), {"t": frozenset({"x"})}))
    [('/a/1/b', 2)]
    """
    if not path:
        if is_told(value):
            yield pointer(*at), value
        return
    step, rest = path[0], path[1:]
    if step == ANY:
        for index, element in enumerate(value if isinstance(value, list) else ()):
            if ANY in rest or _counts(element, where):
                yield from walk(element, rest, where, (*at, index))
    elif isinstance(value, dict) and step in value:
        yield from walk(value[step], rest, where, (*at, step))


def _counts(element: Json, where: Mapping[str, frozenset[str]]) -> bool:
    return all(isinstance(element, dict) and element.get(name) in words for name, words in where.items())


def outset(path: tuple[str, ...]) -> str:
    """Return the pointer at which something that is missing would begin.

    >>> outset(("quantityList", "*", "uom"))
    '/quantityList'
    """
    return pointer(*path[: path.index(ANY)] if ANY in path else path)
