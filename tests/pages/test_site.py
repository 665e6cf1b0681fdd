"""The pages over HTTP: who may see what, what every page carries, what goes wrong and how it is said."""

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import orjson
import pytest
from fastapi.routing import APIRoute

from sudonglian.api.commands import sample
from sudonglian.api.http import auth
from sudonglian.api.http.tracing import TraceAsk
from sudonglian.api.pages import session
from sudonglian.api.pages.language import texts, word
from sudonglian.api.pages.rendering import LINKED, POLICY, SCRIPTED
from sudonglian.api.pages.site import ROUTERS
from sudonglian.api.scopes import Scope
from sudonglian.records import api_keys, jobs
from sudonglian.records.store import Store
from sudonglian.trace.engine.progress import StageName

QUESTION = {"seed": "", "at": "2024-11-10T14:00", "lookback": "14d", "direction": "forward", "why": "a test"}
FIRST_PAINT = 100 * 1024

API_QUESTION = TraceAsk.model_validate(
    {"seed": "urn:x:nobody", "at": "2024-11-10T14:00:00+08:00", "purpose": "a test"}
).model_dump()

PUBLIC = {
    "GET /",
    "GET /index.json",
    "POST /sample",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
    "GET /welcome",
    "POST /welcome",
    "GET /trace",
    "GET /temperature",
    "GET /upload",
    "GET /audit",
    "GET /audit.json",
    "GET /audit.csv",
    "GET /verify",
    "POST /verify",
    "GET /static/{name}",
    "GET /static/modules/{version}/{name:path}",
    "GET /dock-worker.js",
    "GET /{link:gs1}",
    "GET /item/{link:gs1}",
    "GET /item.json/{link:gs1}",
}
"""What needs no sign-in, written down so that nothing joins it by accident."""

BEHIND = (
    *("/trace/none", "/trace/none.json", "/trace/none.graphml", "/trace/none/why?member=x", "/trace/none/views.json"),
    *(
        "/trace/none/list",
        "/trace/none/list.csv",
        "/trace/none/list.json",
        "/trace/none/places",
        "/trace/none/places.xlsx",
    ),
)


def question(**more: str) -> dict[str, str]:
    return {**QUESTION, "seed": sample.stories()["frozen-fish"]["seed"], **more}


@pytest.fixture(scope="module")
def traced(site: Any) -> tuple[Any, str]:
    """A visitor who has asked, and the address of the answer."""
    visitor = site.visitor(signed_in=True)
    asked = visitor.post("/trace", question())
    assert asked.status == 303
    url = asked.headers["location"]
    until = time.monotonic() + 60
    while visitor.get(f"{url}.json").json["answer"] is None:
        assert time.monotonic() < until, "the trace does not end"
        time.sleep(0.1)
    return visitor, url


@pytest.mark.parametrize(("lang", "words"), [("zh", "读取记录：3 / 9"), ("en", "Reading records: 3 of 9")])
def test_a_page_that_waits_says_how_far_the_trace_is(site: Any, lang: str, words: str) -> None:
    store = Store(f"sqlite:///{site.data / 'sudonglian.db'}")
    now = datetime.now(UTC)
    with store.write() as connection:
        key, token = api_keys.create(connection, "waits", ["trace"], now)
        job = jobs.add(connection, f"key:{key.id}", "trace", orjson.dumps(API_QUESTION), now, state="running")
        jobs.advance(connection, job, orjson.dumps({"stage": "records", "done": 3, "total": 9, "size": None}))
    visitor = site.visitor()
    assert visitor.post("/sign-in", {"key": token}).status == 303
    assert words in visitor.get(f"/trace/{job.name}?lang={lang}").text
    with store.write() as connection:
        jobs.finish(connection, job, "failed", b'{"code":"unexpected","detail":"","place":""}', now)
    store.close()
    assert words not in visitor.get(f"/trace/{job.name}?lang={lang}").text


def test_every_stage_has_words() -> None:
    for stage in get_args(StageName):
        assert word("en", f"stage.{stage}", stage=stage, done=1, total=2, size=3)
    assert {key for key in texts() if key.startswith("stage.")} == {f"stage.{stage}" for stage in get_args(StageName)}


def a_record(visitor: Any) -> str:
    found: str = visitor.get("/index.json").json["newest"][0]["record_hash"]
    return found


