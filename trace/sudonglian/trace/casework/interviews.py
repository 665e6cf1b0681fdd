"""Interviews of a case: statements become records of the authority, are listed with what cannot be true, are withdrawn.

docs/spec/facts.md §17 and §18; docs/spec/access-log.md rule 15; docs/decisions/0830 and 0831.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Connection

from sudonglian.chain.canonical import Json
from sudonglian.records import cases, confirmation, intake, interviews, reader, vault
from sudonglian.records.case_state import Case
from sudonglian.records.cases import Act, CaseRefused
from sudonglian.records.epcis.interview import INTERVIEW
from sudonglian.records.event_rows import rows_of
from sudonglian.records.identities import Identity, identity
from sudonglian.records.interviews import Statement, StatementRefused, Who, number_of
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.trace.casework import case_list, memory
from sudonglian.trace.casework.clock import iso
from sudonglian.trace.casework.positions import positions_of
from sudonglian.trace.casework.seeding import kind_of
from sudonglian.trace.casework.views import interview_of, views
from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.events import EventView
from sudonglian.trace.engine.facts import iso as at_utc
from sudonglian.trace.engine.impossible import as_json, impossible

MAX_STATEMENTS: Final = 5_000
"""Of one file: a week's work of a city's interviewers, in one transaction."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A statement as it is kept: the hash of its record, whom it names, and whether it was known already."""

    record: str
    persons: tuple[int, ...]
    unchanged: bool

    def as_json(self) -> dict[str, Any]:
        """Return the members that doors show."""
        return {"record_hash": self.record, "persons": list(self.persons), "unchanged": self.unchanged}


