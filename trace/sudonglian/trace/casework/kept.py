"""Events of a stretch of the log as a trace sees them, written as one piece of bytes and read back.

docs/decisions/0352: what an erasure must reach never comes into it.
"""

import hashlib
import sys
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import orjson

from sudonglian.records import derive
from sudonglian.trace.casework import columns
from sudonglian.trace.casework.packed import Words, packing
from sudonglian.trace.engine.events import EventView
from sudonglian.trace.engine.facts import KEYS, Facts

FORMAT: Final = "pieces/1"

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


def encode_facts(facts: Facts, nameless: Collection[str]) -> bytes:
    """Return facts as bytes, without the eventIDs that must be asked for."""
    return zlib.compress(columns.encode(named(facts, nameless, {})), LEVEL)


def decode_facts(body: bytes, nameless: Collection[str], names: Mapping[str, str]) -> Facts:
    """Return the facts that `encode_facts` wrote, with the eventIDs that there still are."""
    return named(columns.decode(zlib.decompress(body)), nameless, names)


def named(facts: Facts, nameless: Collection[str], names: Mapping[str, str]) -> Facts:
    """Return facts whose samples of nameless records bear the eventIDs that are given, or none."""
    samples = (
        one._replace(event_id=names.get(one.record, "")) if one.record in nameless else one for one in facts.samples
    )
    return replace(facts, samples=tuple(sorted(samples, key=KEYS["samples"])))


@cache
def version() -> str:
    """Return what changes whenever the program could see a record otherwise: the digest of its whole text."""
    digest = hashlib.sha256(f"{FORMAT} {sys.byteorder}".encode())
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