def test_every_page_declares_its_scope() -> None:
    found = {
        f"{method} {route.path}": auth.scope_of(route.dependant)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert {name for name, scope in found.items() if scope is Scope.public} == PUBLIC
    assert {scope for name, scope in found.items() if name not in PUBLIC} == {
        Scope.trace,
        Scope.capture,
        Scope.own_account,
        Scope.read_own,
        Scope.read_record,
        Scope.case,
        Scope.reveal_approve,
        Scope.follow_up,
        Scope.accounts,
        Scope.operate,
    }


@pytest.mark.parametrize("path", BEHIND)
def test_traces_are_for_those_who_are_signed_in(site: Any, path: str) -> None:
    nobody = site.visitor().get(path)
    assert nobody.status == 401
    assert "/sign-in" in nobody.text
    wrong = site.visitor()
    wrong.cookies[session.KEY_COOKIE] = site.api_key("operate")
    assert wrong.get(path).status == 403
    wrong.cookies[session.KEY_COOKIE] = "sdl_000000000000_" + "A" * 43
    assert wrong.get(path).status == 401


def test_a_trace_is_seen_by_its_asker_alone(site: Any, traced: tuple[Any, str]) -> None:
    visitor, url = traced
    assert visitor.get(url).status == 200
    other = site.visitor()
    other.cookies[session.KEY_COOKIE] = site.api_key("trace", "operate")
    other = other.get(url)
    assert other.status == 404
    assert "30" in other.text


def test_the_api_takes_no_cookie(site: Any) -> None:
    visitor = site.visitor(signed_in=True)
    assert visitor.get("/traces/none", accept="application/json").status == 401


def test_an_empty_store_teaches_and_takes_the_sample_once(fresh: Any) -> None:
    visitor = fresh.visitor()
    empty = visitor.get("/?lang=en")
    assert "There is nothing here yet" in empty.text
    assert "Load the sample outbreak" in empty.text
    abroad = fresh.visitor()
    assert "Load the sample outbreak" not in abroad.get("/?lang=en", Host="cold.example").text
    assert abroad.post("/sample", {"form": abroad.get("/sign-in").token}, Host="cold.example").status == 401
    assert abroad.post("/sample", {"form": abroad.get("/sign-in").token}, **{"X-Forwarded-For": "::1"}).status == 401
    assert visitor.post("/sample", {"form": empty.token}).status == 303
    assert visitor.get("/index.json").json["records"] == 63
    assert visitor.post("/sample", {}).status == 403
    assert visitor.get("/index.json").json["records"] == 63


@pytest.mark.parametrize("path", ["/trace", "/sign-in", "/sign-out", "/sample", "/verify", "/upload"])
def test_a_form_of_another_site_is_refused(site: Any, path: str) -> None:
    visitor = site.visitor(signed_in=True)
    token = visitor.get("/sign-in").token
    assert visitor.post(path, {"form": "0" * 64}).status == 403
    assert visitor.post(path, {"form": token}, Origin="https://evil.example").status == 403
    assert visitor.post(path, {"form": token}, Origin="null").status == 403
    bare = site.visitor()
    assert bare.ask(
        "POST",
        path,
        f"form={token}".encode(),
        {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"},
    ).status in (401, 403)
    stranger = site.visitor()
    stranger.get("/sign-in")
    assert stranger.post(path, {"form": token}).status in (401, 403)


def test_forms_that_cannot_be_read(site: Any) -> None:
    visitor = site.visitor(signed_in=True)
    for kind, body, status in (
        ("application/json", b"{}", 415),
        ("text/plain", b"x", 415),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense", 403),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\n", 400),
        ("application/x-www-form-urlencoded", b"\xff=%ff&" * 5, 403),
        ("application/x-www-form-urlencoded", b"a=" + b"b" * 70_000, 413),
    ):
        answer = visitor.ask("POST", "/trace", body, {"Accept": "text/html", "Content-Type": kind})
        assert answer.status == status, (kind, body[:20], answer.text)
        assert "Traceback" not in answer.text


def test_data_that_are_not_there_are_a_problem_and_no_page(site: Any) -> None:
    for path in ("/item.json/00/395200010000000905", f"/records/{'0' * 64}.json"):
        told = site.visitor(signed_in=True).get(path, accept="*/*")
        assert told.status == 404
        assert told.headers["content-type"].startswith("application/problem+json")
        assert told.json["status"] == 404


def test_every_page_carries_its_headers_and_no_inline_script(site: Any, traced: tuple[Any, str]) -> None:
    visitor, url = traced
    person = visitor.get(f"{url}.json").json["answer"]["members"][-1]
    pages = [
        "/",
        "/upload",
        "/trace",
        "/verify",
        "/sign-in",
        f"/records/{a_record(visitor)}",
        url,
        "/nowhere",
        "/trace/none",
    ]
    for path in [*pages, f"{url}/why?member={person['kind']}:{person['id']}"]:
        answer = visitor.get(path)
        allowed = {"/trace": SCRIPTED, url: LINKED}.get(path, POLICY)
        assert answer.headers["content-security-policy"] == allowed
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        inline = re.sub(r'<script type="module" src="/static/[a-z]+\.js\?v=[0-9a-f]{12}"></script>', "", answer.text)
        assert "script" not in inline.lower()
        assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:", answer.text)
        assert not re.search(r"(?:src|action)=\"(?:https?:)?//|<link[^>]*href=\"(?:https?:)?//", answer.text)
        style = visitor.get(re.findall(r'rel="stylesheet" href="([^"]+)"', answer.text)[0])
        assert style.status == 200
        assert len(answer.body) + len(style.body) < FIRST_PAINT, path
        for lang, name in (("zh", "zh-CN"), ("en", "en")):
            both = visitor.get(path + ("&" if "?" in path else "?") + f"lang={lang}")
            assert f'<html lang="{name}">' in both.text
            assert both.status == answer.status


def test_every_page_is_also_json(site: Any, traced: tuple[Any, str]) -> None:
    visitor, url = traced
    digest = a_record(visitor)
    told = visitor.get(f"/records/{digest}.json").json
    assert told["record_hash"] == digest
    header = {"Authorization": f"Bearer {site.api_key('trace')}"}
    assert visitor.get(f"/records/{digest}", accept="*/*", **header).json == told
    assert "<html" in visitor.get(f"/records/{digest}").text
    answer = visitor.get(f"{url}.json").json
    assert answer["state"] == "success"
    someone = next(one for one in answer["answer"]["members"] if one["kind"] == "person")
    assert visitor.get(f"{url}/why.json?member=person:{someone['id']}").json == someone
    assert visitor.get(f"{url}.graphml").body.startswith(b"<?xml")
    for path in ("/", url, f"/records/{digest}"):
        linked = re.findall(r'rel="alternate" type="application/json" href="([^"]+)"', visitor.get(path).text)
        assert [visitor.get(one).headers["content-type"] for one in linked] == ["application/json"]


def test_people_are_counted_for_those_signed_in_and_never_named(site: Any, traced: tuple[Any, str]) -> None:
    visitor, url = traced
    anybody = site.visitor()
    assert "people" not in anybody.get("/index.json").json
    assert visitor.get("/index.json").json["people"] > 0
    shown = [visitor.get(path).text for path in ("/", url, f"/records/{a_record(visitor)}")]
    names = _names()
    assert len(names) > 20
    assert [one for one in names for text in shown if one in text] == []


def _names() -> set[str]:
    """Return every name and number of a person in the sample's documents."""
    found: set[str] = set()
    for raw in sample.documents("frozen-fish").values():
        for event in json.loads(raw)["epcisBody"]["eventList"]:
            for one in event.get("sdl:participants", ()):
                found |= {one["personRef"]["value"], one["personRef"].get("name") or one["personRef"]["value"]}
    return found


def test_every_member_has_its_reason(traced: tuple[Any, str]) -> None:
    visitor, url = traced
    members = visitor.get(f"{url}.json").json["answer"]["members"]
    assert {one["kind"] for one in members} == {"person", "place", "item"}
    unconfirmed = set()
    for one in members:
        why = visitor.get(f"{url}/why?lang=en&member={quote(one['kind'] + ':' + one['id'], safe='')}")
        assert why.status == 200
        for step in one["walk"]:
            for record in step["record_hashes"]:
                assert f'href="/records/{record}?lang=en"' in why.text
                assert f'href="/records/{record}/bundle"' in why.text
                if visitor.get(f"/records/{record}.json").json["handoff"] is not None:
                    assert "unconfirmed: nobody has signed" in why.text
                    unconfirmed.add(record)
    assert len(unconfirmed) > 3


def test_what_cannot_be_traced_is_said_on_the_form(site: Any) -> None:
    visitor = site.visitor(signed_in=True)
    for given, named in (
        (question(at="yesterday"), "at"),
        (question(lookback="long"), "lookback"),
        (question(why=""), "a purpose"),
        (question(seed=""), "seed"),
    ):
        answer = visitor.post("/trace", given, on="/trace")
        assert answer.status == 422
        assert 'role="alert"' in answer.text
        assert named in answer.text
        if given["why"]:
            assert given["why"] in answer.text
    unknown = visitor.post("/trace", question(seed="urn:x:<b>nothing"))
    told = visitor.get(unknown.headers["location"] + "?lang=en")
    assert "There is no answer" in told.text
    assert "trace-seed-unknown" in told.text
    assert "<b>nothing" not in told.text


def many(kind: str, number: int) -> list[dict[str, Any]]:
    """Return members as an answer has them, all reached in one place at one time."""
    place = {"kind": "location", "id": "https://id.gs1.org/414/9520001001055/254/stall-12"}
    time = "2024-11-10T22:00:00Z"
    record = {"record_hash": "0" * 64, "record_hashes": ["0" * 64]}
    stay = {"hop": 1, "fact": "at", "where": place, "from": time, "to": time, "time": time, "contact": "", **record}
    found: list[dict[str, Any]] = []
    for n in range(number):
        name = str(1_000_000_000 + n) if kind == "person" else f"https://id.gs1.org/00/3952000{n:011}"
        walk = [{**stay, "who": {"kind": kind, "id": name}}]
        one: dict[str, Any] = {"id": name, "kind": kind, "earliest": time, "possible": time, "evidence": "certain"}
        one |= {"generation": {"objects": 1, "persons": 0}, "tier": "close", "tier_zh": "密接", "rule": "T01"}
        found.append(one | {"possible_tier": "", "lot": "", "portion": "", "intervals": [], "walk": walk})
        found[-1]["earliest_walk"] = walk
    return found


def test_a_large_answer_has_pages(site: Any) -> None:
    visitor = site.visitor(signed_in=True)
    members = [*many("person", 1_000), *many("place", 300), *many("item", 500)]
    seed = {"kind": "item", "id": "urn:x:seed"}
    log = {"size": 47, "root": "0" * 64}
    result = {"log": log, "seed": seed["id"], "members": members, "seeds": [seed], "notes": [], "superseded": []}
    asked = {"seed": "urn:x:seed", "at": "2024-11-10T14:00:00+08:00", "lookback": "14d", "backward": False}
    asked |= {"purpose": "many", "case": "", "place": ""}
    store = Store(f"sqlite:///{site.data / 'sudonglian.db'}")
    with store.write() as connection:
        key = api_keys.find(connection, site.api_key("trace"), datetime.now(UTC))
        assert key is not None
        body = orjson.dumps({**result, "document_hash": "0" * 64})
        job = jobs.add(
            connection, f"key:{key.id}", "trace", orjson.dumps(asked), datetime.now(UTC), state="success", result=body
        )
    store.close()
    whole = visitor.get(f"/trace/{job.name}?lang=en")
    style = visitor.get("/static/pages.css").body
    assert len(whole.body) + len(style) < FIRST_PAINT
    assert "1 to 12 of 1000" in whole.text
    assert "the first 20 of 300" in whole.text
    assert ">+1452<" in whole.text
    first = visitor.get(f"/trace/{job.name}/list?lang=en&kind=person")
    assert first.text.count('class="why"') == 100
    assert "<svg" not in first.text
    seen: set[str] = set()
    url = f"/trace/{job.name}/list?lang=en&kind=person"
    for _ in range(10):
        page = visitor.get(url).text
        seen |= set(re.findall(r"no\. (\d+)", page))
        following = re.findall(r'<a href="([^"]+)">Next</a>', page)
        url = following[0].replace("&amp;", "&") if following else ""
    assert url == ""
    assert len(seen) == 1_000


def test_backward(site: Any) -> None:
    visitor = site.visitor(signed_in=True)
    answer = visitor.get(visitor.post("/trace", question(direction="backward")).headers["location"] + "?lang=en")
    assert "What may have exposed it" in answer.text
    assert answer.text.count("<svg") == 4


def test_what_is_searched_is_found(site: Any) -> None:
    visitor = site.visitor()
    digest = a_record(site.visitor(signed_in=True))
    assert visitor.get(f"/?q={digest}").headers["location"] == f"/records/{digest}"
    assert visitor.get(f"/?q=0x{digest.upper()}&lang=en").headers["location"] == f"/records/{digest}?lang=en"
    assert visitor.get("/?q=urn:x:y").headers["location"] == "/trace?seed=urn%3Ax%3Ay"
    assert "urn:x:y" in visitor.get("/trace?seed=urn%3Ax%3Ay").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/records/" + "0" * 64, 404),
        ("/records/nonsense", 400),
        ("/?lang=fr", 400),
        ("/?unknown=1", 400),
        ("/?q=%00", 400),
        ("/static/none", 404),
        ("/static/..%2fpages.css", 404),
        ("/trace?seed=" + "x" * 3_000, 400),
    ],
)
def test_refusals_say_what_to_do(site: Any, path: str, status: int) -> None:
    answer = site.visitor(signed_in=True).get(path)
    assert answer.status == status
    assert 'class="actions"' in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert "Traceback" not in answer.text


