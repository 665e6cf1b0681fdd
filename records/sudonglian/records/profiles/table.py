"""The table of profiles: to which events each applies, what these must tell, in which order things happen.

docs/profiles.md; profiles.json holds the rules, each with the section of the law or standard that it follows.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, TypeAlias

from sudonglian.chain.errors import SudonglianError
from sudonglian.records.profiles.formats import FORMATS
from sudonglian.records.profiles.paths import tokens

Scope: TypeAlias = Literal["event", "goods"]

Checked: TypeAlias = Literal["text", "quoted", "no"]
"""Whether a source was compared: with its text, with a page that tells of it, or not at all."""


class ProfileUnknown(SudonglianError):
    """A profile that the table does not hold."""

    slug = "profile-unknown"


@dataclass(frozen=True, slots=True)
class Way:
    """One place where a fact may be told."""

    path: tuple[str, ...]
    where: Mapping[str, frozenset[str]]
    select: re.Pattern[str] | None
    """What a text must look like to be the fact at all."""
    item: str = ""
    """In a list of goods, the member that says which one an element is about; nothing: it is about them all."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One fact that an event, or the events of its goods, must tell."""

    code: str
    scope: Scope
    ways: tuple[Way, ...]
    given: tuple[Way, ...]
    """What the event must tell for the rule to ask anything; nothing: always."""
    described: bool
    """Whether the master data of the document may tell it."""
    each: bool
    """Whether every element of the list must tell it."""
    match: re.Pattern[str] | None
    format: str | None
    rule: str
    checked: Checked
    message: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mark:
    """How a kind of event is recognised: by its step, or by what it tells."""

    steps: frozenset[str]
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """Something that must have happened to goods before something else does."""

    code: str
    first: Mark
    then: Mark
    rule: str
    checked: Checked
    message: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Profile:
    """What one law or standard wants."""

    name: str
    version: str
    title: Mapping[str, str]
    applies: Mapping[str, str]
    sources: tuple[Mapping[str, str], ...]
    types: frozenset[str]
    steps: frozenset[str]
    raises: frozenset[str]
    """Codes of findings of meaning that refuse under this profile."""
    rules: tuple[Rule, ...]
    orders: tuple[Order, ...]

    @property
    def asked(self) -> "tuple[Rule | Order, ...]":
        """Return everything that it asks for, each under a code of its own."""
        return (*self.rules, *self.orders)

    def as_json(self) -> dict[str, Any]:
        """Return what commands and the HTTP door tell of it."""
        return {
            "name": self.name,
            "version": self.version,
            "title": dict(self.title),
            "applies": dict(self.applies),
            "sources": [dict(one) for one in self.sources],
            "raises": sorted(self.raises),
            "rules": [
                {"code": one.code, "rule": one.rule, "checked": one.checked, "message": dict(one.message)}
                for one in self.asked
            ],
        }


FILE: Final = "profiles.json"

GOODS: Final = "sdl:goods"
"""The list in which events tell of their goods one by one: what sheets write where EPCIS has no ilmd (docs/sheets.md)."""


@cache
def profiles() -> Mapping[str, Profile]:
    """Return every profile by its name."""
    text = files("sudonglian.records.profiles").joinpath(FILE).read_text("utf-8")
    return {name: _profile(name, one) for name, one in json.loads(text)["profiles"].items()}


def profile_of(name: str) -> Profile:
    """Return a profile.

    Raises
    ------
    ProfileUnknown
        There is none of this name; the known ones are named.
    """
    found = profiles().get(name)
    if found is None:
        known = ", ".join(profiles())
        raise ProfileUnknown(f"{name[:80]!r} is not a profile; known are {known}", place="profile")
    return found


def _profile(name: str, told: dict[str, Any]) -> Profile:
    events = told["events"]
    return Profile(
        name=name,
        version=told["version"],
        title=told["title"],
        applies=told["applies"],
        sources=tuple(told["sources"]),
        types=frozenset(events["types"]),
        steps=frozenset(events.get("steps", ())),
        raises=frozenset(told["raises"]),
        rules=tuple(_rule(one) for one in told["rules"]),
        orders=tuple(
            Order(one["code"], _mark(one["first"]), _mark(one["then"]), one["rule"], one["checked"], one["message"])
            for one in told.get("orders", ())
        ),
    )


def _rule(told: dict[str, Any]) -> Rule:
    form = told.get("format")
    if form is not None and form not in FORMATS:
        raise ValueError(f"{told['code']}: no format {form!r}")
    return Rule(
        code=told["code"],
        scope=told.get("scope", "event"),
        ways=_ways(told["any"]),
        given=_ways(told.get("given", [])),
        described=told.get("described", False),
        each=told.get("each", False),
        match=_pattern(told.get("match")),
        format=form,
        rule=told["rule"],
        checked=told["checked"],
        message=told["message"],
    )


def _mark(told: dict[str, Any]) -> Mark:
    return Mark(frozenset(told.get("steps", ())), _ways(told.get("any", [])))


def _ways(told: list[Any]) -> tuple[Way, ...]:
    return tuple(_way({"path": one} if isinstance(one, str) else one) for one in told)


def _way(told: dict[str, Any]) -> Way:
    where = {name: frozenset(words) for name, words in told.get("where", {}).items()}
    path = tokens(told["path"])
    item = "item" if path[0] == GOODS else ""
    return Way(path, where, _pattern(told.get("select")), item)


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return None if text is None else re.compile(text, re.ASCII)
