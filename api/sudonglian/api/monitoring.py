"""Monitoring a log from outside: replays what it publishes, and keeps just enough to catch it in a lie.

docs/spec/{entry,seal,checkpoint}.md; proofs.md §3 (how outsiders catch a lying operator). Pure: entries and notes in,
the next state or a proof of the lie out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Self

from sudonglian.chain import canonical, checkpoint, entry, lotmap, merkle
from sudonglian.chain.canonical import Json
from sudonglian.chain.entry import RecordEntry, SealEntry
from sudonglian.chain.errors import CanonicalRefused, ProofRefused, RecordRefused, SudonglianError
from sudonglian.chain.identifiers import named_by
from sudonglian.chain.lotmap import EMPTY, START, Node, Value
from sudonglian.chain.record import parse_record, record_hash

VERSION: Final = "sudonglian/monitor/1"

MAX_STATE: Final = 1024 * 1024 * 1024
"""Some five million lots."""


class LogLies(SudonglianError):
    """Two things that a log said and that cannot both be; `evidence` shows them, signed where they were signed."""

    slug: ClassVar[str] = "log-lies"

    def __init__(self, code: str, reason: str, *, place: str = "", evidence: Mapping[str, Json] | None = None) -> None:
        super().__init__(reason, place=place)
        self.code = code
        self.evidence = dict(evidence or {})

    def as_json(self) -> dict[str, Any]:
        """Return what is printed and written beside the state."""
        return {"code": self.code, "place": self.place, "detail": self.reason, "evidence": self.evidence}


class StateRefused(SudonglianError):
    """A monitor's own state that is damaged or of another log."""

    slug: ClassVar[str] = "monitor-state"


@dataclass(frozen=True, slots=True)
class Served:
    """An entry as the log serves it; `record` are the bytes of a record entry's record."""

    index: int
    data: bytes
    record: bytes | None


