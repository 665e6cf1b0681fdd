"""The check of records: bodies, disclosures, people, digests of sameness, derived rows, traces.

docs/spec/record.md, docs/decisions/0003 and 0602. What an erasure took away is accounted for by its receipt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, select

from sudonglian.chain import canonical, disclosure
from sudonglian.chain.canonical import Json
from sudonglian.chain.record import open_record, parse_record, record_hash
from sudonglian.records import derive, vault
from sudonglian.records.fsck_log import Log
from sudonglian.records.fsck_report import Report
from sudonglian.records.handoffs import Handoff, handoff_of
from sudonglian.records.identities import identity, numbered
from sudonglian.records.keys import Keys
from sudonglian.records.store import BATCH
from sudonglian.records.tables import DISCLOSURES, HANDOFFS, IDENTIFIERS, PARTICIPANTS, PERSONS, RECORDS, TRACES
from sudonglian.records.vault import Person
from sudonglian.records.visibility import visibility_of

TRACE_DOMAIN: Final = b"sudonglian/trace/v1\x00"
"""What the tracing room, which this one cannot import, puts before a trace document that it hashes."""


@dataclass
class _People:
    """The vault's rows, and whom the disclosures show to be in it."""

    known: dict[int, Person] = field(default_factory=dict)
    lookups: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)


@dataclass
class _Parts:
    """One record's rows in the other tables."""

    disclosures: list[Row[Any]] = field(default_factory=list)
    participants: dict[int, Row[Any]] = field(default_factory=dict)
    identifiers: list[Row[Any]] = field(default_factory=list)
    handoffs: list[Row[Any]] = field(default_factory=list)


def check(report: Report, connection: Connection, keys: Keys, log: Log) -> None:
    """Recompute every record and what is derived of it."""
    people = _People()
    with report.watch("persons"):
        _open_vault(report, connection, keys, people)
    unseen = dict(log.records)
    waiting = dict(log.pending)
    with report.watch("records"):
        for page in _pages(connection):
            parts = _parts(connection, [row.id for row in page])
            for row in page:
                report.count("records")
                unseen.pop(row.record_hash, None)
                waiting.pop(row.record_hash, None)
                with report.watch(f"records/{row.id}"):
                    _record(report, keys, log, people, row, parts.get(row.id, _Parts()))
    for h, index in unseen.items():
        report.add("record-missing", f"entries/{index}", f"there is no record {h.hex()}")
    for h, number in waiting.items():
        report.add("record-missing", f"pending of records/{number}", f"there is no record {h.hex()}")
    for number in people.known.keys() - people.seen:
        report.add("person-without-record", f"persons/{number}", "no disclosure is under this person's key")
    with report.watch("traces"):
        _traces(report, connection, log)


def _open_vault(report: Report, connection: Connection, keys: Keys, people: _People) -> None:
    for row in connection.execute(select(PERSONS)):
        report.count("persons")
        with report.watch(f"persons/{row.person_no}"):
            people.known[row.person_no] = vault.unwrap(keys, row.kek, row.person_no, row.wrapped_key)
            people.lookups[row.person_no] = row.lookup


def _pages(connection: Connection) -> Iterator[Sequence[Row[Any]]]:
    last: Any = None
    while True:
        query = select(RECORDS).order_by(RECORDS.c.id).limit(BATCH)
        page = connection.execute(query if last is None else query.where(RECORDS.c.id > last)).all()
        if not page:
            return
        yield page
        last = page[-1].id


def _parts(connection: Connection, ids: Sequence[int]) -> dict[int, _Parts]:
    found: dict[int, _Parts] = {number: _Parts() for number in ids}

    def rows(table: Table) -> Iterator[Row[Any]]:
        return iter(connection.execute(select(table).where(table.c.record_id.in_(ids))))

    for row in rows(DISCLOSURES):
        found[row.record_id].disclosures.append(row)
    for row in rows(PARTICIPANTS):
        found[row.record_id].participants[row.position] = row
    for row in rows(IDENTIFIERS):
        found[row.record_id].identifiers.append(row)
    for row in rows(HANDOFFS):
        found[row.record_id].handoffs.append(row)
    return found


