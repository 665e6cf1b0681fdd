"""Backup and restore: chain before database, sums of every file, and by name why a backup is not taken or taken back.

docs/anchoring.md (backups); docs/decisions/0603. A backup without the keys is the usual one: kept together with the
key-encryption key it would keep readable whoever is erased later.
"""

import json
import shutil
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from sqlalchemy import text

from sudonglian.chain import anchor_contract
from sudonglian.chain.network import Network
from sudonglian.records import anchor_book, log
from sudonglian.records.anchor_chain import Standing, standing
from sudonglian.records.backup_files import (
    CHAIN_FILE,
    DUMP_FILE,
    KEYS,
    MANIFEST,
    SQLITE_FILE,
    BackupError,
    Manifest,
    copy,
    in_place,
    postgres,
    sum_of,
    sync,
    write,
)
from sudonglian.records.backup_restore import restore
from sudonglian.records.keys import ADMIN_FILE, ANCHOR_FILE, KEK_FILE, NEXT_ANCHOR_FILE, Keys
from sudonglian.records.keys import FILES as KEY_FILES
from sudonglian.records.log import Checkpoint
from sudonglian.records.store import Store, StoreError

__all__ = ["backup", "restore"]

WAIT_S: Final = 30
"""How long a backup waits for a step of anchoring to end, which takes as long as a node does to answer."""


@runtime_checkable
class InOneFile(Protocol):
    """A network that is a file: the embedded chain."""

    def copy_to(self, path: Path) -> None:
        """Copy the chain while it is in use."""
        ...


def backup(
    store: Store, keys: Keys, network: Network | None, out: Path, *, keys_folder: Path | None = None
) -> dict[str, Any]:
    """Write a backup into the new folder `out` while others go on working, and return its manifest.

    Parameters
    ----------
    store, keys
        What is backed up.
    network
        The chain; an embedded one is copied, of any other only what it says is written down.
    out
        A folder that does not exist yet, or is empty.
    keys_folder
        Where the keys are, if they are to be in the backup: whoever holds it can then read all people's data, those
        erased later included.

    Raises
    ------
    BackupError
        The folder is in use or cannot be written, anchoring does not pause, or `pg_dump` is not there.
    """
    with in_place(out) as draft, anchor_book.anchorer(store, wait_s=WAIT_S) as free:
        # While the anchorer rests, chain and database say the same; captures and seals go on.
        if not free:
            raise BackupError(f"a step of anchoring does not end within {WAIT_S} s")
        files = []
        if isinstance(network, InOneFile):
            network.copy_to(draft / CHAIN_FILE)
            files.append(CHAIN_FILE)
        said = _chain(store, network)
        newest = _dump_sqlite(store, draft) if store.is_sqlite else _dump_postgres(store, draft)
        files.append(SQLITE_FILE if store.is_sqlite else DUMP_FILE)
        if keys_folder is not None:
            (draft / KEYS).mkdir(mode=0o700)
            # Without the keys that the contract knows, a restored log could not be anchored any more.
            known = [name for name in (ANCHOR_FILE, ADMIN_FILE, NEXT_ANCHOR_FILE) if (keys_folder / name).exists()]
            # Key-encryption keys that are kept elsewhere are not ours to copy.
            own = [name for name in KEY_FILES if name != KEK_FILE or (keys_folder / name).exists()]
            for name in (*own, *known):
                copy(keys_folder / name, draft / KEYS / name)
                files.append(f"{KEYS}/{name}")
        manifest = Manifest(
            files={name: sum_of(draft / name) for name in files},
            database=store.url.get_backend_name(),
            origin=keys.origin,
            verifier_key=keys.log.vkey,
            size=newest.size if newest else 0,
            root=newest.root.hex() if newest else None,
            chain=said,
        ).as_json()
        # Last of all, and by its name only when it is whole: a folder without it is no backup.
        write(draft / MANIFEST, json.dumps(manifest, indent=1).encode() + b"\n")
    return manifest


def _chain(store: Store, network: Network | None) -> dict[str, Any] | None:
    with store.read() as connection:
        chain = anchor_book.live_chain(connection)
    if chain is None:
        return None
    size = 0
    if network is not None and standing(network, chain) is Standing.SAME:
        size, _root = anchor_contract.latest(network, chain.contract)
    return {
        "chain_id": chain.chain_id,
        "genesis": chain.genesis.hex(),
        "contract": chain.contract.hex(),
        "code_hash": chain.code_hash.hex(),
        "size": size,
    }


def _dump_sqlite(store: Store, draft: Path) -> Checkpoint | None:
    """Write one state of the database, compact, while others write; return its newest checkpoint."""
    # Beneath the store, which begins a transaction with every connection: VACUUM bears none around it.
    with closing(store.engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
        try:
            cursor.execute("PRAGMA query_only = 0")  # the file that it writes is another one
            cursor.execute("VACUUM INTO ?", (str(draft / SQLITE_FILE),))
        except store.engine.dialect.loaded_dbapi.Error as error:
            raise StoreError(str(error), place=str(draft)) from error
    sync(draft / SQLITE_FILE)
    with tempfile.TemporaryDirectory(prefix="sudonglian-backup-") as scratch:
        # Read from a copy: opening it would leave a write-ahead log beside the backup's own.
        shutil.copyfile(draft / SQLITE_FILE, Path(scratch) / SQLITE_FILE)
        with closing(Store(f"sqlite:///{Path(scratch) / SQLITE_FILE}")) as there, there.read() as connection:
            return log.latest(connection)


def _dump_postgres(store: Store, draft: Path) -> Checkpoint | None:
    with store.read() as connection:
        # The dump sees exactly the state that this connection sees.
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        url = store.url.render_as_string(hide_password=False)
        postgres("pg_dump", url, ["-Fc", f"--snapshot={snapshot}", "-f", str(draft / DUMP_FILE)])
        sync(draft / DUMP_FILE)
        return log.latest(connection)
