"""A trace leaves its question before it runs and its answer before it is shown; nothing acknowledged is left out."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sudonglian.api.commands import sample
from sudonglian.chain import canonical
from sudonglian.records import cases, intake, log, private, sequencer, traces
from sudonglian.records.case_state import Case
from sudonglian.trace.casework import graphml, views
from sudonglian.trace.casework import run as casework
from sudonglian.trace.casework.again import again
from sudonglian.trace.casework.run import PurposeRefused, reason, run_trace, seed_of
from sudonglian.trace.engine import result
from sudonglian.trace.engine.editions import FIRST, FOURTH, RANK, TIERS, as_edition
from sudonglian.trace.engine.progress import Stage
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import DOMAIN, trace
from sudonglian.trace.errors import EventRefused, QueryRefused, SeedUnknown

STORY = sample.stories()["frozen-fish"]
QUERY = TraceQuery(STORY["seed"], datetime.fromisoformat(STORY["at"]))


def said(outbreak: Any) -> list[Any]:
    with outbreak.store.read() as connection:
        size = private.size(connection)
        return [private.value_of(private.entry(connection, index)) for index in range(size)]


def opened(outbreak: Any) -> Case:
    act = cases.Act("cli:ana", datetime.now(UTC))
    with outbreak.store.write() as connection:
        return cases.open_case(connection, act, name="C-7", purpose="p", basis="b", responsible="r")


def test_a_trace_for_a_case_that_is_not_open_leaves_nothing(outbreak: Any) -> None:
    with pytest.raises(cases.CaseUnknown):
        run_trace(outbreak.store, outbreak.keys, QUERY, case="C-8", by="cli:ana")
    case = opened(outbreak)
    with outbreak.store.write() as connection:
        act = cases.Act("cli:ana", datetime.now(UTC))
        cases.close(connection, cases.to_change(connection, case.number), act, "over")
    with pytest.raises(cases.CaseClosed):
        run_trace(outbreak.store, outbreak.keys, QUERY, case="C-7", by="cli:ana")
    assert [one["k"] for one in said(outbreak)] == ["case", "case"]


def test_a_case_that_is_closed_while_its_trace_runs_keeps_no_run(
    outbreak: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, engine = opened(outbreak), result.trace

    def closing(*arguments: Any, **named: Any) -> Any:
        with outbreak.store.write() as connection:
            act = cases.Act("cli:ana", datetime.now(UTC))
            cases.close(connection, cases.to_change(connection, case.number), act, "over")
        return engine(*arguments, **named)

    monkeypatch.setattr(casework, "trace", closing)
    with pytest.raises(cases.CaseClosed):
        run_trace(outbreak.store, outbreak.keys, QUERY, case="C-7", by="cli:ana")
    assert [one.get("do", one["k"]) for one in said(outbreak)] == ["open", "trace", "close", "trace-refused"]


def test_question_and_answer_are_kept_and_the_digest_is_that_of_the_stored_document(outbreak: Any) -> None:
    case = opened(outbreak)
    done = run_trace(outbreak.store, outbreak.keys, QUERY, case="C-7", by="cli:ana")
    with outbreak.store.read() as connection:
        kept = traces.kept(connection, done.number)
    assert kept.document == canonical.encode(done.result.document())
    assert kept.document_hash is not None
    assert kept.document_hash.hex() == done.result.document_hash()
    _, question, run, answer = said(outbreak)
    assert (question["k"], question["why"], question["query"]["seed"]) == ("trace", {"case": "1"}, STORY["seed"])
    assert question["by"] == "cli:ana"
    persons = {int(one.id) for one in done.result.members if one.kind == "person"}
    assert (run["do"], run["trace"], {person for person, *_ in run["persons"]}) == ("run", done.number, persons)
    with outbreak.store.read() as connection:
        found = cases.find(connection, case.number)
    assert found.members.keys() == persons
    assert answer == {"k": "trace-answer", "trace": done.number, "document_hash": done.result.document_hash()}


def test_the_question_is_on_disk_while_the_engine_runs(outbreak: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    engine = result.trace

    def spying(*arguments: Any, **named: Any) -> Any:
        seen.extend(said(outbreak))
        return engine(*arguments, **named)

    monkeypatch.setattr(casework, "trace", spying)
    run_trace(outbreak.store, outbreak.keys, QUERY, purpose="why not")
    assert [one["k"] for one in seen] == ["trace"]


def test_a_trace_tells_how_far_it_is_and_answers_as_it_would_unseen(outbreak: Any) -> None:
    told: list[Stage] = []
    done = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p", report=told.append)
    names = list(dict.fromkeys(stage.name for stage in told))
    assert names == ["sealing", "records", "facts", "index", "possible", "certain", "members", "document"]
    size = done.result.query.log_size
    for name in ("records", "facts"):
        counts = [(stage.done, stage.total) for stage in told if stage.name == name]
        assert counts == sorted(counts)
        assert counts[0][0] < counts[-1][0] == counts[-1][1]
    assert {stage.total for stage in told if stage.name == "records"} == {size}
    generations = [stage for stage in told if stage.name == "possible"]
    assert [stage.done for stage in generations] == list(range(len(generations)))
    # Each party counts in the generation that reaches it; places and seeds are counted apart.
    assert sum(stage.size or 0 for stage in generations) >= sum(one.kind != "place" for one in done.result.members)
    again = trace(done.result.facts, done.result.query)
    assert again.document() == done.result.document()


def test_what_waits_is_sealed_first_and_only_once(outbreak: Any) -> None:
    first = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p")
    with outbreak.store.read() as connection:
        size = log.size(connection)
    assert first.sealed == size == first.result.query.log_size > len(sample.documents("frozen-fish"))
    again = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p")
    assert again.sealed == 1  # the seal that commits to the first question and answer
    assert again.result.query.log_size == size + 1


def test_the_same_log_gives_the_same_document(outbreak: Any) -> None:
    with outbreak.store.write() as connection:
        sequencer.seal(connection, outbreak.keys, datetime.now(UTC))
    first = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p")
    again = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p")
    of = [one.result.document() for one in (first, again)]
    assert of[0]["members"] == of[1]["members"]
    assert of[0]["log"] != of[1]["log"]


def test_a_refused_question_stays_recorded(outbreak: Any) -> None:
    with pytest.raises(SeedUnknown):
        run_trace(outbreak.store, outbreak.keys, TraceQuery("urn:nobody:1", QUERY.at), purpose="p")
    assert [one["k"] for one in said(outbreak)] == ["trace", "trace-refused"]
    with pytest.raises(QueryRefused):
        run_trace(outbreak.store, outbreak.keys, TraceQuery("x", QUERY.at, lookback=timedelta(days=-1)), purpose="p")
    assert len(said(outbreak)) == 2


@pytest.mark.parametrize("why", [{}, {"case": " "}, {"case": "a", "purpose": "b"}, {"purpose": "x" * 2001}])
def test_nobody_asks_without_saying_why(outbreak: Any, why: dict[str, Any]) -> None:
    with pytest.raises(PurposeRefused):
        run_trace(outbreak.store, outbreak.keys, QUERY, **why)
    assert said(outbreak) == []


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/00/106141412345678908"),
        ("https://example.com/00/106141412345678908", "https://id.gs1.org/00/106141412345678908"),
        ("urn:epc:id:sgln:0614141.12345.0", "https://id.gs1.org/414/0614141123452"),
        ("person:123", "123"),
        (" 123 ", "123"),
    ],
)
def test_a_seed_is_taken_in_any_form(written: str, normal: str) -> None:
    assert seed_of(written) == normal


@pytest.mark.parametrize(
    "why", [{"purpose": "contacts of 139-8765-4321"}, {"case": "110105194912310 02X 11010519491231002X"}]
)
def test_what_a_trace_is_for_names_nobody_by_a_number(why: dict[str, str]) -> None:
    with pytest.raises(PurposeRefused, match="kept for ever"):
        reason(why.get("case", ""), why.get("purpose", ""))


def test_a_seed_as_a_urn_gives_the_same_answer(outbreak: Any) -> None:
    urn = "urn:epc:id:sscc:9520001.3000000002"
    done = run_trace(outbreak.store, outbreak.keys, TraceQuery(urn, QUERY.at), purpose="p")
    usual = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p")
    assert [one.id for one in done.result.members] == [one.id for one in usual.result.members]


def test_every_step_of_every_walk_rests_on_records_of_the_log(outbreak: Any) -> None:
    document = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p").result.as_json()
    with outbreak.store.read() as connection:
        data = [json.loads(data) for _, data in log.entries(connection)]
    known = {one["h"] for one in data if one["k"] == "record"}
    steps = [step for member in document["members"] for step in member["walk"]]
    assert steps
    assert {digest for step in steps for digest in step["record_hashes"]} <= known


def test_a_record_that_came_after_the_question_changes_only_later_answers(outbreak: Any) -> None:
    first = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p")
    event = {
        "type": "ObjectEvent",
        "eventTime": "2024-11-13T08:00:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": "inspecting",
        "epcList": [STORY["seed"]],
        "readPoint": {"id": "https://id.gs1.org/414/9520001001055/254/stall-12"},
        "sdl:participants": [{"personRef": {"kind": "phone", "value": "19900000999"}, "role": "inspector"}],
        "@context": {"sdl": "urn:sudonglian:ns:1:"},
    }
    with outbreak.store.write() as connection:
        intake.capture(
            connection, outbreak.keys, json.dumps(event).encode(), submitter="urn:x:1", now=datetime.now(UTC)
        )
    later = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p")
    number = str(outbreak.person("19900000999"))
    assert number not in {one.id for one in first.result.members}
    assert number in {one.id for one in later.result.members}


def test_graphml_is_read_back_by_networkx(outbreak: Any) -> None:
    import io

    import networkx as nx

    graph = run_trace(outbreak.store, outbreak.keys, QUERY, purpose="p").result.to_networkx()
    read = nx.read_graphml(io.BytesIO(graphml.encode(graph)))
    assert sorted(read.nodes) == sorted(graph.nodes)
    assert read.number_of_edges() == graph.number_of_edges()


def test_graphml_holds_no_character_that_xml_forbids() -> None:
    import io

    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_edge("a\x00b", "c\ufffe", key="\x1f", kind="\x0b鱼")
    read = nx.read_graphml(io.BytesIO(graphml.encode(graph)))
    assert sorted(read.nodes) == ["a\ufffdb", "c\ufffd"]


def test_an_event_without_a_time_is_refused_by_name() -> None:
    with pytest.raises(EventRefused):
        views.view("aa", 0, {"type": "ObjectEvent"})


def test_a_view_holds_normal_forms_roles_and_the_sample() -> None:
    seen = views.view(
        "aa",
        3,
        {
            "type": "AggregationEvent",
            "action": "ADD",
            "eventTime": "2024-11-10T14:00:00+08:00",
            "parentID": "urn:epc:id:sscc:0614141.1234567890",
            "childQuantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 3}],
            "readPoint": {"id": "urn:epc:id:sgln:0614141.12345.0"},
            "sourceList": [{"type": "possessing_party", "source": "urn:epc:id:pgln:0614141.12345"}, "junk"],
            "sdl:traceCode": [{"issuer": "x", "code": "1"}],
            "sdl:labTest": {"result": "positive", "time": "2024-11-10T15:00:00+08:00"},
        },
        [views.participant(7, "loader", "opened", 5, None), views.participant(8, "x", "unknown contact")],
    )
    assert [tuple(item) for item in seen.items] == [
        ("https://id.gs1.org/00/106141412345678908", "parent"),
        ("https://id.gs1.org/01/04012345123456/10/998877", "child_quantity"),
    ]
    assert seen.read_point == "https://id.gs1.org/414/0614141123452"
    assert [tuple(one) for one in seen.sources] == [("possessing_party", "https://id.gs1.org/417/0614141123452")]
    assert (seen.sample.result, seen.sample.time) == ("positive", 1731222000000000) if seen.sample else False
    assert [one.contact for one in seen.participants] == ["opened", ""]
    assert seen.event_time == 1731218400000000


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"backward": True},
        {"strict": False, "max_generation": 2, "until": QUERY.at + timedelta(days=3)},
        {"persistence": {"location": timedelta(hours=5), "item": timedelta(days=2)}},
        {"min_dwell": {"location": timedelta(minutes=15), "handoff": timedelta(seconds=1)}},
        {"policy": "sars-cov-2-central/1"},
        {"policy": "listeria/1", "persistence": {"person": timedelta(days=1)}},
    ],
)
def test_a_kept_answer_is_made_again_to_the_byte(outbreak: Any, changes: dict[str, Any]) -> None:
    done = run_trace(outbreak.store, outbreak.keys, replace(QUERY, **changes), purpose="p")
    found = again(outbreak.store, done.number)
    assert found.is_same
    assert (found.edition, found.kept) == (FOURTH, done.result.encoded())


def test_an_answer_that_was_kept_in_the_first_edition_is_made_again_in_it(outbreak: Any) -> None:
    """The row as it was written then: its question in seconds, its document without what came later."""
    asked = replace(QUERY, persistence={"location": timedelta(hours=5)}, tiers=TIERS, rank=RANK, interviews=False)
    done = run_trace(outbreak.store, outbreak.keys, asked, purpose="p")
    with outbreak.store.write() as connection:
        kept = traces.kept(connection, done.number)
        told = canonical.parse_stored(kept.query)
        assert isinstance(told, dict)
        unknown = ("persistence_us", "min_dwell_us", "strict", "tiers", "rank", "interviews")
        old = {name: value for name, value in told.items() if name not in unknown}
        number = traces.ask(
            connection, {"purpose": "p"}, {**old, "persistence_s": {"location": 18_000}}, kept.log_size, QUERY.at
        )
        first = canonical.encode(as_edition(done.result.document(), FIRST))
        traces.answer(connection, number, first, hashlib.sha256(DOMAIN + first).digest())
    found = again(outbreak.store, number)
    assert (found.edition, found.is_same) == (FIRST, True)
