from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from sudonglian.chain import disclosure
from sudonglian.chain.record import parse_record
from sudonglian.records import derive, event_rows, reader, vault
from sudonglian.records.errors import StoreCorrupt, UnknownRecord
from sudonglian.records.history import Event, walk
from sudonglian.records.identities import identity
from sudonglian.records.intake import CaptureResult
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import RECORDS

Capture = Callable[..., CaptureResult]
Make = Callable[..., dict[str, Any]]
NOW = datetime(2026, 1, 6, 0, 0, 0, 123456, tzinfo=UTC)
PALLET = "https://id.gs1.org/00/069012340000000184"
ERROR = {"declarationTime": "2026-01-05T10:00:00+08:00"}


@pytest.fixture
def rich(event: Make, handler: Make) -> dict[str, Any]:
    return event(
        **{
            "sdl:participants": [handler("19900000001"), handler("19900000002", ppe=["mask", "gloves"])],
            "sdl:labTest": {"result": "positive"},
            "sdl:sealNo": "S-1",
            "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": -18.5, "uom": "CEL"}]}],
        }
    )


def test_a_record_by_its_hash(store: Store, capture: Capture, seal: Any, event: Make) -> None:
    (made,) = capture(event()).records
    with store.read() as connection:
        found = reader.record(connection, made.record_hash)
        assert (found.record_hash, found.log_index, found.is_error_declaration) == (made.record_hash, None, False)
        assert found.event() == parse_record(found.body)["event"]
        for unknown in (bytes(32), b""):
            with pytest.raises(UnknownRecord):
                reader.record(connection, unknown)
    seal()
    with store.read() as connection:
        assert reader.record(connection, made.record_hash).log_index == 0


def test_altered_bytes_are_never_read(store: Store, keys: Keys, capture: Capture, seal: Any, event: Make) -> None:
    (made,) = capture(event()).records
    seal()
    with store.write() as connection:
        body = reader.record(connection, made.record_hash).body
        connection.execute(update(RECORDS).values(body=body.replace(b"OBSERVE", b"OBSERVe")))
    with store.read() as connection:
        for read in (
            lambda: reader.record(connection, made.record_hash).event(),
            lambda: list(event_rows.event_views(connection)),
            lambda: reader.history(connection, PALLET),
        ):
            with pytest.raises(StoreCorrupt):
                read()


def test_only_what_is_named_is_disclosed(store: Store, keys: Keys, capture: Capture, rich: Any) -> None:
    (made,) = capture(rich).records
    with store.read() as connection:
        names = [disclosure.parse(text).name for text in reader.disclosures(connection, keys, made.record_hash)]
        assert sorted(name or "" for name in names) == ["eventID", "sdl:labTest", "sdl:sealNo", "sensorElementList"]
        one = reader.disclosures(connection, keys, made.record_hash, ["sdl:sealNo", "absent"])
        assert [disclosure.parse(text).value for text in one] == ["S-1"]
        assert reader.disclosures(connection, keys, made.record_hash, []) == ()
        plain = reader.plain(connection, keys, made.record_hash, names=["sdl:sealNo"])
        assert plain["sdl:sealNo"] == "S-1"
        assert plain.keys() & {"eventID", "sdl:labTest", "sdl:participants"} == set()
        people = reader.plain(connection, keys, made.record_hash, people=True)
        assert people["sdl:participants"] == rich["sdl:participants"]


