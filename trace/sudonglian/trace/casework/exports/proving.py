"""How a report's documents are proven: the entry of each answer, the checkpoint over it, and the anchor of that.

docs/spec/access-log.md rules 1, 8 and 9; docs/spec/checkpoint.md (the note's lines).
"""

import base64
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from sudonglian.chain import canonical
from sudonglian.records import access
from sudonglian.records.errors import NotSealed
from sudonglian.records.keys import Keys
from sudonglian.trace.casework.exports.contents import RunDocument


@dataclass(frozen=True, slots=True)
class Anchored:
    """The contract that holds a checkpoint's root."""

    chain_id: int
    contract: str
    size: int


@dataclass(frozen=True, slots=True)
class Proven:
    """What proves that a run gave its document; without `raw` its entry waits for the next seal."""

    run: RunDocument
    entry: int
    raw: bytes = field(default=b"", repr=False)
    origin: str = ""
    size: int = 0
    root: str = ""
    anchor: Anchored | None = None

    @property
    def file(self) -> str:
        """Return what the proof's file is called."""
        return f"trace-{self.run.trace}-entry-{self.entry}.json"

    def code(self, url: str) -> str:
        """Return what the report's code says: where the proof is, or which document and entry it is of."""
        told = self.run.document_hash
        if url:
            return f"{url.rstrip('/')}/access/entries/{self.entry}/proof#{told}"
        log = self.run.document["log"]
        return f"urn:sudonglian:trace:{told}?entry={self.entry}&size={log['size']}&root={log['root']}"


def proven(connection: Connection, keys: Keys, run: RunDocument) -> Proven:
    """Return the proof of a run's document as far as there is one."""
    entry = access.answer_entry(connection, run.trace)
    try:
        raw = access.prove(connection, keys, entry)
    except NotSealed:
        return Proven(run, entry)
    told: Any = canonical.parse_stored(raw)
    origin, size, root = told["sealed"]["checkpoint"].split("\n")[:3]
    anchors = told["anchors"]
    anchor = Anchored(anchors[0]["chain_id"], f"0x{anchors[0]['contract']}", anchors[0]["size"]) if anchors else None
    return Proven(run, entry, raw, origin, int(size), base64.b64decode(root).hex(), anchor)
