"""Every route and page with every role and with none; and no firm reads another's records beyond one step."""

import hmac
import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from fastapi.routing import APIRoute
from tests.api.http.conftest import Answer, Running

from sudonglian.api.http import auth
from sudonglian.api.http.app import ROUTERS
from sudonglian.api.pages import session
from sudonglian.api.pages.site import ROUTERS as PAGES
from sudonglian.api.scopes import FIRM_ROLES, GRANTED, Role, Scope, scopes_of
from sudonglian.records import accounts, api_keys, second_factor, sequencer, sessions, totp
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

LOT = "https://id.gs1.org/00/395200010000004446"
A, B, Z, STRANGER = (f"https://id.gs1.org/417/95200010{number}" for number in ("01987", "01994", "02007", "02014"))
VISIT = "v" * 32
FORM = hmac.digest(VISIT.encode(), b"sudonglian/form/v1", "sha256").hex()

SELF_REFUSING = {
    "GET /welcome": {401},
    "POST /welcome": {401},
    "POST /sign-in": {401},
    "POST /account/password": {401},
    "POST /sample": {303, 403},
}
"""Pages that refuse what is shown or asked, not who comes."""


@dataclass
class World:
    """A server, its store, and a person of each role."""

    running: Running
    store: Store
    keys: Keys
    people: dict[str, tuple[int, str]]
    """By role: the account, and the token of a key of its own."""

    def cookie(self, account: int) -> dict[str, str]:
        with self.store.write() as connection:
            _, token = sessions.begin(connection, account, datetime.now(UTC))
        return {session.SESSION_COOKIE: token}

    def page(self, method: str, path: str, cookies: dict[str, str], accept: str = "text/html") -> Answer:
        """Ask as a browser does, with a form that is ours."""
        host = urlsplit(self.running.url)
        shown = {session.VISIT_COOKIE: VISIT, **cookies}
        headers = {"Accept": accept, "Cookie": "; ".join(f"{name}={value}" for name, value in shown.items())}
        body = None
        if method == "POST":
            body = urlencode({"form": FORM})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()


def person(store: Store, keys: Keys, name: str, role: str, firm: str | None) -> tuple[int, str]:
    """Make a person with a second factor and a key of their own that may whatever they may."""
    now = datetime.now(UTC)
    with store.write() as connection:
        made, _ = accounts.invite(connection, name, [role], now, submitter=firm)
        secret = second_factor.begin(connection, keys, made.id, now)
        second_factor.confirm(connection, keys, made.id, totp.hotp(secret, totp.step_at(now)), now)
        scopes = scopes_of([role]) & set(GRANTED)
        _, token = api_keys.create(connection, name, scopes, now, submitter=firm, account=made.id)
    return made.id, token


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, make: Any, start_once: Any) -> Iterator[World]:
    data: Path = tmp_path_factory.mktemp("roles")
    make.deploy(data)
    keys = Keys.open(data / "keys")
    store = Store(f"sqlite:///{data / 'sudonglian.db'}")
    firm = {role: (STRANGER if role in FIRM_ROLES else None) for role in Role}
    people = {str(role): person(store, keys, f"p-{role}", role, firm[role]) for role in Role}
    yield World(start_once(data, "--no-worker"), store, keys, people)
    store.close()


def described(routers: Any) -> dict[str, Scope]:
    found: dict[str, Scope] = {}
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                scope = auth.scope_of(route.dependant)
                assert scope is not None, route.path
                found |= {f"{method} {route.path}": scope for method in route.methods or ()}
    return found


def filled_in(path: str, **values: str) -> str:
    for name, value in values.items():
        path = re.sub(r"\{" + name + r"(:[^}]*)?\}", value, path)
    path = re.sub(r"\{record_hash\}", "0" * 64, path)
    path = re.sub(r"\{size\}", "1", path)
    return re.sub(r"\{[^}]*\}", "none", path)


def slug(answer: Answer) -> str:
    return str(answer.json["type"]).rpartition(":")[2]


def test_every_route_with_every_role(world: World) -> None:
    walked = 0
    for name, scope in described(module.router for module in ROUTERS).items():
        method, path = name.split(" ", 1)
        path = filled_in(path)
        for role, (_, token) in {**world.people, "": (0, "")}.items():
            answer = world.running.ask(method, path, token=token or None)
            may = scope is Scope.public or (bool(role) and scope in scopes_of([role]))
            walked += 1
            if may:
                assert answer.status not in (401, 403), (name, role, answer)
            else:
                assert (answer.status, slug(answer)) == (
                    (403, "forbidden") if role else (401, "unauthenticated")
                ), (name, role)  # fmt: skip
    assert walked > 80 * len(Role)


