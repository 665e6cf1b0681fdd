"""Records by their hash, for those who may read them: what is in the clear, the place in the log, the anchor, a bundle.

docs/spec/record.md, docs/spec/bundle.md; docs/decisions/0772 (who may read which record).
"""

from typing import Annotated, Any

import orjson
from fastapi import Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Forbidden, RecordReader
from sudonglian.api.http.door import door_of
from sudonglian.api.http.entitlement import check_disclosure, record_for, sight_of
from sudonglian.api.http.parameters import door_router
from sudonglian.api.parsing import identifier_of, record_hash_of
from sudonglian.records import anchor_book, bundles, confirmation, log, reader
from sudonglian.records.reader import StoredRecord

router = door_router("/records", "Records")

Names = Annotated[str, Query(max_length=1_000, description="Withheld members to disclose, separated by commas.")]
Lot = Annotated[str, Query(max_length=2_000, description="Also prove that all records of this item or lot are in it.")]
Through = Annotated[bool, Query(description="With a lot: also the units that it travelled in.")]


@router.get("/{record_hash}")
def record(request: Request, caller: RecordReader, record_hash: str) -> Response:
    """Give a record, where it stands in the log, what stands against it, and how far it is anchored."""
    with door_of(request).store.read() as connection:
        found = record_for(connection, caller, record_hash_of(record_hash))
        against = reader.corrections(connection, found.record_hash)
        anchor = anchor_of(connection, found)
        signed = confirmation.described(connection, found)
        data = None if found.log_index is None else log.entry(connection, found.log_index).decode()
    document = {
        "record_hash": found.record_hash.hex(),
        "record": orjson.loads(found.body),
        "log_index": found.log_index,
        "entry": data,
        "corrections": [{"record_hash": one.record_hash.hex(), "log_index": one.log_index} for one in against],
        "anchor": anchor,
        **signed,
    }
    return json_answer(document)


@router.get("/{record_hash}/bundle")
def bundle(
    request: Request,
    caller: RecordReader,
    record_hash: str,
    disclose: Names = "",
    lot: Lot = "",
    through: Through = False,
) -> Response:
    """Give everything that proves a record, for use without a network; firms may disclose of their own."""
    if through and not lot:
        raise UsageRefused("needs a lot", place="through")
    names = tuple(name.strip() for name in disclose.split(",") if name.strip())
    door = door_of(request)
    with door.store.read() as connection:
        found = record_for(connection, caller, record_hash_of(record_hash))
        if names:
            check_disclosure(connection, caller, found, names)
        if names and lot:
            raise Forbidden(
                "a lot's bundle may hold other firms' records: nothing is disclosed of it", place="disclose"
            )
        data, state = bundles.make_bundle(
            connection,
            door.keys,
            found.record_hash,
            disclose=names,
            lot=identifier_of(lot, "lot") if lot else None,
            through=through,
            may_read=sight_of(connection, caller),
        )
    return bundle_answer(data, state, found.record_hash.hex())


def bundle_answer(data: bytes, state: str, name: str) -> Response:
    """Return a bundle as a file."""
    headers = {"Sudonglian-Bundle-State": state, "Content-Disposition": f'attachment; filename="{name}.bundle.json"'}
    return Response(data, 200, headers, "application/json")


def anchor_of(connection: Connection, found: StoredRecord) -> dict[str, Any]:
    """Return how far a record is anchored: it waits, is sealed, or a final anchor covers it."""
    if found.log_index is None:
        return {"state": "waiting"}
    covers = (one for one in reversed(anchor_book.proven(connection)) if one[1].size > found.log_index)
    if (first := next(covers, None)) is None:
        return {"state": "sealed"}
    chain, covering = first
    return {
        "state": "final",
        "size": covering.size,
        "block": covering.block_number,
        "tx": None if covering.tx_hash is None else covering.tx_hash.hex(),
        "chain_id": chain.chain_id,
        "contract": chain.contract.hex(),
    }
