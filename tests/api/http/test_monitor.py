"""`sudonglian monitor`: an honest log passes, run after run; every lie is caught, with what shows it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.api.monitoring import LogLies, Served, StateRefused, Watched
from sudonglian.chain import entry, lotmap, merkle
from sudonglian.chain.canonical import Json, encode
from sudonglian.chain.checkpoint import LogKey
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.identifiers import named_by
from sudonglian.chain.record import seal_record
from sudonglian.records import intake, sequencer
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.visibility import visibility_of

NOW = datetime(2026, 1, 6, tzinfo=UTC)
Change = Callable[[str, Any], Any]


@dataclass
class Log:
    """A real log behind a proxy that may lie."""

    store: Store
    keys: Keys
    make: Any
    url: str
    real: Any
    token_file: Path
    change: list[Change] = field(default_factory=list)
    sent: int = 0

    def grow(self, events: int = 3) -> None:
        sent = [self.make.event(self.sent + one) for one in range(events)]
        self.sent += events
        with self.store.write() as connection:
            taken = intake.capture(connection, self.keys, self.make.document(*sent), submitter="urn:x:firm", now=NOW)
            assert not taken.refused
            assert sequencer.seal(connection, self.keys, NOW) is not None


@contextmanager
def proxy(answer: Callable[[str, str | None], tuple[int, bytes]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown = self.headers.get("Authorization")
            status, body = answer(self.path, shown.removeprefix("Bearer ") if shown else None)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, make: Any, start_once: Any) -> Iterator[Log]:
    data = tmp_path_factory.mktemp("log")
    tokens, _ = make.deploy(data)
    (data / "auditor").write_text(tokens["auditor"] + "\n")
    keys = Keys.open(data / "keys")
    store = Store(f"sqlite:///{data / 'sudonglian.db'}")
    real = start_once(data, "--no-worker")
    real.tokens = tokens
    log = Log(store, keys, make, "", real, data / "auditor")

    def answer(path: str, token: str | None = None) -> tuple[int, bytes]:
        given = real.ask("GET", path, token=token)
        if given.status != 200:
            return given.status, given.body
        value = given.json
        for change in log.change:
            value = change(path, value)
        return 200, value if isinstance(value, bytes) else json.dumps(value).encode()

    with proxy(answer) as url:
        log.url = url
        yield log
    store.close()


@pytest.fixture
def log(place: Log) -> Iterator[Log]:
    place.grow()
    yield place
    place.change.clear()


@pytest.fixture
def look(log: Log, tmp_path: Path, run: Any) -> Callable[..., Any]:
    def monitor(*arguments: str) -> Any:
        kept = ("--state", str(tmp_path / "state.json"), "--token-file", str(log.token_file))
        return run("monitor", log.url, "--once", "--json", *kept, *arguments)

    return monitor


def on(part: str, change: Callable[[Any], Any]) -> Change:
    return lambda path, value: change(value) if part in path else value


def test_an_honest_log(log: Log, look: Any, tmp_path: Path) -> None:
    for _ in range(3):
        done = look()
        newest = log.real.ask("GET", "/log/checkpoint").json
        assert (done.code, done.json["ok"], done.json["size"], done.json["root"]) == (
            0, True, newest["size"], newest["root"],
        )  # fmt: skip
        log.grow(2)
    assert look("--key", str(log.keys.log.verifier_key)).code == 0
    whole = Watched.parse((tmp_path / "state.json").read_bytes())
    assert encode(whole.as_json()) == (tmp_path / "state.json").read_bytes()
    (tmp_path / "state.json").unlink()
    again = look()
    assert (again.json["size"], again.json["root"]) == (whole.size, whole.root.hex())


def test_without_a_key_everything_but_the_lot_map_is_replayed(log: Log, run: Any, tmp_path: Path) -> None:
    state = tmp_path / "public.json"
    for _ in range(2):
        done = run("monitor", log.url, "--once", "--json", "--state", str(state))
        assert (done.code, done.json["ok"], done.json["lot_map"]) == (0, True, False)
        log.grow(2)
    assert json.loads(state.read_bytes())["lots"] == []
    assert run("monitor", log.url, "--once", "--state", str(state), "--token-file", str(log.token_file)).code == 64
    log.change.append(on("/log/entries", other_seal))
    done = run("monitor", log.url, "--once", "--json", "--state", str(state))
    assert [one["code"] for one in done.json["faults"]] == ["root"]
    wrong = tmp_path / "wrong"
    wrong.write_text("sdl_000000000000_nobody")
    assert run("monitor", log.url, "--once", "--json", "--token-file", str(wrong)).code == 2


def altered_record(value: Any) -> Any:
    for one in value["entries"]:
        if "record" in one:
            one["record"] = one["record"].replace("shipping", "receiving")
    return value


def other_seal(value: Any) -> Any:
    for one in value["entries"]:
        said = entry.parse_entry(one["data"].encode())
        if isinstance(said, entry.SealEntry):
            one["data"] = entry.seal_entry(bytes([1]) * 32, said.private, said.at).decode()
    return value


def swapped(value: Any) -> Any:
    value["entries"][0], value["entries"][1] = (
        {**value["entries"][1], "index": value["entries"][0]["index"]},
        {**value["entries"][0], "index": value["entries"][1]["index"]},
    )
    return value


@pytest.mark.parametrize(
    ("part", "change", "code"),
    [
        ("/log/entries", altered_record, "record"),
        ("/log/entries", lambda value: {**value, "entries": [{k: v for k, v in one.items() if k != "record"} for one in value["entries"]]}, "record"),
        ("/log/entries", other_seal, "root"),
        ("/log/entries", swapped, "root"),
        ("/log/entries", lambda value: {**value, "entries": []}, "withheld"),
        ("/log/entries", lambda value: {**value, "entries": [{**one, "data": "{}"} for one in value["entries"]]}, "entry"),
        ("/log/checkpoints", lambda value: {**value, "checkpoints": []}, "withheld"),
        ("/log/checkpoint", lambda value: {**value, "note": value["note"].replace("\n", "1\n", 1)} if "note" in value else value, "signature"),
    ],
)  # fmt: skip
def test_lies(log: Log, look: Any, tmp_path: Path, part: str, change: Any, code: str) -> None:
    assert look().code == 0
    kept = (tmp_path / "state.json").read_bytes()
    log.grow()
    log.change.append(on(part, change))
    done = look()
    assert done.code == 1
    assert [one["code"] for one in done.json["faults"]] == [code]
    assert (tmp_path / "state.json").read_bytes() == kept
    assert json.loads((tmp_path / "state.json.evidence.json").read_bytes()) == done.json
    log.change.clear()
    assert look().code == 0


def test_a_log_that_has_become_shorter(log: Log, look: Any) -> None:
    older = log.real.ask("GET", "/log/checkpoint").json
    log.grow()
    assert look().code == 0
    log.change.append(lambda path, value: older if path == "/log/checkpoint" else value)
    done = look()
    assert done.code == 1
    fault = done.json["faults"][0]
    assert fault["code"] == "shrunk"
    assert fault["evidence"]["served"] == older["note"]
    assert f"\n{done.json['size']}\n" in fault["evidence"]["kept"]


def test_a_fork(log: Log, look: Any) -> None:
    assert look().code == 0
    newest = log.real.ask("GET", "/log/checkpoint").json
    forged = {**newest, "note": log.keys.log.sign(newest["size"], bytes([7]) * 32)}
    log.change.append(lambda path, value: forged if path == "/log/checkpoint" else value)
    fault = look().json["faults"][0]
    assert (fault["code"], fault["evidence"]) == ("fork", {"kept": newest["note"], "served": forged["note"]})


def test_a_fork_further_on(log: Log, look: Any) -> None:
    assert look().code == 0
    log.grow()
    newest = log.real.ask("GET", "/log/checkpoint").json
    note = log.keys.log.sign(newest["size"], bytes([7]) * 32)
    log.change.append(lambda path, value: {**value, "note": note} if path == "/log/checkpoint" else value)
    assert look().json["faults"][0]["code"] == "fork"


def test_another_key(log: Log, look: Any) -> None:
    other = LogKey.generate(log.keys.origin)
    assert look("--key", str(other.verifier_key)).json["faults"][0]["code"] == "signature"
    assert look("--key", "nonsense").code == 64


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b"\xff", b'{"note":5}', b"[" * 20_000])
def test_answers_that_cannot_be_read(run: Any, body: bytes) -> None:
    with proxy(lambda _path, _token: (200, body)) as url:
        done = run("monitor", url, "--once", "--json")
    assert done.code == 2
    assert done.json["error"]["code"] == "monitor-unreadable"


def test_no_server(run: Any) -> None:
    with proxy(lambda _path, _token: (200, b"")) as url:
        pass
    assert run("monitor", url, "--once").code == 2
    assert run("monitor", "ftp://x", "--once").code == 64


def test_a_damaged_state(log: Log, look: Any, tmp_path: Path) -> None:
    assert look().code == 0
    state = tmp_path / "state.json"
    good = state.read_bytes()
    for place in range(0, len(good), 97):
        byte = b"1" if good[place : place + 1] != b"1" else b"2"
        with pytest.raises(StateRefused):
            Watched.parse(good[:place] + byte + good[place + 1 :])
    state.write_bytes(good[:-1])
    assert look().code == 1


def block(size: int, *, lots: bytes | None = None) -> tuple[LogKey, list[Served], str]:
    """A first checkpoint of a log of our own, with the lot map's root changed if asked."""
    key = LogKey.from_seed("sudonglian.test/log", bytes(32))
    served: list[Served] = []
    changes: dict[bytes, lotmap.Value] = {}
    for index in range(size - 1):
        plain: dict[str, Json] = {
            "type": "ObjectEvent",
            "epcList": [f"urn:x:{index % 2}"],
            "eventTime": "2026-01-05T00:00:00Z",
        }
        sealed = seal_record(plain, "urn:x:firm", visibility_of)
        served.append(Served(index, entry.record_entry(sealed.record_hash), sealed.record_bytes))
        for name in named_by(plain):
            at = lotmap.key(name)
            count, c = changes.get(at, (0, lotmap.START))
            changes[at] = count + 1, lotmap.chain_next(c, sealed.record_hash)
    root, _ = lotmap.update(lambda *_: None, lotmap.EMPTY, changes)
    served.append(Served(size - 1, entry.seal_entry(lots or root, merkle.EMPTY_ROOT, NOW), None))
    return key, served, key.sign(size, merkle.root([merkle.leaf_hash(one.data) for one in served]))