def test_every_page_with_every_role(world: World) -> None:
    walked = 0
    for name, scope in described(PAGES).items():
        method, path = name.split(" ", 1)
        path = filled_in(path) + ("?member=x" if path.endswith(("why", "why.json")) else "")
        for role, (account, _) in {**world.people, "": (0, "")}.items():
            answer = world.page(method, path, world.cookie(account) if role else {})
            may = scope is Scope.public or (bool(role) and scope in scopes_of([role]) | {Scope.own_account})
            walked += 1
            if may:
                expected = SELF_REFUSING.get(name)
                assert answer.status in expected if expected else answer.status not in (401, 403), (name, role, answer)
            else:
                assert answer.status == (403 if role else 401), (name, role, answer)
    assert walked > 30 * len(Role)


def test_a_persons_key_and_session_are_one_principal(world: World) -> None:
    from sudonglian.api import caller

    now = datetime.now(UTC)
    for account, token in world.people.values():
        with world.store.read() as connection:
            by_key = caller.of_token(connection, token, now)
        session_token = world.cookie(account)[session.SESSION_COOKIE]
        with world.store.read() as connection:
            by_session = caller.of_session(connection, session_token, now)
        assert by_key is not None
        assert by_session is not None
        assert by_key[0].principal == by_session[0].principal == f"account:{account}"
        assert by_key[0].scopes == by_session[0].scopes - {Scope.own_account}


def test_a_machines_key_never_has_what_is_for_persons(world: World) -> None:
    from sudonglian.api import caller
    from sudonglian.api.scopes import OF_A_PERSON

    now = datetime.now(UTC)
    with world.store.write() as connection:
        made, token = api_keys.create(connection, "x", [*GRANTED, "own-account", "public", "nonsense"], now)
        found = caller.of_token(connection, token, now)
    assert found is not None
    assert found[0].principal == f"key:{made.id}"
    assert not found[0].scopes & (OF_A_PERSON | {Scope.own_account, Scope.public})
    assert not found[0].may(Scope.capture), "it speaks for no firm"


@dataclass
class Secrets:
    """What one firm recorded, and what of it nobody else may read."""

    upstream: str
    """The record of what came to A from Z."""
    packed: str
    """A's own packing of the unit."""
    handed: str
    """A's handing of it to B."""
    job: str
    event_id: str


def words(number: str) -> tuple[str, ...]:
    return (f"SECRET-LOT-{number}", f"secret-plant-{number}", f"urn:uuid:6f0b2f3a-1111-4c3e-9f43-00000005{number}")


UPSTREAM, PACKED, HANDED = words("4441"), words("4442"), words("4443")
UPSTREAM_PLACE, PACKED_PLACE = "9520001004448", "9520001004455"


@pytest.fixture(scope="module")
def secrets(world: World, make: Any) -> Secrets:
    def parties(giver: str, taker: str) -> dict[str, Any]:
        return {
            "sourceList": [{"type": "possessing_party", "source": giver}],
            "destinationList": [{"type": "possessing_party", "destination": taker}],
        }

    def told(three: tuple[str, ...], number: int, **more: Any) -> dict[str, Any]:
        lot, plant, event_id = three
        ilmd = {"sdl:productName": plant}
        quantities = {"quantityList": [{"epcClass": f"https://id.gs1.org/01/09520001002014/10/{lot}"}]}
        whole = (
            {**quantities, "ilmd": ilmd, "action": "ADD", "bizStep": "commissioning"} if "parentID" not in more else {}
        )
        return make.event(number, **{"epcList": None, "eventID": event_id, **whole, **more})  # type: ignore[no-any-return]

    events = [
        told(UPSTREAM, 1, action="OBSERVE", bizStep="receiving", ilmd=None,
             readPoint={"id": f"https://id.gs1.org/414/{UPSTREAM_PLACE}"}, **parties(Z, A)),
        told(PACKED, 2, type="AggregationEvent", action="ADD", bizStep="packing", parentID=LOT,
             readPoint={"id": f"https://id.gs1.org/414/{PACKED_PLACE}"},
             childQuantityList=[{"epcClass": f"https://id.gs1.org/01/09520001002014/10/{PACKED[0]}"}]),
        make.event(3, epcList=[LOT], eventID=HANDED[2], bizStep="shipping", **parties(A, B)),
    ]  # fmt: skip
    now = datetime.now(UTC)
    with world.store.write() as connection:
        for name, firm in (("A", A), ("B", B), ("Z", Z), ("C", STRANGER)):
            _, world.running.tokens[name] = api_keys.create(
                connection, name, ["capture", "read-own"], now, submitter=firm
            )
        for name in ("audit", "trace"):
            _, world.running.tokens[name] = api_keys.create(connection, name, [name], now)
    job = world.running.ask("POST", "/epcis/v2/capture", make.document(*events), token="A")
    assert job.json["success"], job.json
    with world.store.write() as connection:
        sequencer.seal(connection, world.keys, now)
    upstream, packed, handed = (one["record_hash"] for one in job.json["records"])
    return Secrets(upstream, packed, handed, job.json["captureID"], HANDED[2])


