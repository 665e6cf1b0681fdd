"""Signing in over HTTP: the first link, invitations, second factors, sessions, locks; every form is ours alone."""

import base64
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from fastapi.routing import APIRoute
from tests.pages.conftest import serving

from sudonglian.api import signing_in
from sudonglian.api.pages import session
from sudonglian.api.pages.site import ROUTERS
from sudonglian.api.scopes import Role
from sudonglian.records import accounts, totp
from sudonglian.records.accounts import FREE
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

GOOD = "correct horse battery"
COOKIE = session.SESSION_COOKIE


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server whose accounts the tests of this file share out by name."""
    with serving(tmp_path_factory.mktemp("office") / "data") as site:
        yield site


@contextmanager
def store_of(site: Any) -> Iterator[Store]:
    store = Store(f"sqlite:///{site.data / 'sudonglian.db'}")
    try:
        yield store
    finally:
        store.close()


def operate(site: Any, change: Callable[..., Any], *arguments: Any) -> Any:
    """Do what an operator's command does."""
    with store_of(site) as store, store.write() as connection:
        return change(connection, *arguments, datetime.now(UTC))


def first(site: Any) -> Any:
    """Make the operator's account by the printed link; return its visitor, still without a second factor."""
    visitor = site.visitor()
    path = site.link.removeprefix(site.url)
    code = path.partition("=")[2]
    fields = {"code": code, "name": "Root", "password": GOOD, "again": GOOD}
    answer = visitor.post("/welcome", fields, on=path)
    assert (answer.status, answer.headers["location"]) == (303, "/account/second-factor")
    return visitor


def enrol(visitor: Any) -> tuple[bytes, list[str]]:
    """Set up a second factor; return its secret and the recovery codes."""
    shown = visitor.get("/account/second-factor")
    secret = base64.b32decode(re.findall(r"<code>([A-Z2-7]{32})</code>", shown.text)[0])
    assert "<svg" in shown.text
    done = visitor.post("/account/second-factor", {"code": code_of(secret)}, on="/account/second-factor")
    assert done.status == 200
    return secret, re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", done.text)


def code_of(secret: bytes, steps: int = 0) -> str:
    return totp.hotp(secret, totp.step_at(datetime.now(UTC)) + steps)


def member(site: Any, name: str, *roles: str, submitter: str | None = None) -> Any:
    """Make an account, give it a password by its one-time link, and return its visitor."""
    with store_of(site) as store, store.write() as connection:
        _, code = accounts.invite(connection, name, roles, datetime.now(UTC), submitter=submitter)
    visitor = site.visitor()
    fields = {"code": code, "password": GOOD, "again": GOOD}
    answer = visitor.post("/welcome", fields, on=f"/welcome?code={code}")
    assert answer.status == 303, answer.text
    return visitor


def sign_in(site: Any, name: str, password: str = GOOD, code: str = "") -> Any:
    visitor = site.visitor()
    visitor.answer = visitor.post("/sign-in", {"name": name, "password": password, "code": code})
    return visitor


def test_the_first_link_makes_an_operator_once(fresh: Any) -> None:
    path = fresh.link.removeprefix(fresh.url)
    looked = fresh.visitor()
    for _ in range(2):
        assert looked.get(path).status == 200, "looking does not use the link up"
    assert fresh.visitor().get("/welcome?code=" + "x" * 43).status == 401
    assert fresh.visitor().get("/welcome").status == 401
    wrong = {"code": path.partition("=")[2], "name": "root", "password": GOOD, "again": GOOD}
    for bad, status in (
        ({"password": "short", "again": "short"}, 422),
        ({"again": GOOD + "x"}, 400),
        ({"name": "!"}, 422),
        ({"code": "x"}, 401),
    ):
        assert looked.post("/welcome", {**wrong, **bad}, on=path).status == status
    visitor = first(fresh)
    cookie = visitor.cookies[COOKIE]
    assert fresh.visitor().get(path).status == 401
    assert looked.post("/welcome", {**wrong, "name": "second"}, on="/sign-in").status == 401
    assert [one["name"] for one in fresh.run("accounts", "list")["accounts"]] == ["root"]
    assert visitor.get("/account").status == 200
    for file in fresh.data.rglob("*"):
        raw = file.read_bytes() if file.is_file() else b""
        assert GOOD.encode() not in raw
        assert cookie.encode() not in raw


def test_cookies_are_out_of_reach(fresh: Any) -> None:
    visitor = fresh.visitor()
    path = fresh.link.removeprefix(fresh.url)
    answer = visitor.post("/welcome", {"code": path.partition("=")[2], "do": "trial"}, on=path)
    for name in (COOKIE, session.VISIT_COOKIE):
        told = answer.cookies[name].lower()
        assert "httponly" in told
        assert "samesite=strict" in told


