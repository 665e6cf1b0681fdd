"""The files of a backup: what is in its manifest, how each is written so that it is there whole or not at all.

docs/anchoring.md (backups).
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy.engine import make_url

from sudonglian.chain.errors import SudonglianError
from sudonglian.records.deployment import HEAD
from sudonglian.records.keys import ADMIN_FILE, ANCHOR_FILE, NEXT_ANCHOR_FILE
from sudonglian.records.keys import FILES as KEY_FILES

VERSION: Final = "sudonglian/backup/1"
MANIFEST: Final = "manifest.json"
CHAIN_FILE: Final = "chain.db"
SQLITE_FILE: Final = "log.db"
DUMP_FILE: Final = "log.dump"
KEYS: Final = "keys"

MAX_MANIFEST_BYTES: Final = 1 << 20
"""A dozen file names."""

CHUNK: Final = 1 << 20

FILE_MODE: Final = 0o600

CLIENT_PROGRAMS: Final = Path("/usr/lib/postgresql")
"""Where Debian puts what it does not put on the path."""


class BackupError(SudonglianError):
    """A backup cannot be made or taken back."""

    slug: ClassVar[str] = "backup"


class BackupDamaged(BackupError):
    """A file of the backup is not the one that was written."""

    slug = "backup-damaged"


class BackupIncomplete(BackupError):
    """The backup was never finished, or a file of it is gone."""

    slug = "backup-incomplete"


class BackupStale(BackupError):
    """What the backup would replace, or its chain, knows more than the backup, or something else."""

    slug = "backup-stale"


class TargetNotEmpty(BackupError):
    """There is a deployment where the backup should go."""

    slug = "backup-target"


class BackupKeys(BackupError):
    """The keys are missing, or those of another log."""

    slug = "backup-keys"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    files: Mapping[str, str]
    """SHA-256 by file name."""
    database: str
    """sqlite or postgresql."""
    origin: str
    verifier_key: str
    size: int
    root: str | None
    chain: Mapping[str, Any] | None
    """Identity, contract and size on the chain, as they were."""

    def as_json(self) -> dict[str, Any]:
        """Return the manifest's object."""
        return {
            "v": VERSION,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "schema": HEAD,
            "database": self.database,
            "files": dict(sorted(self.files.items())),
            "log": {"origin": self.origin, "key": self.verifier_key, "size": self.size, "root": self.root},
            "chain": None if self.chain is None else dict(self.chain),
        }


def read_manifest(folder: Path) -> Manifest:
    """Return a backup's manifest after checking every file against it.

    Raises
    ------
    BackupIncomplete, BackupDamaged
        Which file is missing, altered or unaccounted for.
    """
    place = folder / MANIFEST
    try:
        raw = place.read_bytes()[: MAX_MANIFEST_BYTES + 1]
    except OSError as error:
        raise BackupIncomplete(f"cannot be read: {error.strerror}", place=str(place)) from error
    try:
        value = json.loads(raw)
        if value["v"] != VERSION or value["schema"] > HEAD:
            raise BackupError(f"of version {value['v']}, schema {value['schema']}: too new", place=str(place))
        held, chain = value["log"], value["chain"]
        manifest = Manifest(
            files={str(name): str(digest) for name, digest in value["files"].items()},
            database=str(value["database"]),
            origin=str(held["origin"]),
            verifier_key=str(held["key"]),
            size=int(held["size"]),
            root=None if held["root"] is None else str(held["root"]),
            chain=None if chain is None else {**chain, "size": int(chain["size"])},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BackupDamaged("the manifest cannot be read", place=str(place)) from error
    keys = (*KEY_FILES, ANCHOR_FILE, ADMIN_FILE, NEXT_ANCHOR_FILE)
    allowed = {CHAIN_FILE, SQLITE_FILE, DUMP_FILE, *(f"{KEYS}/{name}" for name in keys)}
    due = SQLITE_FILE if manifest.database == "sqlite" else DUMP_FILE
    if not manifest.files.keys() <= allowed or due not in manifest.files:
        raise BackupDamaged("the manifest names other files than a backup has", place=str(place))
    for name, digest in manifest.files.items():
        if not (folder / name).is_file():
            raise BackupIncomplete("the file is missing", place=str(folder / name))
        if sum_of(folder / name) != digest:
            raise BackupDamaged("the file is not the one that was backed up", place=str(folder / name))
    return manifest


@contextmanager
def in_place(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` that becomes it if all goes well."""
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise TargetNotEmpty("there is something already; name a new or empty folder", place=str(out))
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise BackupError(f"cannot be written: {error.strerror}", place=str(out)) from error
    try:
        yield draft
        os.replace(draft, out)
        sync(out.parent)
    except OSError as error:
        raise BackupError(f"cannot be written: {error.strerror}", place=str(out)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def replace(source: Path, target: Path) -> None:
    """Put a copy of a file in the place of another, at once."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.restoring")
        copy(source, draft)
        for tail in ("-wal", "-shm"):
            # What stands beside a database belongs to the one that is replaced.
            target.with_name(target.name + tail).unlink(missing_ok=True)
        os.replace(draft, target)
        sync(target.parent)
    except OSError as error:
        raise BackupError(f"cannot be written: {error.strerror}", place=str(target)) from error


def copy(source: Path, target: Path) -> None:
    """Copy a file for its owner alone."""
    try:
        shutil.copyfile(source, target)
        target.chmod(FILE_MODE)
        sync(target)
    except OSError as error:
        raise BackupError(f"cannot be copied: {error.strerror}", place=str(source)) from error


def write(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(data)
    sync(draft)
    os.replace(draft, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """See a file or folder onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sum_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def postgres(program: str, database_url: str | None, arguments: list[str]) -> str:
    """Run one of PostgreSQL's client programs and return what it printed."""
    found = shutil.which(program) or next(
        (str(path) for path in sorted(CLIENT_PROGRAMS.glob(f"*/bin/{program}"), reverse=True)), None
    )
    if found is None:
        raise BackupError("not installed; it belongs to PostgreSQL's client programs", place=program)
    where: list[str] = []
    environment = {"PATH": os.defpath}
    if database_url is not None:
        url = make_url(database_url)
        options = {"-h": url.host, "-p": url.port, "-U": url.username, "-d": url.database}
        where = [part for name, value in options.items() if value is not None for part in (name, str(value))]
        # By the environment: arguments are shown to every user of the machine.
        environment |= {"PGPASSWORD": str(url.password)} if url.password else {}
    try:
        done = subprocess.run([found, *where, *arguments], capture_output=True, check=False, env=environment)
    except OSError as error:
        raise BackupError(f"cannot be run: {error.strerror}", place=program) from error
    if done.returncode:
        raise BackupError(f"failed: {done.stderr.decode(errors='replace').strip()[-500:]}", place=program)
    return done.stdout.decode(errors="replace")
