"""What every export of a case is made of: the case as of one of its events, the documents it rests on, and a row a member.

docs/cases.md (Take it with you); docs/spec/trace-document.md §3; docs/decisions/0840. Persons stand here by pseudonym.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from sudonglian.chain import canonical
from sudonglian.records import case_state, traces
from sudonglian.records.case_state import Case
from sudonglian.records.keys import Keys
from sudonglian.records.master_data import names_of
from sudonglian.records.task_state import Task
from sudonglian.trace.casework import goods
from sudonglian.trace.casework.case_list import rows as listed_rows
from sudonglian.trace.casework.exports.masking import PERSON, WITHOUT, Alias, alias, masked
from sudonglian.trace.engine.member import LISTED
from sudonglian.trace.engine.pictures.times import local

FORMAT: Final = "sudonglian/case-export/1"

SECOND: Final = 1_000_000

KINDS: Final = {PERSON: 0, "item": 1, "place": 2}


@dataclass(frozen=True, slots=True)
class RunDocument:
    """A run of the case with the document that it gave, persons by pseudonym."""

    trace: int
    document: Mapping[str, Any] = field(repr=False)
    document_hash: str
    at_us: int
    by: str

    @property
    def backward(self) -> bool:
        """Whether it asked what may have exposed the seed."""
        return bool(self.document["query"].get("direction") == "backward")


@dataclass(frozen=True, slots=True)
class Row:
    """One member as an export tells it; `steps` are those of its earliest walk, from the seed on."""

    cells: Mapping[str, Any]
    steps: tuple[dict[str, Any], ...] = field(repr=False)
    person: int | None = field(default=None, repr=False)
    """Who it is: for the identities of a released reveal, and for no file."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What of a case is exported."""

    case: Case = field(repr=False)
    runs: tuple[RunDocument, ...]
    rows: tuple[Row, ...] = field(repr=False)
    name: Alias = field(repr=False)
    names: Mapping[str, str] = field(repr=False)
    """What firms call places and goods; not proven."""

    @property
    def persons(self) -> list[Row]:
        """Return the line list."""
        return [row for row in self.rows if row.cells["kind"] == PERSON]


COLUMNS: Final = (
    *("member", "kind", "lot", "portion", "tier", "tier_zh", "rule", "possible_tier", "evidence", "risk_rank"),
    *("generation", "through_objects", "through_persons", "earliest", "latest", "handling_s", "presence_s", "place"),
    *("status", "tasks", "run", "origin", "rule_records", "records"),
)
"""What a row holds; the words of its walk are the door's."""


def gather(connection: Connection, keys: Keys, case: Case, purpose: str = WITHOUT) -> Contents:
    """Return what a case's exports hold, of the case as it is given."""
    name = alias(keys, case.number, purpose)
    runs = tuple(_runs(connection, case, name))
    found = {run.trace: {(one["kind"], one["id"]): one for one in run.document.get("members", ())} for run in runs}
    chains = {run.trace: run.document.get("links", ()) for run in runs}
    rows = [*_persons(connection, case, found, chains, name), *_goods(case, runs, found, chains)]
    things = {one["id"] for run in runs for one in run.document.get("members", ()) if one["kind"] != PERSON}
    things |= {str(row.cells["place"]) for row in rows} | {one.place for one in case.seeds.values()}
    things |= {one.subject for one in case.seeds.values() if one.kind != PERSON}
    return Contents(case, runs, tuple(rows), name, names_of(connection, things - {""}))


def as_of(case: Case, events: int) -> Case:
    """Return a case as it was after its first events."""
    return case_state.fold(case.number, case.events[:events])


def _runs(connection: Connection, case: Case, name: Alias) -> Iterator[RunDocument]:
    """Yield the case's own runs, and those of other cases that listed somebody who came from there."""
    for number in sorted(set(case.runs) | {one.run for one in case.members.values()}):
        kept = traces.kept(connection, number)
        if kept.document is None or kept.document_hash is None:
            continue
        document: Any = canonical.parse_stored(kept.document)
        own = case.runs.get(number)
        when, by = (own.at_us, own.by) if own is not None else (kept.asked_us, "")
        yield RunDocument(number, masked(document, name), kept.document_hash.hex(), when, by)


def _persons(
    connection: Connection,
    case: Case,
    found: Mapping[int, Mapping[tuple[str, str], Mapping[str, Any]]],
    chains: Mapping[int, Any],
    name: Alias,
) -> Iterator[Row]:
    tasks: dict[str, list[Task]] = {}
    for task in case.tasks.by_number.values():
        if task.person is not None:
            tasks.setdefault(task.subject, []).append(task)
    for listed in listed_rows(connection, case):
        number, run = int(listed["person"]), int(listed["run"])
        pseudonym = name(str(number))
        member = found.get(run, {}).get((PERSON, pseudonym), {"id": pseudonym, "kind": PERSON})
        steps = tuple(_walk(member, chains.get(run, ())))
        told = {"status": listed["status"], "origin": listed["origin"] or "", "tier": listed["tier"]}
        cells = _cells(member, run, steps, tasks.get(str(number), ())) | told
        yield Row(cells, steps, number)


