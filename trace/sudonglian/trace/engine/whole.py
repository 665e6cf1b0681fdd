"""All facts in their canonical order, while some are taken away and others put in their place.

docs/decisions/0351: the same as `facts.canonical` of what is left, at the price of what changes.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from typing import Any, Final, get_args, get_type_hints

from sudonglian.trace.engine.facts import KEYS, Beside, Facts
from sudonglian.trace.engine.told import followed

LISTS: Final = tuple(field.name for field in fields(Facts) if isinstance(getattr(Facts(), field.name), tuple))
"""The lists of facts: each fact of one is of one strand, since it names a record of it."""

RECORD: Final = {
    name: next(at for at, column in enumerate(kind._fields) if column in ("record", "start_record"))
    for name, hint in get_type_hints(Facts).items()
    if name in LISTS and hasattr(kind := get_args(hint)[0], "_fields")
}
"""Where in the facts of each list the record stands that tells them."""

FEW: Final = 50
"""Up to a fiftieth of a list is looked for one by one; more is cheaper to sort anew."""


class Whole:
    """Facts; what is said of the whole log (superseded records, version, days) is not theirs."""

    def __init__(self) -> None:
        self.facts = Facts()

    def replace(self, gone: Sequence[Facts], new: Sequence[Facts]) -> None:
        """Take away the ones and put in the others."""
        changed: dict[str, Any] = {"beside": self.facts.beside}
        for name in LISTS:
            away = {one for facts in gone for one in getattr(facts, name)}
            added = {one for facts in new for one in getattr(facts, name)}
            if name == "stays":
                away, added = ({stay for stay in stays if stay.start < stay.end} for stays in (away, added))
            both = away & added
            if away != added:
                whole = getattr(self.facts, name)
                changed[name] = exchanged(whole, away - both, added - both, KEYS.get(name))
                if name == "stays":
                    few = FEW * (len(away - both) + len(added - both)) <= len(whole)
                    changed["beside"] = (
                        followed(self.facts, away - both, added - both, changed[name]) if few else Beside()
                    )
        forgotten = {party for facts in gone for party in facts.portions}
        named = {party: name for facts in new for party, name in facts.portions.items()}
        if forgotten != named.keys():
            kept = {party: name for party, name in self.facts.portions.items() if party not in forgotten}
            changed["portions"] = dict(sorted((kept | named).items()))
        self.facts = replace(self.facts, **changed)

    def of(self, records: Collection[str], has_lot: Callable[[str], bool]) -> Facts:
        """Return the facts that come from some records, and the portions of their lots."""
        told: dict[str, Any] = {
            name: tuple([one for one in getattr(self.facts, name) if one[at] in records]) for name, at in RECORD.items()
        }
        portions = {party: name for party, name in self.facts.portions.items() if has_lot(name[0])}
        return replace(Facts(), portions=portions, **told)


def exchanged(
    whole: tuple[Any, ...], away: Collection[Any], added: Collection[Any], key: Callable[[Any], Any] | None = None
) -> tuple[Any, ...]:
    """Return sorted things, without some that are in them and with others that are not.

    >>> exchanged((1, 3, 5), {3}, {4, 0})
    (0, 1, 4, 5)
    >>> exchanged(tuple(range(200)), {3}, {4.5})[2:6]
    (2, 4, 4.5, 5)
    """
    if FEW * (len(away) + len(added)) > len(whole):
        kept = [one for one in whole if one not in away] if away else list(whole)
        return tuple(sorted([*kept, *added], key=key))
    value = key or (lambda one: one)
    kept, start = [], 0
    for at in sorted(bisect_left(whole, value(one), key=key) for one in away):
        kept += whole[start:at]
        start = at + 1
    kept += whole[start:]
    merged: list[Any] = []
    start = 0
    for one in sorted(added, key=key):
        at = bisect_left(kept, value(one), lo=start, key=key)
        merged += kept[start:at]
        merged.append(one)
        start = at
    return (*merged, *kept[start:])
