"""Cases: opened, seeded, traced, decided, merged, split and closed, each by one event appended to the private tree.

docs/spec/access-log.md rules 4-6; docs/cases.md. `case_state` says what the events make of a case.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update

from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import SudonglianError
from sudonglian.records import case_state, derive, outbox, private, store, vault
from sudonglian.records.case_state import STATUSES, Case, Happened, Seed
from sudonglian.records.identities import mentions_identity
from sudonglian.records.tables import CASE_EVENTS, CASE_MEMBERS, CASES, PRIVATE_ENTRIES

LOCK: Final = "sudonglian-cases"

MAX_NAME: Final = 64
MAX_TEXT: Final = 2_000
"""A sentence or two; a longer text belongs into a file of its own."""

PRINCIPAL: Final = re.compile(r"(?:account|key):[0-9]{1,18}|cli:[^\s:]{1,64}")
"""Who did it, as a door knows its caller."""

RESULTS: Final = ("positive", "negative", "inconclusive")
CALLED: Final = tuple(one for one in STATUSES if one not in RESULTS)
"""Statuses that somebody sets; the others come of a test."""

SEED_KINDS: Final = ("item", "lot", "place", "person")

_CT = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,2})?")


class CaseUnknown(SudonglianError):
    """There is no such case."""

    slug: ClassVar[str] = "case-unknown"


class CaseRefused(SudonglianError):
    """Something that cannot be done with a case; `place` names what is wrong."""

    slug: ClassVar[str] = "case"


class CaseClosed(CaseRefused):
    """A case that is closed, or was merged into another one."""

    slug = "case-closed"


class CaseExists(CaseRefused):
    """A case of this name is there already."""

    slug = "case-exists"


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, and when."""

    by: str
    now: datetime


def open_case(connection: Connection, act: Act, *, name: str, purpose: str, basis: str, responsible: str) -> Case:
    """Open a case.

    Raises
    ------
    CaseExists, CaseRefused
        The name is taken, or a text is missing or too long.
    """
    store.lock(connection, LOCK)
    name = text_of(name, "name", MAX_NAME)
    if name.isdigit():
        raise CaseRefused("a name of digits alone would be taken for a case's number", place="name")
    if connection.execute(select(CASES.c.id).where(CASES.c.name == name)).first() is not None:
        raise CaseExists(f"a case is called {name!r} already", place="name")
    last = connection.execute(select(func.max(CASES.c.id))).scalar()
    said: dict[str, Json] = {
        "do": "open",
        "name": name,
        "purpose": text_of(purpose, "purpose"),
        "basis": text_of(basis, "basis"),
        "responsible": text_of(responsible, "responsible"),
    }
    case = Case(1 if last is None else last + 1)
    append(connection, case, act, said)
    return case


def find(connection: Connection, reference: str | int) -> Case:
    """Return a case by its number or its name.

    Raises
    ------
    CaseUnknown
        There is none.
    """
    text = str(reference).strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= 16
    query = select(CASES.c.id).where(CASES.c.id == int(text) if is_number else CASES.c.name == text)
    number = connection.execute(query).scalar_one_or_none()
    if number is None:
        raise CaseUnknown(f"there is no case {text[:MAX_NAME]!r}", place="case")
    columns = (PRIVATE_ENTRIES.c.idx, PRIVATE_ENTRIES.c.data)
    query = select(*columns).join(CASE_EVENTS, CASE_EVENTS.c.private_idx == PRIVATE_ENTRIES.c.idx)
    rows = connection.execute(query.where(CASE_EVENTS.c.case_id == number).order_by(CASE_EVENTS.c.n))
    return case_state.fold(number, (case_state.read(row.idx, row.data) for row in rows))


def to_change(connection: Connection, reference: str | int) -> Case:
    """Return an open case, so that nobody else changes one before this transaction ends.

    Raises
    ------
    CaseUnknown, CaseClosed
        There is none, or nothing more is done in it.
    """
    store.lock(connection, LOCK)
    case = find(connection, reference)
    check_open(case)
    return case


def check_open(case: Case) -> None:
    """Refuse a case in which nothing more is done."""
    if case.standing != "open":
        raise CaseClosed(f"case {case.number} is {case.standing}", place="case")


def listed(connection: Connection) -> list[Mapping[str, Any]]:
    """Return the row of every case, the newest first."""
    return [dict(row._mapping) for row in connection.execute(select(CASES).order_by(CASES.c.id.desc()))]