def _record(report: Report, keys: Keys, log: Log, people: _People, row: Row[Any], parts: _Parts) -> None:
    place = f"records/{row.id}"
    h = record_hash(bytes(row.body))
    report.same("record-hash", place, row.record_hash, h)
    record = parse_record(bytes(row.body))
    event = record["event"]
    assert isinstance(event, dict)
    report.same("submitter", place, row.submitter, record["submitter"])
    report.same("event-time", place, row.event_time_us, derive.event_time_us(event))
    report.same("transformation", place, row.transformation_id, derive.transformation_id(event))
    if h in log.records or h not in log.pending:
        report.same("log-index", place, row.log_index, log.records.get(h, -1))
    else:
        report.same("log-index", place, row.log_index, None)
        report.same("pending", place, log.pending[h], row.id)
    sealed_us = next((log.sealed_us[size] for size in sorted(log.sealed_us) if size > (row.log_index or 0)), None)
    report.count("handoffs", len(parts.handoffs))
    passed = handoff_of(event, is_error_declaration=bool(row.is_error_declaration))
    held = [(Handoff(one.consignor, one.consignee), bool(one.taken_back)) for one in parts.handoffs]
    report.same("handoff", place, held, [] if passed is None else [(passed, h in log.corrected)])
    report.time(place, row.captured_us, after_us=log.created_us, before_us=None if row.log_index is None else sealed_us)
    texts = [_text(report, people, h, one, place) for one in parts.disclosures]
    report.count("disclosures", len(texts))
    if None in texts:
        return
    plain = open_record(record, [one for one in texts if one is not None])
    _sameness(report, keys, log, row, event, plain, place)
    _identifiers(report, parts, event, place)
    _participants(report, log, people, row, parts, plain, h, keys)


def _text(report: Report, people: _People, h: bytes, row: Row[Any], place: str) -> str | None:
    """Return a disclosure's text when it is what its row says it is."""
    at = f"{place}/disclosures/{row.id}"
    with report.watch(at):
        text = row.text
        if (row.sealed is None) == (text is None) or (row.sealed is None) != (row.person_no is None):
            report.add("disclosure", at, "neither in the clear nor under a person's key")
            return None
        if row.sealed is not None:
            person = people.known.get(row.person_no)
            if person is None:
                report.add("disclosure", at, f"person {row.person_no} has no key")
                return None
            text = vault.unseal(person, h, row.digest, row.sealed)
            people.seen.add(row.person_no)
        said = disclosure.parse(text)
        name = derive.PARTICIPANTS if said.name is None else said.name
        report.same("disclosure", at, row.digest, disclosure.digest_of(text))
        report.same("disclosure", at, row.name, name)
        report.same("disclosure", at, row.visibility, str(visibility_of(name)))
        report.same("disclosure", at, row.position is None, said.name is not None)
        return str(text)
    return None


def _sameness(
    report: Report, keys: Keys, log: Log, row: Row[Any], event: dict[str, Json], plain: dict[str, Json], place: str
) -> None:
    declares = bool(row.is_error_declaration)
    macs = {derive.event_mac(keys.content, row.submitter, plain, declares_error=declares)}
    if row.content_mac is None:
        macs.add(derive.clear_mac(keys.content, row.submitter, event, declares_error=declares))
        mentions = declares and derive.ERROR_DECLARATION not in plain
        if row.record_hash not in log.erased and not mentions:
            report.add("content-mac", place, "there is none, and no receipt of an erasure accounts for that")
    else:
        report.same("error-declaration", place, declares, derive.is_error_declaration(plain))
        due = derive.content_mac(keys.content, canonical.encode(plain))
        report.same("content-mac", place, row.content_mac, due)
    if row.event_mac not in macs:
        report.add("event-mac", place, f"holds {row.event_mac!r:.80}")


