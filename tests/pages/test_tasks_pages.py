"""The pages of tasks, accounts and webhooks: what each role does on them, in both languages, at a desk and on a telephone."""

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, expect
from tests.pages.test_cases_page import FIRST_PAINT, SIZES, STORY, looks_right
from tests.people import enrol

from sudonglian.api.pages import session
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

PEOPLE: Final = {
    "t-ana": ("epidemiologist", ("case", "trace")),
    "t-bo": ("approver", ("reveal-approve",)),
    "t-wen": ("follow-up", ("follow-up",)),
    "t-xin": ("follow-up", ("follow-up",)),
    "t-op": ("operator", ("accounts", "operate")),
}
PHONE: Final = "19900000"


def key_of(site: Any, name: str) -> str:
    if (name,) not in site.keys:
        role, scopes = PEOPLE[name]
        store = Store(f"sqlite:///{site.data / 'sudonglian.db'}")
        enrol(store, Keys.open(site.data / "keys"), name, role)
        store.close()
        asked = [part for scope in scopes for part in ("--scope", scope)]
        site.keys[(name,)] = site.run("keys", "api", "create", "--name", name, "--account", name, *asked)["token"]
    return str(site.keys[(name,)])


def someone(site: Any, name: str) -> Any:
    visitor = site.visitor()
    visitor.cookies[session.KEY_COOKIE] = key_of(site, name)
    return visitor


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))


@pytest.fixture(scope="module")
def case(site: Any) -> str:
    """A traced case; the address of its tasks."""
    ana = someone(site, "t-ana")
    for name in PEOPLE:
        key_of(site, name)
    told = {"name": "T-1", "purpose": "阳性托盘", "basis": "传染病防治法", "responsible": "Ana"}
    url = str(ana.post("/board", told, on="/board").headers["location"])
    empty = ana.get(f"{url}/tasks?lang=zh")
    assert (empty.status, "本案还没有任务" in empty.text) == (200, True)
    site.run("case", "seed", "T-1", STORY["seed"], "--at", STORY["at"], "--result", "positive")
    site.run("case", "run", "T-1")
    tasks = f"{url}/tasks"
    made = {"kind": "contact", "tier": "", "area": "南市街", "advice": "居家", "due": ""}
    assert ana.post(f"{tasks}/make", dict(made), on=tasks).status == 303
    goods = {"kind": "disinfect", "subjects": STORY["seed"], "area": "南市街", "due": "2024-11-11T09:00"}
    assert ana.post(f"{tasks}/goods", goods, on=tasks).status == 303
    assert len(ana.get(f"{tasks}.json").json["tasks"]) == 27
    assert [one["overdue"] for one in ana.get(f"{tasks}.json").json["tasks"]][:2] == [True, False]
    return tasks


def test_a_worker_does_its_own_tasks(site: Any, case: str) -> None:
    ana, bo, wen, xin = (someone(site, f"t-{one}") for one in ("ana", "bo", "wen", "xin"))
    assert "没有派给您的任务" in xin.get("/todo?lang=zh").text
    assert ana.post(f"{case}/assign", {"to": "t-wen", "area": "南市街", "tasks": ""}, on=case).status == 303
    mine = wen.get("/todo.json").json["tasks"]
    assert len(mine) == 27
    assert rows_of(wen.get("/todo.csv"))[0]["task"] == str(mine[0]["task"])
    person = next(one for one in mine if one["subject_kind"] == "person")
    page = f"/todo/{person['task']}"
    assert xin.get(page).status == 404
    assert xin.post(f"{page}/close", {"outcome": "reached"}, on="/todo").status in (403, 404)
    assert wen.get(case).status == 403
    assert "还没有人为任务申请" in wen.get(f"{page}?lang=zh").text
    number = site.run("case", "reveal", "ask", "T-1", "--for-tasks", "--reason", "calls")["reveal"]
    assert bo.post(f"/approve/{number}", {"decision": "approve"}, on="/approve").status == 303
    shown = [wen.post(f"/todo/{one['task']}/reach", {}, on=page) for one in mine if one["subject_kind"] == "person"][
        :26
    ]
    assert {one.status for one in shown} == {200}
    assert any(PHONE in one.text for one in shown)
    for path in ("/todo", "/todo.json", "/todo.csv", page, f"{page}.json"):
        assert PHONE not in wen.get(path).text
    assert wen.post(f"{page}/escalate", {"why": "a fever"}, on=page).status == 303
    assert wen.get("/todo.json").json["tasks"][0]["task"] == person["task"]
    assert wen.post(f"{page}/close", {"outcome": "reached", "note": ""}, on=page).status == 303
    assert wen.post(f"{page}/close", {"outcome": "reached"}, on="/todo/" + str(mine[-1]["task"])).status == 409
    other = mine[-1]["task"]
    assert wen.post(f"/todo/{other}/hand-back", {"why": "on leave"}, on=f"/todo/{other}").status == 303
    assert len(wen.get("/todo.json").json["tasks"]) == 25
    progress = ana.get(f"{case}.json").json["progress"]["all"]
    assert (progress["closed"], progress["open"], progress["overdue"]) == (1, 1, 1)
    assert len(rows_of(ana.get(f"{case}.csv"))) == 27


