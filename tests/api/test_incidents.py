"""Public incidents as worked examples: what was published, and what the engine answers to their records."""

import json
import shlex
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.handoffs import document, encoded, event
from scripts.incidents import chongqing, qingdao, tianjin
from scripts.incidents.cast import at
from scripts.reading import events_of, views_of

from sudonglian.api.commands import sample
from sudonglian.trace.engine.derive import derive_facts
from sudonglian.trace.engine.member import Member
from sudonglian.trace.engine.query import TraceQuery
from sudonglian.trace.engine.result import trace

INCIDENTS = ("chongqing-2020", "qingdao-2020", "tianjin-2020")
DOC = ROOT / "docs" / "incidents.md"


def events(name: str) -> list[Any]:
    return list(events_of(json.loads(raw) for raw in sample.documents(name).values()))


def named(name: str) -> dict[str, str]:
    """Return what everybody whom the documents name is called, by phone."""
    people = (who for event in events(name) for who in event.get("sdl:participants", ()))
    return {one["personRef"]["value"]: one["personRef"]["name"].removeprefix("示例·") for one in people}


def asked(name: str, recorded: list[Any] | None = None, **more: Any) -> tuple[Member, ...]:
    story = sample.stories()[name]
    query = {"seed": story["seed"], "at": datetime.fromisoformat(story["at"])} | more
    facts = derive_facts(views_of(events(name) if recorded is None else recorded))
    return trace(facts, TraceQuery(**query)).members


def people(name: str, members: tuple[Member, ...]) -> dict[str, str]:
    """Return tier by name of the people listed."""
    names = named(name)
    return {names[one.id]: one.tier for one in members if one.kind == "person"}


def test_the_files_are_what_the_modules_say() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "make-incidents", "--check"], check=False, capture_output=True
    )
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize("name", INCIDENTS)
def test_loaded_validated_and_traced_by_commands_it_answers_as_in_this_process(name: str, run: Any) -> None:
    story = sample.stories()[name]
    folder = ROOT / "api" / "sudonglian" / "api" / "samples" / name
    assert run("validate", *(str(folder / one) for one in story["documents"])).code == 0
    assert run("sample", "load", name).code == 0
    done = run("trace", story["seed"], "--at", story["at"], "--purpose", "worked example", "--json")
    assert done.code == 0
    told = Counter((one["kind"], one["tier"], one["evidence"]) for one in done.json["members"])
    assert told == Counter((one.kind, one.tier, one.evidence) for one in asked(name))


@pytest.mark.parametrize("name", INCIDENTS)
def test_the_story_says_in_both_languages_what_was_published_by_whom_and_what_is_assumed(name: str, run: Any) -> None:
    listed = next(one for one in run("sample", "list", "--json").json["samples"] if one["name"] == name)
    assert listed["published"]
    assert listed["assumed"]
    assert all(one[lang].strip() for one in listed["published"] + listed["assumed"] for lang in ("zh", "en"))
    assert all(one["source"].strip() and one["checked"] is True for one in listed["published"])
    assert all(phone.startswith("1990000") for phone in named(name))
    assert "公开通报重建" in run("sample", "list", "--lang", "zh").out


def test_chongqing_the_pieces_add_up_and_the_rule_splits_people_as_the_report_did() -> None:
    members = asked("chongqing-2020")
    pieces = {one.id: one for one in members if one.kind == "item"}
    sold = {uri for uri in pieces if pieces[uri].evidence == "possible"}
    assert len(sold) == chongqing.SOLD
    assert len(pieces) - len(sold) + 1 == chongqing.STOCK
    assert len(pieces) + 1 == chongqing.BOUGHT
    assert sold == {
        item
        for event in events("chongqing-2020")
        if event["bizStep"] == "shipping" and event["readPoint"]["id"] == chongqing.ROOM
        for item in event["epcList"]
    }
    assert Counter(people("chongqing-2020", members).values()) == {
        "close": chongqing.HIGH,
        "general": chongqing.GENERAL,
    }
    # All met the goods before the sample: nobody can say that they were positive then.
    assert {one.evidence for one in members if one.kind == "person"} == {"possible"}


