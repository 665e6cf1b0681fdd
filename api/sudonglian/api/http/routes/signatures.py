"""Signatures of consignor and consignee: taken from firms, read by whoever may read the record.

docs/signing.md, docs/spec/signature.md. Who sends a signature in is of no account: it is its maker's.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.responses import Response

from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Capturer, RecordReader
from sudonglian.api.http.door import door_of
from sudonglian.api.http.entitlement import record_for, sight_of
from sudonglian.api.http.parameters import body_of, door_router
from sudonglian.api.parsing import record_hash_of
from sudonglian.api.signing import add_signature
from sudonglian.chain import signature as signatures_of
from sudonglian.records import confirmation, reader
from sudonglian.records.signatures import MAX_BYTES

router = door_router("", "Signatures")

_HEX: Final = {"type": "string", "pattern": "^[0-9a-f]+$"}

OBJECT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A signature object (docs/spec/signature.md).",
    "additionalProperties": False,
    "required": ["counterparty", "record", "role", "sig", "signed_at", "signer", "v"],
    "properties": {
        "v": {"const": signatures_of.VERSION},
        "record": {**_HEX, "minLength": 64, "maxLength": 64},
        "role": {"enum": list(signatures_of.ROLES)},
        "signer": {**_HEX, "minLength": 40, "maxLength": 40},
        "counterparty": {**_HEX, "minLength": 64, "maxLength": 64},
        "signed_at": {"type": "integer", "minimum": 0, "maximum": signatures_of.MAX_SECONDS},
        "sig": {**_HEX, "minLength": 130, "maxLength": 130},
    },
}

TAKES: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": OBJECT}}}}


@router.post("/signatures", status_code=201, openapi_extra=TAKES)
def sign(request: Request, caller: Capturer, raw: Annotated[bytes, Depends(body_of(MAX_BYTES))]) -> Response:
    """Take a signature into the log's queue; 200 if it is known already. Key, role and counterparty are checked now."""
    door = door_of(request)
    done = add_signature(door.store, door.keys, door.network, raw, lambda: datetime.now(UTC))
    door.metrics.count("sudonglian_signatures_total", outcome="unchanged" if done.unchanged else "accepted")
    with door.store.read() as connection:
        if not sight_of(connection, caller)(reader.record(connection, bytes.fromhex(done.document["record_hash"]))):
            # Whoever only carries it in hears the parties' hashes, which are in the signature, and not their names.
            done.document.update(party=None, counterparty=None)
    location = f"/records/{done.document['record_hash']}/signatures"
    return json_answer(done.document, 200 if done.unchanged else 201, {"Location": location})


@router.get("/records/{record_hash}/signatures")
def signed(request: Request, caller: RecordReader, record_hash: str) -> Response:
    """Give a record's signatures, and whether each is shown to count; with both sides the handoff is confirmed."""
    with door_of(request).store.read() as connection:
        found = record_for(connection, caller, record_hash_of(record_hash))
        document = {"record_hash": found.record_hash.hex(), **confirmation.described(connection, found)}
    return json_answer(document)
