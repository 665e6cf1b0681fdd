"""Packing: which lots a unit holds at a time, at whatever depth, by the records of its packing alone.

EPCIS 2.0 §7.4.3 (ADD, DELETE; a DELETE that names no child empties the parent).
"""

from decimal import Decimal
from typing import Final, TypeAlias

from sudonglian.records.naming import Naming
from sudonglian.trace.answers.happenings import happening
from sudonglian.trace.answers.lists import class_of

Lots: TypeAlias = dict[tuple[str, str], Decimal | None]
"""Amounts by lot and unit of measure; None is an amount that nobody wrote."""

MAX_NESTING: Final = 20
"""Levels that are followed: real goods have under ten, and nobody's records may make the search long."""


def contents(naming: Naming, unit: str, until_us: int, depth: int = 0) -> Lots | None:
    """Return the lots that a unit holds at a time, by its packing so far; None for what nothing was ever packed into."""
    lots: Lots = {}
    items: dict[str, None] = {}
    packed = False
    for one in naming.of(unit):
        stored, event = naming.records[one.record_hash]
        if one.in_error or one.time_us > until_us or unit not in one.of("parent"):
            continue
        read = happening(stored.record_hash, stored.id, event)
        named = list(read.of("child", "child_quantity"))
        packed = True
        if one.action == "DELETE":
            if not named:
                lots, items = {}, {}
            for each in named:
                if not each.is_lot:
                    items.pop(each.uri, None)
                elif (held := lots.get((each.uri, each.uom))) is not None and each.amount is not None:
                    left = held - each.amount
                    if left > 0:
                        lots[each.uri, each.uom] = left
                    else:
                        del lots[each.uri, each.uom]
        elif one.action == "ADD" or not (lots or items):
            for each in named:
                if each.is_lot:
                    add(lots, each.uri, each.uom, each.amount)
                else:
                    items[each.uri] = None
    if not packed:
        return None
    for item in items:
        inside = contents(naming, item, until_us, depth + 1) if depth < MAX_NESTING else None
        if inside is None:
            add(lots, class_of(item), "EA", Decimal(1))
        else:
            for (lot, uom), amount in inside.items():
                add(lots, lot, uom, amount)
    return lots


def add(into: Lots, lot: str, uom: str, amount: Decimal | None) -> None:
    """Add an amount of a lot; with an amount that nobody wrote, the sum is unknown too."""
    before = into.get((lot, uom), Decimal(0))
    into[lot, uom] = None if amount is None or before is None else before + amount
