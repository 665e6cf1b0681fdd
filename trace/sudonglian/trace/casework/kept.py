"""Events of a stretch of the log as a trace sees them, written as one piece of bytes and read back.

docs/decisions/0352: what an erasure must reach never comes into it.
"""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import orjson

from sudonglian.records import derive
from sudonglian.trace.casework.packed import Words, packing
from sudonglian.trace.engine.events import EventView

FORMAT: Final = "views/1"

ROOMS: Final = ("sudonglian.chain", "sudonglian.records", "sudonglian.trace")

LEVEL: Final = 1
"""Of compression: three times smaller for some 3 µs an event; more gains little."""

PACK, UNPACK = packing(EventView)


@dataclass(slots=True)
class Stretch:
    """What was read of some entries, in the log's order."""

    events: list[EventView] = field(default_factory=list)
    """None superseded: `corrections` say which are, from which size of the log on."""
    corrections: list[tuple[int, str]] = field(default_factory=list)
    """(log index, hash of the record that it stands against)."""
    nameless: set[str] = field(default_factory=set)
    """Records whose eventID the facts need and an erasure may have to forget: asked for each time, never kept."""


def bare(event: EventView, event_id: str) -> tuple[EventView, bool]:
    """Return an event as it may be kept, and whether its eventID must be asked for each time.

    Facts name the eventIDs of samples alone. One that is a hash over the whole event says something of those in it
    (docs/decisions/0501).
    """
    told = event_id if event.sample is not None else ""
    forgettable = told.lower().startswith(derive.HASH_ID)
    return replace(event, event_id="" if forgettable else told), forgettable


def encode(stretch: Stretch) -> bytes:
    """Return a stretch as bytes."""
    words = Words()
    events = [PACK(event, words) for event in stretch.events]
    corrections = [[index, words.number(record)] for index, record in stretch.corrections]
    nameless = [words.number(record) for record in sorted(stretch.nameless)]
    return zlib.compress(orjson.dumps([words.all(), events, corrections, nameless]), LEVEL)


def decode(body: bytes) -> Stretch:
    """Return the stretch that `encode` wrote; only for bytes whose MAC has been checked."""
    words, events, corrections, nameless = orjson.loads(zlib.decompress(body))
    return Stretch(
        [UNPACK(event, words) for event in events],
        [(index, words[record]) for index, record in corrections],
        {words[record] for record in nameless},
    )


@cache
def version() -> str:
    """Return what changes whenever the program could see a record otherwise: the digest of its whole text."""
    digest = hashlib.sha256(FORMAT.encode())
    for room in ROOMS:
        for name, text in _texts(files(room), room):
            digest.update(f"\x00{name}\x00{len(text)}\x00".encode() + text)
    return digest.hexdigest()


def _texts(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for one in sorted(folder.iterdir(), key=lambda found: found.name):
        if one.is_dir():
            yield from _texts(one, f"{path}/{one.name}")
        elif one.name.endswith((".py", ".json")):
            yield f"{path}/{one.name}", one.read_bytes()
