"""Intake: what a firm sends becomes records, all of it or event by event, and a resend changes nothing.

docs/spec/record.md, docs/spec/plain-event.md, docs/spec/entry.md; docs/decisions/0500 (sameness, erasure, corrections).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Connection, select, update

from sudonglian.chain import entry
from sudonglian.chain.canonical import Json
from sudonglian.chain.checkpoint import LogKey
from sudonglian.chain.errors import RecordRefused
from sudonglian.chain.record import Sealed, seal_record
from sudonglian.records import bulk, derive, master_data, sequencer, store, vault
from sudonglian.records.epcis.document import Form
from sudonglian.records.epcis.findings import Finding, pointer
from sudonglian.records.handoffs import Handoff, handoff_of
from sudonglian.records.identities import Identity, identity, numbered
from sudonglian.records.judging import RULE, Judged, JudgedEvent, Refusal, judge, participants_of, refusal_of
from sudonglian.records.keks import Ring
from sudonglian.records.keys import KEY_BYTES, Keys
from sudonglian.records.profiles.table import Profile
from sudonglian.records.store import in_batches
from sudonglian.records.tables import DISCLOSURES, HANDOFFS, IDENTIFIERS, PARTICIPANTS, RECORDS
from sudonglian.records.visibility import TABLE_VERSION, visibility_of

DuplicateIds: TypeAlias = Literal["refuse", "keep"]
Behaviour: TypeAlias = Literal["rollback", "proceed"]

KNOWN: Final = "SELECT event_mac, record_hash, content_mac FROM {given} JOIN records ON event_mac = given.value ORDER BY records.id"

NO_LOG: Final = "sudonglian.local/rehearsal"
"""The name of the log that a rehearsal writes nothing into."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An event that is a record, by this capture or an earlier one (`unchanged`)."""

    index: int
    record_hash: bytes
    event_id: str | None
    unchanged: bool

    def as_json(self) -> dict[str, Any]:
        """Return the members that commands print."""
        return {
            "index": self.index,
            "record_hash": self.record_hash.hex(),
            "event_id": self.event_id,
            "unchanged": self.unchanged,
        }


@dataclass(frozen=True, slots=True)
class CaptureResult:
    """What became of a document. It may be acknowledged once the transaction is committed."""

    refused: tuple[Refusal, ...]
    records: tuple[Receipt, ...]
    warnings: tuple[tuple[int, Finding], ...]
    described: int = 0
    """How many identifiers the document's master data describes."""

    @property
    def accepted(self) -> int:
        """How many new records there are."""
        return sum(not one.unchanged for one in self.records)

    @property
    def unchanged(self) -> int:
        """How many events were already known, content and all."""
        return sum(one.unchanged for one in self.records)

    def as_json(self) -> dict[str, Any]:
        """Return the document that `sudonglian capture --json` prints."""
        return {
            "accepted": self.accepted,
            "unchanged": self.unchanged,
            "refused": [one.as_json() for one in self.refused],
            "records": [one.as_json() for one in self.records],
            "warnings": [{"index": index, **finding.as_json()} for index, finding in self.warnings],
            "described": self.described,
        }


@dataclass(frozen=True, slots=True)
class _Known:
    record_hash: bytes
    content_mac: bytes | None


@dataclass(slots=True)
class _Draft:
    """A record about to be written."""

    event: JudgedEvent
    sealed: Sealed
    time_us: int
    corrections: list[bytes] = field(default_factory=list)


def capture(
    connection: Connection,
    keys: Keys,
    raw: bytes,
    *,
    submitter: str,
    now: datetime,
    duplicate_ids: DuplicateIds = "refuse",
    behaviour: Behaviour = "rollback",
    form: Form | None = None,
    profile: Profile | None = None,
    by_number: bool = False,
) -> CaptureResult:
    """Take the events of one document: `judge` and `take` in one.

    Parameters
    ----------
    connection
        Of `Store.write`; the caller commits, and acknowledges after that.
    keys
        Of this deployment.
    raw
        The document's bytes.
    submitter
        Who sends it, a URI; two submitters' equal eventIDs have nothing to do with each other.
    now
        When it came, aware.
    duplicate_ids
        What becomes of an event whose eventID this submitter has used for another content.
    behaviour
        `rollback`: one refused event refuses the document, and nothing of it is written. `proceed`: event by event.
    form
        JSON or XML, if the sender says which.
    profile
        What the document must tell as well; what it lacks refuses.
    by_number
        Whether a participant may be named by the number that the vault gave (`identities.numbered`): in documents of
        our own making alone, else whoever guessed a number could write about somebody.

    Raises
    ------
    DocumentRefused
        The bytes are no document with events.
    UnknownPerson
        Nobody has a number that is named.
    """
    judged = judge(keys, raw, submitter=submitter, now=now, form=form, profile=profile)
    return take(connection, keys, judged, duplicate_ids=duplicate_ids, behaviour=behaviour, by_number=by_number)


