"""Receipts of erasures from the store, each with every proof that it needs to stand alone.

docs/spec/receipt.md; docs/privacy.md (receipts).
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from sudonglian.chain import entry
from sudonglian.chain.canonical import Json
from sudonglian.chain.receipt import Receipt
from sudonglian.records import bundles, log, private
from sudonglian.records.errors import NotInLog, NotSealed
from sudonglian.records.private import PrivateEntry
from sudonglian.records.tables import CHECKPOINTS, ENTRIES


def listed(connection: Connection) -> Iterator[dict[str, Any]]:
    """Yield what every erasure's receipt says, with its index, the oldest first."""
    for index, value in private.values(connection):
        if value.get("k") == "erasure":
            yield {"receipt": index, **{name: value[name] for name in ("at", "person", "reason", "records")}}


def receipt(connection: Connection, index: int) -> tuple[bytes, bundles.State]:
    """Return the file of a receipt, and whether a final anchor covers it or it waits for one.

    Raises
    ------
    NotInLog
        No entry of the private tree has this index, or it is no erasure's receipt.
    NotSealed
        It waits for the next seal.
    """
    kept = private.entry(connection, index)
    said = private.value_of(kept)
    if not isinstance(said, dict) or said.get("k") != "erasure":
        raise NotInLog(f"the private entry {index} is no receipt of an erasure", place=f"private_entries/{index}")
    tombstone = _tombstone(connection, kept, said)
    # Under one checkpoint that is proven by an anchor if there is one, and that has sealed both entries.
    least = select(CHECKPOINTS.c.size).where(CHECKPOINTS.c.private_size > index, CHECKPOINTS.c.size > tombstone)
    first = connection.execute(least.order_by(CHECKPOINTS.c.size).limit(1)).scalar_one_or_none()
    if first is None:
        raise NotSealed("the erasure waits for the next seal", place=f"private_entries/{index}")
    checkpoint, anchor = bundles.proven_checkpoint(connection, first)
    size = checkpoint.private_size
    made = Receipt(
        said=said,
        blinding=kept.blinding,
        index=index,
        size=size,
        path=tuple(private.inclusion(connection, index, size)),
        tombstone_index=tombstone,
        tombstone_path=tuple(log.inclusion(connection, tombstone, checkpoint.size)),
        seal=bundles.seal_of(connection, checkpoint.size),
        checkpoint=checkpoint.note,
        anchors=() if anchor is None else (anchor,),
    )
    return made.encode(), "pending" if anchor is None else "final"


def _tombstone(connection: Connection, kept: PrivateEntry, said: Json) -> int:
    data = entry.tombstone_entry(entry.tombstone_digest(kept.blinding, said))
    # Tombstones and seals alone are about no record: the index finds them among millions.
    query = select(ENTRIES.c.idx).where(ENTRIES.c.about.is_(None), ENTRIES.c.data == data)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise NotSealed("the erasure waits for the next seal", place=f"private_entries/{kept.index}")
    return int(found)
