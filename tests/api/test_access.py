"""The access log as an auditor sees it: proofs that hold offline, not a byte of them changeable, and what is missed."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import delete, select

from sudonglian.chain import canonical
from sudonglian.chain import trust as trusts
from sudonglian.chain.access_proof import private_key
from sudonglian.chain.trust import Trust
from sudonglian.chain.verify import verify
from sudonglian.chain.verify_steps import Verdict
from sudonglian.records import access, cases, private, reveals, sequencer, traces
from sudonglian.records.cases import Act
from sudonglian.records.deployment import open_deployment
from sudonglian.records.errors import NotInLog, NotSealed
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import CHECKPOINTS, ENTRIES, NODES, PRIVATE_ENTRIES, PRIVATE_NODES

NOW = datetime.fromisoformat("2026-01-06T00:00:00+00:00")
ANA, BO = Act("account:1", NOW), Act("account:2", NOW)


def trust_of(keys: Keys) -> dict[str, Any]:
    return {"v": trusts.VERSION, "logs": [{"origin": keys.origin, "key": keys.log.vkey}], "chains": []}


def good(verdict: Verdict) -> bool:
    """Whether everything holds that needs no anchor; here are none."""
    found = {one.name: one.result for one in verdict.steps}
    core = ("parse", "inclusion", "checkpoint", "private")
    return verdict.verdict == "INDETERMINATE" and all(found.get(name) == "PASS" for name in core)


class House:
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.keys = Keys.open(folder / "keys", create=True, origin="sudonglian.test/log")
        self.store = Store(f"sqlite:///{folder / 'sudonglian.db'}")
        open_deployment(self.store, self.keys, NOW)
        self.trust = trusts.parse(json.dumps(trust_of(self.keys)).encode())

    def seal(self, after: int = 0) -> int:
        with self.store.write() as connection:
            made = sequencer.seal(connection, self.keys, NOW + timedelta(minutes=after))
        assert made is not None
        return made.size

    def prove(self, index: int) -> bytes:
        with self.store.read() as connection:
            return access.prove(connection, self.keys, index)

    def consistent(self, start: int, end: int | None = None) -> bytes:
        with self.store.read() as connection:
            return access.prove_consistency(connection, self.keys, start, end)


@pytest.fixture
def house(tmp_path: Path) -> Any:
    """A case whose line list was revealed, under two seals."""
    made = House(tmp_path / "house")
    document = canonical.encode({"members": [{"kind": "person", "id": "77", "tier": "close"}], "links": []})
    with made.store.write() as connection:
        told = {"purpose": "a positive pallet", "basis": "law", "responsible": "Ana"}
        case = cases.open_case(connection, ANA, name="DL-1", **told)
        number = traces.ask(connection, {"case": "1"}, {"seed": "x", "log_size": 0}, 0, NOW, ANA.by)
        traces.answer(connection, number, document, bytes(32))
        cases.add_run(connection, case, ANA, number, 0, [(77, "close", 0)])
        other = traces.ask(connection, {"purpose": "a drill"}, {"seed": "77", "log_size": 0}, 0, NOW)
        traces.refuse(connection, other, "x")
        traces.ask(connection, {"purpose": "nothing of 77"}, {"seed": "y", "log_size": 0}, 0, NOW)
    made.seal()
    with made.store.write() as connection:
        case = cases.to_change(connection, 1)
        reveal = reveals.ask(connection, case, ANA, "call").number
        reveals.approve(connection, reveal, BO)
        reveals.release(connection, reveal, ANA)
    yield made
    made.store.close()


def test_who_looked_at_my_data_when_and_what_for(house: House) -> None:
    with house.store.read() as connection:
        looks = access.looks_at_person(connection, 77)
        assert access.looks_at_person(connection, 78) == []
        assert access.cases_of_person(connection, 77)[0]["purpose"] == "a positive pallet"
        of_case = access.looks_of_case(connection, cases.find(connection, 1))
    assert [(one["what"], one["by"], one["approved_by"], one["purpose"], one["why"]) for one in looks] == [
        ("trace", "account:1", "", "a positive pallet", ""),
        ("trace", "", "", "a drill", "a drill"),
        ("reveal", "account:1", "account:2", "a positive pallet", "call"),
    ]
    assert [one["sealed"] for one in looks] == [True, True, False]
    assert [(one["what"], one["person"]) for one in of_case] == [("trace", None), ("reveal", 77)]


def test_a_look_is_proven_when_it_is_sealed(house: House) -> None:
    with house.store.read() as connection:
        index = access.looks_at_person(connection, 77)[-1]["entry"]
    with pytest.raises(NotSealed):
        house.prove(index)
    with pytest.raises(NotInLog):
        house.prove(index + 1)
    house.seal(1)
    verdict = verify(house.prove(index), house.trust)
    assert good(verdict), verdict
    assert '"person":77' in {one.name: one.detail for one in verdict.steps}["private"]


def test_nobody_elses_key_and_no_key_at_all(house: House) -> None:
    raw = house.prove(0)
    assert {one.name: one.result for one in verify(raw, Trust((), ())).steps}["checkpoint"] == "UNKNOWN"
    other = Keys.open(house.keys.folder.parent / "other", create=True, origin="sudonglian.test/log")  # type: ignore[union-attr]
    assert other.log.vkey != house.keys.log.vkey
    assert verify(raw, trusts.parse(json.dumps(trust_of(other)).encode())).verdict == "INVALID"


def test_no_byte_of_a_proof_can_be_changed(house: House) -> None:
    older = house.seal(1)
    with house.store.write() as connection:
        private.append(connection, {"k": "x"})
    house.seal(2)
    for raw in (house.prove(3), house.consistent(older)):
        assert good(verify(raw, house.trust))
        for place in range(len(raw)):
            changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            assert not good(verify(changed, house.trust)), (place, raw[place - 20 : place + 20])


def test_consistency_between_any_two_seals_with_both_counts(house: House) -> None:
    with house.store.read() as connection:
        sizes = list(connection.execute(select(CHECKPOINTS.c.size)).scalars())
    sizes.append(house.seal(1))
    for place, older in enumerate(sizes):
        for newer in sizes[place:]:
            verdict = verify(house.consistent(older, newer), house.trust)
            assert good(verdict), verdict
    said = {one.name: one.detail for one in verify(house.consistent(sizes[0]), house.trust).steps}
    assert "stand unchanged among 11" in said["private"]
    with pytest.raises(NotInLog):
        house.consistent(sizes[1], sizes[0])
    with pytest.raises(NotInLog):
        house.consistent(1_000)


def rewrite(house: House, leave_out: int) -> None:
    """Take an entry out of the private tree as its operator could: every node and every note made anew, the seals stay."""
    with house.store.write() as connection:
        rows = connection.execute(select(PRIVATE_ENTRIES).order_by(PRIVATE_ENTRIES.c.idx)).all()
        for table in (PRIVATE_ENTRIES, PRIVATE_NODES):
            connection.execute(delete(table))
        for row in rows:
            if row.idx != leave_out:
                private.append(connection, canonical.parse_stored(row.data))


def test_who_takes_an_entry_out_cannot_prove_the_next_checkpoint(house: House) -> None:
    first = house.seal(1)
    kept = json.loads(house.consistent(first))["to"]
    rewrite(house, 3)
    with house.store.write() as connection:
        for number in range(4):
            private.append(connection, {"k": "x", "n": number})
    house.seal(2)
    raw = house.consistent(first)
    verdict = verify(raw, house.trust)
    assert verdict.verdict == "INVALID"
    # Whatever it says of the old checkpoint, it is not what it said then.
    assert json.loads(raw)["from"] != kept


def test_a_new_history_under_old_numbers_is_another_than_was_seen(house: House) -> None:
    """Log and private tree both made anew: consistent in itself, and not with what an auditor has kept."""
    first = house.seal(1)
    kept = json.loads(house.consistent(first))["to"]
    rewrite(house, 3)
    with house.store.write() as connection:
        for table in (CHECKPOINTS, ENTRIES, NODES):
            connection.execute(delete(table))
    for number in range(3):
        with house.store.write() as connection:
            private.append(connection, {"k": "x", "n": number})
        house.seal(2 + number)
    raw = house.consistent(first)
    assert good(verify(raw, house.trust))
    assert json.loads(raw)["from"] != kept


def test_the_notes_of_the_private_tree_are_no_checkpoints(house: House) -> None:
    key = private_key(house.keys.log)
    assert key.origin == "sudonglian.test/log/private"
    assert key.vkey != house.keys.log.vkey


@pytest.fixture
def server() -> Iterator[Any]:
    """Somebody's server, which answers what it likes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append((self.path, self.headers["Authorization"]))  # type: ignore[attr-defined]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(server.answers.pop(0))  # type: ignore[attr-defined]

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answers = [], []  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_watching_from_outside(house: House, server: Any, tmp_path: Path, run: Callable[..., Any]) -> None:
    first = house.seal(1)
    trust, state, key = (tmp_path / name for name in ("trust.json", "state.json", "key"))
    trust.write_text(json.dumps(trust_of(house.keys)))
    key.write_text("sdl_x\n")
    url = f"http://127.0.0.1:{server.server_port}"
    command = ("access", "watch", url, "--trust", str(trust), "--state", str(state), "--key-file", str(key), "--json")
    server.answers.append(house.consistent(first))
    assert run(*command).json == {"ok": True, "entries": 11, "checkpoint": first}
    rewrite(house, 3)
    with house.store.write() as connection:
        private.append(connection, {"k": "x"})
        private.append(connection, {"k": "x"})
    house.seal(2)
    server.answers += [house.consistent(first), b"{}", b"no proof"]
    for _ in range(3):
        done = run(*command)
        assert (done.code, done.json["error"]["code"]) == (1, "access-log-changed")
    assert server.asked[:2] == [
        ("/access/consistency", "Bearer sdl_x"),
        (f"/access/consistency?from={first}", "Bearer sdl_x"),
    ]
    assert "seen" in json.loads((tmp_path / "state.json.evidence.json").read_text())
    assert run("access", "watch", "http://127.0.0.1:1", *command[3:]).code == 1
