"""Temperatures of small worlds, and how long what is exposed lasts at them: tick by tick, with the numbers of the curve.

docs/spec/facts.md §14; shares the types of facts with the engine and nothing else.
"""

import math
import random
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from tests.trace.ticks import END, START, Until

from sudonglian.trace.engine.facts import Facts, Micros, Party, Place, Reading, canonical

GAP = 3
GONE = 1.0
COLD, WARM = -20_000, 20_000
TEMPERATURES = (-25_000, -20_000, -10_000, 0, 5_000, 10_000, 15_000, 20_000, 30_000)


def hours(micros: int) -> str:
    return f"{micros}/3600000000"


TABLE: dict[str, Any] = {
    "risk": {
        "modes": {"handoff": "100", "interior": "100", "vehicle": "20", "location": "10", "source": "test"},
        "goods": {"handoff": "100", "interior": "70", "vehicle": "3", "location": "1", "source": "test"},
        "transfer": {"share": "1/4", "source": "test"},
        "instant": {"hours": hours(2), "source": "test"},
        "flow": {"hours": hours(3), "source": "test"},
        "touch": {
            "goods": {"handoff": "10000", "interior": "700", "vehicle": "30", "location": "10", "source": "test"},
            "persons": {"handoff": "900", "interior": "800", "vehicle": "70", "location": "60", "source": "test"},
            "half": {"hours": hours(5), "source": "test"},
        },
    },
    "policies": [
        {"policy": "policy/1", "zh": "", "en": "", "dwell": {}, "persistence": {}, "curves": {}},
        {
            "policy": "warm/1",
            "zh": "",
            "en": "",
            "dwell": {"vehicle": {"hours": hours(2), "source": "test"}},
            "persistence": {
                "location": {"curve": "surface", "source": "test"},
                "vehicle": {"ever": True, "source": "test"},
                "interior": {"curve": "surface", "source": "test"},
                "item": {"curve": "surface", "source": "test"},
            },
            "curves": {
                "surface": {
                    "anchors": [
                        {"celsius": "-20", "unchanged": True, "source": "test"},
                        {"celsius": "0", "half_life_h": hours(8), "source": "test"},
                        {"celsius": "10", "half_life_h": hours(4), "source": "test"},
                        {"celsius": "20", "half_life_h": hours(1), "source": "test"},
                    ],
                    "gone": {"halvings": "1", "source": "test"},
                    "unknown": {"from_celsius": "-20", "to_celsius": "20", "source": "test"},
                    "gap": {"hours": hours(GAP), "source": "test"},
                }
            },
        },
    ],
}
"""Half-lives of 8, 4 and 1 ticks at 0, 10 and 20 °C; exposure lasts for one."""


def rate(milli_c: int) -> float:
    """Return how many halvings a tick brings, as the curve above says."""
    if milli_c <= -20_000:
        return 0.0
    if milli_c <= 0:
        return 1 / 8
    if milli_c <= 10_000:
        return 0.125 * math.pow(2, milli_c / 10_000)
    return 0.25 * math.pow(4, min(milli_c, 20_000) / 10_000 - 1)


def warmed(facts: Facts, number: int) -> Facts:
    """Return the world with loggers on some of its items and places."""
    dice = random.Random(f"warmth {number}")
    subjects = sorted({stay.who.id for stay in facts.stays} | {stay.where.id for stay in facts.stays})
    readings = []
    for count in range(dice.choice((0, 3, 8, 16)) if subjects else 0):
        start = dice.randrange(-2, 16)
        low, high = sorted((dice.choice(TEMPERATURES), dice.choice(TEMPERATURES)))
        if dice.random() < 0.7:
            high = low
        readings.append(
            Reading(dice.choice(subjects), start, start + dice.choice((0, 0, 0, 2)), low, high, f"t{count}")
        )
    return canonical(replace(facts, readings=tuple(readings)))


def between(readings: Iterable[Reading], tick: Micros) -> tuple[int, int] | None:
    """Return between which temperatures loggers say that a tick was."""
    lows, highs = [], []
    latest: Reading | None = None
    for one in sorted(readings):
        joins = latest is not None and latest.end <= tick < one.start <= latest.end + GAP
        if joins and latest is not None:
            lows += [latest.low, one.low]
            highs += [latest.high, one.high]
        if one.start <= tick <= one.end:
            lows.append(one.low)
            highs.append(one.high)
        if latest is None or one.end >= latest.end:
            latest = one
    return (min(lows), max(highs)) if lows else None


def known(facts: Facts, subject: Party | Place, tick: Micros) -> tuple[int, int] | None:
    """Return between which temperatures a subject was at a tick, or None."""

    def of(name: str) -> list[Reading]:
        return [one for one in facts.readings if one.subject == name]

    if of(subject.id) or isinstance(subject, Place):
        return between(of(subject.id), tick)
    for kind in ("interior", "vehicle", "location"):
        stays = [stay for stay in facts.stays if stay.who == subject and stay.where.kind == kind]
        spoken = [
            stay
            for stay in stays
            if any(between(of(stay.where.id), at) for at in range(max(stay.start, START), min(stay.end, END)))
        ]
        if spoken:
            told = [
                pair
                for stay in spoken
                if stay.start <= tick < stay.end and (pair := between(of(stay.where.id), tick)) is not None
            ]
            return (min(low for low, _ in told), max(high for _, high in told)) if told else None
    return None


def lasting(facts: Facts, subject: Party | Place, *, certain: bool) -> Until:
    """Return until when what is exposed at a tick exposes: as short as it may be, or as long."""
    rates = {}
    for tick in range(START, END + 1):
        low, high = known(facts, subject, tick) or (COLD, WARM)
        rates[tick] = rate(high if certain else low)

    @cache
    def until(tick: Micros) -> Micros:
        passed, now = 0.0, tick
        while now < END and passed + rates[now] <= GONE + 1e-9:
            passed += rates[now]
            now += 1
        return now

    return until
