"""The order in which events are read, and what of one instant does not fit together.

docs/spec/facts.md §2 and §4.8.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sudonglian.trace.engine.events import EventView
from sudonglian.trace.engine.facts import Micros
from sudonglian.trace.engine.rules import FactTable, Rule, is_vehicle, site

SINGLE: Final = ("epc", "parent", "child", "input", "output")
CLASSES: Final = ("quantity", "child_quantity", "input_quantity", "output_quantity")

LEAVING: Final = ("leave", "sell")
"""Effects that take an item away: on to somewhere, or to a buyer whom no record will name."""

BEFORE_ALL: Final = -1
"""The rank of a departure whose arrival elsewhere bears the same time."""

Ordered = tuple[Micros, int, int, str, EventView, Rule]


def in_order(events: Iterable[EventView], table: FactTable) -> tuple[list[Ordered], Mapping[tuple[str, Micros], str]]:
    """Return the events in the order in which they are read, and what is shown at two sites at one instant.

    The latter maps an item and an instant to the first record that shows it there. Both are of each instant by itself.
    """
    rules: dict[tuple[str, str, str], Rule] = {}
    telling: list[tuple[EventView, Rule]] = []
    for event in events:
        kind = event.type, event.action, event.biz_step
        rule = rules.get(kind) or rules.setdefault(kind, table.rule(*kind))
        telling.append((event, rule))
    shown: dict[tuple[str, Micros], dict[str, str]] = {}
    by_log = sorted(telling, key=lambda pair: (pair[0].event_time, pair[0].log_index, pair[0].record_hash))
    for event, rule in by_log:
        here = event.read_point or event.biz_location
        if here and rule.stay not in LEAVING and not is_vehicle(here):
            for uri in event.named(*SINGLE, *CLASSES):
                shown.setdefault((uri, event.event_time), {}).setdefault(site(here), event.record_hash)
    ordered: list[Ordered] = []
    for event, rule in by_log:
        rank, here = rule.rank, site(event.read_point or event.biz_location)
        if rule.stay in LEAVING:
            for uri in event.named(*SINGLE, *CLASSES):
                sites = shown.get((uri, event.event_time), {})
                if sites and here not in sites:
                    rank = BEFORE_ALL
        ordered.append((event.event_time, rank, event.log_index, event.record_hash, event, rule))
    ordered.sort(key=lambda row: row[:4])
    return ordered, {key: min(sites.values()) for key, sites in shown.items() if len(sites) > 1}
