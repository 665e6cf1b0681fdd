"""What callers do wrong over HTTP, and what they are told: a problem that says what, where and what to do."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

SEED = "https://id.gs1.org/00/395200010000000028"


def problem(answer: Any, status: int, slug: str) -> Any:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json["type"] == f"urn:sudonglian:problem:{slug}"
    return answer.json


def test_a_path_that_is_not_there_says_where_to_look(served: Any) -> None:
    assert "/openapi.json" in problem(served.ask("GET", "/nosuch"), 404, "not-found")["detail"]
    assert "without the slash" in problem(served.ask("GET", "/status/"), 404, "not-found")["detail"]
    assert "without the slash" in problem(served.ask("POST", "/epcis/v2/capture/", b"{}"), 404, "not-found")["detail"]
    assert "/openapi.json" in problem(served.ask("GET", "/nosuch/"), 404, "not-found")["detail"]


def test_a_wrong_method_is_told_all_right_ones(served: Any) -> None:
    for method in ("DELETE", "BREW"):
        answer = served.ask(method, "/epcis/v2/capture")
        assert answer.headers["allow"] == "GET, OPTIONS, POST"
        assert "GET, OPTIONS, POST" in problem(answer, 405, "method-not-allowed")["detail"]


@pytest.mark.parametrize(
    ("kind", "body", "slug", "en", "zh"),
    [
        ("application/json", b'{"type": ', "not-json", "line 1 column 10", "第 1 行第 10 列"),
        ("application/json", b'{"a": 1, "a": 2}', "duplicate-key", "stands twice", "重复的键"),
        ("application/json", b"", "not-json", "nothing in it", "内容为空"),
        ("application/json", b"<x/>", "not-json", "this is XML", "这是 XML"),
        ("application/json", '{"鱼": 1}'.encode("utf-16"), "not-utf8", "is not UTF-8", "不是 UTF-8"),
        ("application/xml", b"", "not-xml", "nothing in it", "内容为空"),
        ("application/xml", b' {"a": 1}', "not-xml", "this is JSON", "这是 JSON"),
        ("application/xml", b"<x>", "not-xml", "line 1 column 4", "第 1 行第 4 列"),
    ],
)
def test_what_cannot_be_read_is_told_in_the_caller_s_language(
    served: Any, kind: str, body: bytes, slug: str, en: str, zh: str
) -> None:
    for lang, words in (("en", en), ("zh-CN", zh)):
        headers = {"Content-Type": kind, "Accept-Language": lang}
        answer = served.ask("POST", "/epcis/v2/capture", body, token="07-school-canteen.json", headers=headers)
        assert words in problem(answer, 400, slug)["detail"]


def test_a_compressed_body_is_refused_by_its_header(served: Any) -> None:
    for path in ("/epcis/v2/capture", "/epcis/v2/events"):
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        answer = served.ask("POST", path, gzip.compress(b"{}"), token="07-school-canteen.json", headers=headers)
        assert problem(answer, 415, "media-type")["errors"][0]["pointer"] == "Content-Encoding"


def test_a_key_without_the_word_before_it(served: Any) -> None:
    answer = served.ask("GET", "/metrics", headers={"Authorization": served.tokens["operator"]})
    assert "Bearer" in problem(answer, 401, "unauthenticated")["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["pallet 2", "00395200010000000028", " ", "(17)251018"])
def test_a_name_that_no_record_can_have_is_not_proven_absent(served: Any, name: str) -> None:
    path = f"/lots/{quote(name, safe='')}"
    for what, token in (("proof", None), ("bundle", "auditor"), ("history", "tracer")):
        told = problem(served.ask("GET", f"{path}/{what}", token=token), 400, "usage")
        assert told["errors"][0]["pointer"] == "lot"
        assert "https://id.gs1.org/00/" in told["detail"]
    asked = {"seed": SEED, "at": "2024-11-10T14:00:00+08:00", "purpose": "p"}
    # Digits alone may be a person's number.
    for member in ("place",) if name.isdigit() else ("place", "seed"):
        told = problem(served.ask("POST", "/traces", {**asked, member: name}, token="tracer"), 400, "usage")
        assert told["errors"][0]["pointer"] == f"/{member}"


def test_a_member_that_a_question_does_not_have_is_told_those_that_it_has(served: Any) -> None:
    asked = {"seed": SEED, "at": "2024-11-10T14:00:00+08:00", "purpose": "p", "direction": "backward"}
    told = problem(served.ask("POST", "/traces", asked, token="tracer"), 422, "body")
    assert told["errors"][0]["pointer"] == "/direction"
    assert "backward" in told["detail"]
    assert "lookback" in told["detail"]


def test_a_label_s_own_writing_finds_the_same_lot(served: Any, make: Any) -> None:
    assert served.ask("POST", "/epcis/v2/capture", make.document(make.event(700)), token="firm").status == 202
    served.wait_for("/status", lambda said: said["pending"] == 0 and said["log"]["size"] > 0)
    found = [
        served.ask("GET", f"/lots/{quote(name, safe='')}/proof").json
        for name in ("https://id.gs1.org/00/395200010000007775", "(00)395200010000007775", " (00)395200010000007775 ")
    ]
    assert found[0]["value"]["count"] >= 1
    assert {one["key"] for one in found} == {found[0]["key"]}


@pytest.fixture
def shop() -> Iterator[str]:
    """Some other web server: it has pages, and knows nothing of logs."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = 404 if "log" in self.path else 200
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"detail": "no such page"}')

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_monitor_at_a_wrong_address_finds_no_log_there(served: Any, run: Any, shop: str, tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")
    for url in (f"{served.url}/log", f"{served.url}/docs", shop):
        done = run("monitor", url, "--once", "--state", state)
        assert done.code == 2, done.out
        assert "is the URL right?" in done.err
        assert "kept its word" not in done.out
    assert not Path(state).exists()
    away = run("monitor", "http://127.0.0.1:1", "--once")
    assert (away.code, "it does not answer: Connection refused" in away.err) == (2, True)
    bare = run("monitor", served.url.removeprefix("http://"), "--once")
    assert (bare.code, "http://127.0.0.1:8000" in bare.err) == (64, True)
    other = tmp_path / "other.json"
    other.write_text("{}")
    damaged = run("monitor", served.url, "--once", "--state", str(other), "--json")
    assert (damaged.code, damaged.json["error"]["place"]) == (1, str(other))