def parted(goods: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return items and lots of goods, told from their identifiers.

    Raises
    ------
    StatementRefused
        A person or a place is no goods.
    """
    found: dict[str, list[str]] = {"item": [], "lot": []}
    for one in goods:
        if (kind := kind_of(one)) not in found:
            raise StatementRefused("is neither an item nor a lot", place="items", zh="不是货物")
        found[kind].append(one)
    return tuple(found["item"]), tuple(found["lot"])


def record(
    connection: Connection,
    keys: Keys,
    case: Case,
    act: Act,
    statements: Sequence[Statement],
    *,
    submitter: str,
    corrects: str = "",
) -> list[Taken]:
    """Make a record of the authority of each statement, all or none; what the case holds already changes nothing.

    `corrects` is the hash of a record that the statements take the place of.

    Raises
    ------
    StatementRefused
        One that cannot be; its place begins with its number, from 0.
    UnknownPerson
        Nobody has a number that is named.
    CaseRefused
        The case has no such record to correct.
    """
    if not statements or len(statements) > MAX_STATEMENTS:
        raise StatementRefused(f"1 to {MAX_STATEMENTS} statements at once", zh=f"一次 1 至 {MAX_STATEMENTS} 条")
    for at, one in enumerate(statements):
        try:
            one.check(act.now)
        except StatementRefused as error:
            raise StatementRefused(error.reason, place=f"{at}/{error.place}", zh=error.zh) from None
    known = {
        _key(view): (view.record_hash, tuple(int(it.person_no) for it in view.participants))
        for view in _views(connection, case)
        if not case.interviews[view.record_hash].withdrawn
    }
    said = [_said(connection, keys, one) for one in statements]
    firsts: dict[tuple[object, ...], int] = {}
    for at, key in enumerate(said):
        if key not in known:
            firsts.setdefault(key, at)
    numbers = {at: uuid4() for at in firsts.values()}
    made: dict[int, tuple[str, tuple[int, ...]]] = {}
    if numbers:
        events = [statements[at].event(number) for at, number in numbers.items()]
        raw = json.dumps(interviews.document(events, act.now)).encode()
        taken = intake.capture(connection, keys, raw, submitter=submitter, now=act.now, by_number=True)
        if taken.refused:
            first = taken.refused[0].as_json()["message"]
            raise StatementRefused(first["en"], place=str(taken.refused[0].index), zh=first["zh"])
        hashes = [one.record_hash for one in taken.records]
        named = {row.record_hash: tuple(it.person_no for it in row.participants) for row in rows_of(connection, hashes)}
        made = {at: (one.hex(), named[one]) for at, one in zip(numbers, hashes, strict=True)}
        cases.add_interviews(connection, case, act, made.values())
    if corrects:
        by = list(numbers.values())
        withdraw(connection, keys, case, act, corrects, "corrected", submitter=submitter, corrected_by=by)
    return [
        Taken(*known[key], unchanged=True) if key in known else Taken(*made[firsts[key]], unchanged=firsts[key] != at)
        for at, key in enumerate(said)
    ]


def withdraw(
    connection: Connection,
    keys: Keys,
    case: Case,
    act: Act,
    record_hash: str,
    why: str,
    *,
    submitter: str,
    corrected_by: Sequence[UUID] = (),
) -> str:
    """Declare a statement's record to be in error, by a record of the same submitter; return the declaration's hash.

    Whoever is on the line list by this statement alone leaves it; the next run brings back who is reached otherwise.

    Raises
    ------
    CaseRefused
        The case has no such statement, it is withdrawn, or another's submitter's.
    """
    told = case.interviews.get(record_hash)
    if told is None:
        raise CaseRefused(f"no record of an interview of case {case.number}", place="record")
    if told.withdrawn:
        raise CaseRefused("it has been withdrawn already", place="record")
    kept = reader.record(connection, bytes.fromhex(record_hash))
    if kept.submitter != submitter:
        raise CaseRefused(f"it is a record of {kept.submitter}, which alone can withdraw it", place="submitter")
    event = kept.event()
    number = number_of(event)
    if number is None:
        raise CaseRefused("it is no record of an interview", place="record")
    declared = interviews.withdrawal(number, _moment(event), act.now, corrected_by=corrected_by)
    raw = json.dumps(interviews.document([declared], act.now)).encode()
    taken = intake.capture(connection, keys, raw, submitter=submitter, now=act.now)
    if not taken.records:
        raise CaseRefused(taken.refused[0].as_json()["message"]["en"], place="record")
    declaration = taken.records[0].record_hash.hex()
    dropped = case_list.resting(connection, case, record_hash)
    cases.withdraw_interview(connection, case, act, record_hash, declaration, dropped, why)
    return declaration


def listed(connection: Connection, case: Case) -> list[dict[str, Any]]:
    """Return the statements of a case in the order in which they came, people by number, with who has signed."""
    known = {view.record_hash: view for view in _views(connection, case)}
    signed = confirmation.of(connection, (bytes.fromhex(one) for one in case.interviews))
    return [
        {
            "record_hash": one.record,
            "at": iso(one.at_us),
            "by": one.by,
            "withdrawn": one.withdrawn,
            "confirmation": signed[bytes.fromhex(one.record)],
            **_shown(known[one.record]),
        }
        for one in case.interviews.values()
        if one.record in known
    ]


def flags(store: Store, keys: Keys, case: Case, size: int) -> list[dict[str, Any]]:
    """Return what of a case's statements cannot be true by the first `size` entries of the log, and by those that wait.

    What is withdrawn says nothing any more, whether or not that is sealed by now.
    """
    with store.read() as connection:
        waiting = [one for one in _views(connection, case) if not 0 <= one.log_index < size]
    withdrawn = {one.record for one in case.interviews.values() if one.withdrawn}
    facts = memory.of(store).facts(store, keys, size)
    if waiting:
        told = derive_facts(waiting)
        facts = replace(facts, stays=facts.stays + told.stays, statements=facts.statements + told.statements)
    about = {str(person) for one in case.interviews.values() for person in one.persons}
    about |= {str(person) for person in case.members} | {one.subject for one in case.seeds.values()}
    about |= {item for one in facts.statements if one.record in case.interviews for item in one.items}
    statements = tuple(one for one in facts.statements if one.record not in withdrawn)
    found = impossible(replace(facts, statements=statements), about, positions_of(store))
    return [as_json(one) for one in found.findings]


def _views(connection: Connection, case: Case) -> list[EventView]:
    hashes = [bytes.fromhex(one) for one in case.interviews]
    return list(views(rows_of(connection, hashes, [INTERVIEW])))


def _shown(view: EventView) -> dict[str, Any]:
    said = view.interview
    assert said is not None
    return {
        "persons": [int(one.person_no) for one in view.participants],
        "told": at_utc(said.told),
        "begin": [at_utc(said.begin_from), at_utc(said.begin_to)],
        "end": [at_utc(said.end_from), at_utc(said.end_to)],
        "place": said.place,
        "goods": [*said.items, *said.lots],
        "contact": said.contact,
        "said_by": said.by,
        "certainty": said.certainty,
    }


def _key(view: EventView) -> tuple[object, ...]:
    people = tuple(int(one.person_no) for one in view.participants)
    return (people[:1], tuple(sorted(people[1:], key=repr)), view.interview)


def _said(connection: Connection, keys: Keys, one: Statement) -> tuple[object, ...]:
    """Return what a statement says as one that is kept would say it; who is new here stands by the identity."""
    people = [_known(connection, keys, who) for who in one.persons]
    event: dict[str, Json] = one.event(UUID(int=0))
    return (tuple(people[:1]), tuple(sorted(people[1:], key=repr)), interview_of(event[INTERVIEW]))


def _known(connection: Connection, keys: Keys, who: Who) -> int | Identity:
    if who.number is not None:
        return who.number
    named = identity(who.kind, who.value, "")
    number = vault.find(connection, keys, named)
    return named if number is None else number


def _moment(event: dict[str, Json]) -> datetime:
    return datetime.fromisoformat(str(event["eventTime"]))
