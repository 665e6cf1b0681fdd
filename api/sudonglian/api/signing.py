"""Signatures through a door: judged first, then kept in one transaction with their entry; and how they are told.

docs/signing.md; the registry is asked outside of any transaction, since a node may take its time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from sudonglian.api.console import Console
from sudonglian.chain.network import Network
from sudonglian.records import anchor_book, confirmation, reader, signatures
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store


class Added(NamedTuple):
    """What became of a signature: as the doors show it, and whether it was known already."""

    document: dict[str, Any]
    unchanged: bool


def add_signature(
    store: Store, keys: Keys, network: Callable[[], Network], raw: bytes, now: Callable[[], datetime]
) -> Added:
    """Take one signature object, committed before this returns; a resend of a known one asks no chain.

    Raises
    ------
    SignatureRefused, UnknownRecord, SignatureNotTaken, ChainError
        It is not taken, and nothing is written.
    """
    signed = signatures.read(raw, keys.origin)
    with store.read() as connection:
        known, chain = signatures.find(connection, signed.digest()), anchor_book.live_chain(connection)
        if known is None:
            reader.record(connection, signed.record)
        else:
            return Added(confirmation.shown(connection, known), True)
    said = signatures.ask(network(), chain, signed, now())
    with store.write() as connection:
        before = signatures.find(connection, signed.digest())
        live = anchor_book.live_chain(connection)
        taken = signatures.take(connection, signed, said, now(), live=live)
        return Added(confirmation.shown(connection, taken), before is not None)


def confirmations_of(connection: Connection, answer: Mapping[str, Any]) -> dict[str, str]:
    """Return who has signed the handoffs that a trace's walks rest on, by record hash.

    It is what is known now, and no part of the trace document: a signature may come later.
    """
    walks = [member[name] for member in answer["members"] for name in ("walk", "earliest_walk")]
    steps = [step for walk in walks for step in walk]
    steps += [step for link in answer.get("links", ()) for step in link["facts"]]
    return confirmations_among(connection, (one for step in steps for one in step["record_hashes"] if one))


def confirmations_among(connection: Connection, hashes: Iterable[str]) -> dict[str, str]:
    """Return who has signed those of the records that are handoffs, or that anybody has signed."""
    return {
        one["record_hash"]: one["confirmation"]
        for one in confirmation.brief(connection, {bytes.fromhex(digest) for digest in hashes})
        if one["is_handoff"] or one["confirmation"] != "unsigned"
    }


def told(console: Console, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a person reads of a record's confirmation."""
    yield confirmation_line(console, document["confirmation"])
    yield from map(line_of, document["signatures"])


def confirmation_line(console: Console, confirmed: str) -> str:
    """Return in a sentence who has signed."""
    match confirmed:
        case "both":
            return console.text("confirmed: consignor and consignee have signed")
        case "consignor":
            return console.text("unconfirmed: the consignor alone has signed")
        case "consignee":
            return console.text("unconfirmed: the consignee alone has signed")
        case _:
            return console.text("unconfirmed: nobody has signed")


def line_of(one: Mapping[str, Any]) -> str:
    """Return one signature in a line."""
    return f"{one['record_hash'][:16]}…  {one['role']:<9} {one['state']:<8} {one['party'] or one['party_id']}"