def test_trying_out_is_for_this_machine_and_ends_with_the_first_account(fresh: Any) -> None:
    path = fresh.link.removeprefix(fresh.url)
    fields = {"code": path.partition("=")[2], "do": "trial"}
    abroad = fresh.visitor()
    assert "Try it out" not in abroad.get(f"{path}&lang=en", Host="cold.example").text
    assert abroad.post("/welcome", dict(fields), on="/sign-in", Host="cold.example").status == 401
    for name in ("X-Real-IP", "X-Forwarded-Proto", "Forwarded"):
        assert "Try it out" not in abroad.get(f"{path}&lang=en", **{name: "198.51.100.7"}).text, name
    with socket.create_connection((urlsplit(fresh.url).hostname, urlsplit(fresh.url).port)) as proxied:
        asked = f"GET {path}&lang=en HTTP/1.0\r\nHost: {urlsplit(fresh.url).netloc}\r\nAccept: text/html\r\n\r\n"
        proxied.sendall(asked.encode())
        with proxied.makefile("rb") as given:
            told = given.read().decode()
    assert "200 OK" in told
    assert "Try it out" not in told
    visitor = fresh.visitor()
    assert "Try it out" in visitor.get(f"{path}&lang=en").text
    answer = visitor.post("/welcome", dict(fields), on=path)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert fresh.visitor().post("/welcome", dict(fields), on="/sign-in").status == 401, "once"
    for page in ("/trace/none", "/account", "/upload"):
        assert visitor.get(page).status in (200, 404), page
    [listed] = fresh.run("accounts", "list")["accounts"]
    assert (listed["state"], set(listed["roles"])) == ("trial", set(Role))
    assert visitor.post("/sign-out", {}).status == 303
    assert visitor.get("/account").status == 401


def test_a_role_that_reads_people_opens_nothing_without_a_second_factor(office: Any) -> None:
    visitor = member(office, "wang", "epidemiologist")
    told = visitor.get("/trace/none?lang=en")
    assert told.status == 403
    assert "second factor" in told.text
    assert "/account/second-factor" in visitor.get("/").text
    secret, codes = enrol(visitor)
    assert len(codes) == totp.RECOVERY_CODES
    assert visitor.get("/trace/none").status == 404
    assert visitor.get("/account/second-factor").status == 422, "it is not shown again"
    assert sign_in(office, "wang").answer.status == 401
    assert sign_in(office, "wang", code=code_of(secret)).answer.status == 401, "the code was used to confirm"
    again = sign_in(office, " WANG ", code=codes[0])
    assert again.answer.status == 303
    assert again.get("/trace/none").status == 404
    assert sign_in(office, "wang", code=codes[0]).answer.status == 401
    newer = code_of(secret, 1)
    assert sign_in(office, "wang", code=newer).answer.status == 303
    assert sign_in(office, "wang", code=newer).answer.status == 401, "replayed"


def test_a_session_is_new_with_every_sign_in_and_ends_when_told(office: Any) -> None:
    visitor = member(office, "sun", "firm", submitter="urn:x:firm")
    old, visit = visitor.cookies[COOKIE], visitor.cookies[session.VISIT_COOKIE]
    assert visitor.post("/sign-in", {"name": "sun", "password": GOOD}).status == 303
    assert visitor.cookies[COOKIE] != old
    assert visitor.cookies[session.VISIT_COOKIE] != visit
    fixed = office.visitor()
    fixed.cookies[COOKIE] = old
    assert fixed.get("/account").status == 401, "the session that the browser had before is over"
    planted = office.visitor()
    planted.cookies[COOKIE] = "planted"
    assert planted.post("/sign-in", {"name": "sun", "password": GOOD}).status == 303
    assert planted.cookies[COOKIE] != "planted"
    listed = visitor.get("/account").text
    [other] = re.findall(r'name="session" value="(\d+)"', listed)
    assert visitor.post("/account/sessions", {"session": other}, on="/account").status == 303
    assert planted.get("/account").status == 401
    third = sign_in(office, "sun")
    assert visitor.post("/account/sessions", {"session": "others"}, on="/account").status == 303
    assert third.get("/account").status == 401
    kept = visitor.cookies[COOKIE]
    assert visitor.post("/sign-out", {}).status == 303
    stolen = office.visitor()
    stolen.cookies[COOKIE] = kept
    assert stolen.get("/account").status == 401


def test_another_password_ends_the_other_sessions(office: Any) -> None:
    visitor = member(office, "zhao", "partner", submitter="urn:x:firm")
    other = sign_in(office, "zhao")
    new = "another good password"
    fields = {"current": "wrong wrong wrong", "password": new, "again": new}
    assert visitor.post("/account/password", dict(fields), on="/account").status == 401
    assert other.get("/account").status == 200
    fields["current"] = GOOD
    assert visitor.post("/account/password", {**fields, "again": "x"}, on="/account").status == 400
    assert visitor.post("/account/password", dict(fields), on="/account").status == 303
    assert visitor.get("/account").status == 200
    assert other.get("/account").status == 401
    assert sign_in(office, "zhao").answer.status == 401
    assert sign_in(office, "zhao", new).answer.status == 303


