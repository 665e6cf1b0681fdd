"""Facts as bytes and back: a column for each member, equal values written once, numbers as they lie in memory.

docs/decisions/0352; read only from bytes whose MAC has been checked, by the program that wrote them.
"""

from array import array
from collections.abc import Iterable
from typing import Any, Final, get_args, get_type_hints

import orjson

from sudonglian.chain.canonical import Json
from sudonglian.trace.casework.packed import Words, packing
from sudonglian.trace.engine.facts import Facts, Party
from sudonglian.trace.engine.whole import RECORD

WHOLE: Final = "q"
PLACE: Final = "I"
"""Type codes of arrays: numbers of 64 bits, and places in a table of values, of which there are fewer than 2^32."""

HEAD: Final = 8
"""Bytes of the length of what is written as JSON, before it."""

KINDS: Final = {name: get_args(hint)[0] for name, hint in get_type_hints(Facts).items() if name in RECORD}
"""The class of the facts of each list."""


def encode(facts: Facts) -> bytes:
    """Return the lists of facts, and the portions, as bytes."""
    words = Words()
    columns: list[bytes] = []
    lists: dict[str, Json] = {}
    for name, kind in KINDS.items():
        hints = get_type_hints(kind)
        rows = getattr(facts, name)
        tables: list[Json] = []
        for at, member in enumerate(kind._fields):
            values = [row[at] for row in rows]
            if hints[member] is int:
                tables.append(None)
                columns.append(array(WHOLE, values).tobytes())
                continue
            # Of one type, so that no two values are equal that are not the same: 1 is not True here.
            found = {value: number for number, value in enumerate(dict.fromkeys(values))}
            pack = packing(hints[member]).pack
            tables.append([pack(value, words) for value in found])
            columns.append(array(PLACE, [found[value] for value in values]).tobytes())
        lists[name] = [len(rows), tables]
    portions: Json = [[party.id, *name] for party, name in facts.portions.items()]
    told = orjson.dumps([words.all(), lists, portions])
    return len(told).to_bytes(HEAD, "big") + told + b"".join(columns)


def decode(body: bytes) -> Facts:
    """Return the facts that `encode` wrote; what is said of the whole log is left out."""
    after = HEAD + int.from_bytes(body[:HEAD], "big")
    words, lists, portions = orjson.loads(body[HEAD:after])
    rest = memoryview(body)[after:]
    told: dict[str, Any] = {}
    for name, kind in KINDS.items():
        hints = get_type_hints(kind)
        count, tables = lists[name]
        columns: list[Iterable[Any]] = []
        for member, table in zip(kind._fields, tables, strict=True):
            column = array(WHOLE if table is None else PLACE)
            length = count * column.itemsize
            column.frombytes(rest[:length])
            rest = rest[length:]
            if table is None:
                columns.append(column)
                continue
            unpack = packing(hints[member]).unpack
            columns.append(map([unpack(value, words) for value in table].__getitem__, column))
        told[name] = tuple(map(kind._make, zip(*columns, strict=True)))
    return Facts(portions={Party("item", party): (lot, holder) for party, lot, holder in portions}, **told)
