"""A case as its events make it: a pure fold over what was appended about it, and the rows that show it.

docs/spec/access-log.md rules 4-6. The tables of cases hold nothing that this fold does not give; `fsck` compares them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from sqlalchemy import Table

from sudonglian.chain import canonical
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.records import derive, task_state
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.tables import CASE_EVENTS, CASE_MEMBERS, CASE_RUNS, CASE_SEEDS, CASES, REVEALS, TASKS
from sudonglian.records.task_state import Tasks

Standing: TypeAlias = Literal["open", "closed", "merged"]

LISTED: Final = "listed"
REACHED: Final = frozenset({"contacted", "negative", "positive", "inconclusive"})
"""Statuses of a person to whom somebody has spoken, or who was tested."""

STATUSES: Final = (LISTED, "contacted", "negative", "positive", "inconclusive", "unreachable")

Rows: TypeAlias = dict[tuple[Any, ...], tuple[Any, ...]]


@dataclass(slots=True)
class Seed:
    """What a case began from: an item, lot, place or person, with the test that found it."""

    kind: str
    subject: str
    at_us: int
    place: str
    result: str
    ct: str
    sample: str
    status: str
    origin: int | None = None


@dataclass(slots=True)
class Member:
    """A person on the line list, by number."""

    run: int
    tier: str
    rank: int
    """Of the tier, the strongest first, as the tracing room orders them."""
    status: str = LISTED
    origin: int | None = None
    """The case that it came from when cases were merged or split."""
    reached_us: int | None = None
    """When somebody first spoke to the person, or its identity was first revealed."""


@dataclass(frozen=True, slots=True)
class Run:
    """A trace that was run for the case."""

    trace: int
    log_size: int
    at_us: int
    by: str
    listed: int


@dataclass(slots=True)
class Reveal:
    """A request for the identities of one line list, and what became of it."""

    number: int
    asked_us: int
    asked_by: str
    why: str
    persons: tuple[int, ...]
    digest: str
    until_us: int
    state: str = "asked"
    decided_us: int | None = None
    decided_by: str | None = None
    release_until_us: int | None = None
    released_us: int | None = None
    entries_from: int | None = None
    """Index of the private entry about its first person; those about the others follow."""
    for_tasks: bool = False
    """Whether follow-up workers may see, each for a task of theirs, how to reach the person."""


@dataclass(slots=True)
class Told:
    """A record of what somebody said in an interview of the case."""

    record: str
    at_us: int
    by: str
    persons: tuple[int, ...]
    withdrawn: str = ""
    """The record that declares it to be in error."""


class Happened(NamedTuple):
    """An event of the timeline: its index in the private tree, and what it says."""

    at: int
    said: Mapping[str, Any]

    @property
    def at_us(self) -> int:
        """When."""
        return derive.micros(datetime.fromisoformat(str(self.said["at"])))


@dataclass(slots=True)
class Case:
    """One case."""

    number: int
    name: str = ""
    purpose: str = ""
    basis: str = ""
    responsible: str = ""
    opened_us: int = 0
    closed_us: int | None = None
    standing: Standing = "open"
    into: int | None = None
    first_list_us: int | None = None
    events: list[Happened] = field(default_factory=list)
    seeds: dict[int, Seed] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    reveals: dict[int, Reveal] = field(default_factory=dict)
    tasks: Tasks = field(default_factory=lambda: Tasks({}, {}, []))
    interviews: dict[str, Told] = field(default_factory=dict)
    """By the hash of the record, those of cases that were merged into this one too."""
    dropped: dict[int, Member] = field(default_factory=dict)
    """Who was listed by what somebody took back; as they were, should a later run list them again."""

    def apply(self, happened: Happened) -> None:
        """Take in the next event.

        Raises
        ------
        StoreCorrupt
            It is not the next one, or says what no event says.
        """
        said, place = happened.said, f"private_entries/{happened.at}"
        if said.get("case") != self.number or said.get("n") != len(self.events):
            raise StoreCorrupt(f"not event {len(self.events)} of case {self.number}", place=place)
        do = str(said.get("do"))
        change, about_tasks = _CHANGES.get(do), task_state.CHANGES.get(do)
        if change is None and about_tasks is None:
            raise StoreCorrupt(f"no event of a case is called {do!r:.40}", place=place)
        try:
            if change is not None:
                change(self, happened)
            elif about_tasks is not None:
                about_tasks(self.tasks, said, happened.at, happened.at_us)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise StoreCorrupt(f"the event lacks {error!s:.80}", place=place) from error
        self.events.append(happened)

    def rows(self) -> dict[Table, Rows]:
        """Return the rows that show this case, by table and key, in the order of the tables' columns."""
        me = self.number
        state = (self.name, self.purpose, self.basis, self.responsible, self.opened_us, self.closed_us, self.standing)
        return {
            CASES: {(me,): (*state, self.into, self.first_list_us)} if self.events else {},
            CASE_EVENTS: {
                (one.at,): (me, number, one.at_us, str(one.said["by"]), str(one.said["do"]))
                for number, one in enumerate(self.events)
            },
            CASE_SEEDS: {
                (me, number): (
                    *(one.kind, one.subject, one.at_us, one.place, one.result, one.ct, one.sample),
                    *(one.status, one.origin),
                )
                for number, one in self.seeds.items()
            },
            CASE_RUNS: {(me, one.trace): (one.log_size, one.at_us, one.by, one.listed) for one in self.runs.values()},
            CASE_MEMBERS: {
                (me, person): (one.run, one.tier, one.rank, one.status, one.origin, one.reached_us)
                for person, one in self.members.items()
            },
            REVEALS: {
                (one.number,): (
                    *(me, one.asked_us, one.asked_by, one.why, canonical.encode(list(one.persons))),
                    *(bytes.fromhex(one.digest), one.until_us, one.state, one.decided_us, one.decided_by),
                    *(one.release_until_us, one.released_us, one.entries_from),
                )
                for one in self.reveals.values()
            },
            TASKS: {
                (one.number,): (
                    *(me, one.kind, one.subject_kind, one.subject, one.place, one.tier, one.area, one.due_us),
                    *(one.order, one.state, one.assignee, one.made_us, one.escalated_us, one.outcome, one.closed_us),
                )
                for one in self.tasks.by_number.values()
            },
        }


