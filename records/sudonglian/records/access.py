"""The access log: who looked at whose data, when and what for, and proofs of it from the private tree.

docs/spec/access-log.md. A look is a trace that listed a person, a reveal of the identity, an interview about the person.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from sudonglian.chain import access_proof, canonical
from sudonglian.chain.access_proof import Sealed
from sudonglian.records import bundles, cases, derive, log, private
from sudonglian.records.case_state import Case
from sudonglian.records.errors import NotInLog, NotSealed, StoreCorrupt
from sudonglian.records.keys import Keys
from sudonglian.records.log import Checkpoint
from sudonglian.records.tables import CHECKPOINTS, PRIVATE_ENTRIES, TRACES

QUESTION: Final = b'"k":"trace"'
"""What the canonical form of a question holds; the rest of the tree need not be parsed to find them."""


def looks_at_person(connection: Connection, person: int) -> list[dict[str, Any]]:
    """Return every look at a person, the oldest first: by whom, approved by whom, when, what for, and its entry."""
    questions = _questions(connection)
    found = [_trace(questions[number]) for number in _traces_about(connection, person) if number in questions]
    for index, said in _entries(connection, b'"k":"access"'):
        if said.get("person") == person:
            found.append(_reveal(index, said))
    for index, said in _entries(connection, b'"k":"case"'):
        if said.get("do") == "interview" and any(person in persons for _, persons in said["records"]):
            found.append(_interview(index, said, person))
    return _told(connection, found)


def looks_of_case(connection: Connection, case: Case) -> list[dict[str, Any]]:
    """Return every look for a case: its traces and each person revealed."""
    questions = _questions(connection)
    told = [one for one in questions.values() if one[1]["why"] == {"case": str(case.number)}]
    found = [_trace(one) for one in told]
    entries = [
        index
        for reveal in case.reveals.values()
        if reveal.entries_from is not None
        for index in range(reveal.entries_from, reveal.entries_from + len(reveal.persons))
    ]
    for index in (*entries, *(look.entry for look in case.tasks.looks)):
        value = private.value_of(private.entry(connection, index))
        if not isinstance(value, dict):
            raise StoreCorrupt("no entry about a person", place=f"private_entries/{index}")
        found.append(_reveal(index, value))
    for event in case.events:
        if event.said["do"] == "interview":
            for person in sorted({one for _, persons in event.said["records"] for one in persons}):
                found.append(_interview(event.at, event.said, person))
    return _told(connection, found)


def cases_of_person(connection: Connection, person: int) -> list[dict[str, Any]]:
    """Return the cases on whose line list a person is, with what they are for."""
    found = [cases.find(connection, number) for number in cases.of_person(connection, person)]
    return [
        {"case": one.number, "name": one.name, "purpose": one.purpose, "basis": one.basis, "state": one.standing}
        for one in found
    ]


def answer_entry(connection: Connection, trace: int) -> int:
    """Return the entry that says which document a trace gave.

    Raises
    ------
    NotInLog
        There is no such trace, or it has no answer.
    """
    for index, said in _entries(connection, b'"k":"trace-answer"'):
        if said.get("trace") == trace:
            return index
    raise NotInLog(f"trace {trace} has no answer", place=f"traces/{trace}")


def prove(connection: Connection, keys: Keys, index: int) -> bytes:
    """Return the proof that an entry is in the private tree under a checkpoint that covers it, an anchored one if there is.

    Raises
    ------
    NotInLog, NotSealed
        There is no such entry, or no checkpoint covers it yet.
    """
    one = private.entry(connection, index)
    first = connection.execute(
        select(CHECKPOINTS.c.size).where(CHECKPOINTS.c.private_size > index).order_by(CHECKPOINTS.c.size).limit(1)
    ).scalar_one_or_none()
    if first is None:
        raise NotSealed("the entry is kept, and waits for the next seal", place=f"private_entries/{index}")
    checkpoint, anchor = bundles.proven_checkpoint(connection, first)
    path = private.inclusion(connection, index, checkpoint.private_size)
    anchors = () if anchor is None else (anchor,)
    return access_proof.entry_proof(one.data, one.blinding, index, path, _sealed(connection, keys, checkpoint), anchors)


def prove_consistency(connection: Connection, keys: Keys, start: int, end: int | None) -> bytes:
    """Return the proof that nothing left the private tree between the checkpoints of two sizes (newest if None).

    Raises
    ------
    NotInLog
        There is no checkpoint of such a size, or the first is the newer one.
    """
    newest = log.latest(connection)
    if newest is None:
        raise NotInLog("nothing has been sealed yet", place="to")
    end = newest.size if end is None else end
    if start > end:
        raise NotInLog("the first checkpoint is newer than the second", place="from")
    older, newer = log.checkpoint_at(connection, start), log.checkpoint_at(connection, end)
    sizes = older.private_size, newer.private_size
    path = private.consistency(connection, *sizes) if sizes[0] else []
    sealed = [_sealed(connection, keys, one) for one in (older, newer)]
    anchors = () if (anchor := bundles.anchor_of(connection, newer)) is None else (anchor,)
    return access_proof.consistency_proof(sealed[0], sealed[1], path, anchors)


def _sealed(connection: Connection, keys: Keys, checkpoint: Checkpoint) -> Sealed:
    size = checkpoint.private_size
    tree = access_proof.private_key(keys.log).sign(size, private.root(connection, size))
    return Sealed(checkpoint.note, tree, bundles.seal_of(connection, checkpoint.size))


def _entries(connection: Connection, kind: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in connection.execute(
        select(PRIVATE_ENTRIES.c.idx, PRIVATE_ENTRIES.c.data).order_by(PRIVATE_ENTRIES.c.idx)
    ):
        if kind in row.data:
            value = private.value_of(private.PrivateEntry(row.idx, b"", row.data))
            if isinstance(value, dict) and f'"k":"{value.get("k")}"'.encode() == kind:
                yield row.idx, value


def _questions(connection: Connection) -> dict[int, tuple[int, dict[str, Any]]]:
    return {said["trace"]: (index, said) for index, said in _entries(connection, QUESTION)}


# tenants: who looked at a person is asked of all traces, by the scope access-log
def _traces_about(connection: Connection, person: int) -> Iterator[int]:
    """Yield the traces that list a person, or began from it."""
    name = str(person)
    query = select(TRACES.c.id, TRACES.c.query, TRACES.c.document).order_by(TRACES.c.id)
    for row in connection.execute(query):
        asked: Any = canonical.parse_stored(row.query)
        if asked.get("seed") == name:
            yield row.id
        elif row.document is not None and f'"{name}"'.encode() in row.document:
            document: Any = canonical.parse_stored(row.document)
            listed = (*document.get("members", ()), *document.get("seeds", ()))
            if any(one["kind"] == "person" and one["id"] == name for one in listed):
                yield row.id


def _trace(question: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    index, said = question
    case = said["why"].get("case")
    return {
        "what": "trace",
        "at": said["at"],
        "by": said.get("by", ""),
        "approved_by": "",
        "why": said["why"].get("purpose", ""),
        "case": int(case) if case is not None and case.isdigit() else None,
        "trace": said["trace"],
        "reveal": None,
        "person": None,
        "entry": index,
    }


def _reveal(index: int, said: dict[str, Any]) -> dict[str, Any]:
    told = {name: said[name] for name in ("at", "by", "approved_by", "why", "case", "reveal", "person")}
    return {"what": "reveal", **told, "trace": None, "entry": index}


def _interview(index: int, said: Mapping[str, Any], person: int) -> dict[str, Any]:
    told = {"at": said["at"], "by": said["by"], "approved_by": "", "why": "", "case": said["case"]}
    return {"what": "interview", **told, "trace": None, "reveal": None, "person": person, "entry": index}


def _told(connection: Connection, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return looks in order, with what their case is for where they say nothing themselves, and whether they are sealed."""
    query = select(CHECKPOINTS.c.private_size).order_by(CHECKPOINTS.c.size.desc()).limit(1)
    sealed = connection.execute(query).scalar() or 0
    purposes: dict[int, str] = {}
    for one in found:
        number = one["case"]
        if number is not None and number not in purposes:
            try:
                purposes[number] = cases.find(connection, number).purpose
            except cases.CaseUnknown:
                purposes[number] = ""  # a case by its old free name
        one["purpose"] = purposes.get(number, one["why"]) if number is not None else one["why"]
        one["sealed"] = one["entry"] < sealed
    return sorted(found, key=lambda one: (derive.micros(datetime.fromisoformat(one["at"])), one["entry"]))