def every_path(secrets: Secrets) -> Iterator[tuple[str, str]]:
    """Yield every address that reads, filled in with what belongs to A."""
    lot = quote(LOT, safe="")
    for record in (secrets.upstream, secrets.packed, secrets.handed):
        values = {
            "record_hash": record,
            "lot": lot,
            "link": "00/395200010000004446",
            "event_id": quote(secrets.event_id, safe=":"),
            "capture_id": secrets.job,
            "value": lot,
        }
        for name in {*described(module.router for module in ROUTERS), *described(PAGES)}:
            method, path = name.split(" ", 1)
            if method == "GET":
                yield method, filled_in(path, **values)
        for extra in (
            "/log/entries?records=true",
            f"/records/{record}/bundle?lot={lot}&through=true",
            f"/records/{record}/bundle?disclose=eventID",
            f"/log/proof/inclusion?record={record}",
            f"/fsma204?lot={lot}",
            f"/?q={record}",
            f"/temperature?lot={lot}",
            "/epcis/v2/epcs",
            "/epcis/v2/bizLocations",
            f"/epcis/v2/events?MATCH_anyEPC={lot}",
        ):
            yield "GET", extra


def found_in(answer: Answer, *markers: str) -> list[str]:
    text = answer.body.decode("utf-8", "replace")
    return [one for one in markers if one in text]


NOBODYS = (*UPSTREAM, *PACKED, HANDED[2], UPSTREAM_PLACE, PACKED_PLACE, A, B, Z)
"""What a stranger may read nowhere: lots, plants, eventIDs, places, and who dealt with whom."""


def test_a_stranger_and_the_public_read_nothing_of_others(world: World, secrets: Secrets) -> None:
    account, token = world.people["firm"]
    asked = 0
    for method, path in dict.fromkeys(every_path(secrets)):
        if path.startswith(("/item", "/00/")):
            continue  # the public page, which has a test of its own
        echoed = [one for one in NOBODYS if one in path or quote(one, safe="") in path]
        markers = [one for one in NOBODYS if one not in echoed]
        answers = [
            world.running.ask(method, path, token=name) for name in ("C", token) if not path.endswith("/events/none")
        ]
        answers += [
            world.running.ask(method, path),
            world.page(method, path, {}),
            world.page(method, path, world.cookie(account)),
        ]
        for answer in answers:
            asked += 1
            assert found_in(answer, *markers) == [], (path, answer.status)
    assert asked > 400


def test_the_public_page_is_the_same_for_a_stranger(world: World, secrets: Secrets) -> None:
    for path in ("/item/00/395200010000004446", "/item.json/00/395200010000004446"):
        public = world.running.ask("GET", path, headers={"Accept": "application/json"})
        assert public.status in (200, 404)
        own = world.running.ask("GET", path, token="C", headers={"Accept": "application/json"})
        assert own.body == public.body or path.startswith("/item/")
        assert found_in(own, A, B, Z, *UPSTREAM, HANDED[2]) == []


def test_the_record_itself_is_refused_in_words(world: World, secrets: Secrets) -> None:
    for record in (secrets.upstream, secrets.packed, secrets.handed):
        for path in (f"/records/{record}", f"/records/{record}/bundle", f"/records/{record}/signatures"):
            answer = world.running.ask("GET", path, token="C")
            assert (answer.status, slug(answer)) == (403, "forbidden")
            assert world.running.ask("GET", path).status == 401
    labels = {"records": [secrets.packed]}
    assert world.running.ask("POST", "/labels", labels, token="C").status == 404
    assert world.running.ask("POST", "/labels", labels, token="A").status == 200
    lot = world.running.ask("GET", f"/lots/{quote(LOT, safe='')}/bundle", token="C")
    assert (lot.status, slug(lot)) == (403, "records-withheld")


def test_one_step_down_and_no_further(world: World, secrets: Secrets) -> None:
    status = {
        name: [
            world.running.ask("GET", f"/records/{record}", token=name).status
            for record in (secrets.upstream, secrets.packed, secrets.handed)
        ]
        for name in ("A", "B", "Z", "C", "audit", "trace")
    }
    assert status == {
        "A": [200, 200, 200],
        "B": [403, 200, 200],
        "Z": [200, 403, 403],
        "C": [403, 403, 403],
        "audit": [200, 200, 200],
        "trace": [200, 200, 200],
    }
    [listed] = world.running.ask("GET", "/handoffs", token="B").json["handoffs"]
    assert (listed["record_hash"], listed["submitter"]) == (secrets.handed, A)
    assert world.running.ask("GET", "/handoffs", token="C").json["handoffs"] == []
    assert world.running.ask("GET", "/handoffs", token="A").json["handoffs"] == [], "its own are its events"