def test_goods_without_an_authority_say_what_to_set(site: Any, case: str) -> None:
    ana = someone(site, "t-ana")
    (goods,) = (one for one in ana.get(f"{case}.json").json["tasks"] if one["kind"] == "disinfect")
    refused = ana.post(f"{case}/close", {"task": str(goods["task"]), "outcome": "disinfected"}, on=case)
    assert (refused.status, "SUDONGLIAN_SUBMITTER" in refused.text) == (409, True)
    assert ana.post(f"{case}/nothing", {}, on=case).status == 400
    assert ana.post(f"{case}/close", {"task": "x", "outcome": "gone"}, on=case).status == 400
    firms = rows_of(ana.get(case.replace("/tasks", "/firms.csv")))
    assert set(firms[0]) == {"firm", "kind", "subject", "place", "tier"}
    assert ana.post(f"{case}/tell", {"firm": firms[0]["firm"]}, on=case).status == 303


def test_an_operator_makes_accounts_and_keys(site: Any) -> None:
    op = someone(site, "t-op")
    made = op.post("/team", {"name": "zhao", "display": "赵", "role-auditor": "1"}, on="/team")
    assert made.status == 200
    (code,) = re.findall(r"welcome\?code=([\w-]+)", made.text)
    assert op.post("/team", {"name": "zhao", "role-auditor": "1"}, on="/team").status == 422
    assert op.post("/team", {"name": "wu", "role-auditor": "1", "role-firm": "1"}, on="/team").status == 400
    assert code not in op.get("/team").text
    assert site.visitor().get(f"/welcome?code={code}").status == 200
    changed = {"role-auditor": "1", "role-approver": "1"}
    assert op.post("/team/zhao/roles", changed, on="/team").status == 303
    assert op.post("/team/zhao/disable", {}, on="/team").status == 303
    (zhao,) = (one for one in op.get("/team.json").json["accounts"] if one["name"] == "zhao")
    assert (zhao["roles"], zhao["state"]) == (["approver", "auditor"], "disabled")
    assert op.post("/team/zhao/enable", {}, on="/team").status == 303
    reset = op.post("/team/zhao/reset", {}, on="/team")
    assert re.findall(r"welcome\?code=([\w-]+)", reset.text) != [code]
    key = op.post("/keys", {"name": "monitor", "scope-audit": "1", "expires": "90d"}, on="/team")
    (token,) = re.findall(r"sdl_[0-9a-f]{12}_[\w-]+", key.text)
    assert token not in op.get("/team").text
    assert op.post("/keys", {"name": "x", "scope-case": "1", "expires": ""}, on="/team").status == 400
    prefix = token[:16]
    assert op.post(f"/keys/{prefix}/revoke", {}, on="/team").status == 303
    (found,) = (one for one in rows_of(op.get("/keys.csv")) if one["prefix"] == prefix)
    assert found["state"] == "revoked"
    assert "zhao" in {one["name"] for one in rows_of(op.get("/team.csv"))}
    # Who did it is in the private tree.
    principal = next(one["principal"] for one in op.get("/team.json").json["accounts"] if one["name"] == "t-op")
    assert zhao["principal"] != principal
    for path in ("/team", "/hooks"):
        assert someone(site, "t-ana").get(path).status == 403


