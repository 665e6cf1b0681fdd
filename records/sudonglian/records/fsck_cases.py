"""The check of cases and reveals: every row remade from what the private tree says, every look accounted for.

docs/spec/access-log.md. The private tree itself is `fsck_log`'s; what a run lists is held against its trace's document.
"""

from typing import Any, Final

from sqlalchemy import Connection, select

from sudonglian.chain import canonical
from sudonglian.records.case_state import Case, Happened
from sudonglian.records.fsck_log import Log
from sudonglian.records.fsck_report import Report
from sudonglian.records.reveals import access_entry, look_entry
from sudonglian.records.tables import (
    CASE_EVENTS,
    CASE_MEMBERS,
    CASE_RUNS,
    CASE_SEEDS,
    CASES,
    REVEALS,
    TASKS,
    TRACES,
)

TABLES: Final = (CASES, CASE_EVENTS, CASE_SEEDS, CASE_RUNS, CASE_MEMBERS, REVEALS, TASKS)


def check(report: Report, connection: Connection, log: Log) -> None:
    """Remake every case and compare its rows; hold reveals against the entries about persons."""
    made: dict[int, Case] = {}
    for index, said in enumerate(log.private):
        if isinstance(said, dict) and said.get("k") == "case":
            with report.watch(f"private_entries/{index}"):
                number = int(said["case"])
                made.setdefault(number, Case(number)).apply(Happened(index, said))
    for table in TABLES:
        with report.watch(table.name):
            keys = len(table.primary_key.columns)
            held = {tuple(row)[:keys]: tuple(row)[keys:] for row in connection.execute(select(table))}
            due: dict[tuple[Any, ...], tuple[Any, ...]] = {}
            for case in made.values():
                due |= case.rows()[table]
            report.rows("case", table.name, held, due)
    with report.watch("reveals"):
        _accesses(report, log, made)
    with report.watch("case_runs"):
        _runs(report, connection, made)


def _accesses(report: Report, log: Log, made: dict[int, Case]) -> None:
    due: dict[int, dict[str, Any]] = {}
    for case in made.values():
        for reveal in case.reveals.values():
            if reveal.entries_from is not None:
                told = (access_entry(case, reveal, person) for person in reveal.persons)
                due |= dict(enumerate(told, reveal.entries_from))
        for look in case.tasks.looks:
            reveal = case.reveals[look.reveal]
            if not reveal.for_tasks or look.person not in reveal.persons or reveal.decided_by in (None, look.by):
                report.add("access-beyond-reveal", f"tasks/{look.task}", "nobody approved that its worker looks")
            due[look.entry] = look_entry(case, reveal, look.person, look.by, look.at_us)
    held = {
        index: said for index, said in enumerate(log.private) if isinstance(said, dict) and said.get("k") == "access"
    }
    report.count("accesses", len(held))
    for index in held.keys() | due.keys():
        place = f"private_entries/{index}"
        if index not in held:
            report.add("access-missing", place, "a reveal was released, and this is no entry about its person")
        elif index not in due:
            report.add("access-without-reveal", place, "no released reveal accounts for this entry")
        elif held[index] != due[index]:
            report.add("access", place, "says another thing than the reveal that was released")


# tenants: recomputes everything
def _runs(report: Report, connection: Connection, made: dict[int, Case]) -> None:
    """Compare whom a run lists with its trace's document."""
    for case in made.values():
        for event in case.events:
            if event.said["do"] != "run":
                continue
            place = f"case_runs/{case.number}/{event.said['trace']}"
            row = connection.execute(select(TRACES).where(TRACES.c.id == event.said["trace"])).one_or_none()
            if row is None or row.document is None:
                report.add("case-run", place, "there is no such answer")
                continue
            report.same("case-run", place, canonical.parse_stored(row.purpose.encode()), {"case": str(case.number)})
            report.same("case-run", place, row.log_size, event.said["log_size"])
            document: Any = canonical.parse_stored(bytes(row.document))
            members = document["members"] if isinstance(document, dict) else []
            due = sorted([int(one["id"]), one["tier"]] for one in members if one["kind"] == "person")
            report.same("case-run", place, [list(one[:2]) for one in event.said["persons"]], due)