@dataclass(slots=True)
class Watched:
    """What is known of a log up to a checkpoint: the edge of its tree, its lot map if records are read, the note."""

    verifier_key: str
    size: int = 0
    note: str = ""
    has_records: bool = True
    """Whether the log's records are read too; without them nobody can say whether the lot map is theirs."""
    _edge: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _lots: dict[bytes, Value] = field(default_factory=dict)
    _map: dict[tuple[int, bytes], Node] = field(default_factory=dict)
    lots_root: bytes = EMPTY

    @property
    def root(self) -> bytes:
        """The root of the tree so far."""
        return merkle.root_from(self._node, self.size) if self.size else merkle.EMPTY_ROOT

    def look(self, note: str) -> int:
        """Return the size of a newly served checkpoint.

        Raises
        ------
        LogLies
            It is not signed, has another root at a size that is known, or is smaller than one that was signed.
        """
        size, root = self._signed(note)
        both: dict[str, Json] = {"kept": self.note, "served": note}
        if size < self.size:
            raise LogLies("shrunk", f"it signed size {self.size}, and now shows {size}", evidence=both)
        if size == self.size and size and root != self.root:
            raise LogLies("fork", f"two roots are signed for size {size}", place=str(size), evidence=both)
        return size

    def extend(self, entries: Sequence[Served], note: str) -> None:
        """Take the entries up to a checkpoint, its seal the last of them; on a lie nothing is taken.

        Raises
        ------
        LogLies
            An entry, a record, the lot map, the root or the signature is not what it must be.
        """
        size, root = self._signed(note)
        if not entries or [one.index for one in entries] != list(range(self.size, size)):
            raise LogLies("withheld", f"entries {self.size} to {size - 1} are not served", evidence={"served": note})
        said = [self._parsed(one) for one in entries]
        for one, what in zip(entries[:-1], said[:-1], strict=True):
            if isinstance(what, SealEntry):
                raise LogLies("checkpoint-missing", "a seal without its checkpoint", place=f"entries/{one.index}")
        seal = said[-1]
        if not isinstance(seal, SealEntry):
            raise LogLies("seal-missing", "a checkpoint without a seal", place=str(size), evidence={"served": note})
        grown = merkle.append(self._node, self.size, [merkle.leaf_hash(one.data) for one in entries])
        edge = {**self._edge, **{(level, index): digest for level, index, digest in grown}}
        found = merkle.root_from(lambda level, index: edge[level, index], size)
        if found != root:
            evidence: dict[str, Json] = {"kept": self.note, "served": note, "recomputed": found.hex()}
            raise LogLies(
                "root", f"the entries give another root than the signed one of size {size}", evidence=evidence
            )
        changes = self._changes(entries, said) if self.has_records else {}
        lots_root, written = lotmap.update(lambda *at: self._map.get(at), self.lots_root, changes)
        if self.has_records and lots_root != seal.lots:
            evidence = {"served": note, "seal": entries[-1].data.decode(), "recomputed": lots_root.hex()}
            raise LogLies(
                "lot-map", "the records give another lot map than the sealed one", place=str(size), evidence=evidence
            )
        self._edge = {at: edge[at] for at in _peaks(size)}
        self._lots.update(changes)
        self._map.update({(depth, prefix): node for depth, prefix, node in written})
        self.size, self.note, self.lots_root = size, note, lots_root

    def as_json(self) -> dict[str, Json]:
        """Return the state as it is kept between runs."""
        return {
            "v": VERSION,
            "verifier_key": self.verifier_key,
            "size": self.size,
            "note": self.note,
            "edge": [self._edge[at].hex() for at in _peaks(self.size)],
            "lots_root": self.lots_root.hex() if self.has_records else None,
            "lots": [[key.hex(), count, c.hex()] for key, (count, c) in sorted(self._lots.items())],
        }

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a kept state and see that it fits together.

        Raises
        ------
        StateRefused
            It is no state, or was altered.
        """
        try:
            value = canonical.parse(raw, max_bytes=MAX_STATE)
            if not isinstance(value, dict) or value.get("v") != VERSION:
                raise StateRefused("not a state of this monitor")
            state = cls(str(value["verifier_key"]), _count(value["size"]), str(value["note"]))
            state._edge = dict(zip(_peaks(state.size), map(_hash, _list(value["edge"])), strict=True))
            for row in _list(value["lots"]):
                key, count, c = _list(row)
                state._lots[_hash(key)] = _count(count), _hash(c)
            state.has_records = value["lots_root"] is not None
            state.lots_root, written = lotmap.update(lambda *_: None, EMPTY, state._lots)
            state._map = {(depth, prefix): node for depth, prefix, node in written}
            if state._lots if not state.has_records else state.lots_root != _hash(value["lots_root"]):
                raise StateRefused("its lots do not give the lot map that it names")
            if state.size and checkpoint.verify_note(state.note, state.verifier_key)[1:] != (state.size, state.root):
                raise StateRefused("its tree is not that of its checkpoint")
        except (KeyError, ValueError, TypeError, CanonicalRefused, ProofRefused) as error:
            raise StateRefused("it is damaged") from error
        return state

    def _node(self, level: int, index: int) -> bytes:
        return self._edge[level, index]

    def _signed(self, note: str) -> tuple[int, bytes]:
        try:
            _, size, root = checkpoint.verify_note(note, self.verifier_key)
        except ProofRefused as refusal:
            raise LogLies("signature", refusal.reason, evidence={"served": note[: checkpoint.MAX_BYTES]}) from refusal
        return size, root

    def _parsed(self, one: Served) -> entry.Entry:
        try:
            said = entry.parse_entry(one.data)
        except ProofRefused as refusal:
            data = one.data.decode(errors="replace")
            raise LogLies("entry", refusal.reason, place=f"entries/{one.index}", evidence={"data": data}) from refusal
        if (
            self.has_records
            and isinstance(said, RecordEntry)
            and (one.record is None or record_hash(one.record) != said.h)
        ):
            evidence: dict[str, Json] = {
                "entry": one.data.decode(),
                "record": None if one.record is None else one.record.decode(errors="replace"),
            }
            raise LogLies(
                "record", "the record served is not the one in the log", place=f"entries/{one.index}", evidence=evidence
            )
        return said

    def _changes(self, entries: Sequence[Served], said: Sequence[entry.Entry]) -> dict[bytes, Value]:
        changes: dict[bytes, Value] = {}
        for one, what in zip(entries, said, strict=True):
            if not isinstance(what, RecordEntry) or one.record is None:
                continue
            for name in _named(one):
                key = lotmap.key(name)
                count, c = changes.get(key) or self._lots.get(key, (0, START))
                changes[key] = count + 1, lotmap.chain_next(c, what.h)
        return changes


def _named(one: Served) -> Iterable[str]:
    try:
        event = parse_record(one.record or b"")["event"]
    except RecordRefused as refusal:
        raise LogLies("record", refusal.reason, place=f"entries/{one.index}") from refusal
    return named_by(event if isinstance(event, dict) else {})


def _peaks(size: int) -> list[tuple[int, int]]:
    """Return where the complete subtrees of a tree's edge stand, the largest first.

    >>> _peaks(5)
    [(2, 0), (0, 4)]
    """
    return [(level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if size >> level & 1]


def _hash(value: Json) -> bytes:
    digest = bytes.fromhex(value) if isinstance(value, str) else b""
    if len(digest) != 32:
        raise ValueError("not a hash")
    return digest


def _count(value: Json) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value