def of_person(connection: Connection, person: int) -> list[int]:
    """Return the cases on whose line list a person is."""
    query = select(CASE_MEMBERS.c.case_id).where(CASE_MEMBERS.c.person_no == person)
    return list(connection.execute(query.order_by(CASE_MEMBERS.c.case_id)).scalars())


def add_seed(
    connection: Connection,
    case: Case,
    act: Act,
    *,
    kind: str,
    subject: str,
    at: datetime,
    place: str = "",
    result: str = "",
    ct: str = "",
    sample: str = "",
) -> int:
    """Add what a case begins from, with the test that found it; return its number.

    Raises
    ------
    CaseRefused
        A kind or a result that there is not, a Ct value that is none, or the same was added before.
    """
    if kind not in SEED_KINDS:
        raise CaseRefused(f"{kind[:40]!r} is none of {', '.join(SEED_KINDS)}", place="kind")
    if kind == "person":
        vault.hold(connection, [person_of(subject)])
    number = max(case.seeds, default=-1) + 1
    tested = _test(result, ct, sample, needed=False)
    said: dict[str, Json] = {
        "do": "seed",
        "seed": number,
        "kind": kind,
        "subject": text_of(subject, "subject"),
        "at_us": derive.micros(at),
        "place": place,
    }
    told = (kind, subject, said["at_us"], place, *tested.values())
    for known, one in case.seeds.items():
        if told == (one.kind, one.subject, one.at_us, one.place, one.result, one.ct, one.sample):
            raise CaseRefused(f"the case has it already, as seed {known}", place="subject")
    append(connection, case, act, said | tested)
    return number


def add_run(
    connection: Connection, case: Case, act: Act, trace: int, log_size: int, persons: Iterable[tuple[int, str, int]]
) -> None:
    """Keep a trace that was answered for the case: each person on its list, with tier and the tier's rank."""
    drawn = sorted(persons)
    vault.hold(connection, (person for person, _, _ in drawn))
    listed: list[Json] = [[person, tier, rank] for person, tier, rank in drawn]
    append(connection, case, act, {"do": "run", "trace": trace, "log_size": log_size, "persons": listed})


def add_result(
    connection: Connection,
    case: Case,
    act: Act,
    *,
    subject: str,
    is_person: bool,
    result: str,
    at: datetime,
    ct: str = "",
    sample: str = "",
    note: str = "",
) -> None:
    """Keep a test's result: it removes nobody, and gives whom it is about its status.

    Raises
    ------
    CaseRefused
        The case has no such person, and no such seed.
    """
    is_seed = any(seed.subject == subject and (seed.kind == "person") is is_person for seed in case.seeds.values())
    if not is_seed and not (is_person and person_of(subject) in case.members):
        raise CaseRefused("neither on the line list nor a seed of this case", place="subject")
    said: dict[str, Json] = {
        "do": "result",
        "subject": subject,
        "is_person": is_person,
        "at_us": derive.micros(at),
        "note": text_of(note, "note", needed=False),
    }
    append(connection, case, act, said | _test(result, ct, sample, needed=True))


def add_positive(
    connection: Connection, case: Case, act: Act, person: int, *, at: datetime, ct: str = "", sample: str = ""
) -> tuple[int, bool]:
    """Keep that a person is positive, and let the case begin from that person too; return the seed, and if it is new.

    Nothing happens a second time: a test that is kept is kept once, a person is one seed for one sample. Its open
    `test` task ends with the result.

    Raises
    ------
    CaseRefused
        The case has no such person, on its line list, as a seed, or in an interview.
    """
    subject = str(person)
    at_us = derive.micros(at)
    seeds = [(number, one) for number, one in case.seeds.items() if (one.kind, one.subject) == ("person", subject)]
    named = any(person in one.persons for one in case.interviews.values() if not one.withdrawn)
    if not (person in case.members or seeds or named):
        raise CaseRefused(f"person {person} is not known to case {case.number}", place="person")
    seed = next((number for number, one in seeds if one.at_us == at_us and one.result == "positive"), None)
    is_new = seed is None
    if seed is None:
        told: dict[str, Any] = {"at": at, "result": "positive", "ct": ct, "sample": sample}
        seed = add_seed(connection, case, act, kind="person", subject=subject, **told)
    kept = any(
        one.said["do"] == "result"
        and (one.said["subject"], one.said["is_person"], one.said["at_us"]) == (subject, True, at_us)
        and one.said["result"] == "positive"
        for one in case.events
    )
    if not kept:
        told = {"result": "positive", "at": at, "ct": ct, "sample": sample}
        add_result(connection, case, act, subject=subject, is_person=True, **told)
    return seed, is_new