def test_whoever_tries_hears_one_answer_and_then_waits(office: Any) -> None:
    member(office, "li", "firm", submitter="urn:x:firm")

    def told(name: str, password: str) -> tuple[int, str]:
        answer = sign_in(office, name, password).answer
        text = re.sub(r"[0-9a-f]{16,64}", "", answer.text)
        return answer.status, re.sub(r"\s+", " ", text)

    wrong = [told("li", "wrong wrong wrong") for _ in range(FREE)]
    assert wrong[0][0] == 401
    assert told("nobody", GOOD) == wrong[0]
    assert told("li", GOOD) == wrong[0], "right, but it waits, and that is not told"
    listed = {one["name"]: one for one in office.run("accounts", "list")["accounts"]}
    assert (listed["li"]["state"], listed["li"]["failed"]) == ("locked", FREE)
    assert office.run("accounts", "unlock", "li")["state"] == "live"
    assert sign_in(office, "li").answer.status == 303


def test_an_address_that_tries_too_much_is_not_heard() -> None:
    tried = signing_in.Attempts()
    for number in range(signing_in.FAILURES):
        tried.check("a", number)
        tried.failed("a", number)
    with pytest.raises(signing_in.TooManyAttempts):
        tried.check("a", signing_in.FAILURES)
    tried.check("b", 0)
    tried.check("a", signing_in.WITHIN_S + 0.5)
    for number in range(signing_in.ADDRESSES + 1):
        tried.failed(f"c{number}", 1)
    tried.check("a", signing_in.FAILURES)


def test_a_refusal_takes_its_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    keys = Keys.open(tmp_path / "keys", create=True)
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    open_deployment(store, keys)
    with pytest.raises(signing_in.SignInRefused):
        signing_in.authenticate(store, keys, signing_in.Attempts(), "a", "nobody", GOOD, "")
    store.close()
    assert len(slept) == 1


def test_changes_by_the_operator_hold_at_once(office: Any) -> None:
    visitor = member(office, "qian", "firm", submitter="urn:x:firm")
    assert "disabled>" not in visitor.get("/upload").text
    operate(office, accounts.set_roles, "qian", ["partner"], "urn:x:firm")
    assert visitor.post("/upload", {}, on="/upload").status == 403
    operate(office, accounts.disable, "qian")
    assert visitor.get("/account").status == 401
    operate(office, accounts.enable, "qian")
    assert visitor.get("/account").status == 401, "its sessions stay ended"
    assert sign_in(office, "qian").answer.status == 303
    code = operate(office, accounts.reset, "qian")[1]
    assert sign_in(office, "qian").answer.status == 401
    assert office.visitor().get(f"/welcome?code={quote(code)}").status == 200


def test_a_persons_key_does_what_both_may(office: Any) -> None:
    visitor = member(office, "zhou", "epidemiologist")
    token = office.run("keys", "api", "create", "--name", "x", "--account", "zhou", "--scope", "trace")["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert visitor.get("/traces/none", accept="application/json", **headers).status == 403, "no second factor yet"
    enrol(visitor)
    answer = visitor.get("/traces/none", accept="application/json", **headers)
    assert answer.status == 404
    operate(office, accounts.set_roles, "zhou", ["auditor"], None)
    assert visitor.get("/traces/none", accept="application/json", **headers).status == 403
    operate(office, accounts.disable, "zhou")
    assert visitor.get("/traces/none", accept="application/json", **headers).status == 401


def sent(visitor: Any, path: str, token: str, **headers: str) -> Any:
    """Send a form with nothing but its token; what a script sends has it in a header."""
    if not path.endswith(".json"):
        return visitor.post(path, {"form": token}, **headers)
    told = {"Accept": "application/json", "Content-Type": "application/json", "X-Form-Token": token, **headers}
    return visitor.ask("POST", path, b"{}", told)


def test_every_form_is_ours_alone(office: Any) -> None:
    visitor = member(office, "wu", "firm", submitter="urn:x:firm")
    forms = {
        route.path
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "POST" in (route.methods or ())
    }
    assert {"/welcome", "/sign-in", "/sign-out", "/account/password", "/account/sessions"} < forms
    for path in forms:
        token = visitor.get("/sign-in").token
        assert sent(visitor, path, "0" * 64).status == 403, path
        assert sent(visitor, path, token, Origin="https://evil.example").status == 403, path
        stranger = office.visitor()
        stranger.get("/sign-in")
        stranger.cookies[COOKIE] = visitor.cookies[COOKIE]
        assert sent(stranger, path, token).status == 403, path
    assert visitor.get("/account").status == 200, "no form has done anything"
