"""Statements of an interview: who was where, with whom, with which goods, and the event that a record is made of.

docs/spec/facts.md §17; docs/decisions/0830. Pure: whom a statement names is in the event's participants alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar, Final
from uuid import UUID

from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import identities
from sudonglian.records.epcis.extensions import KINDS
from sudonglian.records.epcis.interview import BY, CERTAINTIES, CONTACTS, INTERVIEW

STEP: Final = "urn:sudonglian:bizstep:interviewing"

NAME: Final = "urn:sudonglian:interview:"
"""Before a random number: what the event is about, so that the records of firms' goods are not counted among."""

CONTEXT: Final = ("https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"})

ZONE: Final = timezone(timedelta(hours=8))

MAX_PERSONS: Final = 200
"""Of one gathering; more are several statements."""

MAX_NAME: Final = 200

PERSON: Final = "person:"


class StatementRefused(SudonglianError):
    """What cannot be taken for a statement; `place` names the member, `zh` says it in Chinese."""

    slug: ClassVar[str] = "interview"

    def __init__(self, reason: str, *, place: str = "", zh: str = "") -> None:
        super().__init__(reason, place=place)
        self.zh = zh or reason


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody whom a statement names: by the vault's number, or by an identity that no `repr` repeats."""

    number: int | None = None
    kind: str = ""
    value: str = ""
    name: str = ""

    def __repr__(self) -> str:
        return f"Who({self.number or self.kind})"

    def reference(self) -> dict[str, Json]:
        """Return the member `personRef` of a participant."""
        if self.number is not None:
            return {"kind": "badge", "value": f"{identities.BY_NUMBER}{self.number}"}
        return {"kind": self.kind, "value": self.value, **({"name": self.name} if self.name else {})}


@dataclass(frozen=True, slots=True)
class Statement:
    """What was said in one row: the first person is whom it is about, the others were with that person."""

    persons: tuple[Who, ...]
    told: datetime
    begin: tuple[datetime, datetime]
    end: tuple[datetime, datetime] | None = None
    place: str = ""
    items: tuple[str, ...] = ()
    lots: tuple[str, ...] = ()
    contact: str = ""
    by: str = "self"
    certainty: str = "remembered"

    def check(self, now: datetime) -> None:
        """Refuse what nobody can have said: better to correct a row than to withdraw a record.

        Raises
        ------
        StatementRefused
            Nobody, nothing, unknown words, or times that run backward or lie after the interview.
        """
        if not self.persons or len(self.persons) > MAX_PERSONS:
            raise _refused("persons", f"应有 1 至 {MAX_PERSONS} 人", f"1 to {MAX_PERSONS} persons are named")
        if len(self.persons) == 1 and not (self.place or self.items or self.lots):
            raise _refused("place", "应有地点、同行人员或货物", "a place, somebody else or goods are needed")
        if self.lots and not self.place:
            raise _refused("place", "一个批次分在多处,请说明地点", "a lot is in many places: say at which this was")
        for name, value, known in (("by", self.by, BY), ("certainty", self.certainty, CERTAINTIES)):
            if value not in known:
                raise _refused(name, "应为 " + "、".join(known) + " 之一", f"must be one of {', '.join(known)}")
        if self.contact and (self.contact not in CONTACTS or not (self.items or self.lots)):
            words = ", ".join(CONTACTS)
            raise _refused("contact", f"应为 {words} 之一,且须有货物", f"must be one of {words}, with goods")
        end = self.end or self.begin
        for name, (first, last) in (("begin", self.begin), ("end", end)):
            if first > last:
                raise _refused(name, "最早的时间晚于最晚的时间", "the earliest time lies after the latest")
        if end[1] < self.begin[0]:
            raise _refused("end", "结束早于开始", "ends before it begins")
        if self.told > now:
            raise _refused("told", "访谈时间在将来", "the interview lies in the future")
        if max(self.begin[0], end[0]) > self.told:
            raise _refused("begin", "晚于访谈时间", "lies after the interview")

    def event(self, number: UUID) -> dict[str, Any]:
        """Return the EPCIS event: in the clear stands that there was an interview, and when, and nothing of it."""
        said: dict[str, Json] = {
            "told": _written(self.told),
            "by": self.by,
            "certainty": self.certainty,
            "begin": [_written(one) for one in self.begin],
        }
        said |= {"end": [_written(one) for one in self.end]} if self.end else {}
        said |= {"place": self.place} if self.place else {}
        said |= {"contact": self.contact} if self.contact else {}
        said |= {name: list[Json](uris) for name, uris in (("items", self.items), ("lots", self.lots)) if uris}
        people = [
            {"personRef": one.reference(), "role": "interviewed" if at == 0 else "named"}
            for at, one in enumerate(self.persons)
        ]
        return _event(number, self.told) | {"sdl:participants": people, INTERVIEW: said}