def test_a_refusal_knows_who_is_signed_in_and_leads_back_to_the_form(site: Any, traced: tuple[Any, str]) -> None:
    visitor, _ = traced
    lost = visitor.get("/nowhere?lang=en")
    assert (lost.status, "Sign out" in lost.text, "Sign in" in lost.text) == (404, True, False)
    wrong = upload(visitor, b"{}", b"{}")
    assert (wrong.status, "Sign out" in wrong.text) == (400, True)
    assert '<a class="button" href="/verify?lang=en">' in wrong.text
    stranger = upload(site.visitor(), b"{}", b"{}")
    assert (stranger.status, "Sign out" in stranger.text) == (400, False)


def test_the_api_refuses_as_before(site: Any) -> None:
    lost = site.visitor().get("/nowhere", accept="application/json")
    assert (lost.status, lost.headers["content-type"]) == (404, "application/problem+json")
    assert site.visitor().get("/sample", accept="*/*").status == 404


def upload(visitor: Any, bundle: bytes, trust: bytes, name: str = "a b.json") -> Any:
    token = visitor.get("/verify").token
    parts = [f'--x\r\nContent-Disposition: form-data; name="form"\r\n\r\n{token}\r\n'.encode()]
    for field, file, data in (("bundle", name, bundle), ("trust", "trust.json", trust)):
        head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{file}"\r\n\r\n'
        parts += [head.encode(), data, b"\r\n"]
    headers = {"Accept": "text/html", "Content-Type": "multipart/form-data; boundary=x"}
    return visitor.ask("POST", "/verify?lang=en", b"".join([*parts, b"--x--\r\n"]), headers)