def fold(number: int, events: Iterable[Happened]) -> Case:
    """Return a case as its events make it."""
    case = Case(number)
    for one in events:
        case.apply(one)
    return case


def read(index: int, data: bytes) -> Happened:
    """Return an entry of the private tree as an event.

    Raises
    ------
    StoreCorrupt
        It cannot be read.
    """
    place = f"private_entries/{index}"
    try:
        said = canonical.parse_stored(data)
    except CanonicalRefused as error:
        raise StoreCorrupt(error.reason, place=place) from error
    if not isinstance(said, dict):
        raise StoreCorrupt("no event of a case", place=place)
    return Happened(index, said)


def _open(case: Case, one: Happened) -> None:
    said = one.said
    case.name, case.purpose, case.basis = str(said["name"]), str(said["purpose"]), str(said["basis"])
    case.responsible, case.opened_us = str(said["responsible"]), one.at_us


def _seed(case: Case, one: Happened) -> None:
    said = one.said
    case.seeds[int(said["seed"])] = Seed(
        *(str(said["kind"]), str(said["subject"]), int(said["at_us"]), str(said["place"])),
        *(str(said["result"]), str(said["ct"]), str(said["sample"]), str(said["result"]) or LISTED),
    )


def _run(case: Case, one: Happened) -> None:
    said = one.said
    run = Run(int(said["trace"]), int(said["log_size"]), one.at_us, str(said["by"]), len(said["persons"]))
    case.runs[run.trace] = run
    if case.first_list_us is None:
        case.first_list_us = one.at_us
    for person, tier, rank in said["persons"]:
        held = case.members.get(person)
        if held is None:
            case.members[person] = Member(run.trace, tier, rank)
            if (before := case.dropped.pop(person, None)) is not None:
                case.members[person].status, case.members[person].reached_us = before.status, before.reached_us
        else:
            held.origin = None  # its own now, whoever brought it
            if rank < held.rank:
                held.run, held.tier, held.rank = run.trace, tier, rank


def _result(case: Case, one: Happened) -> None:
    said = one.said
    subject, result = str(said["subject"]), str(said["result"])
    for seed in case.seeds.values():
        if (seed.kind == "person") == bool(said["is_person"]) and seed.subject == subject:
            seed.status = result
    if said["is_person"] and (member := case.members.get(int(subject))) is not None:
        _set(member, result, one.at_us)


def _status(case: Case, one: Happened) -> None:
    person = int(one.said["person"])
    member = case.members[person]
    _set(member, str(one.said["status"]), one.at_us)
    if member.status == LISTED:
        # Whoever called another one takes it back: nobody was reached, but by a reveal.
        shown = (made.released_us for made in case.reveals.values() if person in made.persons)
        member.reached_us = min((at for at in shown if at is not None), default=None)