def test_chongqing_had_the_twelve_come_together_they_would_still_be_contacts_in_general() -> None:
    recorded = events("chongqing-2020")
    for one in recorded:
        if any("同库" in who["personRef"]["name"] for who in one.get("sdl:participants", ())):
            one["eventTime"] = at(12, 12, 12).isoformat()
            for who in one["sdl:participants"]:
                who |= {"start": at(12, 12, 12).isoformat(), "end": at(12, 12, 13).isoformat()}
    for edition, tier in (("cn-nhc-8/1", "general"), ("cn-nhc-9/1", "on-site"), ("tiers/1", "secondary")):
        split = Counter(people("chongqing-2020", asked("chongqing-2020", recorded, tiers=edition)).values())
        assert split == {"close": chongqing.HIGH, tier: chongqing.GENERAL}


TERMINAL = {"码头吊机司机", "码头验箱员", "拖车司机"}
CASES = {"第138例(装卸工)", "第139例(货车司机)"}


def test_tianjin_the_terminal_that_moved_the_closed_container_is_not_listed_and_the_store_is() -> None:
    members = asked("tianjin-2020")
    found = people("tianjin-2020", members)
    assert not TERMINAL & set(found)
    assert set(found.values()) == {"close"}
    assert found.keys() >= {
        "第138例(装卸工)",
        "装卸工1",
        "装卸工2",
        "装卸工3",
        "德州店员1",
        "德州店员2",
        "发往德州的司机",
    }
    assert {one.id for one in members if one.kind == "place"} >= {tianjin.ROOM[4], tianjin.COUNTER}
    assert not {one.id for one in members} & {tianjin.YARD, tianjin.TRAILER, tianjin.ROOM[5]}


def test_tianjin_had_the_container_been_opened_at_the_terminal_its_inspector_would_be_listed() -> None:
    recorded = events("tianjin-2020")
    for one in recorded:
        for who in one.get("sdl:participants", ()):
            if "验箱员" in who["personRef"]["name"]:
                who["contact"] = "opened"
    assert "码头验箱员" in people("tianjin-2020", asked("tianjin-2020", recorded))


def test_tianjin_both_cases_are_listed_from_the_knuckles_and_from_the_heads() -> None:
    assert CASES <= set(people("tianjin-2020", asked("tianjin-2020")))
    heads = asked("tianjin-2020", seed=tianjin.HEADS, at=at(11, 4, 15))
    found = people("tianjin-2020", heads)
    assert CASES <= set(found)
    assert not {"装卸工6", "装卸工7"} & set(found), "they carried the other heads alone"
    knuckles = next(one for one in heads if one.id == f"{tianjin.KNUCKLES}#{tianjin.COUNTER}")
    passed = [step.who.id for step in knuckles.walk() if step.who.kind == "person"]
    assert {named("tianjin-2020")[phone] for phone in passed} == {"第138例(装卸工)"}
    assert (knuckles.evidence, knuckles.persons) == ("certain", 1)


def test_tianjin_had_the_heads_come_before_the_knuckles_the_driver_would_be_listed_from_the_heads_alone() -> None:
    recorded = events("tianjin-2020")
    came = next(one for one in recorded if one["eventTime"] == at(11, 4, 15).isoformat())
    moved = json.loads(
        json.dumps(came).replace("2020-11-04T15", "2020-11-04T08").replace("2020-11-04T16", "2020-11-04T09")
    )
    recorded[recorded.index(came)] = moved
    early = asked("tianjin-2020", recorded, seed=tianjin.HEADS, at=at(11, 4, 8))
    assert "第139例(货车司机)" not in people("tianjin-2020", asked("tianjin-2020", recorded))
    assert CASES <= set(people("tianjin-2020", early))


def test_tianjin_backward_from_dezhou_the_heads_of_room_2_come_up_and_those_of_room_5_do_not() -> None:
    sources = {one.lot or one.id for one in asked("tianjin-2020", seed_place=tianjin.COUNTER, backward=True)}
    assert tianjin.HEADS in sources
    assert tianjin.OTHER_HEADS not in sources


def test_tianjin_of_the_eleven_those_who_carried_other_heads_alone_are_not_listed() -> None:
    crew = {name for name in named("tianjin-2020").values() if name.startswith("装卸工")}
    assert len(crew) == tianjin.TOGETHER
    assert crew - set(people("tianjin-2020", asked("tianjin-2020"))) == {"装卸工6", "装卸工7"}


def test_qingdao_both_shifts_are_listed_and_nobody_of_a_market() -> None:
    members = asked("qingdao-2020")
    found = people("qingdao-2020", members)
    stevedores = {name for name in found if "装卸工" in name}
    assert len(stevedores) == qingdao.SHIFT_A + qingdao.SHIFT_B
    assert set(found) - stevedores == {"仓储工1", "仓储工2"}
    assert set(found.values()) == {"close"}


