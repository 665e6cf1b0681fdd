"""The committed description is the served one, and nothing that it allows or forbids breaks the server."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok

from sudonglian.api.http.openapi import render

WRITTEN = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"

API = json.loads(WRITTEN.read_text(encoding="utf-8"))


def parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the parameters of an operation, those that stand elsewhere too; of the families one name each."""
    found = []
    for one in operation.get("parameters", ()):
        whole = API["components"]["parameters"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        forms = whole["schema"].get("patternProperties", {})
        found += [{"in": "query", "name": form["examples"][0].partition("=")[0]} for form in forms.values()] or [whole]
    return found


OPERATIONS = [
    (method.upper(), path, parameters(operation))
    for path, methods in API["paths"].items()
    for method, operation in methods.items()
]

ROLES = [None, "firm", "tracer", "operator", "sdl_x"]

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "0", "-1", "1", "2", "9007199254740992", "1e9", "0" * 64, "\x00", "%", "..", "/", "https://id.gs1.org/",
                     "urn:epc:id:sscc:", "urn:epc:id:sgtin:0614141.107346.2017", "null", "true", "2026-01-01T00:00:00Z",
                     "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "../../etc", "a,b", "back"]),
)  # fmt: skip

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)

QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(TEXTS, VALUES)
        for name in ("seed", "at", "lookback", "until", "backward", "max_generation", "place", "policy", "case", "purpose",
                     "bundle", "trust", "type", "schemaVersion", "creationDate", "epcisBody", "eventTime", "@context")
    },
)  # fmt: skip


def test_the_description_is_the_committed_one() -> None:
    assert WRITTEN.read_text(encoding="utf-8") == render(), (
        "run: python -m sudonglian.api.http.openapi > docs/openapi.json"
    )


def test_the_served_description_is_the_committed_one(served: Any) -> None:
    assert served.ask("GET", "/openapi.json").json == API


def test_every_operation_names_its_scope_and_its_problems() -> None:
    names = [operation["operationId"] for methods in API["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names)) > 20
    for methods in API["paths"].values():
        for operation in methods.values():
            needed = [one["key"] for one in operation["security"]]
            assert needed == ([] if operation["x-scope"] == "public" else [[operation["x-scope"]]])
            assert "application/problem+json" in operation["responses"]["default"]["content"]


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bytes | None, str | None, dict[str, str]]:
    method, path, parameters = draw(st.sampled_from(OPERATIONS))
    query: list[str] = []
    headers: dict[str, str] = {}
    for one in parameters:
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", quote(draw(TEXTS), safe=draw(st.sampled_from(["", "/:"]))))
        elif one["in"] == "query" and draw(
            st.booleans() if len(parameters) < 20 else st.integers(0, 19).map(lambda n: not n)
        ):
            query.append(f"{one['name']}={quote(draw(TEXTS), safe='')}")
        elif one["in"] == "header" and draw(st.booleans()):
            headers[one["name"]] = draw(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20))
    if draw(st.integers(0, 9)) == 0:
        query.append(quote(draw(TEXTS)))
    body = None
    if method == "POST":
        asked = draw(st.one_of(QUESTIONS, VALUES, st.binary(max_size=60)))
        body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    role = draw(st.sampled_from(ROLES))
    return method, path + ("?" + "&".join(query) if query else ""), body, role, headers


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(asked=requests())
def test_no_request_breaks_the_server(served: Any, asked: Any) -> None:
    method, path, body, role, headers = asked
    answer = served.ask(method, path or "/", body, token=role, headers=headers)
    assert answer.status < 500, (asked, answer.body)
    # With an empty part, the path of a scanned link is the home page, which refuses as a page.
    if answer.status >= 400 and path.partition("?")[0] not in ("", "/"):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == answer.status


FUZZED = [one.ok() for one in schemathesis.openapi.from_dict(API).get_all_operations() if isinstance(one, Ok)]
EXAMPLES = 3
"""Of each operation and mode: under a minute for all of them; every run draws others."""


def test_every_operation_can_be_fuzzed() -> None:
    assert {(one.method.upper(), one.path) for one in FUZZED} == {(method, path) for method, path, _ in OPERATIONS}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, start_once: Any, make: Any) -> Any:
    """A server of its own: what stands in no database cannot differ between them."""
    data = tmp_path_factory.mktemp("fuzzed")
    tokens, env = make.deploy(data)
    running = start_once(data, **env)
    running.tokens = tokens
    return running


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize("operation", FUZZED, ids=lambda one: one.label)
def test_what_the_description_allows_and_forbids_breaks_nothing(fuzzed: Any, operation: Any, mode: Any) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), role=st.sampled_from(ROLES[1:]))
    def send(case: Any, role: str) -> None:
        assume(len(case.as_curl_command()) < 60_000)  # the server program itself closes on longer addresses
        key = {"Authorization": f"Bearer {fuzzed.tokens.get(role, role)}"}
        answer = case.call(base_url=fuzzed.url, headers=key, timeout=60)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"], (case.as_curl_command(), answer.text)

    try:
        send()
    except Unsatisfiable:
        # Where nothing can be sent that the description forbids, there is nothing to send.
        assert mode is schemathesis.GenerationMode.NEGATIVE


@pytest.mark.parametrize("path", ["/%00", "/%ff", "/log/../etc", "//", "/lots//proof", "/?%", "/" + "a" * 3000])
def test_odd_paths(served: Any, path: str) -> None:
    assert served.ask("GET", path).status < 500
