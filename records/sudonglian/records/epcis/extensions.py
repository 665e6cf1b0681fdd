"""Our own extensions: who took part, trace codes, container and seal.

docs/spec/plain-event.md rules 9-14.
"""

from collections.abc import Iterator
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers.normal import IdentifierRefused
from sudonglian.records.epcis.findings import Finding, error, pointer, warning
from sudonglian.records.epcis.interview import check_interview
from sudonglian.records.epcis.times import instant
from sudonglian.records.identifiers import container

RULE: Final = "docs/spec/plain-event.md"

KINDS: Final = ("cn-id", "phone", "passport", "badge")
CONTACTS: Final = ("outer-packaging", "opened", "same-room")

PARTICIPANT: Final = frozenset({"personRef", "role", "ppe", "contact", "start", "end"})
PERSON_REF: Final = frozenset({"kind", "value", "name"})

WITHHELD: Final = ("sdl:participants", "sdl:vehiclePlate")
"""Members about persons: the visibility table protects them at the top level and nowhere else."""

LOOKED_FOR: Final = frozenset({*WITHHELD, "@context"})


def check_extensions(event: dict[str, Json]) -> list[Finding]:
    """Return the findings on the members of our namespace.

    >>> [f.code for f in check_extensions({"sdl:participants": []})]
    ['participants']
    """
    found = list(_misplaced(event))
    if "sdl:participants" in event:
        found += _participants(event["sdl:participants"])
    if "sdl:interview" in event:
        found += check_interview(event["sdl:interview"])
    if "sdl:traceCode" in event:
        found += _trace_codes(event["sdl:traceCode"])
    number = event.get("sdl:containerNo")
    if isinstance(number, str):
        try:
            container.parse(number)
        except IdentifierRefused as refusal:
            found.append(
                warning("container-number", "/sdl:containerNo", "ISO 6346", "箱号不合 ISO 6346", refusal.reason)
            )
    for member in ("sdl:containerNo", "sdl:sealNo", "sdl:vehiclePlate"):
        if member in event and not _text(event[member]):
            found.append(
                error("sdl-text", pointer(member), f"{RULE} rule 14", "应为非空字符串", "must be a non-empty string")
            )
    return found


def _misplaced(event: dict[str, Json]) -> Iterator[Finding]:
    if not _may_be_misplaced(event):
        return
    pending: list[tuple[Json, tuple[str | int, ...]]] = [(value, (name,)) for name, value in event.items()]
    while pending:
        value, path = pending.pop()
        if isinstance(value, dict):
            for name in WITHHELD:
                if name in value:
                    yield error(
                        "sdl-misplaced",
                        pointer(*path, name),
                        f"{RULE} rule 9",
                        f"{name} 只能位于事件顶层,否则无法保护",
                        f"{name} belongs at the top level of the event; elsewhere it cannot be protected",
                    )
            if "urn:sudonglian" in str(value.get("@context", "")).lower():  # another name for our members
                yield error(
                    "sdl-misplaced",
                    pointer(*path, "@context"),
                    f"{RULE} rule 9",
                    "urn:sudonglian 只能在事件顶层的上下文中绑定",
                    "urn:sudonglian is bound in the context at the top level of the event and nowhere else",
                )
            pending.extend((inner, (*path, name)) for name, inner in value.items())
        elif isinstance(value, list):
            pending.extend((inner, (*path, index)) for index, inner in enumerate(value))


def _may_be_misplaced(event: dict[str, Json]) -> bool:
    """Return whether any object inside has a member that `_misplaced` looks for: without paths, several times as fast."""
    rest: list[Json] = [*event.values()]
    for value in rest:  # which grows meanwhile
        if isinstance(value, str):
            continue
        if isinstance(value, dict):
            if not LOOKED_FOR.isdisjoint(value):
                return True
            rest += value.values()
        elif isinstance(value, list):
            rest += value
    return False


def _participants(value: Json) -> Iterator[Finding]:
    if not isinstance(value, list) or not value:
        yield error(
            "participants",
            "/sdl:participants",
            f"{RULE} rule 10",
            "应为非空数组",
            "must be a non-empty array",
        )
        return
    for index, participant in enumerate(value):
        yield from (finding.under(pointer("sdl:participants", index)) for finding in _participant(participant))


def _participant(value: Json) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield error("participant", "", f"{RULE} rule 10", "应为对象", "must be an object")
        return
    yield from _unknown(value, PARTICIPANT, "")
    yield from _person(value.get("personRef"))
    if not _text(value.get("role")):
        yield error("participant-role", "/role", f"{RULE} rule 12", "应为非空字符串", "must be a non-empty string")
    if "contact" in value and value["contact"] not in CONTACTS:
        yield error(
            "participant-contact",
            "/contact",
            f"{RULE} rule 12",
            "应为 " + "、".join(CONTACTS) + " 之一",
            "must be one of " + ", ".join(CONTACTS),
        )
    ppe = value.get("ppe", "none")
    if not _text(ppe) and not (isinstance(ppe, list) and ppe and all(_text(item) for item in ppe)):
        yield error(
            "participant-ppe",
            "/ppe",
            f"{RULE} rule 12",
            "应为非空字符串或其数组",
            "must be a non-empty string, or an array of these",
        )
    times = {}
    for name in ("start", "end"):
        if name in value and (at := instant(value[name])) is not None:
            times[name] = at
        elif name in value:
            yield error(
                "participant-time", f"/{name}", f"{RULE} rule 13", "应为带时区的时间", "must be a time with an offset"
            )
    if len(times) == 2 and times["start"] > times["end"]:
        yield error("participant-order", "/end", f"{RULE} rule 13", "早于 start", "lies before start")


def _person(value: Json) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield error(
            "participant-person", "/personRef", f"{RULE} rule 11", "应为含 kind 与 value 的对象", "must be an object"
        )
        return
    yield from _unknown(value, PERSON_REF, "/personRef")
    if value.get("kind") not in KINDS:
        yield error(
            "participant-kind",
            "/personRef/kind",
            f"{RULE} rule 11",
            "应为 " + "、".join(KINDS) + " 之一",
            "must be one of " + ", ".join(KINDS),
        )
    if not _text(value.get("value")):
        yield error(
            "participant-value", "/personRef/value", f"{RULE} rule 11", "应为非空字符串", "must be a non-empty string"
        )
    if "name" in value and not _text(value["name"]):
        yield error(
            "participant-name", "/personRef/name", f"{RULE} rule 11", "应为非空字符串", "must be a non-empty string"
        )


def _unknown(value: dict[str, Json], known: frozenset[str], place: str) -> Iterator[Finding]:
    for name in value:
        if name not in known and ":" not in name:
            yield error(
                "participant-member",
                place + pointer(name),
                f"{RULE} rule 10",
                "应为 " + "、".join(sorted(known)) + " 之一",
                "must be one of " + ", ".join(sorted(known)),
            )


def _trace_codes(value: Json) -> Iterator[Finding]:
    if not isinstance(value, list) or not value:
        yield error("trace-code", "/sdl:traceCode", f"{RULE} rule 14", "应为非空数组", "must be a non-empty array")
        return
    for index, element in enumerate(value):
        if not isinstance(element, dict) or not (_text(element.get("issuer")) and _text(element.get("code"))):
            yield error(
                "trace-code",
                pointer("sdl:traceCode", index),
                f"{RULE} rule 14",
                "应为含 issuer 与 code 的对象",
                "must be an object with issuer and code",
            )


def _text(value: Json) -> bool:
    return isinstance(value, str) and bool(value.strip())
