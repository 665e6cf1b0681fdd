"""What `sudonglian hash` answers, and the shortest way to it: without the other commands, the settings and the database.

interfaces.md (hash); docs/decisions/0209 (why whatever is refused takes the ordinary way).
"""

import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sudonglian.chain import record
from sudonglian.chain.errors import SudonglianError
from sudonglian.records.epcis.document import MAX_DOCUMENT_BYTES, read_document
from sudonglian.records.epcis.hash_columns import hash_ids
from sudonglian.records.epcis.plain_bytes import plain_bytes

BROKEN_PIPE: Final = 141
"""What shells give a program whose reader went away."""


def answer(raw: bytes) -> dict[str, Any]:
    """Return the Event Hash ID and the hash of the content of each event of a document.

    >>> answer(b'{"type": "ObjectEvent"}')["events"][0]["event_hash_id"][:31]
    'ni:///sha-256;7aa6d15415d4b429d'

    Raises
    ------
    SudonglianError
        The document, or the first of its events, is refused.
    """
    document = read_document(raw)
    events = [one.value for one in document.events]
    contents = [record.content_hash(each).hex() for each in plain_bytes(events, document.context)]
    return {
        "events": [
            {
                "index": one.index,
                "event_id": given if isinstance(given := one.value.get("eventID"), str) else None,
                "event_hash_id": event_hash_id,
                "content_hash": content,
            }
            for one, event_hash_id, content in zip(
                document.events, hash_ids(events, document.context), contents, strict=True
            )
        ]
    }


def lines(answered: dict[str, Any]) -> Iterator[str]:
    """Yield the answer for a person."""
    return (f"{one['index']} {one['content_hash']} {one['event_hash_id']}" for one in answered["events"])


def at_once(arguments: Sequence[str]) -> int | None:
    """Answer `hash FILE`, with or without `--json`; return nothing if it is something else, or not as it should be."""
    rest = [each for each in arguments if each != "--json"]
    # What is no file can be read once, and might have to be read the ordinary way.
    if len(rest) != 2 or rest[0] != "hash" or rest[1].startswith("-") or not Path(rest[1]).is_file():
        return None
    # What one document becomes is in use until the end: looking for garbage in it takes a tenth of the time.
    gc.disable()
    try:
        with open(rest[1], "rb") as file:
            answered = answer(file.read(MAX_DOCUMENT_BYTES + 1))
    except (OSError, ValueError, SudonglianError):
        gc.enable()
        return None
    gc.freeze()
    told = [json.dumps(answered, ensure_ascii=False)] if len(rest) < len(arguments) else lines(answered)
    try:
        sys.stdout.buffer.write("".join(f"{line}\n" for line in told).encode("utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered has nowhere to go; Python would complain about it on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return 0
