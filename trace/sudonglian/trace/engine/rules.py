"""The table bizStep × action × event type → facts, read from package data.

docs/spec/facts.md §3 prints the same table; nothing about stays is decided elsewhere.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from sudonglian.trace.errors import TableRefused

STEP: Final = re.compile(
    r"(?:urn:epcglobal:cbv:bizstep:|https?://ref\.gs1\.org/cbv/BizStep-|cbv:BizStep-|BizStep-|urn:sudonglian:bizstep:)(.+)"
)
"""The spellings of a CBV business step, and our own; any other URI is opaque unless the table knows its spelling."""

VEHICLE: Final = re.compile(r"https?://id\.gs1\.org/8004/|urn:epc:id:giai:")
"""A GIAI as a place is a vehicle (records.md: vehicle)."""

LOCATION: Final = re.compile(r"https?://id\.gs1\.org/414/|urn:epc:id:sgln:")
"""A GLN of a location: as a thing that was disinfected or sampled it is the place."""

SITE: Final = re.compile(r"https?://id\.gs1\.org/41[47]/(\d{12})|urn:epc:id:[sp]gln:(\d+)\.(\d*)(?:\.|$)")
"""A GLN's twelve significant digits, in a Digital Link (with check digit) or an EPC URN (without)."""


class Rule(NamedTuple):
    """One row: what an event of this kind does to stays, nesting and lots, and its rank among equal times."""

    id: str
    type: frozenset[str]
    action: frozenset[str]
    step: frozenset[str]
    stay: str
    nest: str
    receive: bool
    rank: int

    def matches(self, kind: str, action: str, step: str) -> bool:
        """Tell whether the row speaks of such an event."""
        asked = ((self.type, kind), (self.action, action), (self.step, step))
        return all("*" in allowed or value in allowed for allowed, value in asked)


class FactTable(NamedTuple):
    """The rows in their order, the words that mean something, and the version that a trace names."""

    version: str
    rules: tuple[Rule, ...]
    spellings: Mapping[str, "re.Pattern[str]"]
    cleaning: frozenset[str]
    opening: frozenset[str]
    complete_log10: Decimal
    positive: frozenset[str]
    negative: frozenset[str]

    def step(self, biz_step: str) -> str:
        """Return the bare word of a business step, however a firm spells it."""
        for word, pattern in self.spellings.items():
            if pattern.fullmatch(biz_step):
                return word
        return step_name(biz_step)

    def rule(self, kind: str, action: str, biz_step: str) -> Rule:
        """Return the first row that matches."""
        step = self.step(biz_step)
        for rule in self.rules:
            if rule.matches(kind, action, step):
                return rule
        raise TableRefused(f"no rule for {kind} {action} {step}")

    def judge(self, complete: bool | None, log10: str) -> tuple[bool, bool]:
        """Tell whether a disinfection counts as complete, and whether that is certain.

        What the record says counts; if it says nothing, a disinfection is complete, but one whose stated reduction is
        below the table's is so only possibly.
        """
        if complete is not None:
            return complete, True
        if not log10:
            return True, True
        try:
            reached = Decimal(log10)
        except InvalidOperation:
            return True, False
        return True, reached.is_finite() and reached >= self.complete_log10

    def verdict(self, result: str) -> bool | None:
        """Return whether a laboratory's word means positive; None if the table does not know it."""
        word = " ".join(result.casefold().replace("_", " ").split())
        if word in self.positive:
            return True
        return False if word in self.negative else None


def step_name(biz_step: str) -> str:
    """Return the bare CBV word of a business step.

    >>> step_name("urn:epcglobal:cbv:bizstep:shipping"), step_name("cbv:BizStep-receiving"), step_name("storing")
    ('shipping', 'receiving', 'storing')
    """
    match = STEP.fullmatch(biz_step)
    return match[1] if match else biz_step


def is_vehicle(uri: str) -> bool:
    """Tell whether a place's identifier is that of a vehicle."""
    return VEHICLE.match(uri) is not None


def is_location(uri: str) -> bool:
    """Tell whether an identifier is that of a physical location (a GLN, not a party's)."""
    return LOCATION.match(uri) is not None


def site(uri: str) -> str:
    """Return what two places of one site have in common: the GLN without room, else the identifier itself.

    >>> site("https://id.gs1.org/414/6901234500009/254/cold-1") == site("urn:epc:id:sgln:6901234.50000.0")
    True
    """
    match = SITE.match(uri)
    if match is None:
        return uri
    return match[1] or (match[2] + match[3])[:12]


def parse(value: Any) -> FactTable:
    """Return the table that a parsed JSON document holds.

    Raises
    ------
    TableRefused
        A row lacks a column.
    """
    try:
        return FactTable(
            str(value["version"]),
            tuple(
                Rule(
                    str(row["id"]),
                    frozenset(row["type"]),
                    frozenset(row["action"]),
                    frozenset(row["step"]),
                    str(row["stay"]),
                    str(row["nest"]),
                    bool(row["receive"]),
                    int(row["rank"]),
                )
                for row in value["rules"]
            ),
            {str(word): re.compile(str(pattern)) for word, pattern in value["spellings"].items()},
            frozenset(value["cleaning"]),
            frozenset(value["opening"]),
            Decimal(str(value["complete_log10"])),
            frozenset(value["positive"]),
            frozenset(value["negative"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError, re.error, InvalidOperation) as error:
        raise TableRefused(f"the facts table lacks {error}", place="facts.json") from error


def data(name: str) -> Any:
    """Return a table of this package as parsed JSON."""
    return json.loads(files("sudonglian.trace.engine").joinpath("data", name).read_text(encoding="utf-8"))


@cache
def fact_table() -> FactTable:
    """Return the table in force."""
    return parse(data("facts.json"))
