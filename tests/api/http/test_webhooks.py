"""Whoever is told is told: signed, at least once, by one deliverer, whatever server or worker dies; and told of nobody."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.api.http.conftest import FIRM, deployed, make_keys
from tests.receiving import Receiver, nothing, raw, receiver, status

from sudonglian.api import webhook_sending
from sudonglian.api.webhook_address import AddressRefused, check_addresses, target_of
from sudonglian.api.webhook_delivery import Deliverer
from sudonglian.api.webhook_sending import secret_text
from sudonglian.records import cases, kek_rotation, outbox, tasks, webhooks
from sudonglian.records.announcing import OF_FIRMS, TYPES, Message
from sudonglian.records.case_state import Case
from sudonglian.records.cases import Act
from sudonglian.records.fsck import fsck
from sudonglian.records.keks import KekRefused
from sudonglian.records.keys import Keys
from sudonglian.records.outbox import TRIES, MessageUnknown, Told, wait_after
from sudonglian.records.store import Store
from sudonglian.records.tasks import Wanted
from sudonglian.records.webhooks import WebhookRefused
from sudonglian.trace.casework import terms

INSIDE = frozenset({"127.0.0.1"})
ANA = "account:1"


@dataclass
class Place:
    """A deployment whose time a test sets."""

    data: Path
    store: Store
    keys: Keys
    env: dict[str, str]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    opened: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def tokens(self) -> dict[str, str]:
        return make_keys(self.store, self.keys)

    def act(self) -> Act:
        return Act(ANA, self.now)

    def add(self, name: str, url: str, **more: Any) -> str:
        """Add a webhook; return its secret as its server knows it."""
        with self.store.write() as connection:
            _, secret = webhooks.make(connection, self.keys, self.act(), name, url, **more)
        return secret_text(secret)

    def case(self, *, before: timedelta = timedelta(0)) -> Case:
        self.opened += 1
        told = {"purpose": "Wang Fang's pallet", "basis": "law", "responsible": "Zhao Min"}
        with self.store.write() as connection:
            return cases.open_case(connection, Act(ANA, self.now - before), name=f"Outbreak-{self.opened}", **told)

    def make_tasks(self, case: Case, *due: timedelta, many: int = 1, area: str = "") -> list[int]:
        wanted = [
            Wanted("item", f"https://id.gs1.org/00/{next(self.numbers):018}", "", "", self.now + span, 1)
            for span in due * many
        ]
        with self.store.write() as connection:
            found = cases.to_change(connection, case.number)
            return [one.number for one in tasks.make(connection, found, self.act(), "seal", wanted, area=area)]

    def turn(self) -> int:
        """Deliver what is due at this time."""
        return Deliverer(self.store, self.keys, INSIDE, lambda: self.now).turn()

    def told(self, name: str = "here", state: str = "") -> list[Told]:
        with self.store.read() as connection:
            return outbox.listed(connection, webhooks.by_name(connection, name).id, state)[::-1]

    def change(self, do: Callable[..., Any], *rest: Any, **more: Any) -> Any:
        with self.store.write() as connection:
            return do(connection, *rest, **more)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    def given(url: str | None) -> Iterator[Place]:
        with deployed(tmp_path, url) as (store, keys, env):
            yield Place(tmp_path, store, keys, env)

    if request.param == "sqlite":
        yield from given(None)
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield from given(url)


def types(receiving: Receiver) -> list[str]:
    return [one.json["type"] for one in receiving.sent]


def test_what_happens_is_told_signed_and_once(place: Place) -> None:
    with receiver() as here:
        secret = place.add("here", here.url)
        case = place.case()
        numbers = place.make_tasks(case, timedelta(hours=1), timedelta(hours=2), area="Nanshi street")
        for do, rest in ((tasks.escalate, ["a fever"]), (tasks.close, ["sealed"])):
            place.change(
                lambda c, do=do, rest=rest: do(c, cases.to_change(c, case.number), place.act(), numbers[0], *rest)
            )
        place.change(lambda c: tasks.assign(c, cases.to_change(c, case.number), place.act(), "account:9", [numbers[1]]))
        place.change(lambda c: tasks.hand_back(c, cases.to_change(c, case.number), place.act(), numbers[1], "on leave"))
        place.change(lambda c: cases.close(c, cases.to_change(c, case.number), place.act(), "over"))
        assert here.sent == []
        assert place.turn() == 7
        assert types(here) == [
            *("case.opened", "task.dispatched", "task.escalated", "task.closed"),
            *("task.assigned", "task.handed_back", "case.closed"),
        ]
        assert here.sent[1].json["data"] == {
            "case": case.number,
            "tasks": numbers,
            "kind": "seal",
            "assignee": None,
        }
        assert datetime.fromisoformat(here.sent[0].json["timestamp"]) == place.now
        assert all(one.is_signed(secret) and not one.is_signed("whsec_" + "A" * 44) for one in here.sent)
        assert here.sent[0].line == "POST /hook?from=here HTTP/1.1"
        assert here.sent[0].headers["content-type"] == "application/json"
        assert len({one.name for one in here.sent}) == 7
        assert {one.state for one in place.told()} == {"delivered"}
        assert place.turn() == 0
    assert fsck(place.store, place.keys)["faults"] == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status(500), "answered 500"),
        (status(404), "answered 404"),
        (status(302, "Location: http://127.0.0.1:1/"), "answered 302"),
        (nothing, "no connection, or it broke off"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "its answer is not HTTP"),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 later\r\n\r\n"), "answered 503"),
    ],
)
def test_what_is_not_taken_is_told_again_later_under_the_same_name(place: Place, answer: Any, why: str) -> None:
    with receiver(answer, answer) as here:
        secret = place.add("here", here.url)
        place.case()
        for attempts in (1, 2):
            assert place.turn() == 1
            (one,) = place.told()
            assert (one.state, one.attempts, one.error) == ("waiting", attempts, why)
            assert place.turn() == 0
            place.now += wait_after(attempts)
        assert place.turn() == 1
        assert [it.state for it in place.told()] == ["delivered"]
        assert len({(one.name, one.body) for one in here.sent}) == 1
        assert len(here.sent) == 3
        assert all(one.is_signed(secret) for one in here.sent[:1])
        stamps = [int(one.headers["webhook-timestamp"]) for one in here.sent]
        assert stamps == sorted(set(stamps))
    with place.store.read() as connection:
        known = webhooks.by_name(connection, "here")
    assert (known.failed, known.delivered, known.error) == (0, 1, "")


def test_informational_answers_and_endless_ones_are_taken_by_their_status(place: Place) -> None:
    def endless(connection: socket.socket, number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    early = raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n")
    with receiver(endless, early) as here:
        place.add("here", here.url, events=["case.opened"])
        place.case()
        place.case()
        assert place.turn() == 2
        assert [it.state for it in place.told()] == ["delivered"] * 2
    kept = b"".join(Path(f"{place.data}/{name}").read_bytes() for name in os.listdir(place.data) if "db" in name)
    assert b"xxxxxxxx" not in kept


def test_a_server_that_is_slow_is_left_and_keeps_nobody_waiting(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_sending, "WITHIN_S", 1)

    def trickle(connection: socket.socket, number: int) -> None:
        for one in b"HTTP/1.1 200 OK, but one letter now and then\r\n":
            connection.sendall(bytes([one]))
            time.sleep(0.4)

    with receiver() as good, receiver(trickle) as slow:
        slow.answers.append(slow.held)
        place.add("slow", slow.url, events=["case.opened"])
        place.add("good", good.url, events=["case.opened"])
        place.case()
        place.case()
        assert place.turn() == 3
        assert len(good.sent) == 2
        assert [it.error for it in place.told("slow")] == ["no answer within 1 s", ""]
        assert place.turn() == 1
        assert [it.error for it in place.told("slow")] == ["no answer within 1 s"] * 2


def test_what_is_given_up_is_shown_and_can_be_sent_again(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place.add("here", f"http://127.0.0.1:{port}/", events=["case.opened"])
    place.case()
    for attempts in range(1, TRIES + 1):
        assert place.turn() == 1
        place.now += wait_after(attempts)
    assert place.turn() == 0
    (one,) = place.told(state="dead")
    assert (one.attempts, one.error, one.next_us) == (TRIES, "no connection, or it broke off", None)
    with place.store.read() as connection:
        assert outbox.standing(connection).dead == 1
    assert fsck(place.store, place.keys)["faults"] == []
    with pytest.raises(MessageUnknown):
        place.change(outbox.again, one.webhook, place.now, "msg_0")
    assert place.change(outbox.again, one.webhook, place.now) == 1
    with socket.create_server(("127.0.0.1", port)) as listening:
        back = Receiver(listening)
        threading.Thread(target=back.run, daemon=True).start()
        assert place.turn() == 1
        assert back.sent[0].name == one.name
        assert place.change(outbox.again, one.webhook, place.now, one.name) == 1
        assert place.turn() == 1
        listening.shutdown(socket.SHUT_RDWR)
    place.now += outbox.KEPT + timedelta(seconds=1)
    place.turn()
    assert place.told() == []


def test_a_server_that_wants_no_more_is_told_no_more_of_it(place: Place) -> None:
    with receiver(status(410)) as here:
        place.add("here", here.url)
        place.case()
        assert place.turn() == 1
        assert [(it.state, it.attempts) for it in place.told()] == [("dead", 1)]


def test_a_webhook_that_has_ended_is_told_nothing_and_its_secret_is_gone(place: Place) -> None:
    with receiver() as here:
        place.add("here", here.url)
        case = place.case()
        place.change(webhooks.end, "here", place.now)
        place.make_tasks(case, timedelta(hours=1))
        assert place.turn() == 0
        assert here.sent == []
        with place.store.read() as connection:
            known = webhooks.by_name(connection, "here")
        assert (known.sealed, known.sealed_by) == (None, None)
        with pytest.raises(WebhookRefused):
            place.add("here", here.url)
    assert fsck(place.store, place.keys)["faults"] == []


def test_nothing_is_told_of_what_was_not_committed(place: Place) -> None:
    with receiver() as here:
        place.add("here", here.url)

        class Undone(Exception):
            pass

        def half(connection: Any) -> None:
            told = {"name": "undone", "purpose": "p", "basis": "b", "responsible": "r"}
            cases.open_case(connection, place.act(), **told)
            raise Undone

        with pytest.raises(Undone):
            place.change(half)
        assert place.turn() == 0
        assert place.told() == []


def test_one_deliverer_at_a_time(place: Place) -> None:
    with receiver() as here:
        here.answers.append(here.held)
        place.add("here", here.url, events=["case.opened"])
        for _ in range(3):
            place.case()
        first = threading.Thread(target=place.turn)
        first.start()
        here.wait(1)
        other = Store(place.env.get("SUDONGLIAN_DATABASE_URL", f"sqlite:///{place.data / 'sudonglian.db'}"))
        assert Deliverer(other, place.keys, INSIDE, lambda: place.now).turn() == 0
        assert len(here.sent) == 1
        here.release.set()
        first.join()
        assert len({one.name for one in here.sent}) == len(here.sent) == 3
        assert Deliverer(other, place.keys, INSIDE, lambda: place.now).turn() == 0
        other.close()


def test_times_that_pass_are_told_once_and_not_to_whoever_came_later(place: Place) -> None:
    with receiver() as here, receiver() as later:
        place.add("here", here.url, events=["task.overdue", "case.clock_passed"])
        terms.announce(place.store, place.now)
        case = place.case()
        numbers = place.make_tasks(case, timedelta(hours=1), timedelta(hours=1), timedelta(hours=3))
        place.now += timedelta(minutes=61)
        place.add("later", later.url, events=["task.overdue", "case.clock_passed"])
        place.turn()
        place.turn()
        assert [one.json["data"] for one in here.sent] == [{"case": case.number, "tasks": numbers[:2]}]
        assert later.sent == []
        place.now += timedelta(minutes=60)
        place.turn()
        place.turn()
        assert [one.json["data"] for one in here.sent[1:]] == [{"case": case.number, "term": "first_list"}]
        place.now += timedelta(hours=23)
        for _ in range(3):
            place.turn()
            place.now += timedelta(minutes=7)
        data = [one.json["data"] for one in here.sent[2:]]
        assert sorted(data, key=str) == [
            {"case": case.number, "tasks": numbers[2:]},
            {"case": case.number, "term": "all_reached"},
        ]
        assert len(later.sent) == 3
        # What was due before it was made is told when it is made.
        late = place.make_tasks(case, timedelta(hours=-1))
        place.turn()
        assert [one.json["data"] for one in here.sent[4:]] == [{"case": case.number, "tasks": late}]
        assert len(here.sent) == 5


def test_many_tasks_are_told_in_parts(place: Place) -> None:
    with receiver() as here:
        place.add("here", here.url, events=["task.dispatched"])
        numbers = place.make_tasks(place.case(), timedelta(hours=1), many=1_200)
        assert place.turn() == 3
        assert [number for one in here.sent for number in one.json["data"]["tasks"]] == numbers
        assert max(len(one.body) for one in here.sent) < 20_000


def test_a_firm_is_told_its_stock_and_nothing_else(place: Place) -> None:
    with receiver() as firm, receiver() as other, receiver() as ours:
        place.add("firm", firm.url, firm=FIRM)
        place.add("other", other.url, firm="https://id.gs1.org/417/9520001009990")
        place.add("ours", ours.url)
        with pytest.raises(WebhookRefused):
            place.add("more", firm.url, firm=FIRM, events=["task.dispatched"])
        with pytest.raises(WebhookRefused):
            place.add("more", ours.url, events=list(OF_FIRMS))
        place.make_tasks(place.case(), timedelta(hours=1))
        rows = [{"kind": "lot", "subject": "x", "place": "y", "tier": "high"}]
        messages = [Message("stock.exposed", {"stock": rows})]  # type: ignore[dict-item]
        assert place.change(outbox.tell_firm, FIRM, messages, 0) == 1
        place.turn()
        assert [one.json["data"] for one in firm.sent] == [{"stock": rows}]
        assert other.sent == []
        assert set(types(ours)) == {"case.opened", "task.dispatched"}


def test_no_message_names_anybody(place: Place, start_server: Any) -> None:
    """A whole case with people in it: whatever is told holds numbers of cases and tasks, and words of our own."""
    from sudonglian.api.commands import sample

    story = sample.stories()["frozen-fish"]
    with receiver() as here, receiver() as firm:
        secret = place.add("here", here.url)
        running = start_server(place.data, **place.env, SUDONGLIAN_WEBHOOK_HOSTS="127.0.0.1")
        running.tokens = place.tokens()
        for name, raw_ in sample.documents("frozen-fish").items():
            assert running.ask("POST", "/epcis/v2/capture", raw_, token=name).status < 300
        ask: dict[str, Any] = {"token": "epidemiologist"}
        opening = {"name": "Wang-Fang", "purpose": "Wang Fang", "basis": "Li Si", "responsible": "Zhao Min"}
        assert running.ask("POST", "/cases", opening, **ask).status == 201
        seed = {"subject": story["seed"], "at": story["at"], "result": "positive"}
        assert running.ask("POST", "/cases/1/seeds", seed, **ask).status == 201
        asked = running.ask("POST", "/traces", {"seed": story["seed"], "at": story["at"], "case": "Wang-Fang"}, **ask)
        running.wait_for(asked.headers["location"], lambda one: one["state"] == "success", "epidemiologist")
        made = running.ask("POST", "/cases/1/tasks", {"area": "Nanshi", "advice": "Wang Fang stays"}, **ask).json
        persons = {one["subject"] for one in made["tasks"]}
        assert len(persons) > 10
        first = made["tasks"][0]["task"]
        body = {"to": "worker", "area": "Nanshi"}
        assert running.ask("POST", "/cases/1/tasks/assign", body, **ask).status == 200
        for path, told in (
            (f"/tasks/{first}/escalate", {"why": "Wang Fang has a fever"}),
            (f"/tasks/{first}/close", {"outcome": "unreachable", "note": "Wang Fang"}),
        ):
            assert running.ask("POST", path, told, token="worker").status == 200
        firms = running.ask("GET", "/cases/1/firms", **ask).json["firms"]
        holder = next(iter(firms))
        place.add("firm", firm.url, firm=holder)
        told = running.ask("POST", "/cases/1/firms/tell", {}, **ask).json["told"]
        assert {one["firm"]: one["webhooks"] for one in told} == {name: int(name == holder) for name in firms}
        assert running.ask("POST", "/cases/1/close", {"why": "Wang Fang is well"}, **ask).status == 200
        here.wait(7)
        firm.wait(1)
        assert {"case.opened", "task.dispatched", "task.assigned", "task.escalated", "task.closed"} < set(types(here))
        assert all(one.is_signed(secret) for one in here.sent)
        everything = b" ".join(one.body for one in (*here.sent, *firm.sent)).decode()
        for forbidden in (*persons, "Wang", "Zhao", "Li Si", "Nanshi", "fever", "unreachable", 'close"'):
            assert forbidden not in everything, forbidden
        assert [row for one in firm.sent for row in one.json["data"]["stock"]] == firms[holder]
        assert {name for one in here.sent for name in one.json["data"]} == {
            *("case", "tasks", "kind", "assignee", "into", "firms"),
        }


def test_secrets_are_under_the_key_that_writes_and_end_with_a_key_that_is_gone(place: Place) -> None:
    with receiver() as here:
        secret = place.add("here", here.url)
        old = place.keys.keks.ids()[-1]
        new = place.change(kek_rotation.begin, place.keys, place.now)
        with pytest.raises(KekRefused, match="1 webhooks"):
            place.change(kek_rotation.destroy, place.keys, old, place.now)
        kek_rotation.rewrap(place.store, place.keys)
        place.change(kek_rotation.destroy, place.keys, old, place.now)
        with place.store.read() as connection:
            assert webhooks.by_name(connection, "here").sealed_by == new
            assert kek_rotation.used(connection) == {new}
        place.case()
        assert place.turn() == 1
        assert here.sent[0].is_signed(secret)
        assert place.change(webhooks.shut, [new], place.now) == 1
        place.case()
        assert place.turn() == 0


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://cdc.example/", "https://", "https:///x", "//cdc.example/", "https://a:b@cdc.example/"),
        *("https://cdc.example/#x", "https://cdc.example:0/", "https://cdc.example:99999/", "https://cdc example/"),
        *("https://cdc.example/\r\nX: y", "https://cdc.example/\u4e2d", "http://cdc.example/", "https://[::1/"),
        *("https://cdc%2eexample/", "file:///etc/passwd", "https://" + "a" * 2_000),
    ],
)
def test_no_other_address_is_one(url: str) -> None:
    with pytest.raises(AddressRefused):
        target_of(url, ())


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe"),
    ],
)
def test_nothing_inside_is_reached_unless_a_setting_names_it(address: str) -> None:
    target = target_of("https://cdc.example/", ())
    with pytest.raises(AddressRefused):
        check_addresses(target, ["93.184.215.14", address], ())


def test_what_a_setting_names_is_reached_and_never_through_the_open_in_the_clear() -> None:
    inside = {"hooks.internal", "10.0.0.8", "::1"}
    check_addresses(target_of("https://cdc.example/", ()), ["93.184.215.14", "2606:2800:21f::1"], ())
    check_addresses(target_of("http://hooks.internal:8080/x", inside), ["10.0.0.8"], inside)
    check_addresses(target_of("https://hooks.internal/x", inside), ["10.0.0.8", "93.184.215.14"], inside)
    check_addresses(target_of("http://[::1]:9000/", inside), ["::1"], inside)
    with pytest.raises(AddressRefused, match="open"):
        check_addresses(target_of("http://hooks.internal/x", inside), ["93.184.215.14"], inside)
    for address in ("169.254.169.254", "0.0.0.0", "224.0.0.1"):
        with pytest.raises(AddressRefused, match="anybody"):
            check_addresses(target_of("http://hooks.internal/x", inside), [address], inside)


def test_a_name_that_comes_to_lead_inside_is_not_followed(place: Place) -> None:
    with receiver() as here:
        place.add("here", f"https://localhost:{here.port}/")
        place.case()
        assert place.turn() == 1
        (one,) = place.told()
        assert one.error == "it is inside a network; SUDONGLIAN_WEBHOOK_HOSTS must name it"
        assert here.sent == []


def test_a_redirect_leads_nowhere(place: Place) -> None:
    with receiver() as trap, receiver(status(307, f"Location: {trap.url}")) as here:
        place.add("here", here.url)
        place.case()
        assert place.turn() == 1
        assert len(here.sent) == 1
        assert trap.sent == []


def worker(place: Place) -> "subprocess.Popen[str]":
    program = Path(sys.executable).with_name("sudonglian")
    env = {**os.environ, **place.env, "SUDONGLIAN_DATA": str(place.data), "SUDONGLIAN_WEBHOOK_HOSTS": "127.0.0.1"}
    return subprocess.Popen([program, "worker"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_worker_killed_while_it_tells_loses_nothing(place: Place) -> None:
    with receiver() as here:
        here.answers.append(here.held)
        secret = place.add("here", here.url)
        case = place.case()
        first = worker(place)
        try:
            here.wait(1)
        finally:
            first.kill()
            first.communicate()
        assert first.returncode == -signal.SIGKILL
        place.make_tasks(case, timedelta(hours=1))
        second = worker(place)
        try:
            sent = here.wait(3)
            until = time.monotonic() + 60
            while place.told(state="waiting") and time.monotonic() < until:
                time.sleep(0.05)
        finally:
            second.send_signal(signal.SIGTERM)
            out, err = second.communicate(timeout=60)
        assert second.returncode == 0, err
        assert sent[0].name == sent[1].name
        assert sent[0].body == sent[1].body
        assert sent[2].json["type"] == "task.dispatched"
        assert all(one.is_signed(secret) for one in sent)
        assert [it.state for it in place.told()] == ["delivered"] * 2
        assert "Traceback" not in out + err


def test_what_a_server_acknowledged_is_told_though_it_was_killed(place: Place, start_server: Any) -> None:
    with receiver() as here:
        env = {**place.env, "SUDONGLIAN_WEBHOOK_HOSTS": "127.0.0.1"}
        running = start_server(place.data, "--no-worker", **env)
        running.tokens = place.tokens()
        asked = {"name": "here", "url": here.url, "events": ["case.opened"]}
        made = running.ask("POST", "/webhooks", asked, token="operator")
        assert made.status == 201
        opening = {"purpose": "p", "basis": "law", "responsible": "Ana"}
        for number in range(5):
            answer = running.ask("POST", "/cases", {"name": f"K-{number}", **opening}, token="investigator")
            assert answer.status == 201
        running.process.kill()
        running.process.wait(60)
        assert here.sent == []
        telling = worker(place)
        try:
            sent = here.wait(5)
        finally:
            telling.send_signal(signal.SIGTERM)
            telling.communicate(timeout=60)
        assert sorted(one.json["data"]["case"] for one in sent) == [1, 2, 3, 4, 5]
        assert all(one.is_signed(made.json["secret"]) for one in sent)


def test_over_http_a_secret_is_shown_once_and_messages_can_be_followed(place: Place, start_server: Any) -> None:
    with receiver(status(500)) as here:
        running = start_server(place.data, **place.env, SUDONGLIAN_WEBHOOK_HOSTS="127.0.0.1")
        running.tokens = place.tokens()
        ask: dict[str, Any] = {"token": "operator"}
        asked = {"name": "here", "url": here.url, "events": ["case.opened"]}
        made = running.ask("POST", "/webhooks", asked, **ask)
        secret = made.json["secret"]
        assert (made.status, made.headers["location"]) == (201, "/webhooks/here")
        for refused, code in (
            (asked, 422),
            ({"name": "a", "url": "http://cdc.example/"}, 400),
            ({"name": "A", "url": here.url}, 422),
            ({"name": "a", "url": here.url, "events": ["nothing"]}, 422),
            ({"name": "a", "url": here.url, "more": 1}, 422),
        ):
            assert running.ask("POST", "/webhooks", refused, **ask).status == code, refused
        assert running.ask("POST", "/webhooks/none/ping", "", **ask).status == 404
        ping = running.ask("POST", "/webhooks/here/ping", "", **ask)
        assert ping.status == 202
        failing = running.wait_for("/webhooks/here", lambda one: one["state"] == "failing", "operator")
        assert (failing["waiting"], failing["error"]) == (1, "answered 500")
        told = running.wait_for("/webhooks/here/messages?state=delivered", lambda one: one["messages"], "operator")
        assert [one["message"] for one in told["messages"]] == [ping.json["message"]]
        assert {one.name for one in here.sent} == {ping.json["message"]}
        assert all(one.is_signed(secret) for one in here.sent)
        again = running.ask("POST", "/webhooks/here/redeliver", {"message": ping.json["message"]}, **ask)
        assert (again.status, again.json["again"]) == (202, 1)
        here.wait(3)
        metrics = running.ask("GET", "/metrics", **ask).body.decode()
        assert "sudonglian_webhooks 1" in metrics
        assert "sudonglian_webhook_messages_dead 0" in metrics
        ended = running.ask("POST", "/webhooks/here/end", "", **ask)
        assert ended.json["state"] == "ended"
        assert running.ask("POST", "/webhooks/here/ping", "", **ask).status == 422
        for path in ("/webhooks", "/webhooks/here", "/webhooks/here/messages"):
            answer = running.ask("GET", path, **ask)
            assert answer.status == 200
            assert secret.encode() not in answer.body
        assert secret not in "".join(running.lines)
        assert set(running.ask("GET", "/webhooks", **ask).json["types"]) == {*TYPES, *OF_FIRMS}


def test_the_secret_is_nowhere_in_the_clear(place: Place) -> None:
    import base64

    secret = place.add("here", "https://cdc.example/")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    with place.store.read() as connection:
        known = webhooks.by_name(connection, "here")
        row = str(connection.exec_driver_sql("SELECT * FROM webhooks").one())
    assert known.sealed is not None
    assert key not in known.sealed
    assert webhooks.secret_of(place.keys, known) == key
    assert "sealed" not in repr(known)
    assert json.dumps(secret) not in row
