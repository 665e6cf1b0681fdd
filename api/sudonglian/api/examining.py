"""What somebody means by an id, and the way to repeat what was checked of it: the same for command, API and page.

service.md (Pages, auditor); docs/verifier.md.
"""

import re
import shlex
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection

from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import identifier_of
from sudonglian.records import anchor_book, examining, log
from sudonglian.records.errors import UnknownRecord
from sudonglian.records.examining import Examined, MayRead
from sudonglian.records.keys import Keys

HASH: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
ADDRESS: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")
SIZE: Final = re.compile(r"[0-9]{1,15}")
ACCESS: Final = re.compile(r"access:([0-9]{1,15})")

NOTICE: Final = "This server judged its own log by its own trust. Whoever must not trust it repeats the steps offline."


def examine(
    connection: Connection, keys: Keys, text: str, may_read: MayRead, *, access_log: bool = False
) -> list[Examined]:
    """Return all that an id names: a hash of any kind, a checkpoint's size, a contract, an item or lot, `access:NUMBER`.

    Raises
    ------
    UnknownRecord, NotInLog
        Nothing here has this hash, size or number.
    UsageRefused
        It is no id of any kind, or one of the access log, and whoever asks may not read that.
    """
    text = text.strip()
    if found := HASH.fullmatch(text):
        digest = bytes.fromhex(found[1])
        if not (named := examining.by_hash(connection, keys, digest, may_read)):
            kinds = "record, root of a checkpoint, transaction or block of an anchor"
            raise UnknownRecord(f"nothing here has this hash: no {kinds}", place=digest.hex())
        return named
    if found := ADDRESS.fullmatch(text):
        return [examining.contract(connection, keys, bytes.fromhex(found[1]))]
    if SIZE.fullmatch(text):
        return [examining.checkpoint(connection, keys, log.checkpoint_covering(connection, int(text) - 1))]
    if found := ACCESS.fullmatch(text):
        if not access_log:
            zh = "访问日志的条目只有获准读取访问日志的人可以查看"
            raise UsageRefused("entries of the access log are for who may read that log", place="id", zh=zh)
        return [examining.access_entry(connection, keys, int(found[1]))]
    return [examining.lot(connection, keys, identifier_of(text, "id"), may_read)]


def repeated(one: Examined, server: str) -> list[str]:
    """Return the commands that repeat on another machine what was checked; they need the auditor's own trust file."""
    name = quote(one.id, safe="")
    fetch = {
        "record": f"/records/{name}/bundle",
        "lot": f"/lots/{name}/bundle",
        "access": f"/access/entries/{name.rpartition('%3A')[2]}/proof",
    }.get(one.kind)
    if fetch is not None:
        key = '-H "Authorization: Bearer $KEY" '
        return [
            f"curl -sSf {key}-o proof.json {shlex.quote(server + fetch)}",
            "sudonglian-verify proof.json --trust trust.json",
        ]
    lines = [f"sudonglian monitor {shlex.quote(server)} --once"]
    if one.kind == "consistency":
        older, _, newer = one.id.partition("-")
        return [f"curl -sSf {shlex.quote(f'{server}/log/proof/consistency?from={older}&to={newer}')}", *lines]
    return [f"curl -sSf {server}/log/checkpoints/{one.facts['size']}", *lines]


def told(one: Examined, server: str) -> dict[str, Any]:
    """Return the answer as JSON."""
    return {
        "kind": one.kind,
        "id": one.id,
        "facts": one.facts,
        **asdict(one.verdict),
        "records": list(one.records),
        "commands": repeated(one, server),
    }


def about_log(connection: Connection, keys: Keys) -> dict[str, Any]:
    """Return what a whole log is known by: its key, its contracts, its newest checkpoint and final anchor."""
    newest = log.latest(connection)
    return {
        "key": str(keys.log.verifier_key),
        "size": 0 if newest is None else newest.size,
        "root": None if newest is None else newest.root.hex(),
        "final": anchor_book.final_size(connection),
        "contracts": [
            {
                "chain_id": one.chain_id,
                "genesis": one.genesis.hex(),
                "contract": one.contract.hex(),
                "code_hash": one.code_hash.hex(),
                "deploy_block": one.deploy_block,
            }
            for one in anchor_book.chains(connection)
        ],
    }


def checkpoints(connection: Connection, below: int | None, limit: int) -> list[dict[str, Any]]:
    """Return checkpoints, newest first, each with the first final anchor that covers it."""
    finals = sorted(anchor_book.proven(connection), key=lambda one: one[1].size)
    listed = []
    for one in log.checkpoints(connection, below, limit):
        first = next((final for _, final in finals if final.size >= one.size), None)
        listed.append(
            {
                "size": one.size,
                "root": one.root.hex(),
                "sealed_us": one.sealed_us,
                "anchor_size": None if first is None else first.size,
                "block": None if first is None else first.block_number,
                "transaction": None if first is None or first.tx_hash is None else first.tx_hash.hex(),
            }
        )
    return listed


def sizes(older: str, newer: str) -> tuple[int, int] | None:
    """Return the two sizes whose consistency is asked about, or None if none is.

    Raises
    ------
    UsageRefused
        Only one is given, or one is no number.
    """
    if not older and not newer:
        return None
    if not SIZE.fullmatch(older) or not SIZE.fullmatch(newer):
        raise UsageRefused("two sizes of the log are needed, as numbers", place="from", zh="需要两个日志大小(数字)")
    return int(older), int(newer)
