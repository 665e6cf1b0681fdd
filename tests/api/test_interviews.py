"""Interviews: what people said joins the trace as records of the authority, and leaves it when it is withdrawn."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.api.test_exports import unpacked

from sudonglian.api.commands import sample

STORY = sample.stories()["frozen-fish"]
TOLD = ("--purpose", "a positive pallet", "--basis", "law", "--responsible", "Ana")
AUTHORITY = "urn:sudonglian:submitter:cdc"
KITCHEN = "https://id.gs1.org/414/9520001001062/254/kitchen"
FRIEND, OTHER, NAME = "13812345678", "13912345678", "欧阳友人"

Run = Callable[..., Any]


@pytest.fixture
def loaded(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SUDONGLIAN_SUBMITTER", AUTHORITY)
    assert run("sample", "load").code == 0
    assert run("case", "open", "C-1", *TOLD).code == 0
    assert run("case", "seed", "C-1", STORY["seed"], "--at", STORY["at"], "--result", "positive").code == 0
    assert run("case", "run", "C-1").code == 0
    return run


def members(run: Run) -> dict[int, dict[str, Any]]:
    return {one["person"]: one for one in run("case", "members", "C-1", "--json").json["members"]}


def sheet(folder: Path, *rows: str) -> str:
    """Write a sheet of who met whom where, from when to when."""
    file = folder / "said.csv"
    head = "person,with,place,goods,contact,begin,begin at the latest,end,end at the latest,told,said by,certainty"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return str(file)


def dinner(person: int, who: str = f"phone:{FRIEND}={NAME}") -> str:
    times = "2024-11-11 19:00,2024-11-11 19:30,2024-11-11 20:30,2024-11-11 21:00,2024-11-13 09:00"
    return f"person:{person},{who},{KITCHEN},,,{times},本人,回忆"


def taken(done: Any) -> list[dict[str, Any]]:
    assert done.code == 0, done.err
    found: list[dict[str, Any]] = done.json["taken"]
    return found


def test_somebody_whom_no_firm_knows_is_listed_and_leaves_with_the_statement(loaded: Run, tmp_path: Path) -> None:
    run = loaded
    before = members(run)
    person = next(number for number, one in before.items() if one["tier"] == "close")
    file = sheet(tmp_path, dinner(person))
    (one,) = taken(run("case", "interview", "import", "C-1", file, "--json"))
    assert one["persons"][0] == person
    friend = one["persons"][1]
    assert friend not in before
    (again,) = taken(run("case", "interview", "import", "C-1", file, "--json"))
    assert (again["record_hash"], again["unchanged"]) == (one["record_hash"], True)
    assert run("case", "run", "C-1").code == 0
    listed = members(run)
    assert set(listed) - set(before) == {friend}
    row = listed[friend]
    assert (row["tier"], row["generation"], row["evidence"]) == ("secondary", {"objects": 1, "persons": 1}, "possible")
    assert (row["stated"], listed[person]["stated"], row["flags"]) == ("yes", "no", [])
    assert run("retrace", "2").code == 0
    assert run("case", "status", "C-1", str(friend), "contacted").code == 0
    # Without what people said the friend is not exposed; the list of the case stays as it is.
    asked = ("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "p", "--json")
    whole, firms = run(*asked).json, run(*asked, "--without-interviews").json
    assert str(friend) in {one["id"] for one in whole["members"]}
    assert str(friend) not in {one["id"] for one in firms["members"]}
    done = run("case", "interview", "withdraw", "C-1", one["record_hash"], "--reason", "another evening", "--json")
    assert done.code == 0
    assert set(members(run)) == set(before)
    assert run("case", "run", "C-1").code == 0
    assert set(members(run)) == set(before)
    assert run("case", "interview", "withdraw", "C-1", one["record_hash"], "--reason", "again").code == 1
    told = run("case", "interview", "list", "C-1", "--json").json["interviews"]
    assert [(it["record_hash"], it["withdrawn"]) for it in told] == [(one["record_hash"], done.json["declared_by"])]
    # Said again: back on the list, with what had been found out.
    (once_more,) = taken(run("case", "interview", "import", "C-1", file, "--json"))
    assert once_more["record_hash"] != one["record_hash"]
    assert run("case", "run", "C-1").code == 0
    assert members(run)[friend]["status"] == "contacted"
    assert run("fsck").code == 0
    looks = run("access", "person", str(friend), "--json").json["looks"]
    assert [it["what"] for it in looks].count("interview") == 2


def test_nothing_of_an_interview_stands_in_the_clear(loaded: Run, tmp_path: Path) -> None:
    run = loaded
    person = next(iter(members(run)))
    (one,) = taken(run("case", "interview", "import", "C-1", sheet(tmp_path, dinner(person)), "--json"))
    shown = run("show", one["record_hash"], "--json").out
    for secret in (FRIEND, NAME, KITCHEN, str(person), "2024-11-11"):
        assert secret not in shown
    assert "bizstep:interviewing" in shown
    timeline = run("case", "timeline", "C-1", "--json").json["timeline"][-1]
    assert (timeline["do"], timeline["said"]["records"]) == ("interview", [one["record_hash"]])
    assert run("anchor").code == 0
    bundle = tmp_path / "bundle.json"
    assert run("bundle", one["record_hash"], "-o", str(bundle), "--disclose", "sdl:interview").code == 0
    assert KITCHEN not in run("history", STORY["seed"], "--json").out
    trust = tmp_path / "trust.json"
    assert run("trust", "add", "-o", str(trust)).code == 0
    assert run("verify", str(bundle), "--trust", str(trust)).code == 0


def test_one_statement_by_options_corrected_by_another(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run = loaded
    person = next(iter(members(run)))
    asked = ("case", "interview", "add", "C-1", "--person", f"person:{person}", "--told", "2024-11-13T09:00:00+08:00")
    first = (*asked, "--place", KITCHEN, "--begin", "2024-11-11T19:00:00+08:00/2024-11-11T19:30:00+08:00", "--json")
    (one,) = taken(run(*first))
    fixed = (*asked, "--place", KITCHEN, "--begin", "2024-11-12T19:00:00+08:00", "--corrects", one["record_hash"])
    (two,) = taken(run(*fixed, "--json"))
    told = {it["record_hash"]: it for it in run("case", "interview", "list", "C-1", "--json").json["interviews"]}
    assert told[one["record_hash"]]["withdrawn"]
    assert not told[two["record_hash"]]["withdrawn"]
    assert told[one["record_hash"]]["begin"] == ["2024-11-11T11:00:00Z", "2024-11-11T11:30:00Z"]
    monkeypatch.setattr("typer.prompt", lambda *_args, **_more: FRIEND)
    (met,) = taken(run(*asked, "--with", "phone:-", "--begin", "2024-11-11T19:00:00+08:00", "--json"))
    assert len(met["persons"]) == 2
    assert run("fsck").code == 0


@pytest.mark.parametrize(
    ("more", "place"),
    [
        (["--begin", "2024-11-14T19:00:00+08:00", "--place", KITCHEN], "0/begin"),
        (["--begin", "2024-11-11T19:00:00+08:00"], "0/place"),
        (["--begin", "2024-11-11T19:00:00+08:00", "--goods", STORY["lot"]], "0/place"),
        (["--begin", "2024-11-11T19:00:00+08:00", "--place", KITCHEN, "--by", "hearsay"], "0/by"),
        (["--begin", "2024-11-11T19:00:00+08:00", "--place", KITCHEN, "--contact", "opened"], "0/contact"),
        (["--begin", "2024-11-11T19:00:00+08:00", "--with", "phone:12"], "persons"),
        (["--begin", "2024-11-11T19:00:00+08:00", "--with", "person:1234567890123456"], "persons/1234567890123456"),
        (
            ["--begin", "2024-11-11T19:00:00+08:00", "--end", "2024-11-11T18:00:00+08:00", "--place", KITCHEN],
            "0/end",
        ),
    ],
)
def test_what_nobody_can_have_said_is_refused_with_its_place(loaded: Run, more: list[str], place: str) -> None:
    run = loaded
    person = next(iter(members(run)))
    who = ("--person", f"person:{person}", "--told", "2024-11-13T09:00:00+08:00")
    done = run("case", "interview", "add", "C-1", *who, *more, "--json")
    assert (done.code, done.json["error"]["place"]) == (1, place)
    assert run("case", "interview", "list", "C-1", "--json").json["interviews"] == []


def test_every_wrong_row_of_a_sheet_is_named_and_nothing_is_taken(loaded: Run, tmp_path: Path) -> None:
    run = loaded
    person = next(iter(members(run)))
    good = dinner(person)
    rows = [
        good,
        good.replace("19:00", "昨天"),
        good.replace(KITCHEN, "厨房"),
        good.replace("本人", "邻居"),
        good.replace(f"phone:{FRIEND}", "phone:12"),
        good.replace("2024-11-11 19:00", "2024-11-20 19:00"),
    ]
    done = run("case", "interview", "import", "C-1", sheet(tmp_path, *rows), "--json")
    assert done.code == 1
    assert [(one["row"], one["column"]) for one in done.json["faults"]] == [
        (3, "begin"),
        (4, "place"),
        (5, "said by"),
        (6, "person"),
        (7, "begin"),
    ]
    assert FRIEND not in done.out + done.err
    assert run("case", "interview", "list", "C-1", "--json").json["interviews"] == []
    assert run("case", "interview", "import", "C-1", sheet(tmp_path, good), "--dry-run").code == 0
    assert run("case", "interview", "list", "C-1", "--json").json["interviews"] == []
    empty = tmp_path / "empty.csv"
    assert run("case", "interview", "template", "-o", str(empty)).code == 0
    assert "person" in empty.read_text(encoding="utf-8-sig")


def test_what_cannot_be_true_is_flagged_in_the_case_the_list_and_the_document(loaded: Run, tmp_path: Path) -> None:
    run = loaded
    # Master data say where the dock is, and the kitchen another city.
    places = {"https://id.gs1.org/414/9520001001031/254/dock": ("38.91", "121.61"), KITCHEN: ("39.90", "116.41")}
    described(tmp_path, places)
    assert run("capture", str(tmp_path / "places.json")).code == 0
    trace = run("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "p", "--json").json
    dock = next(iter(places))
    person, worked = max(
        (
            (member["id"], step)
            for member in trace["members"]
            if member["kind"] == "person"
            for step in member["walk"]
            if step["fact"] == "at" and step["who"]["id"] == member["id"] and step["where"]["id"] == dock
        ),
        key=lambda found: datetime.fromisoformat(found[1]["to"]) - datetime.fromisoformat(found[1]["from"]),
    )
    when = worked["from"].replace("Z", "+00:00")
    who = ("--person", f"person:{person}", "--told", "2024-11-13T09:00:00+08:00", "--place", KITCHEN)
    (one,) = taken(run("case", "interview", "add", "C-1", *who, "--begin", when, "--end", worked["to"], "--json"))
    assert run("case", "run", "C-1").code == 0
    told = run("case", "interview", "list", "C-1", "--json").json
    flag = next(it for it in told["impossible"] if it["against"] == worked["record_hash"])
    assert (flag["code"], flag["about"], flag["record_hash"]) == ("against-record", person, one["record_hash"])
    assert set(flag["reason"]) == {"zh", "en"}
    assert [it["code"] for it in members(run)[int(person)]["flags"]] == [it["code"] for it in told["impossible"]]
    document = run("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "p", "--json").json
    assert document["impossible"] == told["impossible"]
    assert run("retrace", "4").code == 0
    csv = tmp_path / "list.csv"
    assert run("case", "members", "C-1", "--csv", str(csv)).code == 0
    assert f"against-record:{one['record_hash']}" in csv.read_text(encoding="utf-8-sig")
    # In exports people stand by pseudonym, whoever spoke of them.
    for form in ("line-list", "graphml", "sormas"):
        file = tmp_path / form
        assert run("case", "export", "C-1", "--format", form, "-o", str(file)).code == 0
        body = file.read_bytes()
        assert person not in (unpacked(body) if body[:2] == b"PK" else body.decode("utf-8-sig")), form


def test_faster_than_anybody_travels_by_master_data_and_again_without_them(loaded: Run, tmp_path: Path) -> None:
    run = loaded
    places = {KITCHEN: ("39.90", "116.41"), "https://id.gs1.org/414/9520001001079": ("38.91", "121.61")}
    described(tmp_path, places)
    assert run("capture", str(tmp_path / "places.json")).code == 0
    person = next(iter(members(run)))
    who = ("--person", f"person:{person}", "--told", "2024-11-20T09:00:00+08:00")
    for place, hour in zip(places, ("19:00", "19:05"), strict=True):
        begin = f"2024-11-15T{hour}:00+08:00"
        assert run("case", "interview", "add", "C-1", *who, "--place", place, "--begin", begin).code == 0
    waiting = run("case", "interview", "list", "C-1", "--json").json["impossible"]
    assert [one["code"] for one in waiting] == ["too-fast"], "before anything is sealed"
    assert run("case", "run", "C-1").code == 0
    (flag,) = run("case", "interview", "list", "C-1", "--json").json["impossible"]
    assert (flag["code"], flag["distance_m"] // 1_000, flag["km_per_h"]) == ("too-fast", 459, 1_000)
    # The kept answer is made again with the positions that it rests on, whatever a firm says of them now.
    described(tmp_path, {place: ("0", "0") for place in places})
    assert run("capture", str(tmp_path / "places.json")).code == 0
    assert run("case", "interview", "list", "C-1", "--json").json["impossible"] == []
    assert run("retrace", "2").code == 0


def described(folder: Path, places: dict[str, tuple[str, str]]) -> None:
    """Write a document of master data that says where places are."""
    named = ("urn:epcglobal:cbv:mda#latitude", "urn:epcglobal:cbv:mda#longitude")
    elements = [
        {"id": uri, "attributes": [{"id": name, "attribute": value} for name, value in zip(named, point, strict=True)]}
        for uri, point in places.items()
    ]
    vocabulary = {"type": "urn:epcglobal:epcis:vtype:BusinessLocation", "vocabularyElementList": elements}
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2024-11-12T18:00:00+08:00",
        "epcisHeader": {"epcisMasterData": {"vocabularyList": [vocabulary]}},
        "epcisBody": {"eventList": []},
    }
    (folder / "places.json").write_text(json.dumps(document), encoding="utf-8")


def test_a_positive_person_becomes_a_seed_with_one_command(loaded: Run, tmp_path: Path) -> None:
    run = loaded
    person = next(number for number, one in members(run).items() if one["tier"] == "close")
    (one,) = taken(run("case", "interview", "import", "C-1", sheet(tmp_path, dinner(person)), "--json"))
    friend = one["persons"][1]
    made = run("case", "tasks", "make", "C-1", "--kind", "test", "--person", str(person), "--json").json["tasks"]
    asked = ("case", "positive", "C-1", str(person), "--at", "2024-11-12T09:00:00+08:00", "--ct", "24.1", "--json")
    done = run(*asked, "--trace")
    assert done.code == 0
    (seed,) = (it for it in done.json["seeds"] if it["kind"] == "person")
    assert (seed["subject"], seed["result"], seed["ct"], seed["status"]) == (
        str(person),
        "positive",
        "24.1",
        "positive",
    )
    listed = members(run)
    assert listed[person]["status"] == "positive"
    assert (listed[friend]["tier"], listed[friend]["generation"]) == ("close", {"objects": 0, "persons": 1})
    (task,) = (
        it for it in run("case", "tasks", "list", "C-1", "--json").json["tasks"] if it["task"] == made[0]["task"]
    )
    assert (task["state"], task["outcome"]) == ("closed", "positive")
    before = run("case", "timeline", "C-1", "--json").json
    assert run(*asked).code == 0
    assert run("case", "timeline", "C-1", "--json").json == before, "twice is once"
    assert run("case", "positive", "C-1", "1234567890123456", "--at", "2024-11-12T09:00:00+08:00").code == 1
    # A test task that ends so does the same.
    (made,) = run("case", "tasks", "make", "C-1", "--kind", "test", "--person", str(friend), "--json").json["tasks"]
    closing = ("case", "tasks", "close", str(made["task"]), "positive", "--at", "2024-11-14T09:00:00+08:00")
    assert run(*closing).code == 0
    seeds = run("case", "show", "C-1", "--json").json["seeds"]
    assert [it["subject"] for it in seeds if it["kind"] == "person"] == [str(person), str(friend)]
    assert run("fsck").code == 0


def test_a_statement_is_signed_by_the_interviewer_and_countersigned_by_whoever_keeps_the_case(
    loaded: Run, tmp_path: Path
) -> None:
    run = loaded
    phrase, unit, office = tmp_path / "phrase", tmp_path / "unit.key", tmp_path / "office.key"
    phrase.write_text("correct horse battery staple\n", encoding="utf-8")
    secret = ("--passphrase-file", str(phrase))
    person = next(iter(members(run)))
    who = ("case", "interview", "add", "C-1", "--person", f"person:{person}", "--told", "2024-11-13T09:00:00+08:00")
    said = (*who, "--place", KITCHEN, "--begin", "2024-11-11T19:00:00+08:00", "--counterparty", "9520001001024")
    keys = {}
    for name, file in (("9520001001017", unit), ("9520001001024", office)):
        made = run("keys", "party", "create", "--keyfile", str(file), *secret, "--json")
        assert made.code == 0, made.err
        keys[name] = made.json["address"]
    # Before there is a registry the record is kept, and that it is not signed is said.
    early = run(*said, "--keyfile", str(unit), *secret, "--json")
    assert (early.code, [one["code"] for one in early.json["signatures"]]) == (1, ["no-registry"])
    assert run("anchor").code == 0
    for name, address in keys.items():
        told = ("--party", name, "--roles", "consignor,consignee")
        assert run("keys", "party", "register", "--key", address, *told).code == 0
    done = run(*said, "--keyfile", str(unit), *secret, "--json")
    assert (done.code, [one["signed"] for one in done.json["signatures"]]) == (0, [True])
    (one,) = done.json["taken"]
    assert (one["unchanged"], one["record_hash"]) == (True, early.json["taken"][0]["record_hash"])
    note, signed = tmp_path / "checkpoint", tmp_path / "office.json"
    note.write_text(run("log", "checkpoint").out, encoding="utf-8")
    asked = ("--role", "consignee", "--counterparty", "9520001001017", "--checkpoint", str(note))
    assert run("sign", one["record_hash"], *asked, "--keyfile", str(office), *secret, "-o", str(signed)).code == 0
    assert run("case", "interview", "list", "C-1", "--json").json["interviews"][0]["confirmation"] == "consignor"
    assert run("signature", "add", str(signed)).code == 0
    assert run("case", "interview", "list", "C-1", "--json").json["interviews"][0]["confirmation"] == "both"
    assert run("anchor").code == 0
    bundle, trust = tmp_path / "bundle.json", tmp_path / "trust.json"
    assert run("bundle", one["record_hash"], "-o", str(bundle), "--disclose", "sdl:interview").code == 0
    assert run("trust", "add", "-o", str(trust)).code == 0
    verdict = run("verify", str(bundle), "--trust", str(trust), "--json").json
    assert (verdict["verdict"], verdict["confirmation"]) == ("VALID", "both")