def test_an_operator_sets_up_webhooks(site: Any) -> None:
    op = someone(site, "t-op")
    made = op.post("/hooks", {"name": "city", "url": "https://cdc.invalid/x", "event-task.overdue": "1"}, on="/hooks")
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", made.text)
    assert op.post("/hooks", {"name": "in", "url": "http://127.0.0.1/x"}, on="/hooks").status == 400
    told = op.get("/hooks/city.json").json
    assert told["hook"]["events"] == ["task.overdue"]
    assert op.post("/hooks/city/ping", {}, on="/hooks/city").status == 303
    assert op.post("/hooks/city/redeliver", {}, on="/hooks/city").status == 303
    assert [one["type"] for one in op.get("/hooks/city.json").json["messages"]] == ["ping"]
    for path in ("/hooks", "/hooks/city", "/hooks.json", "/hooks.csv"):
        assert secret not in op.get(path).text
    assert op.post("/hooks", {"name": "old", "url": "https://cdc.invalid/y"}, on="/hooks").status == 200
    assert op.post("/hooks/old/end", {}, on="/hooks/old").status == 303
    assert {one["name"]: one["state"] for one in rows_of(op.get("/hooks.csv"))}["old"] == "ended"


WHOSE: Final = {
    "t-wen": ("/todo", "/todo/{task}"),
    "t-ana": ("{case}", "/board"),
    "t-op": ("/team", "/hooks", "/hooks/city"),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_small_pages_without_scripts_or_missing_words(site: Any, case: str, lang: str) -> None:
    for who, paths in WHOSE.items():
        visitor = someone(site, who)
        for path in paths:
            address = path.format(task=_a_task(site), case=case)
            answer = visitor.get(f"{address}?lang={lang}")
            assert answer.status == 200, address
            assert "<script" not in answer.text
            style = visitor.get(re.findall(r'rel="stylesheet" href="([^"]+)"', answer.text)[0])
            assert len(answer.body) + len(style.body) < FIRST_PAINT, address
            assert re.search(r"script-src|default-src 'none'", answer.headers["content-security-policy"])


def _a_task(site: Any) -> int:
    return int(someone(site, "t-wen").get("/todo.json").json["tasks"][0]["task"])


@pytest.mark.chromium
@pytest.mark.parametrize("size", SIZES, ids=["desktop", "phone"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_in_a_browser(site: Any, case: str, chromium: Browser, lang: str, size: tuple[int, int]) -> None:
    for who, paths in WHOSE.items():
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale={"zh": "zh-CN", "en": "en-GB"}[lang],
            java_script_enabled=True,
        )
        page = context.new_page()
        page.goto(site.url + "/sign-in")
        page.locator("#key").fill(key_of(site, who))
        page.locator("form:has(#key) button").click()
        for path in paths:
            page.goto(site.url + path.format(task=_a_task(site), case=case))
            for one in page.locator("details > summary").all():
                if one.is_visible():
                    one.click()
            looks_right(page)
            if shots := os.environ.get("SUDONGLIAN_SHOTS"):
                name = f"{who}-{re.sub(r'[^a-z0-9]+', '-', path)}-{lang}-{size[0]}.png"
                page.screenshot(path=str(Path(shots) / name), full_page=True)
        context.close()


@pytest.mark.chromium
def test_a_task_is_closed_without_javascript(site: Any, case: str, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url + "/sign-in")
    page.locator("#key").fill(key_of(site, "t-wen"))
    page.locator("form:has(#key) button").click()
    page.get_by_role("link", name="我的任务", exact=True).click()
    before = len(someone(site, "t-wen").get("/todo.json").json["tasks"])
    page.get_by_role("link", name="联系", exact=True).first.click()
    page.locator("#outcome").select_option("unreachable")
    page.get_by_role("button", name="办结").click()
    expect(page.locator("h1")).to_have_text("我的任务")
    assert len(json.loads(someone(site, "t-wen").get("/todo.json").body)["tasks"]) == before - 1
    context.close()