HOSPITAL = {"住院患者李", "陪护牛"}
LASTING = ("--persistence", "location=24h")


def tiers(run: Any, name: str, *options: str) -> Counter[str]:
    """Return how many people of each tier the command lists."""
    story = sample.stories()[name]
    done = run("trace", story["seed"], "--at", story["at"], "--purpose", "test", *options, "--json")
    return Counter(one["tier"] for one in done.json["members"] if one["kind"] == "person")


def test_qingdao_the_ct_room_passes_it_on_only_if_it_is_said_to_last_and_not_if_disinfected(
    run: Any, tmp_path: Path
) -> None:
    assert run("sample", "load", "qingdao-2020").code == 0
    usual = tiers(run, "qingdao-2020")
    assert usual["secondary"] == 0
    assert tiers(run, "qingdao-2020", *LASTING) == usual + Counter(secondary=len(HOSPITAL))
    time = at(10, 4, 21)
    disinfected = event(
        "test/disinfected", time, "urn:sudonglian:bizstep:disinfecting", items=[qingdao.CT_ROOM], at=qingdao.CT_ROOM
    )
    file = tmp_path / "disinfected.json"
    file.write_bytes(encoded(document(qingdao.HOSPITAL.party(), time, [disinfected])))
    assert run("capture", str(file), "--submitter", qingdao.HOSPITAL.party()).code == 0
    assert tiers(run, "qingdao-2020", *LASTING) == usual


def rows(in_ct_room: int) -> list[str]:
    """Return the rows of the document's table as the engine answers today."""
    beef, pork, fish = (asked(f"{city}-2020") for city in ("chongqing", "tianjin", "qingdao"))
    heads = people("tianjin-2020", asked("tianjin-2020", seed=tianjin.HEADS, at=at(11, 4, 15)))
    split = Counter(people("chongqing-2020", beef).values())
    pieces = Counter(one.evidence for one in beef if one.kind == "item")
    crew, found = people("tianjin-2020", pork), people("qingdao-2020", fish)
    shift = sum("装卸工" in name for name in found)
    return [
        f"| 342 pieces · 件 | {sum(pieces.values())} exposed and the seed |",
        f"| 276 in stock · 在库 | {pieces['certain']} certain and the seed |",
        f"| 66 sold · 已销 | {pieces['possible']} possible, at 3 buyers |",
        f"| 8 high-risk people · 高危暴露 | {split['close']} 密接 (close) |",
        f"| 12 generally exposed · 一般暴露 | {split['general']} 一般接触者 (general) |",
        f"| container closed on the terminal · 码头未开箱 | {len(TERMINAL & set(crew))} of 3 who handled it |",
        f"| case 138 and the store · 第138例与冷库 | listed, with {sum(one.startswith('装卸工') for one in crew)} of 11 workers |",
        f"| case 139, heads alone · 第139例只拉猪头 | {'listed' if '第139例(货车司机)' in crew else 'not listed'}, as possible |",
        f"| the heads were the source · 来源是猪头 | from the heads: {len(CASES & set(heads))} cases, and the knuckles by way of 138 |",
        "| 8 close contacts in dormitory and car · 同宿舍同车 8 人 | 0: in no record |",
        f"| 23 + 48 stevedores, 2 infected · 装卸工,感染 2 人 | {shift} 密接 (close) |",
        "| none reached the market · 未入市 | nobody beyond the store |",
        f"| CT room next morning: 2 · 次日 CT 室 2 人 | {len(HOSPITAL & set(found))} by default, {in_ct_room} with a persistence of a day |",
        "| 147 + 228 + 4,341 contacts · 密接等 | 0: in no record |",
    ]


def test_the_document_shows_what_the_engine_answers(run: Any) -> None:
    text = DOC.read_text(encoding="utf-8")
    assert run("sample", "load", "qingdao-2020").code == 0
    for row in rows(tiers(run, "qingdao-2020", *LASTING)["secondary"]):
        assert row in text, row
    assert all(f"sudonglian sample load {name}" in text for name in INCIDENTS)


def test_every_command_of_the_document_runs(run: Any) -> None:
    lines = [one for one in DOC.read_text(encoding="utf-8").splitlines() if one.startswith("sudonglian ")]
    assert len(lines) == 3 + 1 + 3 + 2
    for one in lines:
        done = run(*shlex.split(one)[1:])
        assert done.code == 0, one
        assert done.out.strip()
