"""Tiers: the rules of an edition, as a table (data), of which a member's meetings fire one (`firing`).

tracing.md §3.9, docs/spec/facts.md §9 and docs/decisions/0344; a table's order is its priority.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.rules import data
from sudonglian.trace.errors import QueryRefused, TableRefused

CASE: Final = "case"
"""A person from whom the trace began; anybody else who is exposed is a "person"."""

PERSON: Final = "person"


class TierRule(NamedTuple):
    """One row of the table."""

    id: str
    member: str
    via: frozenset[str]
    source: frozenset[str]
    contact: frozenset[str]
    tier: str
    zh: str
    of: frozenset[str] = frozenset()
    """Which tiers the source may have itself; whatever it is, if none is named."""


class Tiers(NamedTuple):
    """One edition: its rows in their order, the version that a trace names, and whose rules they are."""

    version: str
    rules: tuple[TierRule, ...]
    zh: str = ""
    en: str = ""
    date: str = ""
    source: str = ""

    def rank(self, member: str, via: str, source: str, contact: str, tier: str = "") -> int:
        """Return the number of the first row that a meeting fires; one beyond the last if none.

        Rows that ask for the source's tier are fired by one of such a tier alone.
        """
        for number, rule in enumerate(self.rules):
            asked = ((rule.via, via), (rule.source, source), (rule.contact, contact))
            if rule.member == member and all("*" in allowed or value in allowed for allowed, value in asked):
                if rule.of and tier not in rule.of:
                    continue
                return number
        return len(self.rules)

    @property
    def asked(self) -> frozenset[str]:
        """Return the tiers of sources that rows ask for."""
        return frozenset[str]().union(*(rule.of for rule in self.rules))


def parse(value: Any) -> Mapping[str, Tiers]:
    """Return the editions that a parsed JSON document holds, by version.

    Raises
    ------
    TableRefused
        A row lacks a column, an edition its source, or a row asks for a tier that is known only after it.
    """
    try:
        found = [_edition(one) for one in value["editions"]]
    except (KeyError, TypeError) as error:
        raise TableRefused(f"the tiers table lacks {error}", place="tiers.json") from error
    if len({one.version for one in found}) < len(found):
        raise TableRefused("two editions have one version", place="tiers.json")
    return {one.version: one for one in found}


def _edition(value: Any) -> Tiers:
    rules = tuple(
        TierRule(
            str(row["id"]),
            str(row["member"]),
            frozenset(row["via"]),
            frozenset(row["source"]),
            frozenset(row["contact"]),
            str(row["tier"]),
            str(row["zh"]),
            frozenset(row.get("of", ())),
        )
        for row in value["rules"]
    )
    told = Tiers(str(value["version"]), rules, *(str(value[name]) for name in ("zh", "en", "date", "source")))
    if not told.source.strip():
        raise TableRefused(f"{told.version} names no source", place="tiers.json")
    for rule in rules:
        if rule.of and (rule.tier in told.asked or not rule.source <= {PERSON, CASE}):
            raise TableRefused(f"{rule.id} asks for a tier that is not known before it", place="tiers.json")
    return told


@cache
def tier_tables() -> Mapping[str, Tiers]:
    """Return the editions that there are, by version."""
    return parse(data("tiers.json"))


def tiers_of(query: TraceQuery) -> Tiers:
    """Return the edition that a question asks for.

    Raises
    ------
    QueryRefused
        There is no such edition.
    """
    known = tier_tables()
    if query.tiers not in known:
        raise QueryRefused(f"{query.tiers!r} is none of: {', '.join(known)}", place="tiers")
    return known[query.tiers]