def add_interviews(connection: Connection, case: Case, act: Act, told: Iterable[tuple[str, Sequence[int]]]) -> None:
    """Keep the hashes of records of an interview, each with the numbers of whom it names."""
    records: list[Json] = [[record, list[Json](persons)] for record, persons in told]
    if records:
        append(connection, case, act, {"do": "interview", "records": records})


def withdraw_interview(
    connection: Connection, case: Case, act: Act, record: str, declaration: str, persons: Iterable[int], why: str
) -> None:
    """Keep that what somebody said is taken back, by the record that declares it to be in error; its people are dropped."""
    dropped = list[Json](sorted(persons))
    said: dict[str, Json] = {"do": "interview-withdrawn", "of": record, "record": declaration, "persons": dropped}
    append(connection, case, act, said | {"why": text_of(why, "reason")})


def set_status(connection: Connection, case: Case, act: Act, person: int, status: str, note: str = "") -> None:
    """Say how far one is with a person.

    Raises
    ------
    CaseRefused
        No such person on the line list, or a status that only a test gives.
    """
    if status not in CALLED:
        raise CaseRefused(f"{status[:40]!r} is none of {', '.join(CALLED)}", place="status")
    if person not in case.members:
        raise CaseRefused(f"person {person} is not on the line list of case {case.number}", place="person")
    told = text_of(note, "note", needed=False)
    append(connection, case, act, {"do": "status", "person": person, "status": status, "note": told})


def merge(connection: Connection, case: Case, other: Case, act: Act, why: str) -> None:
    """Merge another case into this one: it is closed, both timelines stay, members and seeds are joined.

    Raises
    ------
    CaseRefused, CaseClosed
        A case with itself, or one that is closed.
    """
    if case.number == other.number:
        raise CaseRefused("a case cannot be merged with itself", place="other")
    check_open(other)
    reason = text_of(why, "reason")
    told: list[Json] = [
        [one.record, one.at_us, one.by, list[Json](one.persons), one.withdrawn] for one in other.interviews.values()
    ]
    _take(connection, case, act, other, sorted(other.members), sorted(other.seeds), reason, told)
    append(connection, other, act, {"do": "merged", "into": case.number, "why": reason})


def split(
    connection: Connection, case: Case, other: Case, act: Act, persons: Iterable[int], seeds: Iterable[int], why: str
) -> None:
    """Move people and seeds to another case.

    Raises
    ------
    CaseRefused, CaseClosed
        Nothing, or what the case does not have, or to a closed case.
    """
    moved, begun = sorted(set(persons)), sorted(set(seeds))
    for place, asked, known in (("person", moved, case.members), ("seed", begun, case.seeds)):
        if lacking := [one for one in asked if one not in known]:
            raise CaseRefused(f"case {case.number} has no {place} {lacking[0]}", place=place)
    if (not moved and not begun) or case.number == other.number:
        raise CaseRefused("nothing would be moved", place="person")
    check_open(other)
    reason = text_of(why, "reason")
    _take(connection, other, act, case, moved, begun, reason)
    given: dict[str, Json] = {"persons": list[Json](moved), "seeds": list[Json](begun)}
    append(connection, case, act, {"do": "given", "to": other.number, "why": reason, **given})


def part(connection: Connection, case: Case, other: Case, act: Act, why: str) -> None:
    """Undo a merger: the merged case is opened again, and has back whom it brought, as they are now.

    Raises
    ------
    CaseRefused
        The other case was not merged into this one.
    """
    if other.into != case.number:
        raise CaseRefused(f"case {other.number} was not merged into case {case.number}", place="other")
    reason = text_of(why, "reason")
    vault.hold(connection, _everybody(other))
    append(connection, other, act, {"do": "reopen", "why": reason})
    persons = sorted(person for person, one in case.members.items() if one.origin == other.number)
    seeds = sorted(number for number, one in case.seeds.items() if one.origin == other.number)
    told: list[Json] = [_told(case, person) for person in persons]
    append(connection, other, act, {"do": "back", "from": case.number, "persons": told, "why": reason})
    given: dict[str, Json] = {"persons": list[Json](persons), "seeds": list[Json](seeds)}
    append(connection, case, act, {"do": "given", "to": other.number, "why": reason, **given})


def close(connection: Connection, case: Case, act: Act, why: str) -> None:
    """Close a case."""
    append(connection, case, act, {"do": "close", "why": text_of(why, "reason")})


