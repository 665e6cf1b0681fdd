"""The simulated city: what it writes is valid and the same again, the truth knows no engine, and the report counts right."""

import ast
import csv
import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.city import inquiry, origin, report, truth
from scripts.city.life import CASUAL, DAY_S, Act, Life, Sampled
from scripts.city.records import Scribe, moment
from scripts.city.simulation import Simulation
from scripts.city.truth import Nature
from scripts.city.world import WORLDS, City, World, phone, world_of
from scripts.handoffs import Event, event, nesting, person
from scripts.reading import views_of

from sudonglian.api.parsing import doubt
from sudonglian.trace.engine.derive import derive_facts

PROGRAM = ROOT / "scripts" / "simulate_city"


def simulate(*arguments: str, hash_seed: str = "0") -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run([sys.executable, PROGRAM, *arguments], capture_output=True, text=True, check=False, env=env)


def written(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*.json"))}


def test_one_seed_gives_the_same_bytes_in_every_process_and_another_gives_others(tmp_path: Path) -> None:
    for name, seed, hashes in (("a", "5", "1"), ("b", "5", "2"), ("c", "6", "1")):
        done = simulate("--out", str(tmp_path / name), "--seed", seed, "--firms", "9", "--days", "8", hash_seed=hashes)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert written(tmp_path / "a") == written(tmp_path / "b")
    assert written(tmp_path / "a").keys() >= {"truth.json", "documents/000001.json"}
    assert written(tmp_path / "a") != written(tmp_path / "c")


@pytest.mark.parametrize("world", WORLDS)
def test_the_documents_of_every_world_pass_the_whole_judge(world: str, tmp_path: Path, run: Any) -> None:
    assert simulate("--out", str(tmp_path / "city"), "--world", world, "--days", "8").returncode == 0
    files = sorted(str(one) for one in (tmp_path / "city" / "documents").iterdir())
    judged = run("validate", *files, "--json")
    assert judged.code == 0
    codes = set()
    for found in judged.json if isinstance(judged.json, list) else [judged.json]:
        codes |= {one["code"] for one in found["findings"]}
    assert codes == {"event-late"}, "the city lies in the past; nothing else may be wrong with it"


def test_captured_and_traced_by_commands_it_gives_the_list_that_the_report_counts(tmp_path: Path, run: Any) -> None:
    done = simulate("--out", str(tmp_path / "city"), "--seed", "4", "--days", "9", "--json")
    told = json.loads(done.stdout)
    files = sorted(str(one) for one in Path(told["folder"]).iterdir())
    for file in files:
        assert run("capture", file, "--submitter", told["sender"]).code == 0
    sample = told["sample"]
    traced = run("trace", sample["pallet"], "--at", sample["at"], "--purpose", "simulation", "--json")
    people = [one for one in traced.json["members"] if one["kind"] == "person"]
    simulation = Simulation(replace(WORLDS["well-recorded"], days=9), 4)
    events = list(simulation.events())
    assert simulation.sampled is not None
    assert len(events) == told["events"]
    assert len(people) == len(inquiry.lists(events, simulation.sampled)[inquiry.ENGINE].people) > 0


def imports(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    return {one.module or "" for one in nodes if isinstance(one, ast.ImportFrom)} | {
        alias.name for one in nodes if isinstance(one, ast.Import) for alias in one.names
    }


def test_the_truth_and_the_records_import_nothing_of_the_engine() -> None:
    for name in ("world", "life", "truth", "records", "simulation"):
        assert not {one for one in imports(ROOT / "scripts" / "city" / f"{name}.py") if one.startswith("sudonglian")}
    program = (
        "import sys; import scripts.city.simulation; print([m for m in sys.modules if m.startswith('sudonglian')])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def touched(times: int, contact: str, *, opened: bool = False) -> int:
    """Return how often somebody is exposed by one touch of a fully soiled box."""
    exposed = 0
    for seed in range(times):
        nature = Nature(seed, casual_p=0.0, ill_p=0.0)
        nature.plant("box", (), 0)
        units, inside = (("container",), ("box",)) if opened else (("box",), ())
        nature.watch(Act("check", 0, 60, "yard", ((1, "", contact),), units, opened=inside))
        exposed += 1 in nature.truth.people
    return exposed


def test_a_touch_passes_as_often_as_is_said_and_one_in_the_same_room_never_by_hand() -> None:
    times = 4_000
    for contact in ("outer-packaging", "opened"):
        share = truth.TOUCH[contact] * (1 - truth.GLOVES)
        least, most = share, share + truth.TO_ROOM * truth.FROM_ROOM
        assert least - 0.04 < touched(times, contact) / times < most + 0.04
    assert touched(times, "same-room") / times < truth.TO_ROOM * truth.FROM_ROOM + 0.01
    assert touched(times, "outer-packaging", opened=True) > touched(times, "outer-packaging")


def test_what_is_in_a_closed_container_reaches_nobody_who_touches_it() -> None:
    for seed in range(200):
        nature = Nature(seed, casual_p=1.0, ill_p=1.0)
        nature.plant("box", (), 0)
        nature.watch(Act("land", 0, 60, "yard", ((1, "", "outer-packaging"),), ("container",)))
        assert not nature.truth.people


def test_nothing_planted_nothing_exposed_and_loads_fade() -> None:
    world = WORLDS["casual-contacts"]
    nature = Nature(1, casual_p=1.0, ill_p=1.0)
    for acts in Life(City(world, 1), 1).days():
        for act in acts:
            nature.watch(act)
    assert (nature.truth.people, nature.truth.units, nature.truth.places) == ({}, {}, {})
    nature.plant("box", (), 0)
    assert nature._load(("unit", "box"), truth.HALF_LIFE["unit"]) == pytest.approx(0.5)
    for seed in range(100):
        late = Nature(seed, casual_p=0.0, ill_p=0.0)
        late.plant("box", (), 0)
        late.watch(Act("sell", 200 * DAY_S, 0, "shop", ((1, "", "opened"),), ("box",)))
        assert not late.truth.people


def test_ill_people_expose_in_breaks_of_which_no_record_tells() -> None:
    exposed = 0
    for seed in range(50):
        nature = Nature(seed, casual_p=1.0, ill_p=1.0)
        nature._expose(1, 1.0, 0, "box")
        nature.watch(Act("break", 3 * DAY_S, 3 * DAY_S, "", ((1, "", ""), (2, "", ""))))
        nature.watch(Act("break", 30 * DAY_S, 30 * DAY_S, "", ((1, "", ""), (3, "", ""))))
        assert (2 in nature.truth.people, 3 in nature.truth.people) == (True, False)
        exposed += 1
    assert exposed


def named(events: list[Event]) -> set[str]:
    return {who["personRef"]["value"] for one in events for who in one.get("sdl:participants", ())}


def test_families_are_in_no_record_and_are_exposed_all_the_same() -> None:
    missed = 0
    for seed in range(1, 9):
        simulation = Simulation(WORLDS["casual-contacts"], seed)
        families = {phone(one) for family in simulation.city.families.values() for one in family}
        assert not families & named(list(simulation.events()))
        missed += len(families & set(map(phone, simulation.truth.people)))
    assert missed


def acts(world: World, seed: int = 2) -> list[Act]:
    return [act for day in Life(City(world, seed), seed).days() for act in day]


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_as_many_records_are_missing_as_is_said_but_never_packing_lists_and_the_sample(share: float) -> None:
    world = replace(WORLDS["hub"], missing_handoff=share, missing_visit=share, missing_person=0.0, wrong_time=0.0)
    lived = [act for act in acts(world) if act.kind not in CASUAL]
    events = list(Scribe(world, 2).write(lived))
    steps = Counter(one["bizStep"] for one in events)
    kept = Counter(act.kind for act in lived)
    assert (steps["packing"], steps["loading"], steps["sampling"]) == (kept["pack"], kept["load"], kept["sample"])
    always = kept["pack"] + kept["load"] + kept["sample"]
    assert (len(events) - always) / (len(lived) - always) == pytest.approx(1 - share, abs=0.06)
    times = {one["eventTime"] for one in events}
    assert times <= {moment(act.time).isoformat() for act in lived}
    late = list(Scribe(replace(world, missing_handoff=0.0, missing_visit=0.0, wrong_time=1.0), 2).write(lived))
    assert {one["eventTime"] for one in late} - {moment(act.time).isoformat() for act in lived}


def test_life_is_causal_units_are_handled_where_they_are_and_sold_once() -> None:
    where: dict[str, str] = {}
    sold = set()
    for act in acts(WORLDS["well-recorded"]):
        if act.kind == "open":
            assert where[act.parent] == act.place, act
        for unit in act.units:
            assert unit not in sold
            if act.kind in ("send", "sell", "store", "check", "sample"):
                assert where[unit] == act.place, act
            if act.kind == "take":
                assert "/8004/" in where[unit], act
            if act.kind == "sell":
                sold.add(unit)
            elif act.kind not in ("pack", "load"):
                where[unit] = act.to or act.place
    assert sold


def test_a_city_of_any_length_is_lived_one_day_at_a_time() -> None:
    simulation = Simulation(replace(World(), days=10**9), 1)
    found = simulation.events()
    assert len([next(found) for _ in range(200)]) == 200


def held(days: int) -> int:
    """Return what a city holds after so many days, in bytes."""
    simulation = Simulation(replace(World(), firms=6, days=10**6), 1)
    tracemalloc.start()
    try:
        for event in simulation.events():
            if event["eventTime"] >= moment(days * DAY_S).isoformat():
                break
        gc.collect()  # the interpreter keeps what was freed, up to a point
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_what_a_city_holds_does_not_grow_with_its_days() -> None:
    assert held(300) < 2 * held(60), "a hundred bytes an event would be five times as much"


def test_every_identifier_has_its_check_digit() -> None:
    keys = set()
    for one in Simulation(replace(World(), days=6), 1).events():
        keys |= {
            *one.get("epcList", ()),
            *one.get("childEPCs", ()),
            one["readPoint"]["id"] if "readPoint" in one else "",
        }
    assert len(keys - {""}) > 50
    assert {doubt(key, "en") for key in keys - {""}} == {""}
    broken = next(key for key in keys if "/00/" in key)
    assert doubt(broken[:-1] + str((int(broken[-1]) + 1) % 10), "en")


def hand_made() -> list[Event]:
    """Return a pallet opened at one place beside another of the same container, and a third of the same lot elsewhere."""
    events = []

    def at(hour: int) -> Any:
        return moment(hour * 3600)

    def who(name: str) -> list[Event]:
        return [person(name, name, "worker", "outer-packaging")]

    for container, pallets in (("C1", ("P1", "P2")), ("C2", ("P3",))):
        for pallet in pallets:
            events.append(nesting(f"pack {pallet}", at(0), "packing", pallet, action="ADD", items=[f"{pallet}b"]))
        load = nesting(f"load {container}", at(1), "loading", container, action="ADD", items=pallets)
        events.append(load | {"sdl:lot": "lot"})
    events += [
        event("land", at(2), "arriving", items=["C1"], at="yard", people=who("crane")),
        nesting("open", at(3), "unpacking", "C1", action="DELETE", at="room", people=who("opener")),
        event("store P1", at(4), "storing", items=["P1"], at="room", to="room", people=who("mover")),
        event("sell box", at(30), "retail_selling", items=["P1b"], at="shop", people=who("buyer")),
        event("other", at(5), "storing", items=["P2"], at="room", to="room", people=who("beside")),
        event("elsewhere", at(6), "storing", items=["P3"], at="far", to="far", people=who("lot")),
        event("shift", at(4), "holding", items=["room"], at="room", people=who("shift")),
        event("shift 2", at(30), "holding", items=["room"], at="room", people=who("next day")),
    ]
    return events


def test_by_hand_and_by_lot_list_what_an_investigator_with_papers_finds() -> None:
    sampled = Sampled("P1", ("P1b",), "lot", 0, 10 * 3600, "room")
    by_hand = inquiry._one_hop(hand_made(), sampled)
    assert by_hand.people == {"opener", "mover", "buyer", "shift"}
    assert by_hand.units == {"P1b", "P2"}
    by_lot = inquiry._same_lot(hand_made(), sampled)
    assert by_lot.people == {"opener", "mover", "buyer", "beside", "lot"}
    assert by_lot.units == {"P1b", "P2", "P2b", "P3", "P3b"}


def test_the_parts_of_the_engines_list_are_parts_and_as_long_as_is_said() -> None:
    simulation = Simulation(WORLDS["missing-handoffs"], 3)
    events = list(simulation.events())
    assert simulation.sampled is not None
    found = inquiry.lists(events, simulation.sampled)
    assert set(found) == set(inquiry.METHODS)
    assert found[inquiry.ENGINE].people >= found[inquiry.TWO_HOPS].people
    assert found[inquiry.ENGINE].people >= found[inquiry.SAME_LENGTH].people
    assert len(found[inquiry.SAME_LENGTH].people) <= len(found[inquiry.ONE_HOP].people)
    assert all(simulation.sampled.pallet not in one.units for one in found.values())


@pytest.mark.parametrize("world", ["well-recorded", "hub"])
def test_one_hop_over_the_facts_around_a_thing_is_one_hop_over_all(world: str) -> None:
    simulation = Simulation(WORLDS[world], 2)
    facts = derive_facts(views_of(simulation.events()))
    sampled = simulation.sampled
    assert sampled is not None
    for seed in (sampled.pallet, *sampled.boxes):
        near = inquiry._traced(inquiry._around(facts, seed), seed, sampled, 1)
        whole = inquiry._traced(facts, seed, sampled, 1)
        assert (
            {(one.kind, one.id, one.time) for one in near} == {(one.kind, one.id, one.time) for one in whole} != set()
        )


def line(listed: int, exposed: int, both: int, method: str = inquiry.ENGINE) -> report.Line:
    return report.Line("hub", 1, "people", method, listed, exposed, both)


def test_a_line_counts_and_says_nothing_where_there_is_nothing_to_count() -> None:
    assert (line(4, 2, 1).recall, line(4, 2, 1).precision) == (0.5, 0.25)
    assert line(4, 0, 0).recall is None
    assert line(0, 3, 0).precision is None


def test_who_is_ahead_is_said_only_if_the_whole_interval_says_so() -> None:
    assert report.verdict(report._interval([0.1] * 50)) == "ahead"
    assert report.verdict(report._interval([-0.1] * 50)) == "BEHIND"
    assert report.verdict(report._interval([-0.5, 0.5] * 25)) == "even"
    assert report.verdict(report._interval([])) == "?"
    told = report._interval([0.0] * 50 + [1.0] * 50)
    assert told["mean"] == 0.5
    assert 0.35 < told["low"] < 0.45
    assert 0.55 < told["high"] < 0.65
    assert (told["p5"], told["p95"]) == (0.0, 1.0)


def test_a_small_report_is_the_same_whatever_the_jobs_and_its_file_adds_up(tmp_path: Path) -> None:
    arguments = ("report", "--seeds", "2", "--worlds", "well-recorded,casual-contacts", "--json")
    one = simulate(*arguments, "--jobs", "1", "--csv", str(tmp_path / "lines.csv"))
    two = simulate(*arguments, "--jobs", "2", hash_seed="7")
    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    assert one.stdout == two.stdout
    with (tmp_path / "lines.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * len(inquiry.METHODS) * len(report.WHAT)
    for told in json.loads(one.stdout)["summary"]:
        own = [row for row in rows if all(row[key] == told[key] for key in ("world", "what", "method"))]
        assert len(own) == told["cities"] == 2
        assert told["listed"] == pytest.approx(sum(int(row["listed"]) for row in own) / 2, abs=0.01)
        shares = [int(row["both"]) / int(row["exposed"]) for row in own if int(row["exposed"])]
        assert told["recall"]["mean"] == (pytest.approx(sum(shares) / len(shares), abs=0.001) if shares else None)


def test_the_planted_is_within_the_first_by_lot_where_others_are_alike() -> None:
    alike = {"a": 3.0, "planted": 2.0, "b": 2.0, "c": 1.0}
    assert [origin._within(alike, "planted", top) for top in (1, 2, 3, 4)] == [0.0, 0.5, 1.0, 1.0]
    assert origin._within({"planted": 1.0, "b": 0.5}, "planted", 1) == 1.0


def test_a_city_says_how_often_the_planted_is_named_by_either_measure() -> None:
    lines = origin.lines_of("well-recorded", 9002)
    assert {(one.findings, one.method) for one in lines} == {(n, by) for n in (1, 2, 5) for by in origin.METHODS}
    for one in lines:
        assert 0 <= one.within[0] <= one.within[1] <= one.within[2] <= 1
        assert one.candidates > 20
    assert lines == origin.lines_of("well-recorded", 9002)
    assert any("| likelihood |" in row for row in origin.table(lines))


def test_every_number_of_a_world_can_be_set() -> None:
    changed = world_of("well-recorded", {"missing_handoff": "1", "shared_room": "True", "pallets": "2"})
    assert (changed.missing_handoff, changed.shared_room, changed.pallets) == (1.0, True, 2)
    forgotten, whole = (
        sum(one.listed for one in report.lines_of("well-recorded", 1, {"missing_handoff": share}))
        for share in ("1", "0")
    )
    assert forgotten < whole


def test_mistakes_are_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "old.json").write_text("{}")
    for arguments in (
        ("--out", str(tmp_path)),
        ("report", "--worlds", "atlantis"),
        ("report", "--seeds", "0"),
        ("report", "--seeds", "1", "--set", "missing_handoff=2"),
        ("--out", str(tmp_path / "new"), "--set", "weather=fine"),
        ("--out", str(tmp_path / "new"), "--set", "pallets=many"),
        ("--out", str(tmp_path / "documents" / "old.json")),
    ):
        done = simulate(*arguments)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert done.stderr.strip()


@pytest.mark.full
def test_the_numbers_in_the_document_are_those_of_today() -> None:
    done = simulate("report", "--seeds", "200")
    text = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    rows = [*done.stdout.splitlines(), *simulate("origin", "--seeds", "100").stdout.splitlines()]
    missing = [row for row in rows if row.startswith("|") and row not in text]
    assert not missing, "run scripts/simulate_city report and origin and put their tables into docs/simulation.md"
