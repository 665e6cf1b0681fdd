"""Restore: a backup is rehearsed and held against what it would replace before a byte is changed.

docs/anchoring.md (backups); docs/decisions/0603.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import inspect, select, text
from sqlalchemy.engine import make_url

from sudonglian.chain import anchor_contract
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Network
from sudonglian.records import kek_rotation, log
from sudonglian.records.backup_files import (
    CHAIN_FILE,
    DUMP_FILE,
    KEYS,
    MANIFEST,
    SQLITE_FILE,
    BackupDamaged,
    BackupError,
    BackupKeys,
    BackupStale,
    Manifest,
    TargetNotEmpty,
    copy,
    postgres,
    read_manifest,
    replace,
)
from sudonglian.records.fsck import fsck
from sudonglian.records.keks import Keks
from sudonglian.records.keys import ADMIN_FILE, ANCHOR_FILE, NEXT_ANCHOR_FILE, Keys
from sudonglian.records.keys import FILES as KEY_FILES
from sudonglian.records.store import Store
from sudonglian.records.tables import ACCOUNTS, CHECKPOINTS, KEKS, PERSONS, WEBHOOKS

MAX_SUCCESSORS: Final = 64
"""A contract is left when a key is stolen; two that name each other would be followed for ever."""

_COPIED_CHECKPOINT: Final = re.compile(r"^(\d+)\t\\\\x([0-9a-f]{64})\t", re.MULTILINE)
"""A row of `checkpoints` as pg_restore writes it: size, root, and what else there is."""

_COPIED_ROWS: Final = re.compile(
    r"^COPY [^(]*\((?P<names>[^)]*)\) FROM stdin;\n(?P<rows>.*?)^\\\.$", re.MULTILINE | re.DOTALL
)

NULL: Final = "\\N"
"""In those rows."""


def restore(
    folder: Path,
    database_url: str,
    keys_folder: Path,
    chain_file: Path | None,
    network: Network | None = None,
    *,
    force: bool = False,
    keks: Keks | Path | None = None,
    without_people: bool = False,
) -> dict[str, Any]:
    """Put a backup in place and return its manifest; everything in it has been checked then.

    Parameters
    ----------
    folder
        The backup.
    database_url, keys_folder, chain_file
        Where to put it. Keys that stand in `keys_folder` stay; without any, the backup must have them. `chain_file`
        is where an embedded chain goes, None if the deployment anchors on another network. A chain that stands there
        and is this log's own, no older than the backup's, stays.
    network
        That other network, to see that it does not know a longer log.
    force
        Replace an older state of the same log. A longer or another log is never replaced.
    keks
        Who holds the key-encryption keys, if it is not `kek.key` of `keys_folder`.
    without_people
        Erase everybody in it whose key-encryption key is no more, each with a receipt: nobody can read their data.

    Raises
    ------
    BackupError
        By name why not. Nothing is changed then.
    """
    manifest = read_manifest(folder)
    keys = _keys(folder, manifest, keys_folder, keks)
    url = make_url(database_url)
    if url.get_backend_name() != manifest.database:
        raise BackupError(f"the backup is of {manifest.database}, the target is {url.get_backend_name()}")
    is_sqlite = manifest.database == "sqlite"
    roots = _rehearse(folder, keys, without_people=without_people) if is_sqlite else _listed_roots(folder)
    if not is_sqlite:
        _need_keks(_listed_keks(folder), keys, without_people=without_people)
    if (roots.get(manifest.size, b"").hex() or None) != manifest.root:
        raise BackupDamaged("the log does not have the root that the manifest says", place=str(folder / MANIFEST))
    _compare_database(manifest, database_url, roots, force=force)
    if network is not None:
        _knows(network, manifest, roots)
    put_chain = _puts_chain(manifest, chain_file, roots, force=force)
    _put_keys(folder, manifest, keys_folder)
    # The chain first here too: a crash between leaves a chain without a log, not a log behind its chain's back.
    if put_chain and chain_file is not None:
        replace(folder / CHAIN_FILE, chain_file)
    if is_sqlite:
        replace(folder / SQLITE_FILE, Path(url.database or ""))
    else:
        _restore_postgres(folder, database_url)
    with closing(Store(database_url)) as store:
        _forget_unreadable(store, keys)
        if not is_sqlite:
            _check(store, keys, str(folder / DUMP_FILE))
    done: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    return done


def _keys(folder: Path, manifest: Manifest, keys_folder: Path, keks: Keks | Path | None) -> Keys:
    has_own = any((keys_folder / name).exists() for name in KEY_FILES)
    place = keys_folder if has_own else folder / KEYS
    if not has_own and f"{KEYS}/{KEY_FILES[0]}" not in manifest.files:
        raise BackupKeys("no keys, neither here nor in the backup: put them back first", place=str(keys_folder))
    keys = Keys.open(place, keks=keks)
    if keys.log.vkey != manifest.verifier_key:
        raise BackupKeys(f"the keys are of {keys.log.vkey}, the backup of {manifest.verifier_key}", place=str(place))
    return keys


def _rehearse(folder: Path, keys: Keys, *, without_people: bool) -> Mapping[int, bytes]:
    """Check a copy of the database, and return the root of every checkpoint."""
    with tempfile.TemporaryDirectory(prefix="sudonglian-restore-") as scratch:
        copied = Path(scratch) / SQLITE_FILE
        shutil.copyfile(folder / SQLITE_FILE, copied)
        with closing(Store(f"sqlite:///{copied}")) as store:
            with store.read() as connection:
                used = kek_rotation.used(connection)
            _need_keks(used, keys, without_people=without_people)
            _forget_unreadable(store, keys)
            _check(store, keys, str(folder / SQLITE_FILE))
            with store.read() as connection:
                query = select(CHECKPOINTS.c.size, CHECKPOINTS.c.root)
                return {size: bytes(root) for size, root in connection.execute(query)}


def _check(store: Store, keys: Keys, place: str) -> None:
    report = fsck(store, keys, None)
    if not report["ok"]:
        first = report["faults"][0]
        said = f"{first['code']} {first['place']} {first['detail']}"
        raise BackupDamaged(f"{len(report['faults'])} faults, the first: {said}", place=place)


def _need_keks(used: Collection[str], keys: Keys, *, without_people: bool) -> None:
    if not without_people and (gone := set(used) - set(keys.keks.ids())):
        raise BackupKeys(
            f"people in it are under the key-encryption key {', '.join(sorted(gone))}, which is not here: put it back, "
            "or, if it was destroyed, restore without their data (--without-people)",
            place=keys.keks.place,
        )


def _forget_unreadable(store: Store, keys: Keys) -> None:
    with store.write() as connection:
        forgotten = kek_rotation.forget_unreadable(connection, keys, datetime.now(UTC))
    if forgotten:
        store.forget_deleted()


def _listed_keks(folder: Path) -> set[str]:
    """Return the key-encryption keys that a dump's people, second factors and webhooks are under, and the one that wrote."""
    found = {row["kek"] for row in _listed(folder, PERSONS.name)}
    found |= {row["totp_kek"] for row in _listed(folder, ACCOUNTS.name)} - {NULL}
    found |= {row["secret_kek"] for row in _listed(folder, WEBHOOKS.name)} - {NULL}
    return found | {row["id"] for row in _listed(folder, KEKS.name) if row["retired_us"] == NULL}