def test_a_seal_over_another_lot_map() -> None:
    key, served, note = block(5)
    honest = Watched(str(key.verifier_key))
    honest.extend(served, note)
    assert honest.size == 5
    key, served, note = block(5, lots=bytes([9]) * 32)
    with pytest.raises(LogLies) as caught:
        Watched(str(key.verifier_key)).extend(served, note)
    assert caught.value.code == "lot-map"


def test_an_operator_that_signs_a_lying_map_is_caught_by_the_command(run: Any, tmp_path: Path) -> None:
    """Everything is signed by the log's own key and fits together, but for a lot that counts a record too few."""
    good = block(5)
    lots = lotmap.update(lambda *_: None, lotmap.EMPTY, {lotmap.key("urn:x:0"): (1, bytes(32))})[0]
    for (key, served, note), code in ((good, 0), (block(5, lots=lots), 1)):
        entries = [
            {"index": one.index, "data": one.data.decode()} | ({"record": one.record.decode()} if one.record else {})
            for one in served
        ]
        checkpoint = {"size": 5, "note": note, "verifier_key": str(key.verifier_key)}
        answers = {
            "/log/checkpoint": checkpoint,
            "/log/checkpoints?from=1": {"checkpoints": [checkpoint]},
            "/log/checkpoints?from=6": {"checkpoints": []},
            "/log/entries?from=0&limit=5&records=true": {"size": 5, "entries": entries},
        }

        def answer(path: str, token: str | None, answers: dict[str, Any] = answers) -> tuple[int, bytes]:
            return (200, json.dumps(answers[path]).encode()) if path in answers else (404, b"{}")

        state, token = tmp_path / f"{code}.json", tmp_path / "token"
        token.write_text("sdl_x")
        with proxy(answer) as url:
            done = run("monitor", url, "--once", "--json", "--state", str(state), "--key", str(key.verifier_key),
                       "--token-file", str(token))  # fmt: skip
        assert done.code == code, done.err
        if code:
            (fault,) = done.json["faults"]
            assert fault["code"] == "lot-map"
            assert fault["evidence"]["served"] == note  # signed, and with the seal and the records enough for anybody
            assert not state.exists()
            assert json.loads(state.with_name(f"{state.name}.evidence.json").read_bytes()) == done.json


def test_a_checkpoint_without_a_seal_and_a_seal_without_a_checkpoint() -> None:
    key, served, _ = block(5)
    short = key.sign(4, merkle.root([merkle.leaf_hash(one.data) for one in served[:4]]))
    with pytest.raises(LogLies) as caught:
        Watched(str(key.verifier_key)).extend(served[:4], short)
    assert caught.value.code == "seal-missing"
    more = [*served, Served(5, served[-1].data, None)]
    note = key.sign(6, merkle.root([merkle.leaf_hash(one.data) for one in more]))
    with pytest.raises(LogLies) as caught:
        Watched(str(key.verifier_key)).extend(more, note)
    assert caught.value.code == "checkpoint-missing"


@given(st.binary(max_size=200), st.text(max_size=80), st.binary(max_size=80))
def test_garbage_leaves_as_a_refusal(raw: bytes, note: str, data: bytes) -> None:
    key, _, good = block(1)
    for act in (
        lambda: Watched.parse(raw),
        lambda: Watched(str(key.verifier_key)).look(note),
        lambda: Watched(str(key.verifier_key)).extend([Served(0, data, raw)], good),
    ):
        with pytest.raises(SudonglianError):
            act()