def _identifiers(report: Report, parts: _Parts, event: dict[str, Json], place: str) -> None:
    report.count("identifiers", len(parts.identifiers))
    due = list(derive.identifier_rows(event))
    held = sorted(
        (
            derive.IdentifierRow(row.position, row.role, row.uri, row.normal, row.quantity, row.uom)
            for row in parts.identifiers
        ),
        key=lambda one: one.position,
    )
    report.same("identifiers", f"{place}/identifiers", held, due)


def _participants(
    report: Report,
    log: Log,
    people: _People,
    row: Row[Any],
    parts: _Parts,
    plain: dict[str, Json],
    h: bytes,
    keys: Keys,
) -> None:
    report.count("participants", len(parts.participants))
    shown = {one.position: one for one in parts.disclosures if one.sealed is not None}
    listed = plain.get(derive.PARTICIPANTS)
    elements = iter(listed if isinstance(listed, list) else [])
    for position in sorted(parts.participants.keys() | shown.keys()):
        place = f"records/{row.id}/participants/{position}"
        held, proof = parts.participants.get(position), shown.get(position)
        if held is None:
            report.add("participant", place, "the row is missing")
            continue
        numbers = derive.ParticipantRow(position, held.role, held.contact, held.ppe, held.start_us, held.end_us)
        if proof is None:
            # What an erased person did stays, nameless, and nothing is left to compare it with.
            if held.person_no not in log.erased.get(h, ()):
                report.add("participant", place, f"person {held.person_no} is neither disclosed nor erased")
            continue
        element = next(elements, None)
        report.same("participant", place, held.person_no, proof.person_no)
        report.same("participant", place, numbers, derive.participant_row(position, element))
        reference = element["personRef"] if isinstance(element, dict) else None
        if isinstance(reference, dict):
            if numbered(str(reference["kind"]), str(reference["value"])) == proof.person_no:
                continue  # named by number: there is no identity to look the person up by
            who = identity(str(reference["kind"]), str(reference["value"]), row.submitter)
            due = vault.lookup_of(keys, who)
            report.same("lookup", f"persons/{proof.person_no}", people.lookups.get(proof.person_no), due)
        else:
            report.add("participant", place, "the disclosure names nobody")


def _traces(report: Report, connection: Connection, log: Log) -> None:
    asked = {one["trace"]: one for one in _private(log, "trace")}
    answered = {one["trace"]: one["document_hash"] for one in _private(log, "trace-answer")}
    for row in connection.execute(select(TRACES)):
        place = f"traces/{row.id}"
        report.count("traces")
        with report.watch(place):
            question = asked.pop(row.id, None)
            if question is None:
                report.add("trace", place, "the private tree has no such question")
                continue
            report.same("trace", place, row.query, canonical.encode(question["query"]))
            report.same("trace", place, row.purpose, canonical.encode(question["why"]).decode())
            moment = derive.moment(row.asked_us).isoformat(timespec="microseconds")
            report.same("trace", place, moment, question["at"])
            # Any size may be asked about (--log-size), sealed as such or not.
            report.same("trace", place, row.log_size, question["query"].get("log_size"))
            report.same("trace", place, 0 <= row.log_size <= log.size, True)
            digest = answered.pop(row.id, None)
            if digest is None:
                report.same("trace", place, (row.document, row.document_hash), (None, None))
            else:
                report.same("trace", place, row.document_hash, bytes.fromhex(digest))
                report.same("trace", place, sha256(TRACE_DOMAIN + bytes(row.document)).digest(), bytes.fromhex(digest))
    for number in asked.keys() | answered.keys():
        report.add("trace-missing", f"traces/{number}", "the private tree has it, the table has not")


def _private(log: Log, kind: str) -> Iterator[dict[str, Any]]:
    return (one for one in log.private if isinstance(one, dict) and one.get("k") == kind)
