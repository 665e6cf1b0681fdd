"""The line list of a case, by number: tier, reason, generation and evidence from the trace that listed each person.

docs/cases.md; docs/spec/trace-document.md §3 (what the columns mean). No identity is here: see `disclosing`.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from sqlalchemy import Connection

from sudonglian.chain import canonical
from sudonglian.records import traces
from sudonglian.records.case_state import Case
from sudonglian.trace.casework.clock import iso
from sudonglian.trace.casework.counts import Counts, K, shown
from sudonglian.trace.engine.member import LISTED

CHINA: Final = timezone(timedelta(hours=8))
"""Days are counted as the city counts them."""

BY: Final = ("tier", "place", "day", "status")

COLUMNS: Final = (
    *("person", "tier", "tier_zh", "reason", "generation", "evidence", "time", "place", "risk_rank"),
    *("status", "reached", "run", "origin", "stated", "flags"),
)


def rows(connection: Connection, case: Case) -> list[dict[str, Any]]:
    """Return whom the case lists, the strongest tier first, then whom to call first by risk."""
    told = {run: _persons(connection, run) for run in {one.run for one in case.members.values()}}
    flags = _flags(connection, case)
    found = []
    for person, one in case.members.items():
        said = told[one.run].get(person, {})
        found.append(
            {
                "person": person,
                "tier": one.tier,
                "tier_zh": said.get("tier_zh", ""),
                "reason": said.get("rule", ""),
                "generation": said.get("generation", {"objects": 0, "persons": 0}),
                "evidence": said.get("evidence", ""),
                "time": said.get("time", ""),
                "place": said.get("place", ""),
                "risk_rank": said.get("risk_rank", 0),
                "status": one.status,
                "reached": None if one.reached_us is None else iso(one.reached_us),
                "run": one.run,
                "origin": one.origin,
                "stated": said.get("stated", "no"),
                "flags": flags.get(person, []),
                "rank": one.rank,
            }
        )
    found.sort(key=lambda row: (row["rank"], row["risk_rank"] or len(found) + 1, row["person"]))
    return [{name: row[name] for name in COLUMNS} for row in found]


def counts(rows: Iterable[Mapping[str, Any]], k: int = K) -> dict[str, Counts]:
    """Return how many there are by tier, by place and day of the earliest exposure, and by status; see `counts`."""
    listed = list(rows)
    return {by: shown(Counter(_cell(row, by) for row in listed), k) for by in BY}


def encode(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a line list as CSV with a byte order mark, which spreadsheets need to know UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        generation = row["generation"]
        flags = " ".join(f"{one['code']}:{one['record_hash']}" for one in row["flags"])
        told = {**row, "generation": generation["objects"] + generation["persons"], "flags": flags}
        writer.writerow(["" if told[name] is None else safe(str(told[name])) for name in COLUMNS])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def counts_json(found: Mapping[str, Counts], k: int) -> dict[str, Any]:
    """Return counts as the doors show them."""
    return {
        "k": k,
        "counts": {
            by: {"total": one.total, "withheld": one.is_withheld, "cells": dict(sorted(one.cells.items()))}
            for by, one in found.items()
        },
    }


def resting(connection: Connection, case: Case, record_hash: str) -> list[int]:
    """Return whom the case lists by walks that all rest on one record."""
    found: list[int] = []
    for run in sorted({one.run for one in case.members.values()}):
        document: Any = canonical.parse_stored(traces.kept(connection, run).document or b"{}")
        rests: list[bool] = []
        for link in document.get("links", []):
            here = any(record_hash in fact["record_hashes"] for fact in link["facts"])
            rests.append(here or (link["previous"] >= 0 and rests[link["previous"]]))
        for member in document.get("members", []):
            person = int(member["id"]) if member["kind"] == "person" else None
            if person is None or person not in case.members or case.members[person].run != run:
                continue
            walks = [rests[member[name]] for name in ("walk", "earliest_walk") if name in member]
            if walks and all(walks):
                found.append(person)
    return found


def _persons(connection: Connection, run: int) -> dict[int, dict[str, Any]]:
    document: Any = canonical.parse_stored(traces.kept(connection, run).document or b"{}")
    links = document.get("links", [])
    found: dict[int, dict[str, Any]] = {}
    for member in document.get("members", []):
        if member["kind"] == "person":
            facts = links[member["earliest_walk"]]["facts"] if "earliest_walk" in member else []
            where = facts[-1]["where"] if facts else {"kind": "", "id": ""}
            # The inside of a unit and a handoff have no name but a record's hash: their kind says more.
            place = where["id"] if where["kind"] in LISTED else where["kind"]
            found[int(member["id"])] = {**member, "place": place}
    return found


def _flags(connection: Connection, case: Case) -> dict[int, list[Mapping[str, Any]]]:
    """Return what of those listed cannot be true, each by the newest run that speaks of that person."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    runs = sorted(case.runs, reverse=True) if case.interviews else []
    for run in runs:
        if case.members.keys() <= found.keys():
            break
        document: Any = canonical.parse_stored(traces.kept(connection, run).document or b"{}")
        spoken = (*document.get("members", ()), *document.get("seeds", ()))
        new = {int(one["id"]) for one in spoken if one["kind"] == "person"} - found.keys()
        found |= {person: [] for person in new}
        for one in document.get("impossible", ()):
            if one["about"].isdigit() and int(one["about"]) in new:
                found[int(one["about"])].append(one)
    return found


def _cell(row: Mapping[str, Any], by: str) -> str:
    if by != "day":
        return str(row[by])
    return datetime.fromisoformat(row["time"]).astimezone(CHINA).date().isoformat() if row["time"] else ""


def safe(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
