"""Items and lots: which records name one, proven complete or absent; its history and lists for who may trace.

docs/spec/seal.md rules 3-9; docs/answers.md (lists).
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request
from fastapi.responses import Response

from sudonglian.api.http import problems
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Anyone, RecordReader, Tracer
from sudonglian.api.http.door import door_of
from sudonglian.api.http.entitlement import sight_of
from sudonglian.api.http.parameters import MAX_INTEGER, door_router
from sudonglian.api.http.routes.records import Through, bundle_answer
from sudonglian.api.http.routes.sheets import Language, file_answer
from sudonglian.api.parsing import identifier_of, moment
from sudonglian.chain import lotmap
from sudonglian.records import bundles, confirmation, derive, lots
from sudonglian.records import log as stored_log
from sudonglian.records.errors import NotInLog
from sudonglian.records.history import Direction
from sudonglian.records.temperature import told as temperatures
from sudonglian.trace.answers import list_sheets, lists

router = door_router("/lots", "Lots")

Identifier = Annotated[str, Path(max_length=2_000, description="An EPC URN or a Digital Link, percent-encoded.")]


@router.get("/{lot:path}/proof")
def lot_proof(
    request: Request,
    caller: Anyone,
    lot: Identifier,
    size: Annotated[int | None, Query(ge=1, le=MAX_INTEGER)] = None,
) -> Response:
    """Prove what a checkpoint says about an item or lot: its records, all of them, or that none names it."""
    name = identifier_of(lot, "lot")
    with door_of(request).store.read() as connection:
        at = size or stored_log.size(connection)
        if at == 0:
            raise NotInLog("nothing has been sealed yet", place="size")
        found = lots.prove(connection, name, at)
        root = lots.root_at(connection, at)
        chain = lots.chain(connection, name, at)
    other = found.other
    document = {
        "lot": name,
        "key": lotmap.key(name).hex(),
        "size": at,
        "lots_root": root.hex(),
        "value": None if found.value is None else {"count": found.value[0], "c": found.value[1].hex()},
        "other": None if other is None else {"key": other.key.hex(), "count": other.count, "c": other.c.hex()},
        "path": [one.hex() for one in found.path],
        "records": [{"record_hash": one.record_hash.hex(), "log_index": one.log_index} for one in chain],
    }
    return json_answer(document)


@router.get("/{lot:path}/bundle")
def lot_bundle(request: Request, caller: RecordReader, lot: Identifier, through: Through = False) -> Response:
    """Give all records of an item or lot in one bundle, proven complete, to whoever may read them all; nothing is disclosed in it."""
    door, name = door_of(request), identifier_of(lot, "lot")
    with door.store.read() as connection:
        data, state = bundles.make_bundle(
            connection, door.keys, None, lot=name, through=through, may_read=sight_of(connection, caller)
        )
    return bundle_answer(data, state, lotmap.key(name).hex())


Way = Annotated[lists.Direction, Query(description="What became of it, or what it was made of.")]
AsOf = Annotated[str, Query(max_length=64, description="By what had happened then: a time with its offset.")]
Size = Annotated[int | None, Query(ge=0, le=MAX_INTEGER, description="By the first entries of the log alone.")]
Form = Annotated[Literal["json", "xlsx", "csv"], Query(description="A document, or a sheet.")]


@dataclass(frozen=True, slots=True)
class Question:
    """Of which thing a list is asked for, and as of when."""

    name: str
    direction: lists.Direction
    until_us: int | None
    size: int | None


def question(lot: Identifier, direction: Way = "forward", as_of: AsOf = "", size: Size = None) -> Question:
    """Return what a request asks."""
    until_us = derive.micros(moment(as_of, "as_of")) if as_of else None
    return Question(identifier_of(lot, "lot"), direction, until_us, size)


Asked = Annotated[Question, Depends(question)]


@router.get("/{lot:path}/list")
def lot_list(request: Request, caller: Tracer, asked: Asked, form: Form = "json", lang: Language = None) -> Response:
    """List where an item or lot is, how much of it, what came and went at each place, and what does not add up."""
    answer = _listed(request, asked)
    if form == "json":
        return json_answer(answer.as_json())
    return file_answer(list_sheets.list_file(answer, form, lang or problems.lang_of(request)), form, "sudonglian-list")


@router.get("/{lot:path}/cn")
def lot_cn(
    request: Request,
    caller: Tracer,
    asked: Asked,
    at: Annotated[str, Query(max_length=2_000, description="Of one place or firm alone: one step up, one down.")] = "",
    form: Annotated[Literal["xlsx", "csv"], Query(description="Which sheet.")] = "xlsx",
    lang: Language = None,
) -> Response:
    """Give 来源、去向、数量、位置: a row for what passed between two places, and for what is there."""
    around = identifier_of(at, "at") if at else ""
    answer = _listed(request, asked)
    made = list_sheets.cn_file(answer, form, lang or "zh", around)
    return file_answer(made, form, "sudonglian-cn")


def _listed(request: Request, asked: Question) -> lists.Listed:
    with door_of(request).store.read() as connection:
        return lists.listed(connection, asked.name, asked.direction, as_of_us=asked.until_us, size=asked.size)


@router.get("/{lot:path}/history")
def lot_history(
    request: Request,
    caller: Tracer,
    lot: Identifier,
    direction: Annotated[Direction, Query(description="back, forward or both")] = "both",
) -> Response:
    """List what happened to an item or lot, through nesting and transformation, in order of time."""
    name = identifier_of(lot, "lot")
    door = door_of(request)
    with door.store.read() as connection:
        events = confirmation.history(connection, name, direction)
        judged = temperatures.of_lot(connection, name, table=door.classes).brief()
    return json_answer({"epc": name, "events": events, "temperature": judged})
