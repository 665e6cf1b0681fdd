"""Running a trace for a door: who asks what for is kept before it runs, what was answered before it is shown.

service.md (person data): every trace query is appended to the private tree before its result is released.
docs/decisions/0701: this module commits twice, and why. docs/spec/access-log.md rule 1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from sudonglian.chain import merkle
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.identifiers import normal
from sudonglian.records import cases, log, sequencer, traces
from sudonglian.records.cases import Act, CaseRefused
from sudonglian.records.identities import mentions_identity
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.trace.casework import memory
from sudonglian.trace.casework.positions import positions_of
from sudonglian.trace.engine.progress import Report, Stage, silent
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import TraceResult, trace
from sudonglian.trace.errors import QueryRefused, TraceError

PERSON: Final = "person:"
"""Before a person's number where a seed is asked for; the number alone does too."""

MICRO: Final = timedelta(microseconds=1)

MAX_WHY: Final = 2_000
"""A case number or a sentence; a longer text belongs into the case."""


class PurposeRefused(TraceError):
    """A trace that names neither a case nor a purpose."""

    slug: ClassVar[str] = "trace-purpose"


@dataclass(frozen=True, slots=True)
class Traced:
    """An answer that has been recorded: `number` is its row, `sealed` how many entries were sealed for it."""

    number: int
    result: TraceResult
    sealed: int


def run_trace(
    store: Store,
    keys: Keys,
    query: TraceQuery,
    *,
    case: str = "",
    purpose: str = "",
    by: str = "",
    now: datetime | None = None,
    report: Report = silent,
) -> Traced:
    """Record the question, answer it from the log as it is sealed now, record the answer, return it.

    Records that wait for a seal are sealed first, so that nothing acknowledged is left out of the answer.

    Parameters
    ----------
    store, keys
        Of the deployment; the transactions are opened here (docs/decisions/0701).
    query
        Its seed may be written in any form: EPC URN or Digital Link, a place, a person's number. With a log size it is
        answered from the log as it was then, to the same bytes as then; without one, from all of it. The root is set
        here.
    case, purpose
        What the trace is for: one of them. A case, by number or name, is open, and keeps the run and whom it lists.
    by
        Who asks, as the door knows its caller; needed for a case.
    now
        The time of the question; the clock's if absent.
    report
        Told how far the work is.

    Raises
    ------
    PurposeRefused
        Neither or both of case and purpose.
    CaseUnknown, CaseClosed
        There is no such case, or nothing more is done in it.
    QueryRefused, SeedUnknown
        The engine's refusals; the question stays recorded, with the refusal for an answer.
    """
    why, case = reason(case, purpose), case.strip()
    query.check()
    asked = now or datetime.now(UTC)
    report(Stage("sealing"))
    with store.write() as connection:
        if case:
            why = {"case": str(cases.to_change(connection, case).number)}
            cases.check_principal(by)
        before = log.size(connection)
        sequencer.seal(connection, keys, asked)
        size = _size(query, log.size(connection))
        root = log.root(connection, size) if size else merkle.EMPTY_ROOT
        query = replace(query, seed=seed_of(query.seed), log_size=size, log_root=root.hex())
        if query.seed_place:
            query = replace(query, seed_place=normal(query.seed_place))
        number = traces.ask(connection, why, query_json(query), size, asked, by)
    try:
        facts = memory.of(store).facts(store, keys, size, report=report)
        with memory.uncollected():
            result = trace(facts, query, positions=positions_of(store), report=report)
    except SudonglianError as error:
        with store.write() as connection:
            traces.refuse(connection, number, error.slug)
        raise
    report(Stage("document", total=len(result.members)))
    with memory.uncollected():
        document, digest = result.encoded(), bytes.fromhex(result.document_hash())
    try:
        with store.write() as connection:
            # A case that was closed meanwhile keeps no run: then nothing is answered.
            kept = cases.to_change(connection, case) if case else None
            if kept is not None:
                # First: it holds whom it draws in, which nobody may who has appended to the private tree.
                cases.add_run(connection, kept, Act(by, now or datetime.now(UTC)), number, size, _persons(result))
            traces.answer(connection, number, document, digest)
    except CaseRefused as error:
        with store.write() as connection:
            traces.refuse(connection, number, error.slug)
        raise
    return Traced(number, result, max(size - before, 0))


def _persons(result: TraceResult) -> Iterable[tuple[int, str, int]]:
    """Yield each person of an answer with its tier and the tier's rank, the strongest lowest."""
    ranks = {rule.id: rank for rank, rule in enumerate(result.tiers.rules)}
    for member in result.members:
        if member.kind == "person":
            yield int(member.id), member.tier, ranks.get(member.rule, len(ranks))


def _size(query: TraceQuery, whole: int) -> int:
    """Return the size of the log that a question is about."""
    if query.log_size < 0 or query.log_size > whole:
        raise QueryRefused(f"the log has {whole} entries", place="log_size")
    return query.log_size or whole


def reason(case: str, purpose: str) -> dict[str, Json]:
    """Return what a trace is for, or refuse that nobody says it."""
    case, purpose = case.strip(), purpose.strip()
    if bool(case) == bool(purpose):
        raise PurposeRefused("a trace names either a case or a purpose")
    if len(case or purpose) > MAX_WHY:
        raise PurposeRefused(f"longer than {MAX_WHY} characters")
    if mentions_identity(case or purpose):
        raise PurposeRefused("it is kept for ever and must not hold anybody's telephone or identity number")
    return {"case": case} if case else {"purpose": purpose}


def seed_of(text: str) -> str:
    """Return a seed in the form that facts have.

    >>> seed_of("urn:epc:id:sscc:0614141.1234567890"), seed_of("person:42"), seed_of("42")
    ('https://id.gs1.org/00/106141412345678908', '42', '42')
    """
    text = text.strip()
    return text.removeprefix(PERSON) if text.startswith(PERSON) else normal(text)


def query_json(query: TraceQuery) -> dict[str, Json]:
    """Return a question as it is kept."""
    return {
        "seed": query.seed,
        "seed_place": query.seed_place,
        "at": query.at.astimezone(UTC).isoformat(),
        "lookback_s": int(query.lookback.total_seconds()),
        "until": query.until.astimezone(UTC).isoformat() if query.until else None,
        "backward": query.backward,
        "max_generation": query.max_generation,
        "persistence_us": {kind: span // MICRO for kind, span in query.persistence.items()},
        "min_dwell_us": {kind: span // MICRO for kind, span in query.min_dwell.items()},
        "strict": query.strict,
        "policy": query.policy,
        "tiers": query.tiers,
        "rank": query.rank,
        "interviews": query.interviews,
        "log_size": query.log_size,
        "log_root": query.log_root,
    }
