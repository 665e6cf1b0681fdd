"""Reveals: the identities of one case's line list, once, after a second person has approved it.

docs/spec/access-log.md rules 1-3 and 6; docs/decisions/0801. Nothing of an identity is written anywhere here.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import ClassVar, Final, NamedTuple

from sqlalchemy import Connection, func, select

from sudonglian.chain import canonical, disclosure
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import RecordRefused, SudonglianError
from sudonglian.records import cases, derive, private, store, vault
from sudonglian.records.case_state import Case, Reveal
from sudonglian.records.cases import Act
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.identities import numbered
from sudonglian.records.keys import Keys
from sudonglian.records.store import in_batches
from sudonglian.records.tables import DISCLOSURES, RECORDS, REVEALS

ASKED_LASTS: Final = timedelta(hours=24)
"""As long as the clock gives for reaching everybody: who asks later asks anew."""

APPROVED_LASTS: Final = timedelta(hours=4)
"""An approval is for the work at hand, and no licence that lies about."""

DOMAIN: Final = b"sudonglian/line-list/v1\x00"


class RevealRefused(SudonglianError):
    """A reveal that cannot be asked for, decided or released so."""

    slug: ClassVar[str] = "reveal"


class RevealUnknown(RevealRefused):
    """There is no such reveal."""

    slug = "reveal-unknown"


class OwnReveal(RevealRefused):
    """Who asked cannot approve, and nobody else can have what was asked for."""

    slug = "reveal-own"


class RevealOver(RevealRefused):
    """A reveal that is decided, released or at its end already."""

    slug = "reveal-over"


class LineListChanged(RevealRefused):
    """The line list is another one than that which was asked about."""

    slug = "reveal-changed"


class Identity(NamedTuple):
    """What one record says of who a person is."""

    kind: str
    value: str
    name: str


def digest_of(case: Case, persons: Iterable[int]) -> str:
    """Return the digest of a line list and of those of it whose identities are meant."""
    listed: dict[str, Json] = {
        "case": case.number,
        "listed": list[Json](sorted(case.members)),
        "persons": list[Json](sorted(persons)),
    }
    return sha256(DOMAIN + canonical.encode(listed)).hexdigest()


def find(connection: Connection, number: int) -> tuple[Case, Reveal]:
    """Return a reveal with its case.

    Raises
    ------
    RevealUnknown
        There is none.
    """
    query = select(REVEALS.c.case_id).where(REVEALS.c.id == number)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise RevealUnknown(f"there is no reveal {number}", place="reveal")
    case = cases.find(connection, found)
    return case, case.reveals[number]


def ask(
    connection: Connection, case: Case, act: Act, why: str, persons: Sequence[int] = (), *, for_tasks: bool = False
) -> Reveal:
    """Ask for the identities of a line list, or of some persons on it; for tasks, so that their workers may call.

    Raises
    ------
    RevealRefused
        Nobody is on the list, or somebody asked for is not.
    """
    asked = sorted(set(persons) or case.members)
    if not asked or (lacking := [one for one in asked if one not in case.members]):
        reason = f"person {lacking[0]} is not on the line list" if asked else "nobody is on the line list"
        raise RevealRefused(reason, place="person")
    last = connection.execute(select(func.max(REVEALS.c.id))).scalar()
    number = 1 if last is None else last + 1
    said: dict[str, Json] = {
        "do": "reveal-asked",
        "reveal": number,
        "persons": list[Json](asked),
        "digest": digest_of(case, asked),
        "why": cases.text_of(why, "reason"),
        "until_us": derive.micros(act.now + ASKED_LASTS),
    }
    if for_tasks:
        said["for"] = "tasks"
    cases.append(connection, case, act, said)
    return case.reveals[number]


def approve(connection: Connection, number: int, act: Act) -> tuple[Case, Reveal]:
    """Approve a reveal; that the caller may approve at all, its door has seen.

    Raises
    ------
    OwnReveal
        Who asked approves.
    RevealOver, LineListChanged, RevealUnknown, CaseClosed
        There is nothing to approve, or not what was asked.
    """
    case, reveal = _to_decide(connection, number, act)
    if act.by == reveal.asked_by:
        raise OwnReveal("who asked cannot approve: that takes a second person", place="reveal")
    _same(case, reveal)
    until = derive.micros(act.now + APPROVED_LASTS)
    cases.append(connection, case, act, {"do": "reveal-approved", "reveal": number, "until_us": until})
    return case, case.reveals[number]


def refuse(connection: Connection, number: int, act: Act, why: str) -> tuple[Case, Reveal]:
    """Refuse a reveal, or as who asked take it back.

    Raises
    ------
    RevealOver, RevealUnknown, CaseClosed
        There is nothing to refuse.
    """
    case, reveal = _to_decide(connection, number, act, among=("asked", "approved"))
    told = cases.text_of(why, "reason")
    cases.append(connection, case, act, {"do": "reveal-refused", "reveal": number, "why": told})
    return case, reveal


def release(connection: Connection, number: int, act: Act) -> tuple[Case, Reveal]:
    """Append the entry about each person; once this is committed, and not before, the identities may be shown.

    Raises
    ------
    OwnReveal
        Another than who asked wants it.
    RevealOver, LineListChanged, RevealUnknown, CaseClosed
        It is not approved, its approval has ended, it was released before, or the line list has changed.
    """
    case, reveal = _to_decide(connection, number, act, among=("approved",))
    if act.by != reveal.asked_by:
        raise OwnReveal("the identities are for who asked, and nobody else", place="reveal")
    if reveal.release_until_us is None or derive.micros(act.now) >= reveal.release_until_us:
        raise RevealOver("the approval has ended", place="reveal")
    _same(case, reveal)
    cases.append(connection, case, act, {"do": "reveal-released", "reveal": number})
    for person in reveal.persons:
        private.append(connection, access_entry(case, reveal, person))
    return case, reveal


def access_entry(case: Case, reveal: Reveal, person: int) -> dict[str, Json]:
    """Return what the private tree says of one person in a released reveal (docs/spec/access-log.md rule 2)."""
    assert reveal.released_us is not None
    return look_entry(case, reveal, person, reveal.asked_by, reveal.released_us)


def look_entry(case: Case, reveal: Reveal, person: int, by: str, at_us: int) -> dict[str, Json]:
    """Return what the private tree says of one look at one person under a reveal."""
    return {
        "approved_by": reveal.decided_by,
        "at": derive.moment(at_us).isoformat(timespec="microseconds"),
        "by": by,
        "case": case.number,
        "k": "access",
        "list": reveal.digest,
        "person": person,
        "reveal": reveal.number,
        "why": reveal.why,
    }


# tenants: of persons whose reveal a second person approved, in whatever record
def identities(connection: Connection, keys: Keys, numbers: Iterable[int]) -> dict[int, tuple[Identity, ...]]:
    """Return what records say of who persons are, each identity once; of the erased nothing.

    For what has been released alone: the caller shows it and keeps it nowhere.
    """
    known = vault.persons(connection, keys, numbers)
    found: dict[int, dict[Identity, None]] = {number: {} for number in known}
    columns = (DISCLOSURES.c.person_no, DISCLOSURES.c.digest, DISCLOSURES.c.sealed, RECORDS.c.record_hash)
    for batch in in_batches(sorted(known)):
        query = select(*columns).join(RECORDS, RECORDS.c.id == DISCLOSURES.c.record_id)
        for row in connection.execute(query.where(DISCLOSURES.c.person_no.in_(batch)).order_by(DISCLOSURES.c.id)):
            text = vault.unseal(known[row.person_no], row.record_hash, row.digest, row.sealed)
            told = _identity(text)
            if numbered(told.kind, told.value) != row.person_no:
                found[row.person_no][told] = None
    return {number: tuple(told) for number, told in found.items()}


def _identity(text: str) -> Identity:
    try:
        value = disclosure.parse(text).value
    except RecordRefused as error:
        raise StoreCorrupt(error.reason, place="disclosures") from error
    told = value.get("personRef") if isinstance(value, dict) else None
    if not isinstance(told, dict):
        raise StoreCorrupt("the disclosure names nobody", place="disclosures")
    return Identity(str(told.get("kind", "")), str(told.get("value", "")), str(told.get("name", "")))


def _to_decide(connection: Connection, number: int, act: Act, among: Sequence[str] = ("asked",)) -> tuple[Case, Reveal]:
    store.lock(connection, cases.LOCK)
    case, reveal = find(connection, number)
    cases.check_open(case)
    if reveal.state not in among:
        raise RevealOver(f"reveal {number} is {reveal.state}", place="reveal")
    if reveal.state == "asked" and derive.micros(act.now) >= reveal.until_us:
        raise RevealOver(f"reveal {number} was asked for too long ago", place="reveal")
    return case, reveal


def _same(case: Case, reveal: Reveal) -> None:
    if digest_of(case, reveal.persons) != reveal.digest:
        raise LineListChanged("the line list has changed since: ask anew", place="reveal")
