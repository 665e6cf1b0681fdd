"""The check of everything: every digest, tree, proof and derived row recomputed from what it stands on.

docs/spec/{record,entry,seal,checkpoint}.md, docs/anchoring.md; docs/decisions/0602 (what cannot be recomputed).
Nothing here repairs: it says what is wrong, and where.
"""

from typing import Any, Final, Protocol, runtime_checkable

from sqlalchemy import Connection, inspect, text

from sudonglian.chain.network import Network
from sudonglian.records import (
    fsck_anchors,
    fsck_cases,
    fsck_doors,
    fsck_log,
    fsck_records,
    fsck_signatures,
    fsck_vault,
    kept_pieces,
)
from sudonglian.records.deployment import HEAD
from sudonglian.records.fsck_report import Report
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import METADATA

NOT_EVIDENCE: Final = frozenset(
    {"accounts", "api_keys", "jobs", "kept_pieces", "master_data", "sessions", "webhook_messages", "webhooks"}
)
"""Tables from which nothing is proven or traced: who may knock at the doors, what was handed in when, who is told
what, and what can be made again of the records.

Nothing else says what their rows should be: a scope that somebody widened looks like one that was given. `fsck_doors`
finds what this program never writes there."""


@runtime_checkable
class ChecksItself(Protocol):
    """A network that can recompute its own chain: the embedded one."""

    def integrity(self) -> object:
        """Recompute, or raise an error that names the first bad block."""
        ...


def fsck(store: Store, keys: Keys, network: Network | None = None, report: Report | None = None) -> dict[str, Any]:
    """Return `{"ok", "checked": {what: how many}, "faults": [{"code", "place", "detail"}]}`.

    `network` None leaves out what only the chain can say. One state of the database is checked, while others write.
    A caller's own empty `report` lets it see meanwhile how far the check is.
    """
    report = report or Report()
    if isinstance(network, ChecksItself):
        with report.watch("chain"):
            network.integrity()
            report.count("chain")
    # What the chain says is read first: it is then never newer than the state of the log that it is held against.
    said = fsck_anchors.ask(report, store, network)
    with report.watch("database"), store.read() as connection:
        if _database(report, connection):
            log = fsck_log.check(report, connection, keys)
            fsck_vault.check(report, connection, keys, log)
            fsck_records.check(report, connection, keys, log)
            fsck_cases.check(report, connection, log)
            fsck_anchors.check(report, connection, keys, log, network, said)
            fsck_doors.check(report, connection, log)
            _kept(report, connection, keys)
            fsck_signatures.check(report, connection, keys, log, None if said is None else network)
    return report.as_json()


def _database(report: Report, connection: Connection) -> bool:
    """Check the file's structure and the schema; say whether the rows can be read at all."""
    if connection.dialect.name == "sqlite":
        for (line,) in connection.execute(text("PRAGMA integrity_check")):
            if line != "ok":
                report.add("database-damaged", "database", str(line))
        for table, row, *_ in connection.execute(text("PRAGMA foreign_key_check")):
            report.add("database-damaged", f"{table}/{row}", "refers to a row that is not there")
    missing = sorted(set(METADATA.tables) - set(inspect(connection).get_table_names()))
    for name in missing:
        report.add("table-missing", name, "the table is not there")
    if missing:
        return False
    revisions = [str(row[0]) for row in connection.execute(text("SELECT version_num FROM alembic_version"))]
    if revisions != [HEAD]:
        report.add("schema", "alembic_version", f"says {revisions}, this program has {HEAD}")
    return True


def _kept(report: Report, connection: Connection, keys: Keys) -> None:
    """Say which kept pieces are not as they were written; a trace does without them, so that its answer is right."""
    with report.watch("kept_pieces"):
        for place, is_sound in kept_pieces.checked(connection, keys):
            report.count("kept_pieces")
            if not is_sound:
                report.add("kept-piece", place, "is not what was written; traces do without it")
