"""The log, as anybody may read it: checkpoints, entries, proofs; hashes alone, and to auditors what is in the clear.

docs/spec/{entry,seal,checkpoint,record}.md.
"""

from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import Connection

from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone, admitted
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import MAX_INTEGER, door_router
from sudonglian.api.parsing import record_hash_of
from sudonglian.api.scopes import Scope
from sudonglian.chain import entry, merkle
from sudonglian.records import log, reader
from sudonglian.records.errors import NotInLog, NotSealed
from sudonglian.records.log import Checkpoint

router = door_router("/log", "Log")

MAX_ENTRIES: Final = 1_000
"""Of an answer: 100 KB of hashes, or a few MB with records."""

MAX_CHECKPOINTS: Final = 100
"""Of an answer: some 30 KB."""

Size = Annotated[int | None, Query(ge=1, le=MAX_INTEGER, description="Of the tree; the newest checkpoint's if absent.")]


@router.get("/checkpoint")
def checkpoint(request: Request, caller: Anyone) -> Response:
    """Give the newest signed checkpoint, as JSON or with `Accept: text/plain` as the note alone."""
    door = door_of(request)
    with door.store.read() as connection:
        newest = log.latest(connection)
    if newest is None:
        raise NotInLog("nothing has been sealed yet", place="checkpoint")
    return _answer(request, newest, str(door.keys.log.verifier_key))


@router.get("/checkpoints")
def checkpoints(
    request: Request,
    caller: Anyone,
    start: Annotated[int, Query(alias="from", ge=0, le=MAX_INTEGER)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_CHECKPOINTS)] = MAX_CHECKPOINTS,
) -> Response:
    """Give the checkpoints of at least a size, in order."""
    door = door_of(request)
    found: list[dict[str, Any]] = []
    with door.store.read() as connection:
        end = log.size(connection)
        while len(found) < limit and start <= end and end:
            one = log.checkpoint_covering(connection, start - 1)
            found.append({"size": one.size, "root": one.root.hex(), "note": one.note})
            start = one.size + 1
    return json_answer({"checkpoints": found, "verifier_key": str(door.keys.log.verifier_key)})


@router.get("/checkpoints/{size}")
def checkpoint_at(request: Request, caller: Anyone, size: int) -> Response:
    """Give the signed checkpoint of a size."""
    door = door_of(request)
    if not 0 < size <= MAX_INTEGER:
        raise NotInLog("no checkpoint has this size", place="size")
    with door.store.read() as connection:
        found = log.checkpoint_at(connection, size)
    return _answer(request, found, str(door.keys.log.verifier_key))


@router.get("/entries")
def entries(
    request: Request,
    caller: Anyone,
    start: Annotated[int, Query(alias="from", ge=0, le=MAX_INTEGER)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_ENTRIES)] = MAX_ENTRIES,
    records: Annotated[
        bool, Query(description="Whether each record entry comes with its record's bytes: for auditors.")
    ] = False,
) -> Response:
    """Give the log's entries from an index on, as they were hashed; with the records that they are of, to auditors."""
    # tenants: the scope `audit` has been asked for where records are given
    if records:
        admitted(caller, Scope.audit)
    with door_of(request).store.read() as connection:
        size = log.size(connection)
        found = []
        for index, data in log.entries(connection, start, min(start + limit, size)):
            one: dict[str, Any] = {"index": index, "data": data.decode()}
            said = entry.parse_entry(data)
            if records and isinstance(said, entry.RecordEntry):
                one["record"] = reader.record(connection, said.h).body.decode()
            found.append(one)
    return json_answer({"size": size, "entries": found})


@router.get("/proof/inclusion")
def inclusion(
    request: Request,
    caller: Anyone,
    index: Annotated[int | None, Query(ge=0, le=MAX_INTEGER)] = None,
    record: Annotated[str | None, Query(max_length=66, description="A record's hash, instead of an index.")] = None,
    size: Size = None,
) -> Response:
    """Prove that an entry is in the tree of a size (RFC 9162 §2.1.3)."""
    if (index is None) == (record is None):
        raise UsageRefused("one of index and record is needed", place="index")
    with door_of(request).store.read() as connection:
        at = _index_of(connection, record) if index is None else index
        whole = _within(connection, size)
        if at >= whole:
            raise NotInLog(f"the tree of size {whole} has no entry {at}", place="index")
        path = log.inclusion(connection, at, whole)
        leaf = merkle.leaf_hash(log.entry(connection, at))
        root = log.root(connection, whole)
    proof = {"index": at, "size": whole, "leaf_hash": leaf.hex(), "root": root.hex()}
    return json_answer({**proof, "path": [one.hex() for one in path]})


@router.get("/proof/consistency")
def consistency(
    request: Request,
    caller: Anyone,
    size1: Annotated[int, Query(alias="from", ge=1, le=MAX_INTEGER)],
    size2: Annotated[int | None, Query(alias="to", ge=1, le=MAX_INTEGER)] = None,
) -> Response:
    """Prove that the tree of one size is a prefix of that of another (RFC 9162 §2.1.4)."""
    with door_of(request).store.read() as connection:
        to = _within(connection, size2)
        if size1 > to:
            raise NotInLog(f"the tree of size {to} has no prefix of size {size1}", place="from")
        path = log.consistency(connection, size1, to)
        roots = log.root(connection, size1).hex(), log.root(connection, to).hex()
    proof = {"from": size1, "to": to, "from_root": roots[0], "to_root": roots[1]}
    return json_answer({**proof, "path": [one.hex() for one in path]})


@router.get("/proof/range")
def range_(
    request: Request,
    caller: Anyone,
    start: Annotated[int, Query(alias="from", ge=0, le=MAX_INTEGER)],
    end: Annotated[int, Query(alias="to", ge=1, le=MAX_INTEGER, description="The entry after the last one.")],
    size: Size = None,
) -> Response:
    """Prove with one path that all entries of a range are in the tree of a size (docs/spec/entry.md rule 7)."""
    with door_of(request).store.read() as connection:
        whole = _within(connection, size)
        if not start < end <= whole:
            raise NotInLog(f"the tree of size {whole} has no entries from {start} to before {end}", place="from")
        path = log.range_proof(connection, start, end, whole)
        root = log.root(connection, whole)
    proof = {"from": start, "to": end, "size": whole, "root": root.hex()}
    return json_answer({**proof, "path": [one.hex() for one in path]})


def _answer(request: Request, one: Checkpoint, verifier_key: str) -> Response:
    if request.headers.get("accept", "").startswith("text/plain"):
        return PlainTextResponse(one.note)
    return json_answer({"size": one.size, "root": one.root.hex(), "note": one.note, "verifier_key": verifier_key})


def _within(connection: Connection, size: int | None) -> int:
    newest = log.size(connection)
    if newest == 0 or (size is not None and size > newest):
        raise NotInLog(f"the log has {newest} entries", place="size")
    return newest if size is None else size


def _index_of(connection: Connection, record: str | None) -> int:
    # tenants: where a hash stands in the log is everybody's
    found = reader.record(connection, record_hash_of(record or ""))
    if found.log_index is None:
        raise NotSealed("the record is taken and waits for the next seal", place="record")
    return found.log_index
