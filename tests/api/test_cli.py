"""The command line: exit codes, one document on standard output, no stack trace, refusals by name in both languages."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sudonglian.api import capturing
from sudonglian.api.commands import records, sample
from sudonglian.chain import merkle
from sudonglian.records.store import StoreError

STORY = sample.stories()["frozen-fish"]
SAMPLES = Path(sample.__file__).parents[1] / "samples" / "frozen-fish"
Run = Callable[..., Any]


@pytest.fixture
def loaded(run: Run) -> Run:
    """The same, with the sample loaded and anchored."""
    assert run("sample", "load").code == 0
    assert run("anchor").code == 0
    return run


def test_the_whole_way_by_commands(loaded: Run, tmp_path: Path) -> None:
    status = loaded("status", "--json").json
    assert status["lag"] == status["pending"] == 0
    assert status["anchors"][0]["state"] == "FINAL"
    assert set(status["anchors"][0]) >= {"size", "state", "block", "tx"}
    told = ("--purpose", "a positive pallet", "--basis", "law", "--responsible", "Ana")
    assert loaded("case", "open", "C-1", *told, "--json").json["case"] == 1
    asked = ("trace", STORY["seed"], "--at", STORY["at"], "--case", "C-1")
    files = {"--route": "route.svg", "--timeline": "timeline.svg", "--csv": "list.csv"}
    drawn = [part for option, name in files.items() for part in (option, str(tmp_path / name))]
    trace = loaded(*asked, "--graphml", str(tmp_path / "g.xml"), *drawn, "--json").json
    assert trace["log"]["size"] == status["log"]["size"] + 1  # what the case says is sealed first
    assert sum(one["kind"] == "person" for one in trace["members"]) == 26
    for one in trace["members"]:
        assert set(one) >= {"id", "kind", "earliest", "evidence", "generation", "tier", "walk"}
        assert set(one["generation"]) == {"objects", "persons"}
    assert (tmp_path / "g.xml").read_bytes().startswith(b"<?xml")
    assert len((tmp_path / "list.csv").read_text("utf-8").splitlines()) == 1 + len(trace["members"])
    for file in ("route.svg", "timeline.svg"):
        assert ElementTree.parse(tmp_path / file).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    trust = str(tmp_path / "trust.json")
    assert loaded("trust", "add", "-o", trust).code == 0
    hashes = {step["record_hash"] for one in trace["members"] for step in one["walk"]}
    assert hashes
    for number, digest in enumerate(sorted(hashes)[:5]):
        path = str(tmp_path / f"{number}.json")
        made = loaded("bundle", digest, "-o", path, "--json").json
        assert made == {"bundle": path, "record_hash": digest, "state": "final", "lots": [], "absent": []}
        verdict = loaded("verify", path, "--trust", trust, "--json")
        assert (verdict.code, verdict.json["verdict"]) == (0, "VALID")


def test_capture_is_idempotent_and_reads_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(SAMPLES / "06-supermarket.json")
    first = run("capture", path, "--json")
    assert (first.code, first.json["accepted"], first.json["unchanged"]) == (0, 2, 0)
    assert "first use" in first.err
    assert [set(one) >= {"index", "record_hash", "event_id"} for one in first.json["records"]] == [True, True]
    monkeypatch.setattr(records, "read_file", lambda *_: Path(path).read_bytes())
    again = run("capture", "-", "--json")
    assert (again.code, again.json["accepted"], again.json["unchanged"]) == (0, 0, 2)
    assert [one["record_hash"] for one in again.json["records"]] == [
        one["record_hash"] for one in first.json["records"]
    ]
    other = run("capture", path, "--submitter", "urn:x:other", "--json")
    assert other.json["accepted"] == 2


def test_a_changed_event_under_the_same_id_is_refused_or_kept(run: Run, tmp_path: Path) -> None:
    path = SAMPLES / "07-school-canteen.json"
    changed = tmp_path / "changed.json"
    changed.write_text(path.read_text("utf-8").replace("in_progress", "active"), "utf-8")
    run("capture", str(path))
    refused = run("capture", str(changed), "--json")
    assert (refused.code, refused.json["refused"][0]["code"]) == (1, "event-id-conflict")
    assert set(refused.json["refused"][0]) >= {"index", "code", "pointer", "message"}
    kept = run("capture", str(changed), "--duplicate-ids", "keep", "--json")
    assert (kept.code, kept.json["accepted"]) == (0, 1)


def test_one_bad_event_takes_its_document_with_it_unless_the_others_proceed(run: Run, tmp_path: Path) -> None:
    document = json.loads((SAMPLES / "06-supermarket.json").read_text("utf-8"))
    document["epcisBody"]["eventList"][1]["eventTime"] = "yesterday"
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(document), "utf-8")
    rolled_back = run("capture", str(bad), "--json")
    assert (rolled_back.code, rolled_back.json["accepted"], rolled_back.json["records"]) == (1, 0, [])
    assert {one["index"] for one in rolled_back.json["refused"]} == {1}
    proceeded = run("capture", str(bad), "--behaviour", "proceed", "--json")
    assert (proceeded.code, proceeded.json["accepted"]) == (1, 1)


XML = """<?xml version="1.0" encoding="gb2312"?>
<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-01-05T01:00:00Z">
<EPCISHeader><extension><EPCISMasterData><VocabularyList>
<Vocabulary type="urn:epcglobal:epcis:vtype:BusinessLocation"><VocabularyElementList>
<VocabularyElement id="urn:epc:id:sgln:9520001.00123.0"><attribute id="urn:epcglobal:cbv:mda#name">一号冷库</attribute>
</VocabularyElement></VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData></extension></EPCISHeader>
<EPCISBody><EventList><ObjectEvent><eventTime>2024-11-10T14:00:00+08:00</eventTime>
<eventTimeZoneOffset>+08:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sscc:9520001.3000000001</epc></epcList>
<action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:storing</bizStep>
<bizLocation><id>urn:epc:id:sgln:9520001.00123.0</id></bizLocation></ObjectEvent></EventList></EPCISBody>
</e:EPCISDocument>"""


def test_xml_is_taken_as_its_json_and_master_data_name_things(run: Run, tmp_path: Path) -> None:
    event = {
        "type": "ObjectEvent",
        "eventTime": "2024-11-10T14:00:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "epcList": ["urn:epc:id:sscc:9520001.3000000001"],
        "action": "OBSERVE",
        "bizStep": "storing",
        "bizLocation": {"id": "urn:epc:id:sgln:9520001.00123.0"},
    }
    xml, twin = tmp_path / "event.xml", tmp_path / "event.json"
    xml.write_text(XML, "gb2312")
    twin.write_text(json.dumps(event), "utf-8")
    assert run("hash", str(xml), "--json").json == run("hash", str(twin), "--json").json
    assert run("validate", str(xml), "--json").json["valid"]
    first = run("capture", str(xml), "--json").json
    assert (first["accepted"], first["described"]) == (1, 1)
    assert run("capture", str(twin), "--json").json["unchanged"] == 1
    shown = run("show", first["records"][0]["record_hash"], "--json").json
    assert shown["names"] == {"https://id.gs1.org/414/9520001001239": "一号冷库"}
    assert shown["event"]["bizStep"] == "storing"
    told = run("describe", "https://id.gs1.org/414/9520001001239", "--json").json["described"]
    assert [one["id"] for one in told] == ["urn:epc:id:sgln:9520001.00123.0"]
    assert run("describe", "urn:x:nobody").out.strip() == "nobody has described it"
    xml.write_text(XML.replace("storing", "string"), "gb2312")
    refused = run("validate", str(xml), "--json")
    assert (refused.code, refused.json["findings"][0]["code"]) == (1, "biz-step")


def test_identifiers_are_translated(run: Run) -> None:
    urn, link = "urn:epc:id:sgtin:0614141.107346.2018", "https://id.gs1.org/01/10614141073464/21/2018"
    assert run("translate", "--to", "link", urn, "urn:x:1").out.split() == [link, "urn:x:1"]
    assert run("translate", "--to", "urn", link, "--prefix", "0614141", "--json").json == {
        "identifiers": [{"given": link, "translated": urn}]
    }
    assert run("translate", "--to", "urn", link, urn).out.split() == [urn, urn]
    refused = run("translate", "--to", "urn", link, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (1, "company-prefix-unknown")
    assert run("translate", "--to", "urn", link, "--prefix", "12345").code == 64


def test_why_one_is_listed_and_that_another_is_not(loaded: Any) -> None:
    asked = ("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "p")
    people = [one for one in loaded(*asked, "--json").json["members"] if one["kind"] == "person"]
    farthest = max(people, key=lambda one: len(one["earliest_walk"]))
    for spelling in (farthest["id"], f"person:{farthest['id']}"):
        told = loaded(*asked, "--why", spelling).out.splitlines()
        assert told[1].startswith(f"{farthest['id']} is listed as person ")
        records = [line.rpartition(" ")[2] for line in told if line.startswith("     record ")]
        assert set(records) == {digest for step in farthest["earliest_walk"] for digest in step["record_hashes"]}
        assert "       unconfirmed: nobody has signed" in told, "the walk rests on handoffs"
        assert not any(other["id"] in line for other in people if other != farthest for line in told)
    assert "  1. " in loaded(*asked, "--why", "urn:epc:id:sscc:9520001.3000000001", "--lang", "zh").out
    assert "is where this trace begins" in loaded(*asked, "--why", "urn:epc:id:sscc:9520001.3000000002").out
    assert "77 is not listed by this trace" in loaded(*asked, "--why", "77").out


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b"<xml/>", b"[]", b'{"a":1,"a":2}', b"[" * 100, b'{"type":"EPCISDocument"}']
)
def test_what_is_no_document_is_refused_by_code_in_both_languages(run: Run, tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "raw"
    path.write_bytes(raw)
    captured = run("capture", str(path), "--json")
    assert captured.code == 1
    (one,) = captured.json["refused"]
    assert one["index"] is None
    assert one["message"]["zh"] != one["message"]["en"]
    judged = run("validate", str(path), "--json")
    assert (judged.code, judged.json["valid"]) == (1, False)
    assert judged.json["findings"][0]["code"] == one["code"]


def test_validate_needs_no_deployment(run: Run, tmp_path: Path) -> None:
    judged = run("validate", str(SAMPLES / "03-cold-store.json"), "--json")
    assert (judged.code, judged.json["valid"], judged.json["events"]) == (0, True, 8)
    assert not (tmp_path / "data").exists()


def test_hash_takes_what_is_not_valid_and_names_each_event(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text('{"type":"ObjectEvent","bizStep":"no such step","eventTime":"2024-01-01T00:00:00Z"}', "utf-8")
    (one,) = run("hash", str(path), "--json").json["events"]
    assert (one["index"], one["event_id"]) == (0, None)
    assert one["event_hash_id"].startswith("ni:///sha-256;")
    assert one["event_hash_id"].endswith("?ver=CBV2.0")
    assert len(one["content_hash"]) == 64
    path.write_text('{"bizStep":"no such step","type":"ObjectEvent","eventTime":"2024-01-01T00:00:00Z"}', "utf-8")
    assert run("hash", str(path), "--json").json["events"][0]["content_hash"] == one["content_hash"]


def test_show_keeps_people_and_withheld_members_back(loaded: Run) -> None:
    history = loaded("history", STORY["seed"], "--json").json
    sampled = next(one for one in history["events"] if one["event_time"] == STORY["at"])
    shown = loaded("show", sampled["record_hash"], "--json").json
    assert "bizTransactionList" not in shown["event"]
    assert "sdl:participants" not in shown["event"]
    more = loaded("show", sampled["record_hash"], "--disclose", "bizTransactionList", "--json").json
    assert more["event"]["bizTransactionList"][0]["type"] == "testres"
    people = loaded("show", sampled["record_hash"], "--disclose", "sdl:participants", "--json")
    assert (people.code, people.json["error"]["code"]) == (1, "vault")


def test_history_directions(loaded: Run) -> None:
    ways = {
        way: loaded("history", STORY["seed"], "--direction", way, "--json").json["events"]
        for way in ("back", "forward", "both")
    }
    hashes = {way: {one["record_hash"] for one in events} for way, events in ways.items()}
    assert hashes["back"] | hashes["forward"] == hashes["both"]
    assert all(set(one) >= {"event_id", "record_hash", "event_time", "relation"} for one in ways["both"])
    assert loaded("history", "urn:nobody:1", "--json").json["events"] == []


def test_the_log_is_readable_and_its_checkpoint_is_signed(loaded: Run) -> None:
    entries = loaded("log", "entries", "--json").json["entries"]
    checkpoint = loaded("log", "checkpoint", "--json").json
    assert len(entries) == checkpoint["size"]
    assert entries[-1]["k"] == "seal"
    assert checkpoint["note"].splitlines()[1] == str(checkpoint["size"])
    assert checkpoint["verifier_key"].startswith(checkpoint["note"].splitlines()[0] + "+")
    assert [one["index"] for one in loaded("log", "entries", "--from", "2", "--to", "4", "--json").json["entries"]] == [
        2,
        3,
    ]
    assert loaded("log", "checkpoint", "--size", "3", "--json").json["error"]["code"] == "not-in-log"


def test_a_range_of_the_log_is_proven_at_once(loaded: Run) -> None:
    def holds(proof: dict[str, Any]) -> None:
        leaves = [merkle.leaf_hash(one.encode()) for one in proof["entries"]]
        assert len(leaves) == proof["to"] - proof["from"]
        path, root = [bytes.fromhex(one) for one in proof["path"]], bytes.fromhex(proof["root"])
        merkle.verify_range(leaves, proof["from"], proof["size"], path, root)

    asked = loaded("log", "range", "--from", "5", "--to", "40", "--json").json
    holds(asked)
    assert asked["note"] == loaded("log", "checkpoint", "--json").json["note"]
    day = ("--since", "2020-01-01T00:00:00+08:00", "--until", "2099-01-01T00:00:00+08:00")
    everything = loaded("log", "range", *day, "--json").json
    holds(everything)
    assert (everything["from"], everything["to"], everything["path"]) == (0, everything["size"], [])
    assert "5" in loaded("log", "range", "--from", "5", "--to", "6").out
    for wrong, code in (
        ((), 64),
        (("--from", "5"), 64),
        (("--since", day[1]), 64),
        (("--from", "1", "--to", "2", *day), 64),
        (("--since", "yesterday", "--until", day[3]), 64),
        (("--from", "5", "--to", "5"), 1),
        (("--from", "5", "--to", "4000"), 1),
        (("--since", day[1], "--until", "2020-01-02T00:00:00+08:00"), 1),
        (("--from", "1", "--to", "2", "--size", "3"), 1),
    ):
        assert loaded("log", "range", *wrong).code == code, wrong


def test_a_bundle_of_what_is_not_anchored_is_pending_and_indeterminate(loaded: Run, tmp_path: Path) -> None:
    trust, path = str(tmp_path / "trust.json"), str(tmp_path / "b.json")
    loaded("trust", "add", "-o", trust)
    event = tmp_path / "event.json"
    event.write_text(
        json.dumps(
            {
                "type": "ObjectEvent",
                "action": "OBSERVE",
                "eventTime": "2024-11-13T08:00:00Z",
                "eventTimeZoneOffset": "+00:00",
                "epcList": ["urn:epc:id:sscc:9520001.3000000002"],
            }
        ),
        "utf-8",
    )
    digest = loaded("capture", str(event), "--json").json["records"][0]["record_hash"]
    waiting = loaded("bundle", digest, "-o", path, "--json")
    assert (waiting.code, waiting.json["error"]["code"]) == (1, "not-sealed")
    loaded("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "seals what waits")
    assert loaded("bundle", digest, "-o", path, "--json").json["state"] == "pending"
    verdict = loaded("verify", path, "--trust", trust, "--json")
    assert (verdict.code, verdict.json["verdict"]) == (2, "INDETERMINATE")
    assert loaded("anchor").code == 0
    assert loaded("bundle", digest, "-o", path, "--json").json["state"] == "final"
    assert loaded("verify", path, "--trust", trust).code == 2  # the auditor has not taken the new header yet
    loaded("trust", "add", "-o", trust)
    assert loaded("verify", path, "--trust", trust).code == 0


def test_an_erased_person_is_gone_and_proofs_hold(loaded: Run, tmp_path: Path) -> None:
    trust, path = str(tmp_path / "trust.json"), str(tmp_path / "b.json")
    loaded("trust", "add", "-o", trust)
    loaded("bundle", "--lot", STORY["lot"], "--through", "-o", path)
    erased = loaded("erase", "phone", "+86 199 0000 0505", "--reason", "asked", "--json")
    assert erased.code == 0
    assert (erased.json["erased"], len(erased.json["records"])) == (True, 1)
    again = loaded("erase", "phone", "19900000505", "--reason", "asked", "--json")
    assert (again.code, again.json["error"]["code"]) == (1, "unknown-person")
    assert loaded("verify", path, "--trust", trust).code == 0
    trace = loaded("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "p", "--json").json
    assert sum(one["kind"] == "person" for one in trace["members"]) == 26  # nameless, and still counted
    resent = loaded("sample", "load", "--json")
    assert (resent.code, {one["code"] for one in resent.json["refused"]}) == (1, {"erased"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["capture"],
        ["capture", "/no/such/file"],
        ["capture", "--nonsense", "x"],
        ["capture", "x", "--duplicate-ids", "maybe"],
        ["capture", "x", "--submitter", "no uri"],
        ["validate"],
        ["validate", "/"],
        ["validate", "a\x00b"],
        ["trace"],
        ["trace", "urn:x:1"],
        ["trace", "urn:x:1", "--at", "yesterday", "--purpose", "p"],
        ["trace", "urn:x:1", "--at", "2024-11-10T14:00:00", "--purpose", "p"],
        ["trace", "urn:x:1", "--at", "2024-11-10T14:00:00Z"],
        ["trace", "urn:x:1", "--at", "2024-11-10T14:00:00Z", "--purpose", "p", "--case", "c"],
        ["trace", "urn:x:1", "--at", "2024-11-10T14:00:00Z", "--purpose", "p", "--policy", "other"],
        ["trace", "urn:x:1", "--at", "2024-11-10T14:00:00Z", "--purpose", "p", "--lookback", "soon"],
        ["trace", "urn:x:1", "--at", "2024-11-10T14:00:00Z", "--purpose", "p", "--max-generation", "-1"],
        ["bundle", "-o", "x"],
        ["bundle", "zz", "-o", "x"],
        ["bundle", "--through", "ab" * 32, "-o", "x"],
        ["show", "12"],
        ["anchor", "--wait", "soon"],
        ["trust", "add"],
        ["trust", "add", "-o", "x", "--contract", "0x00"],
        ["trust", "add", "-o", "x", "--rpc", "http://127.0.0.1:1"],
        ["trust", "add", "-o", "x", "--rpc", "ftp://x", "--contract", "ab" * 20, "--key", "k"],
        ["verify", "/no/such", "--trust", "/no/such"],
        ["verify", "x"],
        ["sample", "load", "no-such-sample"],
        ["erase", "shoe-size", "42", "--reason", "x"],
        ["erase", "phone", "1"],
        ["status", "--lang", "fr"],
        ["status", "--lang"],
        [],
    ],
)
def test_wrong_usage_is_64_and_touches_nothing(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    assert run(*arguments).code == 64
    assert not (tmp_path / "data" / "keys").exists() or arguments[:2] == ["capture", "/no/such/file"]


def test_with_json_an_error_is_one_document_too(run: Run) -> None:
    usage = run("--json", "trace", "urn:x:1", "--at", "never", "--purpose", "p")
    assert (usage.code, usage.json["error"]["code"], usage.json["error"]["place"]) == (64, "usage", "--at")
    unknown = run("trace", "urn:x:1", "--at", "2024-11-10T14:00:00Z", "--purpose", "p", "--json")
    assert (unknown.code, unknown.json["error"]["code"]) == (1, "trace-seed-unknown")


def test_a_wrong_setting_is_64_and_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDONGLIAN_SEAL_AFTER", "soon")
    done = run("status", "--json")
    assert (done.code, done.json["error"]["place"]) == (64, "SUDONGLIAN_SEAL_AFTER")


def test_chinese_is_spoken_where_it_is_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "冷链溯源" in run("--lang", "zh", "--help").out
    assert "首次使用" in run("status", "--lang=zh").err
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "没有记录提到追溯起点" in run("trace", "urn:x:1", "--at", "2024-11-10T14:00:00Z", "--purpose", "p").err


def test_an_unforeseen_error_is_one_line_and_a_file_without_its_text(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError(str(13800138 * 1000) + " is somebody's phone")

    monkeypatch.setattr("sudonglian.api.validating.rehearse", fails)
    done = run("validate", str(SAMPLES / "03-cold-store.json"), "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "unexpected")
    assert len(done.err.splitlines()) == 1
    log = tmp_path / "data" / "log" / "errors.log"
    assert str(log) in done.err
    kept = log.read_text("utf-8")
    assert "builtins.KeyError" in kept
    assert "rehearse(" in kept
    assert "13800138000" not in kept + done.err + done.out


def test_the_data_folder_and_keys_are_the_users_own(run: Run, tmp_path: Path) -> None:
    run("anchor")
    for path, mode in (
        (tmp_path / "data", 0o700),
        (tmp_path / "data" / "keys", 0o700),
        (tmp_path / "data" / "keys" / "kek.key", 0o600),
        (tmp_path / "data" / "keys" / "anchor.key", 0o600),
    ):
        assert stat.S_IMODE(os.stat(path).st_mode) == mode, path


def test_a_data_folder_that_cannot_be_made_is_64(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert run("status", "--data-dir", str(tmp_path / "file" / "data")).code == 64


def test_a_chain_that_does_not_answer_is_told_and_the_rest_of_the_status_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDONGLIAN_RPC_URL", "http://127.0.0.1:1")
    run("sample", "load")
    status = run("status", "--json")
    assert status.code == 1
    assert status.json["pending"] == 64
    assert status.json["problem"]["code"].startswith("chain")
    assert run("anchor").code == 1
    assert run("status", "--json").json["log"]["size"] == 0  # nothing was sealed unseen


def test_a_damaged_database_is_a_named_error(run: Run, tmp_path: Path) -> None:
    run("sample", "load")
    (tmp_path / "data" / "sudonglian.db").write_bytes(b"this is no database" * 1000)
    for leftover in tmp_path.glob("data/sudonglian.db-*"):
        leftover.unlink()
    done = run("status", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "store")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12), max_size=4))
def test_no_arguments_at_all_give_a_stack_trace(run: Run, arguments: list[str]) -> None:
    commands = [*arguments]
    assert run("show", *commands).code in (0, 1, 64)
    assert run(*commands).code in (0, 1, 64)


def test_the_console_script_is_the_entry_that_needs_no_extras() -> None:
    from importlib.metadata import entry_points

    from sudonglian.api import entry

    (script,) = (one for one in entry_points(group="console_scripts") if one.name == "sudonglian")
    assert script.load() is entry.main


@pytest.mark.parametrize("value", ["18.5", "12.50", "1e-3"])
def test_validate_takes_a_decimal_number_as_capture_does(run: Run, tmp_path: Path, value: str) -> None:
    lot = f'"quantityList":[{{"epcClass":"urn:epc:class:lgtin:4012345.012345.998877","quantity":{value}}}]'
    time = '"eventTime":"2024-11-10T14:00:00+08:00","eventTimeZoneOffset":"+08:00"'
    path = tmp_path / "event.json"
    path.write_text(f'{{"type":"ObjectEvent",{time},"action":"OBSERVE",{lot}}}', "utf-8")
    assert run("validate", str(path)).code == run("capture", str(path)).code == 0


def test_validate_shows_what_capture_warns_of(run: Run, tmp_path: Path) -> None:
    path = str(SAMPLES / "03-cold-store.json")
    judged, captured = run("validate", path, "--json").json, run("capture", path, "--json").json
    assert judged["findings"]
    assert [(one["index"], one["code"], one["pointer"]) for one in judged["findings"]] == [
        (one["index"], one["code"], one["pointer"]) for one in captured["warnings"]
    ]


def test_a_profile_that_is_not_known_is_wrong_usage(run: Run) -> None:
    done = run("validate", str(SAMPLES / "03-cold-store.json"), "--profile", "cn-export", "--json")
    assert (done.code, done.json["error"]["place"]) == (64, "--profile")
    assert all(name in done.json["error"]["message"] for name in ("cn-import", "fsma204-shipping"))


def test_a_profile_refuses_what_capture_would_take(run: Run) -> None:
    path = str(SAMPLES / "03-cold-store.json")
    assert run("validate", path, "--json").code == 0
    judged = run("validate", path, "--profile", "cn-import", "--json")
    assert (judged.code, judged.json["valid"], judged.json["profile"]) == (1, False, "cn-import")
    codes = {one["code"] for one in judged.json["findings"] if one["level"] == "error"}
    assert "cn-customs-declaration" in codes
    refused = run("capture", path, "--profile", "cn-import", "--json")
    assert (refused.code, refused.json["accepted"]) == (1, 0)
    assert codes <= {one["code"] for one in refused.json["refused"]}
    assert run("capture", path, "--profile", "no-such").code == 64
    good = Path(__file__).resolve().parents[2] / "docs" / "profiles" / "cn-import.json"
    assert run("capture", str(good), "--profile", "cn-import").code == 0


def test_several_files_are_judged_each_for_itself(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}", "utf-8")
    good = str(SAMPLES / "03-cold-store.json")
    judged = run("validate", good, str(bad), "--json")
    assert (judged.code, judged.json["valid"]) == (1, False)
    assert [(one["file"], one["valid"]) for one in judged.json["files"]] == [(good, True), (str(bad), False)]
    alone = run("validate", good, "--json").json["findings"]
    assert [one for one in judged.json["findings"] if one["file"] == good] == alone
    assert {one["code"] for one in judged.json["findings"] if one["file"] == str(bad)} == {"not-epcis"}


def test_profiles_are_listed_with_their_sources(run: Run) -> None:
    listed = run("profiles", "--json").json["profiles"]
    assert [one["name"] for one in listed] == [
        "cn-import",
        "gb31605-handover",
        "fsma204-shipping",
        "fsma204-receiving",
        "fsma204-transformation",
    ]
    assert all(one["sources"] and one["rules"] and one["title"]["zh"] for one in listed)
    assert "21 CFR 1.1340" in run("profiles").out


def test_a_key_that_stands_twice_is_named_and_pointed_at_everywhere(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "twice.json"
    path.write_text('{"type":"ObjectEvent","ilmd":{"a":1,"a":2}}', "utf-8")
    (finding,) = run("validate", str(path), "--json").json["findings"]
    (refused,) = run("capture", str(path), "--json").json["refused"]
    hashed = run("hash", str(path), "--json").json["error"]
    assert finding["code"] == refused["code"] == hashed["code"] == "duplicate-key"
    assert finding["pointer"] == refused["pointer"] == hashed["place"] == "/ilmd/a"


def test_a_file_that_cannot_be_read_costs_no_receipt(run: Run, tmp_path: Path) -> None:
    good, other = str(SAMPLES / "06-supermarket.json"), str(SAMPLES / "07-school-canteen.json")
    missing = str(tmp_path / "missing.json")
    done = run("capture", good, missing, "", str(tmp_path), other, "--json")
    assert (done.code, len(done.json["records"])) == (64, done.json["accepted"])
    assert {one["file"] for one in done.json["records"]} == {good, other}
    assert [(one["file"], one["code"]) for one in done.json["refused"]] == [
        (missing, "file"),
        ("", "file"),
        (str(tmp_path), "file"),
    ]
    assert "the name of the file is empty" in done.err
    assert run("status", "--json").json["pending"] == done.json["accepted"]


def test_a_store_that_fails_at_a_later_file_costs_no_receipt(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    good, later = str(SAMPLES / "06-supermarket.json"), str(SAMPLES / "07-school-canteen.json")
    take = capturing.capture_all

    def full(house: Any, raw: bytes, *rest: Any) -> Any:
        if raw == Path(later).read_bytes():
            raise StoreError("database or disk is full")
        return take(house, raw, *rest)

    monkeypatch.setattr(records, "capture_all", full)
    done = run("capture", good, later, "--json")
    assert (done.code, done.json["accepted"]) == (1, 2)
    assert [(one["file"], one["code"]) for one in done.json["refused"]] == [(later, "store")]
    alone = run("capture", later, "--json")
    assert (alone.code, alone.json["error"]["code"]) == (1, "store")


@pytest.mark.parametrize("command", ["validate", "hash", "capture"])
def test_what_never_ends_is_too_large(run: Run, command: str) -> None:
    done = run(command, "/dev/zero", "--json")
    assert done.code == 1
    assert "too-large" in done.out


def test_a_lot_that_no_record_names_is_said_to_be_absent(loaded: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "lot.json")
    absent = loaded("bundle", "--lot", "urn:x:notalot", "-o", path, "--json")
    assert (absent.code, absent.json["lots"], absent.json["absent"]) == (0, ["urn:x:notalot"], ["urn:x:notalot"])
    assert "no record names urn:x:notalot" in absent.err
    named = loaded("bundle", "--lot", STORY["seed"], "-o", path, "--json")
    assert (named.json["lots"], named.json["absent"]) == ([STORY["seed"]], [])
    assert "no record names" not in named.err