def test_proofs_are_checked_to_the_byte(site: Any, trust: Path) -> None:
    reader = site.visitor(signed_in=True)
    bundle = reader.get(f"/records/{a_record(reader)}/bundle").body
    visitor = site.visitor()
    trusted = trust.read_bytes()
    good = upload(visitor, bundle, trusted)
    assert good.status == 200
    assert 'class="verdict VALID"' in good.text
    assert good.text.count('class="outcome PASS"') == 10
    assert "sudonglian-verify &#39;a b.json&#39; --trust trust.json --lang en" in good.text
    assert "Rests on your trust in" in good.text
    assert "It does not show" in good.text
    for bad in (
        bundle.replace(b'"index":', b'"index": ', 1),
        bundle[:-1] + b"\xff",
        b"",
        b"\x00" * 100,
        bundle + b"\n",
    ):
        answer = upload(visitor, bad, trusted)
        assert 'class="verdict VALID"' not in answer.text
        assert answer.status == (200 if bad else 400)
    broken = upload(visitor, bundle.replace(b"\xe5", b"\xff", 1), trusted)
    assert bundle.count(b"\xe5")
    assert 'class="verdict INVALID"' in broken.text
    other = json.loads(trusted)
    other["chains"][0]["finality"] = {"rule": "trusted-headers", "headers": ["00" * 32]}
    assert 'class="verdict INDETERMINATE"' in upload(visitor, bundle, json.dumps(other).encode()).text
    assert upload(visitor, bundle, b"{}").status == 400
    assert upload(visitor, b"x" * (9 * 1024 * 1024), trusted).status == 413


def test_no_address_of_ours_leads_to_another_site(site: Any) -> None:
    visitor = site.visitor()
    for path in ("//evil.example/x", "///evil.example", "/%2Fevil.example"):
        assert 'href="//' not in visitor.get(path).text
