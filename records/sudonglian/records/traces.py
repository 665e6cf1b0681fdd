"""Traces as they are kept: the question before it runs, the answer before it is shown, both in the private tree.

service.md (person data); docs/decisions/0701. `trace.casework` is the only caller.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.records import derive, private
from sudonglian.records.errors import NotInLog
from sudonglian.records.tables import TRACES


@dataclass(frozen=True, slots=True)
class KeptTrace:
    """One row: canonical bytes, the document None while it runs or was refused."""

    number: int
    asked_us: int
    purpose: bytes
    query: bytes
    log_size: int
    document: bytes | None
    document_hash: bytes | None


def ask(connection: Connection, why: Json, query: Json, log_size: int, now: datetime, by: str = "") -> int:
    """Keep a question and who asks it, if a door knows, and return its number."""
    row = {
        "asked_us": derive.micros(now),
        "purpose": canonical.encode(why).decode(),
        "query": canonical.encode(query),
        "log_size": log_size,
    }
    number = int(connection.execute(insert(TRACES).returning(TRACES.c.id), row).scalar_one())
    at = now.isoformat(timespec="microseconds")
    said: dict[str, Json] = {"k": "trace", "trace": number, "at": at, "why": why, "query": query}
    private.append(connection, said | ({"by": by} if by else {}))
    return number


def answer(connection: Connection, number: int, document: bytes, document_hash: bytes) -> None:
    """Keep the answer to a question."""
    kept = update(TRACES).where(TRACES.c.id == number)
    connection.execute(kept.values(document=document, document_hash=document_hash))
    private.append(connection, {"k": "trace-answer", "trace": number, "document_hash": document_hash.hex()})


def refuse(connection: Connection, number: int, code: str) -> None:
    """Keep that a question was not answered."""
    private.append(connection, {"k": "trace-refused", "trace": number, "code": code})


def kept(connection: Connection, number: int) -> KeptTrace:
    """Return a trace by its number.

    Raises
    ------
    NotInLog
        There is none.
    """
    row = connection.execute(select(TRACES).where(TRACES.c.id == number)).one_or_none()
    if row is None:
        raise NotInLog(f"there is no trace {number}", place=f"traces/{number}")
    return KeptTrace(
        row.id, row.asked_us, row.purpose.encode(), row.query, row.log_size, row.document, row.document_hash
    )
