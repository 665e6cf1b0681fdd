"""What to label: things by name, or everything that records brought into being; each with what it is called.

docs/answers.md (Labels). Names come from master data (docs/decisions/0207).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from sudonglian.chain.identifiers import digital_link, epc, normal
from sudonglian.chain.identifiers.event import identifiers_of
from sudonglian.records import master_data, reader
from sudonglian.records.errors import UnknownRecord
from sudonglian.records.reader import StoredRecord
from sudonglian.trace.answers import labels
from sudonglian.trace.answers.labels import Label, LabelRefused
from sudonglian.trace.answers.lists import trade_item

MADE: Final = {
    "TransformationEvent": ("output", "output_quantity"),
    "AggregationEvent": ("parent", "child", "child_quantity"),
}
"""The roles whose things an event of each type brings into being or names for the first time; of others all."""

INPUTS: Final = ("input", "input_quantity")


def of_records(
    connection: Connection, hashes: Iterable[bytes], may_read: Callable[[StoredRecord], bool] = lambda _record: True
) -> list[str]:
    """Return what records name and a label can be made of, each once: of a transformation its outputs.

    Raises
    ------
    UnknownRecord
        There is no such record, or it is not for whoever asks.
    """
    found: dict[str, None] = {}
    for one in hashes:
        record = reader.record(connection, one)
        if not may_read(record):
            raise UnknownRecord("no record of yours has this hash", place=one.hex())
        event = record.event()
        roles = MADE.get(str(event.get("type")))
        for named in identifiers_of(event):
            if (named.role in roles if roles else named.role not in INPUTS) and _is_key(named.normal):
                found[named.normal] = None
    return list(found)


def of_names(
    connection: Connection, names: Sequence[str], resolver: str, *, lot: str = "", serial: str = "", count: int = 1
) -> list[Label]:
    """Return the labels of things: `count` of each, or with a serial number so many items that follow each other.

    Raises
    ------
    LabelRefused
        Something that no label can be made of, or more than are made at once.
    """
    if count < 1 or count * len(names) > labels.MAX_LABELS:
        raise LabelRefused(f"between 1 and {labels.MAX_LABELS} labels are made at once", place="count")
    wanted = [each for name in names for each in labels.numbered(name, lot, serial, count)]
    normals = {one: normal(one) for one in dict.fromkeys(wanted)}
    called = master_data.names_of(connection, {*normals.values(), *map(trade_item, normals.values())})
    made = {
        one: labels.label_of(one, resolver, called.get(known) or called.get(trade_item(known), ""))
        for one, known in normals.items()
    }
    return [made[one] for one in wanted]


def _is_key(name: str) -> bool:
    return (epc.parse(name) or digital_link.parse(name)) is not None
