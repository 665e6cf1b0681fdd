"""The trace document: the whole answer as strings and integers, in a size linear in what it says.

docs/spec/trace-document.md §2-5. Walks share their beginnings: each step is written once and names the one before.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sudonglian.trace.engine.editions import FOURTH, WITH, WITHOUT
from sudonglian.trace.engine.facts import Facts, Party, iso, micros
from sudonglian.trace.engine.forward import ROOT, PlaceLabel
from sudonglian.trace.engine.impossible import Found, as_json
from sudonglian.trace.engine.member import Member, step_told
from sudonglian.trace.engine.portions import SEPARATOR
from sudonglian.trace.engine.query import CARRIERS, PLACES, Seed, TraceQuery
from sudonglian.trace.engine.risk import ranked
from sudonglian.trace.engine.run import Run
from sudonglian.trace.engine.stated import is_stated
from sudonglian.trace.engine.terms import Terms
from sudonglian.trace.engine.travel import table

NONE: Final = -1
"""The link before a walk's first, and the generation that is not limited."""


class _Links:
    """The walks of one document: links (one label each), numbered in the order in which they are first needed."""

    def __init__(self) -> None:
        self.links: list[dict[str, Any]] = []
        self._numbers: dict[tuple[int, int | PlaceLabel, str], int] = {}

    def label(self, run: Run, label: int) -> int:
        """Return the number of a label's link; write it and those before it if they are new."""
        chain = []
        while label != ROOT and (id(run), label, "") not in self._numbers:
            chain.append(label)
            label = run.spread.labels[label].previous
        previous = NONE if label == ROOT else self._numbers[id(run), label, ""]
        for number in reversed(chain):
            one = run.spread.labels[number]
            party = run.parties[one.party]
            steps = [step_told(step) for step in run.facts_of(one, one.hops)]
            self.links.append(_link(previous, party, one.hops, iso(run.moment(one.time)), steps))
            previous = self._numbers[id(run), number, ""] = len(self.links) - 1
        return previous

    def end(self, run: Run, end: int | PlaceLabel, member: Member) -> int:
        """Return the number of the link that a member's walk ends with."""
        if isinstance(end, int):
            return self.label(run, end)
        known = self._numbers.get((id(run), end, member.id))
        if known is not None:
            return known
        previous = self.label(run, end.previous)
        time = run.moment(end.time)
        steps = [step_told(step) for step in run.place_step(end, end.hops)]
        self.links.append(_link(previous, member, end.hops, iso(time), steps))
        self._numbers[id(run), end, member.id] = len(self.links) - 1
        return len(self.links) - 1


def _link(previous: int, subject: Party | Member, hops: int, time: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "previous": previous,
        "kind": subject.kind,
        "id": subject.id,
        "hops": hops,
        "time": time,
        "facts": steps,
    }


def build(
    query: TraceQuery,
    terms: Terms,
    facts: Facts,
    seeds: Sequence[Seed],
    members: Sequence[Member],
    tiers: str,
    found: Found,
) -> dict[str, Any]:
    """Return the document of a trace."""
    links = _Links()
    ranks = ranks_of(members)
    listed = [
        {
            **member.summary(),
            "risk_rank": ranks[member.key],
            "walk": links.end(member.run, member.first, member),
            "earliest_walk": links.end(member.run, member.best, member),
        }
        for member in members
    ]
    said = _stated(links.links)
    for one in listed:
        one["stated"] = "yes" if said[one["walk"]] else "no"
    return {
        "v": FOURTH,
        "log": {"size": query.log_size, "root": query.log_root},
        "query": {
            "seed": query.seed,
            "seed_place": query.seed_place,
            "at": iso(micros(query.at)),
            "lookback_us": query.lookback // timedelta(microseconds=1),
            "until": iso(micros(query.until)) if query.until is not None else "",
            "direction": "backward" if query.backward else "forward",
            "max_generation": NONE if query.max_generation is None else query.max_generation,
            "instants": "strict" if query.strict else "chain",
            "interviews": WITH if query.interviews else WITHOUT,
            "min_dwell_us": {kind: terms.dwell(kind) for kind in PLACES},
            "persistence_us": {kind: _lasts(terms, kind) for kind in (*PLACES, *CARRIERS)},
            "curves": {kind: lasting.curve for kind, lasting in terms.lasting.items() if lasting.curve},
        },
        "versions": {
            "policy": query.policy,
            "facts": facts.table_version,
            "tiers": tiers,
            "rank": query.rank,
            "impossible": table().version,
        },
        "seeds": [
            {
                "kind": seed.subject.kind,
                "id": seed.subject.id,
                "possible": iso(seed.possible),
                "certain": iso(seed.certain) if seed.certain is not None else "",
            }
            for seed in seeds
        ],
        "members": listed,
        "links": links.links,
        **_said_beside(facts, query, seeds, members),
        "superseded": list(facts.superseded),
        "impossible": [as_json(one) for one in found.findings],
        "positions": {place: [str(value) for value in point] for place, point in found.positions.items()},
    }