def reopen(connection: Connection, reference: str | int, act: Act, why: str) -> Case:
    """Open a closed case again.

    Raises
    ------
    CaseUnknown, CaseRefused
        There is none, or it is open, or was merged into another (which is undone by parting them).
    """
    store.lock(connection, LOCK)
    case = find(connection, reference)
    if case.standing != "closed":
        raise CaseRefused(f"case {case.number} is {case.standing}", place="case")
    vault.hold(connection, _everybody(case))
    append(connection, case, act, {"do": "reopen", "why": text_of(why, "reason")})
    return case


def append(connection: Connection, case: Case, act: Act, said: Mapping[str, Json]) -> Happened:
    """Append an event to the private tree, bring the rows of its case up to date, and write whom it is told."""
    check_principal(act.by)
    before = case.rows()
    at = act.now.isoformat(timespec="microseconds")
    value: dict[str, Json] = {
        "k": "case", "case": case.number, "n": len(case.events), "at": at, "by": act.by, **said,
    }  # fmt: skip
    entry = private.append(connection, value)
    happened = Happened(entry.index, value)
    case.apply(happened)
    for table, rows in case.rows().items():
        _write(connection, table, before[table], rows)
    outbox.announce(connection, case, happened)
    return happened


def check_principal(by: str) -> None:
    """Refuse who is nobody."""
    if not PRINCIPAL.fullmatch(by):
        raise CaseRefused("nobody is named who does this", place="principal")


def person_of(text: str) -> int:
    """Return a person's number.

    Raises
    ------
    CaseRefused
        It is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise CaseRefused(f"{text[:40]!r} is not the number that a trace gave to a person", place="person")
    return int(text)


def text_of(text: str, place: str, limit: int = MAX_TEXT, *, needed: bool = True) -> str:
    """Return a text as it is kept: one that is there, and not too long."""
    text = text.strip()
    if (needed and not text) or len(text) > limit or "\x00" in text:
        raise CaseRefused(f"a text of 1 to {limit} characters is needed", place=place)
    if mentions_identity(text):
        raise CaseRefused("it is kept for ever and must not hold anybody's telephone or identity number", place=place)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CaseRefused("holds half of a character", place=place) from error
    return text


def _test(result: str, ct: str, sample: str, *, needed: bool) -> dict[str, Json]:
    if result not in RESULTS and (needed or result):
        raise CaseRefused(f"{result[:40]!r} is none of {', '.join(RESULTS)}", place="result")
    if ct and not _CT.fullmatch(ct):
        raise CaseRefused(f"{ct[:40]!r} is not a Ct value like 31.5", place="ct")
    return {"result": result, "ct": ct, "sample": text_of(sample, "sample", MAX_NAME, needed=False)}


def _take(
    connection: Connection,
    case: Case,
    act: Act,
    other: Case,
    persons: Iterable[int],
    seeds: Iterable[int],
    why: str,
    interviews: Sequence[Json] = (),
) -> None:
    told: list[Json] = [_told(other, person) for person in persons]
    begun: list[Json] = [_seed(other.seeds[number]) for number in seeds]
    said: dict[str, Json] = {"do": "taken", "from": other.number, "persons": told, "seeds": begun, "why": why}
    if interviews:
        said["interviews"] = list(interviews)
    append(connection, case, act, said)


def _everybody(case: Case) -> set[int]:
    return {*case.members, *(int(one.subject) for one in case.seeds.values() if one.kind == "person")}


def _told(case: Case, person: int) -> list[Json]:
    one = case.members[person]
    return [person, one.run, one.tier, one.rank, one.status, one.reached_us]


def _seed(one: Seed) -> list[Json]:
    return [one.kind, one.subject, one.at_us, one.place, one.result, one.ct, one.sample, one.status]


def _write(connection: Connection, table: Table, before: case_state.Rows, after: case_state.Rows) -> None:
    """Change the rows of a table that are not as they must be."""
    keys = list(table.primary_key.columns)
    names = [column.name for column in table.columns]
    for key in before.keys() - after.keys():
        connection.execute(delete(table).where(_is(keys, key)))
    new = [dict(zip(names, (*key, *row), strict=True)) for key, row in after.items() if key not in before]
    if new:
        connection.execute(insert(table), new)
    for key in before.keys() & after.keys():
        if before[key] != after[key]:
            values = dict(zip(names[len(keys) :], after[key], strict=True))
            connection.execute(update(table).where(_is(keys, key)).values(values))


def _is(keys: Sequence[Any], key: Sequence[Any]) -> Any:
    return and_(*(column == value for column, value in zip(keys, key, strict=True)))