def _goods(
    case: Case,
    runs: tuple[RunDocument, ...],
    found: Mapping[int, Mapping[tuple[str, str], Mapping[str, Any]]],
    chains: Mapping[int, Any],
) -> Iterator[Row]:
    """Yield goods and places as the newest run that lists them has them, what to look at first first."""
    tasks: dict[tuple[str, str, str], list[Task]] = {}
    for task in case.tasks.by_number.values():
        if task.person is None:
            tasks.setdefault((task.subject_kind, task.subject, task.place), []).append(task)
    newest: dict[tuple[str, str], tuple[int, Mapping[str, Any]]] = {}
    for run in reversed(runs):
        for key, member in found[run.trace].items():
            if key[0] != PERSON:
                newest.setdefault(key, (run.trace, member))
    last = len(newest) + 1

    def order(one: tuple[int, Mapping[str, Any]]) -> tuple[int, int, str]:
        return KINDS[one[1]["kind"]], one[1].get("risk_rank") or last, one[1]["id"]

    for number, member in sorted(newest.values(), key=order):
        steps = tuple(_walk(member, chains[number]))
        about = tasks.get(goods.named(dict(member)), ())
        yield Row(_cells(member, number, steps, about) | {"status": "", "origin": ""}, steps)


def _cells(
    member: Mapping[str, Any], run: int, steps: tuple[dict[str, Any], ...], tasks: "list[Task] | tuple[()]"
) -> dict[str, Any]:
    generation, exposure = member.get("generation", {}), member.get("exposure_us", {})
    objects, persons = int(generation.get("objects", 0)), int(generation.get("persons", 0))
    records = dict.fromkeys(record for step in steps for record in step["record_hashes"] if record)
    fired = dict.fromkeys(
        record for fact in member.get("tier_facts", ()) for record in fact.get("record_hashes", ()) if record
    )
    return {
        "member": member["id"],
        "kind": member["kind"],
        "lot": member.get("lot", ""),
        "portion": member.get("portion", ""),
        "tier": member.get("tier", ""),
        "tier_zh": member.get("tier_zh", ""),
        "rule": member.get("rule", ""),
        "possible_tier": member.get("possible_tier", ""),
        "evidence": member.get("evidence", ""),
        "risk_rank": member.get("risk_rank", 0) or "",
        "generation": objects + persons,
        "through_objects": objects,
        "through_persons": persons,
        "earliest": when(member.get("earliest", "") or member.get("time", "")),
        "latest": when(member.get("latest", "")),
        "handling_s": int(exposure.get("handling", 0)) // SECOND,
        "presence_s": int(exposure.get("presence", 0)) // SECOND,
        "place": place_of(member, steps),
        "tasks": "; ".join(told(one) for one in sorted(tasks, key=lambda one: one.number)),
        "run": run,
        "rule_records": " ".join(fired),
        "records": " ".join(records),
    }


def place_of(member: Mapping[str, Any], steps: tuple[dict[str, Any], ...]) -> str:
    """Return where a member was reached first: a room, or what kind of meeting it was where no room is named."""
    if member["kind"] == "place":
        return str(member["id"])
    if not steps:
        return ""
    where = steps[-1]["where"]
    return str(where["id"] if where["kind"] in LISTED else where["kind"])


def told(task: Task) -> str:
    """Return a task in a word: what, and how far or how it ended.

    >>> told(Task(1, "contact", "person", "7", "", "close", "", "", 0, 1, 0, "closed", outcome="reached"))
    'contact: reached'
    """
    return f"{task.kind}: {task.outcome or task.state}"


def when(text: str) -> str:
    """Return a time of a document as the city's clock shows it, to the second.

    >>> when("2024-11-10T06:00:00.500000Z"), when("")
    ('2024-11-10 14:00:00', '')
    """
    moment: datetime | None = local(text) if text else None
    return text if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _walk(member: Mapping[str, Any], links: Any) -> Iterator[dict[str, Any]]:
    """Yield the steps of a member's earliest walk from the seed on, in the form in which doors tell steps."""
    chain, at = [], int(member.get("earliest_walk", member.get("walk", -1)))
    while at >= 0:
        chain.append(links[at])
        at = int(links[at]["previous"])
    for hop, link in enumerate(reversed(chain)):
        for fact in link["facts"]:
            yield {**fact, "hop": hop}