def reference_of(text: str) -> Who:
    """Return whom a reference names: `person:NUMBER`, or `phone:…`, `cn-id:…`, `passport:…`, with `=NAME` if known.

    A bare number of 16 digits is a person's, a bare telephone or identity number of China is one.

    >>> reference_of("person:7113840018923441"), reference_of("phone:13800000000=Li").name
    (Who(7113840018923441), 'Li')

    Raises
    ------
    StatementRefused
        It names nobody.
    """
    text = text.strip()
    body, _, name = text.partition("=")
    kind, _, value = body.partition(":")
    if not value:
        kind, value = _guessed(body), body
    value, name = value.strip(), name.strip()
    if kind == "person":
        if not (value.isascii() and value.isdigit() and len(value) <= 16) or name:
            raise _refused("persons", "person: 之后应为人员编号", "after person: comes the number of a person")
        return Who(number=int(value))
    if kind not in KINDS or kind == "badge" or not value or len(value) > MAX_NAME or len(name) > MAX_NAME:
        ways = "person:NUMBER, phone:…, cn-id:…, passport:…"
        raise _refused("persons", f"应为 {ways}", f"must be written {ways}")
    fault = (
        identities.cn_id_fault(value) if kind == "cn-id" else identities.phone_fault(value) if kind == "phone" else None
    )
    if fault is not None:
        raise _refused("persons", "身份证号或电话号码有误", "is no identity or telephone number")
    return Who(kind=kind, value=value, name=name)


def document(events: Iterable[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """Return the EPCIS document of some events."""
    return {
        "@context": list(CONTEXT),
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": _written(now),
        "epcisBody": {"eventList": list(events)},
    }


def withdrawal(number: UUID, told: datetime, now: datetime, *, corrected_by: Sequence[UUID] = ()) -> dict[str, Any]:
    """Return the event that declares a statement to be in error; it names nobody."""
    why = "incorrect_data" if corrected_by else "did_not_occur"
    declared: dict[str, Json] = {"declarationTime": _written(now), "reason": why}
    if corrected_by:
        declared["correctiveEventIDs"] = [f"urn:uuid:{one}" for one in corrected_by]
    return _event(number, told) | {"errorDeclaration": declared}


def number_of(event: dict[str, Json]) -> UUID | None:
    """Return the random number of an interview's event, from what it is about."""
    listed = event.get("epcList")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, str) and one.startswith(NAME):
            try:
                return UUID(one.removeprefix(NAME))
            except ValueError:
                return None
    return None


def _event(number: UUID, told: datetime) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{number}",
        "eventTime": _written(told),
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": STEP,
        "epcList": [f"{NAME}{number}"],
    }


def _written(moment: datetime) -> str:
    # Microseconds as they are: what is written is what is compared.
    return moment.astimezone(ZONE).isoformat()


def _guessed(value: str) -> str:
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) == 16:
        return "person"
    if identities.cn_id_fault(value) is None:
        return "cn-id"
    return "phone" if identities.phone_fault(value) is None else ""


def _refused(place: str, zh: str, en: str) -> StatementRefused:
    return StatementRefused(en, place=place, zh=zh)