def _stated(links: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Return for each link whether a walk that ends with it rests on what somebody said."""
    found: list[bool] = []
    for link in links:
        before = link["previous"] >= 0 and found[link["previous"]]
        found.append(before or any(is_stated(fact["fact"]) for fact in link["facts"]))
    return found


def ranks_of(members: Sequence[Member]) -> dict[str, int]:
    """Return the rank of each member among its kind, by dose; 0 for places, and for what has none."""
    found: dict[str, int] = {}
    for kind in ("item", "person", "place"):
        found |= ranked({one.key: one.dose for one in members if one.kind == kind})
    return found


def _lasts(terms: Terms, kind: str) -> int:
    """Return how long a kind lasts: -1 without an end, and by temperature, which `curves` says."""
    lasting = terms.lasting.get(kind)
    if lasting is None:
        return NONE if kind in CARRIERS else 0
    return NONE if lasting.is_ever or lasting.curve else lasting.span


def _said_beside(
    facts: Facts, query: TraceQuery, seeds: Sequence[Seed], members: Sequence[Member]
) -> dict[str, list[dict[str, Any]]]:
    """Return what the records say of the seeds and members beside exposure: gaps, samples, disinfections."""
    spoken = {query.seed, *(seed.subject.id for seed in seeds), *(member.id for member in members)}
    lots = {lot for party, (lot, _) in facts.portions.items() if party.id in spoken or lot in spoken}

    def meant(name: str) -> bool:
        return name in spoken or name.partition(SEPARATOR)[0] in lots or not name

    # A note about a person or place that is no member may be why it is none: its record touches the answer.
    records = {note.record for note in facts.notes if not meant(note.about)}
    reached = {
        run.parties[number] for run in {id(one.run): one.run for one in members}.values() for number in run.spread.first
    }
    touched = (
        {stay.start_record for stay in facts.stays if stay.start_record in records and stay.who in reached}
        if records
        else set()
    )
    return {
        "notes": [
            {"code": note.code, "record_hash": note.record, "about": note.about, "against": note.against}
            for note in facts.notes
            if meant(note.about) or note.record in touched
        ],
        "samples": [
            {
                "subject": sample.subject,
                "result": sample.result,
                "verdict": "" if sample.positive is None else "positive" if sample.positive else "negative",
                "time": iso(sample.time),
                "record_hash": sample.record,
            }
            for sample in facts.samples
            if meant(sample.subject) or query.seed in (sample.record, sample.event_id)
        ],
        "disinfections": [
            {
                "kind": clean.subject.kind,
                "id": clean.subject.id,
                "time": iso(clean.time),
                "complete": "yes" if clean.complete and clean.certain else "possibly" if clean.complete else "no",
                "log10_reduction": clean.log10,
                "record_hash": clean.record,
            }
            for clean in facts.cleans
            if meant(clean.subject.id)
        ],
    }
