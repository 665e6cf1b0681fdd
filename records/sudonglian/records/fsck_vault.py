"""The check of the vault's keys: which key-encryption key writes, which are needed, and that a destroyed one is gone.

docs/decisions/0505; docs/privacy.md (rotation).
"""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from sudonglian.records import derive, kek_rotation, retention
from sudonglian.records.fsck_log import Log
from sudonglian.records.fsck_report import Report
from sudonglian.records.keys import Keys

GRACE: Final = 2 * retention.EVERY
"""The daily run may not have been yet."""


def check(report: Report, connection: Connection, keys: Keys, log: Log) -> None:
    """Check the keys and what they wrap; that each of them opens is checked with the persons."""
    with report.watch("keks"):
        found = kek_rotation.listed(connection, keys)
        report.count("keks", len(found))
        writing = [one.id for one in found if one.writes]
        if len(writing) != 1:
            report.add("kek", "keks", f"{len(writing)} keys write, must be one")
        for one in found:
            place = f"keks/{one.id}"
            if one.writes and not one.is_here:
                report.add("other-key", keys.keks.place, f"has no key-encryption key {one.id}, which writes")
            if one.destroyed_us is not None and (one.is_here or one.persons or one.writes):
                report.add("kek-left", place, "is said to be destroyed, and is still here or in use")
            report.time(place, one.since_us, after_us=log.created_us)
            if one.retired_us is not None:
                report.time(place, one.retired_us, after_us=one.since_us)
        for gone in sorted(kek_rotation.used(connection) - {one.id for one in found}):
            report.add("kek-unknown", "persons", f"somebody is under a key-encryption key {gone!r} that never wrote")
    with report.watch("retention"):
        retention.last_run_us(connection)
        now = datetime.now(UTC)
        over = retention.dry(connection, now - GRACE)
        if left := over.due - over.held:
            since = derive.moment(over.oldest_us or 0).isoformat(timespec="seconds")
            # No fault: a backup is checked like this too, and time goes on for it.
            report.note("retention", "persons", f"{left} persons are kept beyond their time, the first since {since}")