def test_events_as_a_trace_reads_them(
    store: Store, keys: Keys, capture: Capture, seal: Any, event: Make, rich: Any
) -> None:
    original, plain = capture(rich, event(eventID="urn:x:2")).records
    first = seal()
    declaration = capture(rich | {"errorDeclaration": ERROR}).records[0].record_hash
    second = seal()
    capture(event(eventID="urn:x:3"))
    with store.read() as connection:
        before = list(event_rows.event_views(connection, first.size))
        after = list(event_rows.event_views(connection, second.size, ["sdl:labTest", "sdl:participants"]))
        assert list(event_rows.event_views(connection, None, ["sdl:labTest"])) == after
        assert list(event_rows.event_views(connection, 0)) == []
        number = vault.find(connection, keys, identity("phone", "19900000002", ""))
    assert [one.record_hash for one in before] == [original.record_hash, plain.record_hash]
    assert [one.superseded_by for one in before] == [(), ()]
    assert [one.superseded_by for one in after] == [(declaration,), (), ()]
    assert [one.log_index for one in after] == [0, 1, 3]
    assert [one.is_error_declaration for one in after] == [False, False, True]
    assert [one.event_id for one in after] == [rich["eventID"], "urn:x:2", rich["eventID"]]
    assert after[0].event["sdl:labTest"] == {"result": "positive"}
    assert "sdl:participants" not in after[0].event
    assert "_sd" not in after[0].event
    assert after[0].event["epcList"] == rich["epcList"]
    assert after[0].event_time_us == derive.micros(datetime(2026, 1, 5, 0, 30, tzinfo=UTC))
    assert after[0].participants[1] == event_rows.Handler(
        number or 0, "loader", "opened", '["mask","gloves"]', None, None
    )


def test_events_of_an_identifier_in_pages(
    store: Store, capture: Capture, seal: Any, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BATCH", 3)
    hashes = [
        one.record_hash
        for one in capture(
            *(event(eventID=f"urn:x:{n}", epcList=[f"urn:y:{n % 2}", f"urn:y:{n % 2}"]) for n in range(14))
        ).records
    ]
    seal()
    with store.read() as connection:
        assert [one.record_hash for one in reader.events_of(connection)] == hashes
        assert [one.record_hash for one in reader.events_of(connection, "urn:y:1")] == hashes[1::2]
        assert [one.record_hash for one in reader.events_of(connection, "urn:y:1", 8, 3)] == hashes[3:8:2]
        assert [one.record_hash for one in event_rows.event_views(connection, 5)] == hashes[:5]
        assert [one.record_hash for one in event_rows.event_views(connection, normal="urn:y:0")] == hashes[::2]


def test_corrections_at_a_size(store: Store, capture: Capture, seal: Any, event: Make) -> None:
    original = capture(event()).records[0].record_hash
    size = seal().size
    declaration = capture(event(errorDeclaration=ERROR)).records[0].record_hash
    with store.read() as connection:
        assert reader.corrections(connection, original) == [reader.Correction(declaration, None)]
        assert reader.corrections(connection, original, size) == []
    seal()
    with store.read() as connection:
        assert reader.corrections(connection, original) == [reader.Correction(declaration, 3)]
        assert reader.corrections(connection, original, size) == []
        assert reader.corrections(connection, declaration) == []


@pytest.fixture
def chain(capture: Capture, event: Make) -> dict[str, str]:
    """Fish is packed into a box, the box travels on a pallet, is taken off, cut into fillets; each event by name."""
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("caught", "ObjectEvent", {"action": "ADD", "epcList": ["urn:x:fish"]}),
        ("salted", "TransformationEvent", {"inputEPCList": ["urn:x:fish"], "outputEPCList": ["urn:x:box"]}),
        ("loaded", "AggregationEvent", {"action": "ADD", "parentID": "urn:x:pallet", "childEPCs": ["urn:x:box"]}),
        ("joined", "AggregationEvent", {"action": "ADD", "parentID": "urn:x:pallet", "childEPCs": ["urn:x:other"]}),
        ("moved", "ObjectEvent", {"action": "OBSERVE", "epcList": ["urn:x:pallet"]}),
        ("aside", "ObjectEvent", {"action": "OBSERVE", "epcList": ["urn:x:other"]}),
        ("emptied", "AggregationEvent", {"action": "DELETE", "parentID": "urn:x:pallet", "childEPCs": []}),
        ("alone", "ObjectEvent", {"action": "OBSERVE", "epcList": ["urn:x:pallet"]}),
        ("cut 1", "TransformationEvent", {"inputEPCList": ["urn:x:box"], "transformationID": "urn:t:1"}),
        ("cut 2", "TransformationEvent", {"outputEPCList": ["urn:x:fillet"], "transformationID": "urn:t:1"}),
        ("sold", "ObjectEvent", {"action": "OBSERVE", "epcList": ["urn:x:fillet"]}),
    ]
    names = {}
    for place, (name, kind, members) in enumerate(steps):
        made = event(type=kind, action=None, epcList=None, bizStep=None, eventTime=f"2026-01-05T{place:02}:00:00Z")
        made |= {"eventID": f"urn:e:{name.replace(' ', '-')}", **members}
        result = capture(made)
        assert result.refused == ()
        names[result.records[0].record_hash.hex()] = name
    return names


