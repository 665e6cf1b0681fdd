"""What the doors show of a case: the case itself, its timeline, a reveal. People by number, and never who they are.

docs/cases.md; docs/http.md.
"""

from datetime import datetime
from typing import Any, Final

from sudonglian.records import derive
from sudonglian.records.case_state import Case, Reveal, Seed
from sudonglian.trace.casework.clock import clock, iso

FRAME: Final = ("k", "case", "n", "at", "by", "do")

COUNTED: Final = ("persons", "seeds", "tasks", "told", "interviews")
"""Lists that the timeline tells by their length alone."""


def case_json(case: Case, now: datetime) -> dict[str, Any]:
    """Return a case without its timeline and line list."""
    return {
        "case": case.number,
        "name": case.name,
        "purpose": case.purpose,
        "basis": case.basis,
        "responsible": case.responsible,
        "state": case.standing,
        "into": case.into,
        "opened": iso(case.opened_us),
        "closed": _time(case.closed_us),
        "members": len(case.members),
        "seeds": [seed_json(number, one) for number, one in sorted(case.seeds.items())],
        "runs": [
            {"trace": run.trace, "log_size": run.log_size, "at": iso(run.at_us), "by": run.by, "listed": run.listed}
            for run in case.runs.values()
        ],
        "reveals": [reveal_json(case, one, now) for one in case.reveals.values()],
        "interviews": len(case.interviews),
        "clock": {name: term.as_json() for name, term in clock(case, now).items()},
    }


def seed_json(number: int, one: Seed) -> dict[str, Any]:
    """Return what a case began from."""
    return {
        "seed": number,
        "kind": one.kind,
        "subject": one.subject,
        "at": iso(one.at_us),
        "place": one.place,
        "result": one.result,
        "ct": one.ct,
        "sample": one.sample,
        "status": one.status,
        "origin": one.origin,
    }


def timeline(case: Case) -> list[dict[str, Any]]:
    """Return what happened, in order, each with its entry of the private tree."""
    found = []
    for number, one in enumerate(case.events):
        said = {name: value for name, value in one.said.items() if name not in FRAME}
        for name in COUNTED:
            if name in said:
                said[name] = len(said[name])
        if one.said["do"] == "interview":
            said["records"] = [record for record, _ in said["records"]]
        for name in [name for name in said if name.endswith("_us")]:
            said[name.removesuffix("_us")] = iso(said.pop(name))
        told = {"n": number, "at": iso(one.at_us), "by": one.said["by"], "do": one.said["do"], "entry": one.at}
        found.append({**told, "said": said})
    return found


def reveal_json(case: Case, one: Reveal, now: datetime) -> dict[str, Any]:
    """Return a reveal as it stands; one that nobody decided or used in time is told as expired."""
    end = {"asked": one.until_us, "approved": one.release_until_us}.get(one.state)
    is_expired = end is not None and derive.micros(now) >= end
    return {
        "reveal": one.number,
        "case": case.number,
        "state": "expired" if is_expired else one.state,
        "why": one.why,
        "persons": list(one.persons),
        "list": one.digest,
        "for_tasks": one.for_tasks,
        "asked": iso(one.asked_us),
        "asked_by": one.asked_by,
        "until": _time(end),
        "decided": _time(one.decided_us),
        "decided_by": one.decided_by,
        "released": _time(one.released_us),
        "entries": []
        if one.entries_from is None
        else list(range(one.entries_from, one.entries_from + len(one.persons))),
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else iso(at_us)