def test_a_partner_discloses_what_is_for_partners(world: World, secrets: Secrets) -> None:
    path = f"/records/{secrets.handed}/bundle?disclose="
    for name, status in (("A", 200), ("B", 200), ("Z", 403), ("C", 403), ("audit", 403), ("trace", 403)):
        assert world.running.ask("GET", f"{path}eventID", token=name).status == status, name
    assert world.running.ask("GET", f"{path}sdl:vehiclePlate", token="B").status == 403
    assert world.running.ask("GET", f"/records/{secrets.upstream}/bundle?disclose=eventID", token="B").status == 403


def test_a_lots_bundle_is_for_whoever_may_read_all_of_it(world: World, secrets: Secrets) -> None:
    path = f"/lots/{quote(LOT, safe='')}/bundle"
    for name, status in (("A", 200), ("B", 200), ("Z", 403), ("C", 403), ("audit", 200), ("trace", 200)):
        assert world.running.ask("GET", path, token=name).status == status, name
    never = f"/lots/{quote('https://id.gs1.org/00/395200010000999994', safe='')}/bundle"
    assert world.running.ask("GET", never, token="C").status == 200, "that there is none holds nobody's record"


def test_the_log_gives_records_to_auditors_alone(world: World, secrets: Secrets) -> None:
    for name, status in (("A", 403), ("C", 403), ("trace", 403), ("audit", 200), (None, 401)):
        assert world.running.ask("GET", "/log/entries?records=true", token=name).status == status, name
    public = world.running.ask("GET", "/log/entries")
    assert public.status == 200
    assert "record" not in json.loads(public.body)["entries"][0]


def test_two_people_of_a_firm_see_the_firms(world: World, secrets: Secrets, make: Any) -> None:
    firm = "https://id.gs1.org/417/9520001002021"
    _, one = person(world.store, world.keys, "one", "firm", firm)
    account, two = person(world.store, world.keys, "two", "firm", firm)
    job = world.running.ask("POST", "/epcis/v2/capture", make.document(make.event(900)), token=one).json
    assert job["success"]
    for path in (
        f"/epcis/v2/capture/{job['captureID']}",
        f"/epcis/v2/events/{make.event(900)['eventID']}",
        f"/records/{job['records'][0]['record_hash']}",
    ):
        assert world.running.ask("GET", path, token=two).status == 200, path
        assert world.running.ask("GET", path, token="C").status in (403, 404), path
    assert [one_["captureID"] for one_ in world.running.ask("GET", "/epcis/v2/capture", token=two).json] == [
        job["captureID"]
    ]
    shown = world.page("GET", f"/records/{job['records'][0]['record_hash']}", world.cookie(account))
    assert shown.status == 200


def test_accounts_over_http(world: World) -> None:
    _, token = world.people["operator"]
    ask = world.running.ask
    made = ask("POST", "/accounts", {"name": "Neu", "roles": ["auditor"], "display_name": "新"}, token=token)
    assert (made.status, made.json["name"], made.json["state"]) == (201, "neu", "invited")
    assert made.json["path"].endswith(made.json["code"])
    for body, status in (
        ({"name": "neu", "roles": ["auditor"]}, 422),
        ({"name": "other", "roles": ["operator", "epidemiologist"]}, 400),
        ({"name": "other", "roles": ["nobody"]}, 400),
        ({"name": "other", "roles": []}, 422),
        ({"name": "other", "roles": ["firm"]}, 400),
        ({"name": "!", "roles": ["auditor"]}, 422),
        ({"name": "other", "roles": ["auditor"], "password": "x"}, 422),
    ):
        assert ask("POST", "/accounts", body, token=token).status == status, body
    changed = ask("POST", "/accounts/neu/roles", {"roles": ["firm"], "submitter": "urn:x:firm"}, token=token)
    assert (changed.json["roles"], changed.json["submitter"]) == (["firm"], "urn:x:firm")
    assert ask("POST", "/accounts/neu/disable", token=token).json["state"] == "disabled"
    assert ask("POST", "/accounts/neu/enable", token=token).json["state"] == "invited"
    assert ask("POST", "/accounts/neu/unlock", token=token).status == 200
    assert ask("POST", "/accounts/neu/reset", token=token).json["code"] != made.json["code"]
    assert ask("POST", "/accounts/nobody/reset", token=token).status == 422
    listed = ask("GET", "/accounts", token=token)
    assert made.json["code"] not in listed.body.decode()
    assert {one["name"] for one in listed.json["accounts"]} >= {"neu", "p-auditor"}