def rehearse(
    raw: bytes, *, submitter: str, now: datetime, form: Form | None = None, profile: Profile | None = None
) -> tuple[int, CaptureResult]:
    """Return how many events a document has, and what capture into an empty store would say; nothing is written.

    With a profile, what the document lacks by it refuses too.

    Raises
    ------
    DocumentRefused
        The bytes are no document with events.
    """
    # Digests are compared within the document alone, so that any key serves.
    secret = token_bytes(KEY_BYTES)
    keys = Keys(log=LogKey.generate(NO_LOG), content=secret, lookup=secret, keks=Ring([secret], NO_LOG))
    judged = judge(keys, raw, submitter=submitter, now=now, form=form, profile=profile)
    refused = list(judged.refused)
    receipts, _ = _decide(judged.events, {}, submitter, "refuse", refused)
    refused.sort(key=_by_event)
    kept = () if refused else tuple(receipts)
    return judged.total, CaptureResult(tuple(refused), kept, judged.warnings, len(judged.described))


def take(
    connection: Connection,
    keys: Keys,
    judged: Judged,
    *,
    duplicate_ids: DuplicateIds = "refuse",
    behaviour: Behaviour = "rollback",
    by_number: bool = False,
) -> CaptureResult:
    """Compare judged events with what is known, and write the new ones (see `capture`)."""
    refused = list(judged.refused)
    events = judged.events if behaviour == "proceed" or not refused else ()
    store.lock(connection, f"sudonglian-capture\x00{judged.submitter}")
    receipts, drafts = _decide(events, _known(connection, events), judged.submitter, duplicate_ids, refused)
    refused.sort(key=_by_event)
    if refused and behaviour == "rollback":
        return CaptureResult(tuple(refused), (), judged.warnings)
    _write(connection, keys, drafts, judged.submitter, judged.came, by_number=by_number)
    master_data.put(connection, judged.submitter, judged.described, judged.came)
    return CaptureResult(tuple(refused), tuple(receipts), judged.warnings, len(judged.described))


def foresee(connection: Connection, judged: Judged) -> CaptureResult:
    """Return what `take` would say of judged events if each proceeded for itself; nothing is written.

    No lock is held: somebody else's capture may come before.
    """
    refused = list(judged.refused)
    receipts, _ = _decide(judged.events, _known(connection, judged.events), judged.submitter, "refuse", refused)
    refused.sort(key=_by_event)
    return CaptureResult(tuple(refused), tuple(receipts), judged.warnings, len(judged.described))


def _by_event(refusal: Refusal) -> int:
    return -1 if refusal.index is None else refusal.index


def _known(connection: Connection, events: Sequence[JudgedEvent]) -> dict[bytes, list[_Known]]:
    macs = sorted({mac for one in events for mac in (one.event_mac, one.other_mac, one.clear_mac)})
    found: dict[bytes, list[_Known]] = {}
    for event_mac, record_hash, content_mac in bulk.among(connection, KNOWN, macs):
        found.setdefault(event_mac, []).append(_Known(record_hash, content_mac))
    return found


def _decide(
    events: Sequence[JudgedEvent],
    known: dict[bytes, list[_Known]],
    submitter: str,
    duplicate_ids: DuplicateIds,
    refused: list[Refusal],
) -> tuple[list[Receipt], list[_Draft]]:
    """Tell resends, conflicts and new events apart, in order: an earlier event of the document counts as known."""
    receipts: list[Receipt] = []
    drafts: list[_Draft] = []
    for one in events:
        earlier = known.get(one.event_mac, [])
        same = next((other for other in earlier if other.content_mac == one.content_mac), None)
        if same is not None:
            receipts.append(Receipt(one.raw.index, same.record_hash, one.event_id, unchanged=True))
            continue
        if any(other.content_mac is None for other in (*earlier, *known.get(one.clear_mac, ()))):
            refused.append(_erased(one))
            continue
        if earlier and one.event_id is not None and duplicate_ids == "refuse":
            refused.append(_conflict(one, earlier[0]))
            continue
        try:
            sealed = seal_record(one.plain, submitter, visibility_of, visibility=TABLE_VERSION)
            draft = _Draft(one, sealed, derive.event_time_us(one.plain))
        except RecordRefused as refusal:
            refused.append(refusal_of(one.raw, refusal))
            continue
        draft.corrections = _corrections(one, sealed.record_hash, earlier, known.get(one.other_mac, []))
        drafts.append(draft)
        known.setdefault(one.event_mac, []).append(_Known(sealed.record_hash, one.content_mac))
        receipts.append(Receipt(one.raw.index, sealed.record_hash, one.event_id, unchanged=False))
    return receipts, drafts


def _corrections(one: JudgedEvent, own: bytes, earlier: Sequence[_Known], others: Sequence[_Known]) -> list[bytes]:
    if one.event_id is None:
        return []
    if one.declares_error:
        return [entry.correction_entry(own, other.record_hash) for other in others]
    if earlier:  # another content under an eventID that was kept twice: the declaration was about the first
        return []
    return [entry.correction_entry(other.record_hash, own) for other in others]