@pytest.mark.parametrize(
    ("item", "direction", "due"),
    [
        ("fish", "back", "caught salted"),
        ("fish", "forward", "caught salted loaded joined moved emptied cut_1 cut_2 sold"),
        ("box", "back", "caught salted loaded joined moved emptied cut_1"),
        ("box", "forward", "salted loaded joined moved emptied cut_1 cut_2 sold"),
        ("fillet", "back", "caught salted loaded joined moved emptied cut_1 cut_2 sold"),
        ("fillet", "forward", "cut_2 sold"),
        ("pallet", "back", "caught salted loaded joined moved aside emptied alone"),
        ("pallet", "forward", "loaded joined moved aside emptied alone cut_1 cut_2 sold"),
        ("other", "both", "joined moved aside emptied"),
        ("nothing", "both", ""),
    ],
)
def test_an_items_history(store: Store, chain: dict[str, str], seal: Any, item: str, direction: Any, due: str) -> None:
    with store.read() as connection:
        found = reader.history(connection, f"urn:x:{item}", direction)
    assert " ".join(chain[one.record_hash.hex()].replace(" ", "_") for one in found) == due
    assert [one.event_time for one in found] == sorted(one.event_time for one in found)
    assert all(one.event_id == f"urn:e:{chain[one.record_hash.hex()].replace(' ', '-')}" for one in found)
    own = {one.relation for one in found if one.through == f"urn:x:{item}"}
    assert own <= {"self"}


def test_an_event_taken_back_is_listed_and_not_followed(store: Store, capture: Capture, event: Make) -> None:
    nest = event(type="AggregationEvent", action="ADD", bizStep=None, parentID="urn:x:p", childEPCs=["urn:x:c"])
    nest.pop("epcList")
    wrong = capture(nest).records[0].record_hash
    capture(event(eventID="urn:e:2", epcList=["urn:x:p"], eventTime="2026-01-05T09:00:00+08:00"))
    with store.read() as connection:
        assert [one.relation for one in reader.history(connection, "urn:x:c")] == ["self", "container"]
    taken_back = capture(nest | {"errorDeclaration": ERROR}).records[0].record_hash
    with store.read() as connection:
        found = reader.history(connection, "urn:x:c")
    assert [(one.record_hash, one.superseded_by) for one in found] == [(wrong, (taken_back,)), (taken_back, ())]


def test_a_walk_in_a_circle_ends() -> None:
    events = [
        Event(bytes([n]), (n, n), "ADD", (("parent", f"u{n % 3}"), ("child", f"u{(n + 1) % 3}"))) for n in range(30)
    ]
    events += [
        Event(bytes([40 + n]), (n, 40 + n), "", (("input", f"u{n % 3}"), ("output", f"u{(n + 1) % 3}")), "t")
        for n in range(30)
    ]
    found = walk(
        lambda uri: [one for one in events if uri in one.of("parent", "child", "input", "output")],
        "u0",
        "both",
        lambda _: events[30:],
    )
    assert [step.event for step in found] == sorted(events, key=lambda one: one.order)


def test_a_chain_of_a_thousand_transformations_needs_no_recursion() -> None:
    events = {
        f"u{n}": [
            Event(bytes(1) + n.to_bytes(2, "big"), (n, n), "", (("input", f"u{n - 1}"), ("output", f"u{n}"))),
            Event(
                bytes(1) + (n + 1).to_bytes(2, "big"), (n + 1, n + 1), "", (("input", f"u{n}"), ("output", f"u{n + 1}"))
            ),
        ]
        for n in range(1000)
    }
    assert len(walk(lambda uri: events.get(uri, []), "u999", "back")) == 1001
