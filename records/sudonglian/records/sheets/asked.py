"""What profiles ask for, as columns: which one a clerk fills in so that a rule is met.

docs/profiles.md; docs/sheets.md (what becomes of each column).
"""

from functools import cache
from typing import Final

from sudonglian.records.profiles.table import GOODS, Profile, Rule, Way, profiles
from sudonglian.records.sheets.handoffs import DOCUMENTS, SAID

_MEMBERS: Final = {
    "sourceList": "from",
    "destinationList": "to",
    "readPoint": "place",
    "bizLocation": "place",
    "epcList": "item",
}
_LEAVES: Final = {"quantity": "quantity", "uom": "unit", "epcClass": "lot", "time": "measured", "value": "temperature"}


@cache
def _columns() -> dict[str, str]:
    return {rule.code: _of(rule, one) for one in profiles().values() for rule in one.rules}


def column_of(code: str) -> str:
    """Return the key of the column that would tell what a profile found missing or malformed, or nothing.

    >>> column_of("cn-origin"), column_of("cn-origin-format"), column_of("gb-from"), column_of("check-digit")
    ('origin', 'origin', 'from', '')
    """
    return _columns().get(code.removesuffix("-format"), "")


def _of(rule: Rule, profile: Profile) -> str:
    # The list of goods first: it is what sheets write, whatever else a rule takes.
    ways = sorted(rule.ways, key=lambda way: not way.item)
    return next((key for way in ways if (key := _way(way, profile))), "")


def _way(way: Way, profile: Profile) -> str:
    first, last = way.path[0], way.path[-1]
    if first == GOODS:
        return SAID.get(last, "")
    if first == "bizTransactionList":
        if types := way.where.get("type"):
            return next((key for key, (kind, _) in DOCUMENTS.items() if kind in types), "")
        return "production" if profile.types == {"TransformationEvent"} else "bol"
    return _LEAVES.get(last) or _MEMBERS.get(first, "")
