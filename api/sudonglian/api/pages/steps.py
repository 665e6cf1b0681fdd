"""Why somebody or something is listed: a walk, told meeting by meeting, each with the records that it rests on.

docs/spec/trace-document.md §6 and docs/spec/facts.md §7-8; the answer is read as the trace gave it, nothing is worked out anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sudonglian.api.pages.language import known, word
from sudonglian.api.pages.naming import Names
from sudonglian.api.pages.times import span, told

FLOWS: Final = frozenset({"input", "output", "split", "merge"})
"""Facts by which something becomes something else; `where` is what it becomes (docs/spec/facts.md §7)."""

ROOMS: Final = ("location", "vehicle")


@dataclass(frozen=True, slots=True)
class Clause:
    """One fact of a meeting: who was where, by which records."""

    sentence: str
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """One link of a walk: a sentence, and the facts that it follows from."""

    sentence: str
    time: str
    hop: int
    facts: tuple[Clause, ...]


def meetings(walk: Sequence[dict[str, Any]], names: Names) -> list[Meeting]:
    """Return a walk as sentences, in the order of the walk."""
    found = []
    for group in _groups(walk):
        facts = tuple(Clause(_clause(step, names), _records(step)) for step in group)
        found.append(Meeting(_sentence(group, names), group[-1]["time"], group[0]["hop"], facts))
    return found


def reason(walk: Sequence[dict[str, Any]], names: Names) -> str:
    """Return the meeting that a walk ends with, in one sentence."""
    groups = list(_groups(walk))
    return _sentence(groups[-1], names) if groups else ""


def _groups(walk: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the steps that belong to one link: two stays that meet, a flow, or the stay that exposes a place."""
    group: list[dict[str, Any]] = []
    for step in walk:
        if group and (len(group) == 2 or step["fact"] in FLOWS or not _meet(group[0], step)):
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def _meet(one: dict[str, Any], other: dict[str, Any]) -> bool:
    same = one["where"] == other["where"] and one["hop"] == other["hop"] and one["time"] == other["time"]
    return same and one["fact"] not in FLOWS


def _sentence(group: Sequence[dict[str, Any]], names: Names) -> str:
    first, last = group[0], group[-1]
    values = {
        "a": names.of(first["who"]["kind"], first["who"]["id"]),
        "b": names.of(last["who"]["kind"], last["who"]["id"]),
        "where": names.of(last["where"]["kind"], last["where"]["id"]),
        "time": told(last["time"]),
    }
    if last["fact"] in FLOWS:
        return word(names.lang, f"step.{last['fact']}", **values)
    if len(group) == 1:
        return word(names.lang, "step.sample" if last["fact"] == "sample" else "step.place", **values)
    kind = last["where"]["kind"]
    opened = [at for at, step in enumerate(group) if step["fact"] == "open"]
    if opened:
        inner = group[1 - opened[0]]["who"]
        other = names.of(inner["kind"], inner["id"])
        return word(names.lang, "step.opened", unit=values["where"], other=other, time=values["time"])
    if kind == "handoff":
        return word(names.lang, "step.handoff", **values)
    return word(names.lang, "step.room" if kind in ROOMS else "step.inside", **values)


def _clause(step: dict[str, Any], names: Names) -> str:
    who = names.of(step["who"]["kind"], step["who"]["id"])
    where = names.of(step["where"]["kind"], step["where"]["id"])
    if step["fact"] in FLOWS:
        return word(names.lang, f"fact.{step['fact']}", who=who, where=where, time=told(step["time"]))
    pattern = known(names.lang, f"fact.{step['fact']}", "{who}: {where}")
    if step["fact"] == "handle" and step["where"]["kind"] == "interior":
        pattern = word(names.lang, "fact.reach")
    contact = known(names.lang, f"contact.{step['contact']}", step["contact"])
    sentence = pattern.format(who=who, where=where)
    during = span(step["from"], step["to"], names.lang)
    return word(names.lang, "fact.line", sentence=sentence, during=during, contact=f" · {contact}" if contact else "")


def _records(step: dict[str, Any]) -> tuple[str, ...]:
    return tuple(one for one in step["record_hashes"] if one)
