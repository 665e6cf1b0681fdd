"""Bundles: everything about some records that an auditor needs, in one file.

docs/spec/bundle.md, rules 1-9.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeVar

from sudonglian.chain import canonical, lotmap
from sudonglian.chain.canonical import MAX_INTEGER, Json
from sudonglian.chain.errors import CanonicalRefused, ProofRefused
from sudonglian.chain.lotmap import Leaf

T = TypeVar("T")

VERSION: Final = "sudonglian/bundle/1"

MAX_BYTES: Final = 64 * 1024 * 1024
"""A lot with 20,000 records of 3 KB each."""

MAX_ANCHORS: Final = 8
"""An operator anchors on one network, or on two while it moves."""


class BundleRefused(ProofRefused):
    """A file that is not a bundle."""

    slug = "bundle"


class BundleVersionUnknown(BundleRefused):
    """A bundle of a version that this code does not know (rule 2)."""

    slug = "bundle-version"


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchored root and the proof that a chain holds it (rule 7)."""

    chain_id: int
    genesis: bytes
    contract: bytes
    size: int
    root: bytes
    consistency: tuple[bytes, ...]
    header: bytes
    account_proof: tuple[bytes, ...]
    storage_proof: tuple[bytes, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the anchor's object."""
        return {
            "account_proof": _hexes(self.account_proof),
            "chain_id": self.chain_id,
            "consistency": _hexes(self.consistency),
            "contract": self.contract.hex(),
            "genesis": self.genesis.hex(),
            "header": self.header.hex(),
            "root": self.root.hex(),
            "size": self.size,
            "storage_proof": _hexes(self.storage_proof),
        }


@dataclass(frozen=True, slots=True)
class SignatureProof:
    """A party's signature, its place in the log, and what the registry said when it was anchored (rule 5)."""

    signature: Json
    index: int
    path: tuple[bytes, ...]
    anchor: Anchor
    party_proof: tuple[bytes, ...]
    window_proof: tuple[bytes, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the element's object."""
        proofs: dict[str, Json] = {
            "party_proof": _hexes(self.party_proof),
            "window_proof": _hexes(self.window_proof),
        }
        return {
            "anchor": self.anchor.to_json() | proofs,
            "index": self.index,
            "path": _hexes(self.path),
            "signature": self.signature,
        }


@dataclass(frozen=True, slots=True)
class Correction:
    """A record that stands against the one beside it (rule 4)."""

    h: bytes
    index: int
    path: tuple[bytes, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the element's object."""
        return {"h": self.h.hex(), "index": self.index, "path": _hexes(self.path)}


@dataclass(frozen=True, slots=True)
class RecordProof:
    """A record and its place in the log (rule 3)."""

    record: Json
    disclosures: tuple[str, ...]
    index: int
    path: tuple[bytes, ...]
    corrections: tuple[Correction, ...] = ()
    signatures: tuple[SignatureProof, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return the element's object."""
        return {
            "corrections": [one.to_json() for one in self.corrections],
            "disclosures": list(self.disclosures),
            "index": self.index,
            "path": _hexes(self.path),
            "record": self.record,
            "signatures": [one.to_json() for one in self.signatures],
        }


@dataclass(frozen=True, slots=True)
class Seal:
    """The checkpoint's seal (rule 8)."""

    at: str
    lots: bytes
    private: bytes
    path: tuple[bytes, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the seal's object."""
        return {"at": self.at, "lots": self.lots.hex(), "path": _hexes(self.path), "private": self.private.hex()}


@dataclass(frozen=True, slots=True)
class Lot:
    """What the lot map says of one identifier (rule 9)."""

    id: str
    chain: tuple[bytes, ...]
    other: Leaf | None
    path: tuple[bytes, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the element's object."""
        other: dict[str, Json] | None = None
        if self.other is not None:
            other = {"key": self.other.key.hex(), "count": self.other.count, "c": self.other.c.hex()}
        return {
            "chain": _hexes(self.chain),
            "id": self.id,
            "key": lotmap.key(self.id).hex(),
            "other": other,
            "path": _hexes(self.path),
        }


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose form is right; nothing in it is verified."""

    checkpoint: str
    records: tuple[RecordProof, ...]
    anchors: tuple[Anchor, ...] = ()
    seal: Seal | None = None
    lots: tuple[Lot, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return the bundle's object."""
        return {
            "anchors": [one.to_json() for one in self.anchors],
            "checkpoint": self.checkpoint,
            "lots": [one.to_json() for one in self.lots],
            "records": [one.to_json() for one in self.records],
            "seal": None if self.seal is None else self.seal.to_json(),
            "v": VERSION,
        }

    def encode(self) -> bytes:
        """Return the file's bytes; refuse what `parse` would not read back."""
        raw = canonical.encode(self.to_json())
        parse(raw)
        return raw


def parse(raw: bytes) -> Bundle:
    """Read a bundle's form strictly, or refuse it.

    Raises
    ------
    BundleRefused
        With the place in the file; BundleVersionUnknown for a version to come.
    """
    try:
        value = canonical.parse_stored(raw, max_bytes=MAX_BYTES)
    except CanonicalRefused as error:
        raise BundleRefused(error.reason, place=error.place) from error
    version = value.get("v") if isinstance(value, dict) else None
    if isinstance(version, str) and version != VERSION:
        raise BundleVersionUnknown(f"of a version that is not {VERSION}", place="/v")
    top = members(value, "", "anchors", "checkpoint", "lots", "records", "seal", "v")
    if top["v"] != VERSION:
        raise BundleRefused("no version", place="/v")
    bundle = Bundle(
        checkpoint=text(top["checkpoint"], "/checkpoint"),
        records=_each(top["records"], "/records", _record),
        anchors=anchors(top["anchors"]),
        seal=None if top["seal"] is None else seal(top["seal"]),
        lots=_each(top["lots"], "/lots", _lot),
    )
    if not bundle.records and not bundle.lots:
        raise BundleRefused("neither records nor lots", place="/records")
    _ascending([one.index for one in bundle.records], "/records")
    _ascending([one.id for one in bundle.lots], "/lots")
    if (bundle.seal is None) != (not bundle.lots):
        raise BundleRefused("the seal stands there exactly when lots are claimed", place="/seal")
    return bundle


def _record(value: Json, place: str) -> RecordProof:
    held = members(value, place, "corrections", "disclosures", "index", "path", "record", "signatures")
    proof = RecordProof(
        record=held["record"],
        disclosures=_each(held["disclosures"], f"{place}/disclosures", text),
        index=count(held["index"], f"{place}/index"),
        path=hashes(held["path"], f"{place}/path"),
        corrections=_each(held["corrections"], f"{place}/corrections", _correction),
        signatures=_each(held["signatures"], f"{place}/signatures", _signature),
    )
    _ascending(proof.disclosures, f"{place}/disclosures")
    _ascending([one.index for one in proof.corrections], f"{place}/corrections")
    _ascending([one.index for one in proof.signatures], f"{place}/signatures")
    return proof


def _correction(value: Json, place: str) -> Correction:
    held = members(value, place, "h", "index", "path")
    return Correction(
        octets(held["h"], f"{place}/h", 32),
        count(held["index"], f"{place}/index"),
        hashes(held["path"], f"{place}/path"),
    )


def _signature(value: Json, place: str) -> SignatureProof:
    held = members(value, place, "anchor", "index", "path", "signature")
    anchor = held["anchor"]
    registry: dict[str, tuple[bytes, ...]] = {}
    if isinstance(anchor, dict):
        anchor = dict(anchor)
        registry = {
            name: _nodes(anchor.pop(name, None), f"{place}/anchor/{name}") for name in ("party_proof", "window_proof")
        }
    return SignatureProof(
        signature=held["signature"],
        index=count(held["index"], f"{place}/index"),
        path=hashes(held["path"], f"{place}/path"),
        anchor=_anchor(anchor, f"{place}/anchor"),
        **registry,
    )


def anchors(value: Json) -> tuple[Anchor, ...]:
    """Return the anchors in their order, or refuse them."""
    found = _each(value, "/anchors", _anchor)
    _ascending([(one.genesis, one.contract) for one in found], "/anchors")
    if len(found) > MAX_ANCHORS:
        raise BundleRefused(f"more than {MAX_ANCHORS}", place="/anchors")
    return found


def _anchor(value: Json, place: str) -> Anchor:
    held = members(
        value,
        place,
        "account_proof",
        "chain_id",
        "consistency",
        "contract",
        "genesis",
        "header",
        "root",
        "size",
        "storage_proof",
    )
    return Anchor(
        chain_id=count(held["chain_id"], f"{place}/chain_id"),
        genesis=octets(held["genesis"], f"{place}/genesis", 32),
        contract=octets(held["contract"], f"{place}/contract", 20),
        size=count(held["size"], f"{place}/size"),
        root=octets(held["root"], f"{place}/root", 32),
        consistency=hashes(held["consistency"], f"{place}/consistency"),
        header=octets(held["header"], f"{place}/header"),
        account_proof=_nodes(held["account_proof"], f"{place}/account_proof"),
        storage_proof=_nodes(held["storage_proof"], f"{place}/storage_proof"),
    )


def seal(value: Json, place: str = "/seal") -> Seal:
    """Return a seal, or refuse what is none."""
    held = members(value, place, "at", "lots", "path", "private")
    return Seal(
        text(held["at"], f"{place}/at"),
        octets(held["lots"], f"{place}/lots", 32),
        octets(held["private"], f"{place}/private", 32),
        hashes(held["path"], f"{place}/path"),
    )


def _lot(value: Json, place: str) -> Lot:
    held = members(value, place, "chain", "id", "key", "other", "path")
    name = text(held["id"], f"{place}/id")
    if octets(held["key"], f"{place}/key", 32) != lotmap.key(name):
        raise BundleRefused("not the key of this identifier", place=f"{place}/key")
    other = None
    if held["other"] is not None:
        leaf = members(held["other"], f"{place}/other", "c", "count", "key")
        other = Leaf(
            octets(leaf["key"], f"{place}/other/key", 32),
            count(leaf["count"], f"{place}/other/count"),
            octets(leaf["c"], f"{place}/other/c", 32),
        )
    return Lot(
        name,
        hashes(held["chain"], f"{place}/chain"),
        other,
        hashes(held["path"], f"{place}/path"),
    )


def members(value: Json, place: str, *names: str) -> dict[str, Json]:
    """Return an object that has exactly these members, or refuse it."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise BundleRefused(f"an object with exactly the members {', '.join(names)}", place=place)
    return value


def _each(value: Json, place: str, read: Callable[[Json, str], T]) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise BundleRefused("an array", place=place)
    return tuple([read(one, f"{place}/{n}") for n, one in enumerate(value)])


def text(value: Json, place: str) -> str:
    """Return a text, or refuse what is none."""
    if not isinstance(value, str):
        raise BundleRefused("text", place=place)
    return value


def count(value: Json, place: str) -> int:
    """Return a whole number from 0, or refuse what is none."""
    if type(value) is not int or not 0 <= value <= MAX_INTEGER:
        raise BundleRefused("a whole number from 0", place=place)
    return value


def octets(value: Json, place: str, length: int | None = None) -> bytes:
    """Return bytes from strict hexadecimal, or refuse it."""
    try:
        data = bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        data = None
    # Back again, and it must be the same text: fromhex takes capitals and spaces too.
    if data is None or data.hex() != value or (length is not None and len(data) != length):
        due = "an even number of" if length is None else f"{2 * length}"
        raise BundleRefused(f"{due} lower-case hexadecimal digits", place=place)
    return data


def hashes(value: Json, place: str) -> tuple[bytes, ...]:
    """Return hashes, or refuse what are none."""
    # All at once, most of a bundle being hashes; one by one where that fails, for the place of the one that is wrong.
    if isinstance(value, list) and all(isinstance(one, str) and len(one) == 64 for one in value):
        joined = "".join(map(str, value))
        with suppress(ValueError):
            if (data := bytes.fromhex(joined)).hex() == joined:
                return tuple([data[at : at + 32] for at in range(0, len(data), 32)])
    return _each(value, place, lambda one, inner: octets(one, inner, 32))


def _nodes(value: Json, place: str) -> tuple[bytes, ...]:
    return _each(value, place, octets)


def _ascending(keys: Sequence[Any], place: str) -> None:
    if any(one >= other for one, other in pairwise(keys)):
        raise BundleRefused("not in strictly ascending order", place=place)


def _hexes(values: Sequence[bytes]) -> list[Json]:
    return [one.hex() for one in values]