def _set(member: Member, status: str, at_us: int) -> None:
    member.status = status
    if status in REACHED and member.reached_us is None:
        member.reached_us = at_us


def _taken(case: Case, one: Happened) -> None:
    said = one.said
    origin = int(said["from"])
    for person, run, tier, rank, status, reached in said["persons"]:
        held = case.members.get(person)
        if held is None:
            case.members[person] = Member(run, tier, rank, status, origin, reached)
            continue
        if rank < held.rank:
            held.run, held.tier, held.rank = run, tier, rank
        # A fact beats no fact, and the case that is joined knows its own people best.
        held.status = status if held.status == LISTED else held.status
        held.reached_us = min((at for at in (held.reached_us, reached) if at is not None), default=None)
    for row in said["seeds"]:
        kind, subject, at_us, place, result, ct, sample, status = row
        case.seeds[max(case.seeds, default=-1) + 1] = Seed(
            kind, subject, at_us, place, result, ct, sample, status, origin
        )
    for record, at_us, by, persons, withdrawn in said.get("interviews", ()):
        case.interviews.setdefault(record, Told(record, at_us, by, tuple(persons), withdrawn))
    if said["persons"] and case.first_list_us is None:
        case.first_list_us = one.at_us


def _interview(case: Case, one: Happened) -> None:
    for record, persons in one.said["records"]:
        case.interviews[record] = Told(record, one.at_us, str(one.said["by"]), tuple(persons))


def _withdrawn(case: Case, one: Happened) -> None:
    case.interviews[str(one.said["of"])].withdrawn = str(one.said["record"])
    for person in one.said["persons"]:
        case.dropped[person] = case.members.pop(person)


def _back(case: Case, one: Happened) -> None:
    for person, run, tier, rank, status, reached in one.said["persons"]:
        held = case.members.get(person)
        if held is None:
            case.members[person] = Member(run, tier, rank, status, None, reached)
        else:
            held.status, held.reached_us = status, reached


def _given(case: Case, one: Happened) -> None:
    for person in one.said["persons"]:
        del case.members[person]
    for seed in one.said["seeds"]:
        del case.seeds[seed]


def _merged(case: Case, one: Happened) -> None:
    case.standing, case.closed_us, case.into = "merged", one.at_us, int(one.said["into"])


def _close(case: Case, one: Happened) -> None:
    case.standing, case.closed_us = "closed", one.at_us


def _reopen(case: Case, one: Happened) -> None:
    case.standing, case.closed_us, case.into = "open", None, None


def _asked(case: Case, one: Happened) -> None:
    said = one.said
    case.reveals[int(said["reveal"])] = Reveal(
        *(int(said["reveal"]), one.at_us, str(said["by"]), str(said["why"]), tuple(said["persons"])),
        *(str(said["digest"]), int(said["until_us"])),
        for_tasks=said.get("for") == "tasks",
    )


def _approved(case: Case, one: Happened) -> None:
    reveal = case.reveals[int(one.said["reveal"])]
    reveal.state, reveal.decided_us, reveal.decided_by = "approved", one.at_us, str(one.said["by"])
    reveal.release_until_us = int(one.said["until_us"])


def _refused(case: Case, one: Happened) -> None:
    reveal = case.reveals[int(one.said["reveal"])]
    reveal.state, reveal.decided_us, reveal.decided_by = "refused", one.at_us, str(one.said["by"])


def _released(case: Case, one: Happened) -> None:
    reveal = case.reveals[int(one.said["reveal"])]
    reveal.state, reveal.released_us, reveal.entries_from = "released", one.at_us, one.at + 1
    for person in reveal.persons:
        if (member := case.members.get(person)) is not None and member.reached_us is None:
            member.reached_us = one.at_us


def _firms_told(case: Case, one: Happened) -> None:
    """Change nothing: that firms were told is in the timeline."""


_CHANGES: Final = {
    "open": _open,
    "seed": _seed,
    "run": _run,
    "result": _result,
    "status": _status,
    "interview": _interview,
    "interview-withdrawn": _withdrawn,
    "taken": _taken,
    "back": _back,
    "given": _given,
    "merged": _merged,
    "close": _close,
    "reopen": _reopen,
    "reveal-asked": _asked,
    "reveal-approved": _approved,
    "reveal-refused": _refused,
    "reveal-released": _released,
    "firms-told": _firms_told,
}