def _listed(folder: Path, table: str) -> list[dict[str, str]]:
    written = postgres("pg_restore", None, ["-a", "-t", table, "-f", "-", str(folder / DUMP_FILE)])
    rows: list[dict[str, str]] = []
    if found := _COPIED_ROWS.search(written):
        names = [one.strip() for one in found["names"].split(",")]
        rows = [dict(zip(names, line.split("\t"), strict=True)) for line in found["rows"].splitlines()]
    return rows


def _listed_roots(folder: Path) -> Mapping[int, bytes]:
    written = postgres("pg_restore", None, ["-a", "-t", CHECKPOINTS.name, "-f", "-", str(folder / DUMP_FILE)])
    return {int(size): bytes.fromhex(root) for size, root in _COPIED_CHECKPOINT.findall(written)}


def _compare_database(manifest: Manifest, database_url: str, roots: Mapping[int, bytes], *, force: bool) -> None:
    url = make_url(database_url)
    place = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return
    with closing(Store(database_url)) as store, store.read() as connection:
        tables = inspect(connection).get_table_names()
        if not tables:
            return
        if not {"checkpoints", "meta", "pending"} <= set(tables):
            raise TargetNotEmpty("the database holds other tables", place=place)
        owner = connection.execute(text("SELECT value FROM meta WHERE key = 'verifier_key'")).scalar_one_or_none()
        if owner != manifest.verifier_key:
            raise TargetNotEmpty(f"the database holds the log {owner}", place=place)
        held = log.latest(connection)
        size = held.size if held else 0
        if size > manifest.size:
            raise BackupStale(f"the database's log has {size} entries, the backup's {manifest.size}", place=place)
        if held is not None and roots.get(size) != held.root:
            raise BackupStale(f"at size {size} the two logs differ: neither goes on from the other", place=place)
        if waiting := connection.execute(text("SELECT count(*) FROM pending")).scalar_one():
            raise BackupStale(f"{waiting} entries wait there that the backup may not have", place=place)
        if not force:
            raise TargetNotEmpty(f"the database holds this log up to {size} already", place=place)


