"""Editions of the trace document: what was answered in an earlier one can be made again, to the same bytes.

docs/spec/trace-document.md §11. An edition holds what the one after it holds, less what that added.
"""

from typing import Any, Final

from sudonglian.trace.engine.query import PLACES
from sudonglian.trace.errors import QueryRefused

FIRST: Final = "sudonglian/trace/1"
SECOND: Final = "sudonglian/trace/2"
THIRD: Final = "sudonglian/trace/3"
FOURTH: Final = "sudonglian/trace/4"

ADDED: Final = ("time", "exposure_us", "tier_facts", "risk_rank")
"""What the second edition says of a member, and the first does not."""

WITH: Final = "with"
WITHOUT: Final = "without"
"""Whether what people said counts; the only questions before the fourth edition were without."""

BESIDE: Final = ("impossible", "positions")
"""What the fourth edition says beside the members."""

TIERS: Final = "tiers/1"
RANK: Final = "rank/1"
"""The only tiers and the only rank that there were before the third edition, which names the rank."""


def as_edition(document: dict[str, Any], edition: str) -> dict[str, Any]:
    """Return a document of the present edition as one of the edition asked for.

    Raises
    ------
    QueryRefused
        There is no such edition, or the question asks what it could not say.
    """
    if edition == document["v"]:
        return document
    if edition not in (FIRST, SECOND, THIRD):
        raise QueryRefused(f"{edition!r} is no edition of the trace document", place="v")
    third = _third(document)
    if edition == THIRD:
        return third
    second = _second(third)
    return second if edition == SECOND else _first(second)


def _third(document: dict[str, Any]) -> dict[str, Any]:
    if document["query"]["interviews"] != WITHOUT:
        raise QueryRefused("the earlier editions know no interviews", place="v")
    query = {name: value for name, value in document["query"].items() if name != "interviews"}
    versions = {name: version for name, version in document["versions"].items() if name != "impossible"}
    members = [{name: value for name, value in one.items() if name != "stated"} for one in document["members"]]
    rest = {name: value for name, value in document.items() if name not in BESIDE}
    return {**rest, "v": THIRD, "query": query, "versions": versions, "members": members}


def _second(document: dict[str, Any]) -> dict[str, Any]:
    versions = document["versions"]
    if versions["tiers"] != TIERS or versions["rank"] != RANK:
        raise QueryRefused("the earlier editions know one table of tiers and one rank", place="v")
    named = {name: version for name, version in versions.items() if name != "rank"}
    return {**document, "v": SECOND, "versions": named}


def _first(document: dict[str, Any]) -> dict[str, Any]:
    query = document["query"]
    lasting = query["persistence_us"]
    new = [kind for kind, span in query["min_dwell_us"].items() if span]
    new += [kind for kind, span in lasting.items() if (span != -1) != (kind in PLACES)]
    if new or query["curves"] or document["versions"]["policy"] != "policy/1":
        raise QueryRefused("the first edition knows neither dwell nor who ceases to expose", place="v")
    other = "earliest" if query["direction"] == "backward" else "latest"
    return {
        **document,
        "v": FIRST,
        "query": {
            **{name: value for name, value in query.items() if name not in ("min_dwell_us", "curves")},
            "persistence_us": {kind: lasting[kind] for kind in PLACES},
        },
        "members": [
            {name: value for name, value in one.items() if name not in (*ADDED, other)} for one in document["members"]
        ],
    }
