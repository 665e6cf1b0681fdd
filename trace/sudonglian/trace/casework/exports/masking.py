"""A kept trace document with pseudonyms where it numbers persons, so that nothing made of it can say a number.

docs/decisions/0507 and 0840; docs/spec/trace-document.md §3-6.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sudonglian.records import pseudonyms
from sudonglian.records.keys import Keys

PERSON: Final = "person"

WITHOUT: Final = "case-export"
WITH: Final = "case-identities"
"""What a pseudonym is for: a list with identities joins no list without, for it would say who everybody there is."""

Alias = Callable[[str], str]
"""Gives the pseudonym of a person's number as text."""


def alias(keys: Keys, case: int, purpose: str = WITHOUT) -> Alias:
    """Return what stands for persons in the exports of one case: the same in all of them, and another in other cases'."""
    known: dict[str, str] = {}

    def named(number: str) -> str:
        if number not in known:
            known[number] = pseudonyms.pseudonym(keys, purpose, f"case-{case}", int(number))
        return known[number]

    return named


def masked(document: Mapping[str, Any], name: Alias) -> dict[str, Any]:
    """Return a document without the number of any person, wherever it stands.

    >>> masked({"query": {"seed": "7"}, "seeds": [{"kind": "person", "id": "7"}], "notes": [{"about": "8"}],
    ...         "members": [{"kind": "person", "id": "8"}]}, lambda number: f"p-{number}")["notes"]
    [{'about': 'p-8'}]
    """
    persons = {str(one["id"]) for one in _subjects(document) if one["kind"] == PERSON}
    found: dict[str, Any] = _renamed(document, name)
    # What is named without its kind is a person's if some subject of the document is: no other identifier is a number.
    spoken = (("notes", "about"), ("samples", "subject"), *([("impossible", "about")] if "impossible" in found else []))
    for part, key in spoken:
        found[part] = [one | {key: _plain(one.get(key, ""), persons, name)} for one in found.get(part, ())]
    if "query" in found:
        found["query"] = found["query"] | {"seed": _plain(document["query"].get("seed", ""), persons, name)}
    return found


def _plain(text: str, persons: set[str], name: Alias) -> str:
    return name(text) if text in persons or (text.isascii() and text.isdigit()) else text


def _subjects(value: Any) -> list[Mapping[str, Any]]:
    """Return every object of a document that names a subject by kind and identifier."""
    found, rest = [], [value]
    while rest:
        one = rest.pop()
        if isinstance(one, Mapping):
            if "kind" in one and "id" in one:
                found.append(one)
            rest.extend(one.values())
        elif isinstance(one, list | tuple):
            rest.extend(one)
    return found


def _renamed(value: Any, name: Alias) -> Any:
    if isinstance(value, Mapping):
        found = {key: _renamed(one, name) for key, one in value.items()}
        if found.get("kind") == PERSON and "id" in found:
            found["id"] = name(str(found["id"]))
        return found
    if isinstance(value, list | tuple):
        return [_renamed(one, name) for one in value]
    return value