def _puts_chain(manifest: Manifest, chain_file: Path | None, roots: Mapping[int, bytes], *, force: bool) -> bool:
    """Return whether the backup's chain is to be put in place."""
    if CHAIN_FILE not in manifest.files:
        return False
    if chain_file is None:
        raise BackupError("the backup has a chain of its own, and no place for it is given")
    if not chain_file.exists():
        return True
    # The chain's library takes half a second to load, which no other command should pay for.
    from sudonglian.chain.embedded import EmbeddedNetwork

    with closing(EmbeddedNetwork(chain_file)) as there:
        if _knows(there, manifest, roots):
            return False
    if not force:
        raise TargetNotEmpty("there is an older chain already", place=str(chain_file))
    return True


def _knows(network: Network, manifest: Manifest, roots: Mapping[int, bytes]) -> bool:
    """Return whether the chain to be used holds all that the backup's held, and nothing that the backup lacks."""
    known = manifest.chain
    if known is None:
        return False
    place = f"0x{known['contract']}"
    identity = network.identity()
    if (identity.chain_id, identity.genesis.hex()) != (known["chain_id"], known["genesis"]):
        raise BackupStale("the chain to be used is not the one that the backup was anchored on", place=place)
    contract = bytes.fromhex(known["contract"])
    if keccak256(network.code(contract)).hex() != known["code_hash"]:
        return False
    for _ in range(MAX_SUCCESSORS):
        # What a contract that was left holds beyond its successor's start may be a thief's.
        successor = anchor_contract.successor(network, contract)
        if successor is None or keccak256(network.code(successor)).hex() != known["code_hash"]:
            break
        contract, place = successor, f"0x{successor.hex()}"
    size, root = anchor_contract.latest(network, contract)
    if size > manifest.size:
        raise BackupStale(f"the contract's log has {size} entries, the backup's {manifest.size}", place=place)
    if size and roots.get(size) != root:
        raise BackupStale(f"the contract holds a root of size {size} that the backup's log never had", place=place)
    # A chain on which the log has gone on in a successor is newer, however small the size at which that began.
    return contract.hex() != known["contract"] or size >= int(known["size"])


def _put_keys(folder: Path, manifest: Manifest, keys_folder: Path) -> None:
    has_own = any((keys_folder / name).exists() for name in KEY_FILES)
    of_the_chain = (ANCHOR_FILE, ADMIN_FILE, NEXT_ANCHOR_FILE)
    wanted = of_the_chain if has_own else (*KEY_FILES, *of_the_chain)
    names = [name for name in wanted if f"{KEYS}/{name}" in manifest.files and not (keys_folder / name).exists()]
    if not names:
        return
    try:
        keys_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BackupError(f"cannot be made: {error.strerror}", place=str(keys_folder)) from error
    for name in names:
        copy(folder / KEYS / name, keys_folder / name)


def _restore_postgres(folder: Path, database_url: str) -> None:
    how = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"]
    postgres("pg_restore", database_url, [*how, str(folder / DUMP_FILE)])