def _write(
    connection: Connection, keys: Keys, drafts: Sequence[_Draft], submitter: str, now: datetime, *, by_number: bool
) -> None:
    if not drafts:
        return
    captured_us = derive.micros(now)
    ids = bulk.numbers(connection, RECORDS, len(drafts))
    rows = [
        {
            "id": id_,
            "record_hash": one.sealed.record_hash,
            "body": one.sealed.record_bytes,
            "submitter": submitter,
            "is_error_declaration": one.event.declares_error,
            "event_mac": one.event.event_mac,
            "content_mac": one.event.content_mac,
            "event_time_us": one.time_us,
            "captured_us": captured_us,
            "transformation_id": derive.transformation_id(one.event.plain),
        }
        for id_, one in zip(ids, drafts, strict=True)
    ]
    bulk.put(connection, RECORDS, rows)
    identifiers: list[dict[str, Any]] = []
    entries: list[tuple[bytes, int | None]] = []
    for record_id, draft in zip(ids, drafts, strict=True):
        identifiers += (row.row(record_id) for row in draft.event.identifiers)
        entries.append((entry.record_entry(draft.sealed.record_hash), record_id))
        entries += ((correction, None) for correction in draft.corrections)
    bulk.put(connection, IDENTIFIERS, identifiers)
    passed = [one.row(id_, taken_back=False) for id_, one in zip(ids, map(_handoff, drafts), strict=True) if one]
    bulk.put(connection, HANDOFFS, passed)
    for batch in in_batches([said.of for draft in drafts for said in map(_correction, draft.corrections)]):
        corrected = select(RECORDS.c.id).where(RECORDS.c.record_hash.in_(batch))
        connection.execute(update(HANDOFFS).where(HANDOFFS.c.record_id.in_(corrected)).values(taken_back=True))
    _write_disclosures(connection, keys, ids, drafts, submitter, by_number=by_number)
    sequencer.enqueue(connection, (data for data, _ in entries), now, (record_id for _, record_id in entries))


def _correction(data: bytes) -> entry.CorrectionEntry:
    said = entry.parse_entry(data)
    assert isinstance(said, entry.CorrectionEntry)
    return said


def _handoff(draft: _Draft) -> Handoff | None:
    return handoff_of(draft.event.plain, is_error_declaration=draft.event.declares_error)


def _write_disclosures(
    connection: Connection,
    keys: Keys,
    ids: Sequence[int],
    drafts: Sequence[_Draft],
    submitter: str,
    *,
    by_number: bool,
) -> None:
    who = [
        [_who(participant, submitter, by_number=by_number) for participant in participants_of(one.event.plain)]
        for one in drafts
    ]
    everybody = [one for each in who for one in each]
    admitted = vault.admit(connection, keys, (one for one in everybody if isinstance(one, Identity)))
    known = vault.known(connection, keys, (one for one in everybody if isinstance(one, int)))
    disclosures: list[dict[str, Any]] = []
    participants: list[dict[str, Any]] = []
    for record_id, draft, identities in zip(ids, drafts, who, strict=True):
        elements = participants_of(draft.event.plain)
        for one in draft.sealed.disclosures:
            row: dict[str, Any] = {
                "record_id": record_id,
                "digest": one.digest,
                "name": one.name,
                "visibility": str(one.visibility),
                "position": one.position,
                "text": one.text,
                "person_no": None,
                "sealed": None,
            }
            if one.position is not None:
                named = identities[one.position]
                person = known[named] if isinstance(named, int) else admitted[named]
                sealed = vault.seal(person, draft.sealed.record_hash, one.digest, one.text)
                row |= {"text": None, "person_no": person.number, "sealed": sealed}
                kept = derive.participant_row(one.position, elements[one.position])
                participants.append(kept.row(record_id, person.number))
            disclosures.append(row)
    bulk.put(connection, DISCLOSURES, disclosures)
    bulk.put(connection, PARTICIPANTS, participants)


def _who(participant: Mapping[str, Json], submitter: str, *, by_number: bool) -> Identity | int:
    reference = participant["personRef"]
    assert isinstance(reference, dict)
    kind, value = str(reference["kind"]), str(reference["value"])
    number = numbered(kind, value) if by_number else None
    return identity(kind, value, submitter) if number is None else number


def _erased(one: JudgedEvent) -> Refusal:
    return Refusal(
        one.raw.index,
        "erased",
        one.raw.pointer,
        {
            "zh": "该事件中的个人数据已被删除,不能再次提交",
            "en": "personal data of this event have been erased; it cannot be submitted again",
        },
        RULE,
    )


def _conflict(one: JudgedEvent, known: _Known) -> Refusal:
    assert known.content_mac is not None
    sent, held = one.content_mac.hex(), known.content_mac.hex()
    return Refusal(
        one.raw.index,
        "event-id-conflict",
        one.raw.pointer + pointer(derive.EVENT_ID),
        {
            "zh": f"该 eventID 已用于内容不同的事件(已有 {held},提交 {sent})",
            "en": f"this eventID has been used for an event with other content (held {held}, sent {sent})",
        },
        RULE,
    )
