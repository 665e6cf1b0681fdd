"""Goods and places of a case: tasks about them in the order of their risk, and the record that says what was done.

docs/cases.md; docs/spec/facts.md §11 and §12 (disinfections and samples as facts); docs/decisions/0822.
"""

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.records import announcing, cases, holders, intake, outbox, tasks, traces
from sudonglian.records.case_state import Case
from sudonglian.records.cases import Act
from sudonglian.records.keys import Keys
from sudonglian.records.task_state import RECORDED, Task
from sudonglian.records.tasks import TaskRefused, Wanted
from sudonglian.trace.casework.case_list import safe
from sudonglian.trace.casework.clock import ALL_REACHED
from sudonglian.trace.casework.seeding import kind_of

CONTEXT: Final = ("https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"})

STEPS: Final = {"disinfect": "urn:sudonglian:bizstep:disinfecting", "test": "inspecting"}
"""Tasks whose outcome is a record, and the step that it says."""

LIST_DOMAIN: Final = b"sudonglian/stock-list/v1\x00"

TOLD: Final = ("kind", "subject", "place", "tier")
"""What a firm is told of its exposed stock."""


def exposed(connection: Connection, case: Case) -> list[dict[str, Any]]:
    """Return the goods and places that a case's runs list, each once, in the order of risk: what, where, tier."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for run in sorted(case.runs, reverse=True):
        document: Any = canonical.parse_stored(traces.kept(connection, run).document or b"{}")
        for member in document.get("members", ()):
            if member["kind"] == "person":
                continue
            kind, subject, place = named(member)
            row = {"kind": kind, "subject": subject, "place": place, "tier": member["tier"], "run": run}
            told = {"evidence": member["evidence"], "time": member["time"], "risk_rank": member.get("risk_rank", 0)}
            found.setdefault((kind, subject, place), row | told)
    last = len(found) + 1
    return sorted(found.values(), key=lambda row: (row["risk_rank"] or last, row["kind"], row["subject"], row["place"]))


def make(
    connection: Connection,
    case: Case,
    act: Act,
    *,
    kind: str,
    subjects: Collection[str] = (),
    place: str = "",
    area: str = "",
    advice: str = "",
    due: datetime | None = None,
) -> list[Task]:
    """Make tasks about all goods that the case lists (or at one place), or about some subjects.

    Raises
    ------
    TaskRefused, CaseRefused
        No such kind, or something that the case's runs and seeds do not name.
    """
    listed = [*_seeds(case), *exposed(connection, case)]
    known = {row["subject"] for row in listed}
    if lacking := sorted(set(subjects) - known):
        raise TaskRefused(
            f"neither a seed of case {case.number} nor exposed by its runs: {lacking[0][:80]}", place="subject"
        )
    wanted = [
        Wanted(row["kind"], row["subject"], row["place"], row["tier"], due or act.now + ALL_REACHED, order)
        for order, row in enumerate(listed, 1)
        if (not subjects or row["subject"] in subjects) and place in ("", row["place"], row["subject"])
    ]
    return tasks.make(connection, case, act, kind, wanted, area=area, advice=advice)


def close(
    connection: Connection,
    keys: Keys,
    case: Case,
    act: Act,
    number: int,
    outcome: str,
    *,
    submitter: str,
    note: str = "",
    ct: str = "",
    at: datetime | None = None,
    place: str = "",
) -> Task:
    """Close any task; a disinfection or a sample of goods becomes a record of the authority, in the same transaction.

    Raises
    ------
    TaskOver, TaskRefused, CaseRefused
        It is closed, cannot end so, or its record is refused.
    """
    one = case.tasks.by_number.get(number)
    record = ""
    if one is not None and one.is_open and one.person is None and outcome in RECORDED.get(one.kind, ()):
        when = at or act.now
        raw = json.dumps(document(one, outcome, when, act.now, ct, place)).encode()
        taken = intake.capture(connection, keys, raw, submitter=submitter, now=act.now)
        if not taken.records:
            raise TaskRefused(taken.refused[0].as_json()["message"]["en"], place="task")
        record = taken.records[0].record_hash.hex()
    return tasks.close(connection, case, act, number, outcome, note=note, ct=ct, at=at, record=record)


def document(one: Task, outcome: str, at: datetime, now: datetime, ct: str = "", place: str = "") -> dict[str, Any]:
    """Return the EPCIS document that says what was done about goods or a place.

    Raises
    ------
    TaskRefused
        It is about a lot, and nobody says where.
    """
    where = one.subject if one.subject_kind == "place" else one.place or place
    if one.subject_kind == "lot" and not where:
        raise TaskRefused("a lot is in many places: say at which this was done", place="place")
    time = at.isoformat(timespec="milliseconds")
    event: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventID": f"urn:sudonglian:task:{one.number}",
        "eventTime": time,
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": STEPS[one.kind],
    }
    if one.subject_kind == "lot":
        event["quantityList"] = [{"epcClass": one.subject}]
    else:
        event["epcList"] = [one.subject]  # a place that is named as an item is the place (facts.md §5 and §11)
    if where:
        event |= {"readPoint": {"id": where}, "bizLocation": {"id": where}}
    if one.kind == "disinfect":
        event["sdl:disinfection"] = {"complete": True, "time": time}
    else:
        event["sdl:labTest"] = {"result": outcome, "time": time} | ({"ct": ct} if ct else {})
    return {
        "@context": list(CONTEXT),
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": now.isoformat(timespec="milliseconds"),
        "epcisBody": {"eventList": [event]},
    }


def _seeds(case: Case) -> list[dict[str, Any]]:
    """Return the goods and places that a case began from."""
    return [
        {"kind": one.kind, "subject": one.subject, "place": one.place, "tier": ""}
        for one in case.seeds.values()
        if one.kind != "person"
    ]


def named(member: dict[str, Any]) -> tuple[str, str, str]:
    """Return what a member is as the subject of a task: its kind, identifier, and where a lot is."""
    if member["kind"] == "place":
        return "place", member["id"], ""
    if member.get("lot"):
        where = member.get("portion", "")
        return "lot", member["lot"], where if kind_of(where) == "place" else ""
    return kind_of(member["id"]) if kind_of(member["id"]) in ("lot", "place") else "item", member["id"], ""


def firms(connection: Connection, case: Case) -> dict[str, list[dict[str, Any]]]:
    """Return for each firm the exposed goods of which it has the newest record: what and where, and nobody."""
    own = {
        bytes.fromhex(str(event.said["record"]))
        for known in cases.listed(connection)
        for event in cases.find(connection, known["id"]).events
        if event.said["do"] == "task-closed"
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for row in (*_seeds(case), *exposed(connection, case)):
        if row["kind"] == "place":
            continue
        if (firm := holders.holder(connection, row["subject"], row["place"], own)) is not None:
            found.setdefault(firm, []).append({name: row[name] for name in TOLD})
    return dict(sorted(found.items()))


def tell(connection: Connection, case: Case, act: Act, only: str = "") -> list[dict[str, Any]]:
    """Tell firms what they hold, by their own servers as far as they have some; return whom, of how much, and how many.

    Raises
    ------
    CaseRefused
        No firm, or not this one, holds anything that the case exposes.
    """
    lists = {firm: rows for firm, rows in firms(connection, case).items() if only in ("", firm)}
    if not lists:
        raise cases.CaseRefused("no firm to tell has the newest record of anything exposed", place="firm")
    told: list[Json] = [[firm, len(rows), list_digest(rows)] for firm, rows in lists.items()]
    happened = cases.append(connection, case, act, {"do": "firms-told", "told": told})
    return [
        {
            "firm": firm,
            "listed": len(rows),
            "webhooks": outbox.tell_firm(connection, firm, announcing.stock(rows), happened.at_us),
        }
        for firm, rows in lists.items()
    ]


def list_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the digest by which the private tree knows what a firm was told (docs/spec/access-log.md rule 13)."""
    listed: list[Json] = [dict(row) for row in rows]
    return sha256(LIST_DOMAIN + canonical.encode(listed)).hexdigest()


def encode(found: Mapping[str, Iterable[Mapping[str, Any]]]) -> bytes:
    """Return firms' lists as CSV with a byte order mark, which spreadsheets need to know UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("firm", *TOLD))
    for firm, rows in found.items():
        writer.writerows([safe(one) for one in (firm, *(row[name] for name in TOLD))] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()
