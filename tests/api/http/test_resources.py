"""The EPCIS resources: what there is, what each path answers, in which form, and what it refuses.

EPCIS 2.0 §12.2-12.7.
"""

import http.client
from typing import Any
from urllib.parse import quote

import pytest

ROOT = "/epcis/v2"
FIRM = "08-other-city.json"
SSCC = "https://id.gs1.org/00/395200010000000158"
STEP = "https://example.org/steps/smoking"
ROOM = "https://id.gs1.org/414/9520001001048/254/resources"

RESOURCES = {
    "eventTypes": "ObjectEvent",
    "epcs": SSCC,
    "bizSteps": STEP,
    "bizLocations": ROOM,
    "readPoints": ROOM,
    "dispositions": "https://example.org/dispositions/smoked",
}


@pytest.fixture(scope="module")
def world(served: Any, make: Any) -> Any:
    event = make.event(
        300, epcList=[SSCC], bizStep=STEP, bizLocation={"id": ROOM}, readPoint={"id": ROOM},
        disposition="https://example.org/dispositions/smoked",
    )  # fmt: skip
    assert served.ask("POST", f"{ROOT}/capture", make.document(event), token=FIRM).json["success"]
    return served


def members(answer: Any) -> list[str]:
    assert answer.status == 200
    assert (answer.headers["gs1-epcis-version"], answer.headers["gs1-cbv-version"]) == ("2.0", "2.0")
    assert answer.json["type"] == "Collection"
    found: list[str] = answer.json["member"]
    return found


def test_the_root_names_what_there_is(world: Any) -> None:
    named = members(world.ask("GET", ROOT))
    assert {*RESOURCES, "events", "capture"} == set(named)
    assert members(world.ask("GET", f"{ROOT}/")) == named
    for one in named:
        assert world.ask("GET", f"{ROOT}/{one}", token="firm").status == 200
        told = world.ask("OPTIONS", f"{ROOT}/{one}")
        assert told.status == 204
        assert "GET" in told.headers["allow"]
        assert (told.headers["gs1-epcis-min"], told.headers["gs1-epcis-max"]) == ("2.0", "2.0")


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_resource_leads_to_its_events(world: Any, resource: str) -> None:
    value = RESOURCES[resource]
    assert value in members(world.ask("GET", f"{ROOT}/{resource}?perPage=1000", token=FIRM))
    for written in (quote(value, safe=""), quote(value, safe=":/")):
        one = f"{ROOT}/{resource}/{written}"
        assert members(world.ask("GET", one, token=FIRM)) == ["events"]
        events = world.ask("GET", f"{one}/events?EQ_bizStep={quote(STEP, safe='')}", token=FIRM)
        listed = events.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert any(it["epcList"] == [SSCC] for it in listed)
        none = world.ask("GET", f"{one}/events?EQ_bizStep=void_shipping", token=FIRM)
        assert none.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == []
        for path in (one, f"{one}/events"):
            assert world.ask("OPTIONS", path).headers["allow"] == "GET, OPTIONS"


@pytest.mark.parametrize("resource", ["epcs", "bizSteps", "bizLocations", "readPoints"])
def test_no_firm_sees_what_another_names(world: Any, resource: str) -> None:
    assert RESOURCES[resource] not in members(world.ask("GET", f"{ROOT}/{resource}?perPage=1000", token="other"))
    if resource == "epcs":
        for path in ("", "/events"):
            assert world.ask("GET", f"{ROOT}/epcs/{quote(SSCC, safe='')}{path}", token="other").status == 404


@pytest.mark.parametrize(
    "path",
    ["eventTypes/NoEvent", "epcs/urn:x:none", "bizSteps/no_step", "bizSteps/urn:epcglobal:cbv:bizstep:no_step", "dispositions/none",
     "readPoints/here", "bizLocations/here", "none", "events/urn:x:none", "capture/none", "events/"],
)  # fmt: skip
def test_what_there_is_not(world: Any, path: str) -> None:
    for tail in ("", "/events") if path.partition("/")[0] in RESOURCES else ("",):
        answer = world.ask("GET", f"{ROOT}/{path}{tail}", token="firm")
        assert answer.status == 404, (path, tail)
        assert answer.headers["content-type"] == "application/problem+json"


def test_one_event_may_name_more_than_a_page_holds(world: Any, make: Any) -> None:
    sent = make.event(320, epcList=[f"urn:x:many:{n}" for n in range(45)])
    assert world.ask("POST", f"{ROOT}/capture", make.document(sent), token=FIRM).json["success"]
    found: list[str] = []
    path: str | None = f"{ROOT}/epcs?perPage=10"
    while path:
        answer = world.ask("GET", path, token=FIRM)
        found += members(answer)
        link = answer.headers.get("link")
        path = link.split(">")[0].removeprefix("<") if link else None
    assert sorted(one for one in found if one.startswith("urn:x:many:")) == sorted(sent["epcList"])


def test_lists_page_by_page(world: Any, make: Any) -> None:
    sent = [
        make.event(310 + n, bizStep=f"https://example.org/steps/{n}", epcList=[f"urn:x:paged:{n}"]) for n in range(7)
    ]
    assert world.ask("POST", f"{ROOT}/capture", make.document(*sent), token=FIRM).json["success"]
    for resource, wanted in (
        ("bizSteps", {one["bizStep"] for one in sent}),
        ("epcs", {one["epcList"][0] for one in sent}),
    ):
        whole = members(world.ask("GET", f"{ROOT}/{resource}?perPage=1000", token=FIRM))
        assert wanted <= set(whole)
        found: list[str] = []
        path: str | None = f"{ROOT}/{resource}?perPage=2"
        while path:
            answer = world.ask("GET", path, token=FIRM)
            page = members(answer)
            assert len(page) <= 2
            found += page
            link = answer.headers.get("link")
            path = link.split(">")[0].removeprefix("<") if link else None
        assert set(found) == set(whole)
        assert len(whole) == len(set(whole))


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("token", ["AAAA", "MTow=", "Mjow", "%00", "x" * 5000])
def test_tokens_that_were_not_given(world: Any, resource: str, token: str) -> None:
    assert world.ask("GET", f"{ROOT}/{resource}?nextPageToken={token}", token=FIRM).status == 400


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/json;q=0.5, application/ld+json", "application/ld+json"),
        ("text/html, application/ld+json;q=0.1", "application/ld+json"),
        ("application/json;q=0, */*", "application/ld+json"),
        ("text/html", ""),
        ("application/json;q=0", ""),
        ("application/json;q=x", ""),
    ],
)
def test_the_form_of_the_answer(world: Any, asked: str | None, given: str) -> None:
    headers = {} if asked is None else {"Accept": asked}
    for path in (ROOT, f"{ROOT}/events", f"{ROOT}/bizSteps", f"{ROOT}/capture"):
        answer = world.ask("GET", path, token="firm", headers=headers)
        assert answer.status == (200 if given else 406)
        assert answer.headers["content-type"] == (given or "application/problem+json")
        assert not given or "Accept" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("path", "methods"), [("events", "GET, OPTIONS, POST"), ("epcs", "GET, OPTIONS"), ("capture", "GET, OPTIONS, POST")]
)
def test_a_method_that_is_not_there(world: Any, path: str, methods: str) -> None:
    for method in ("DELETE", "PUT"):
        answer = world.ask(method, f"{ROOT}/{path}", token="firm")
        assert (answer.status, answer.headers["allow"]) == (405, methods)
        assert answer.json["type"].endswith("method-not-allowed")


@pytest.mark.parametrize("path", [ROOT, f"{ROOT}/events", f"{ROOT}/bizSteps", "/healthz", f"{ROOT}/none"])
def test_HEAD_is_a_GET_without_its_body(world: Any, path: str) -> None:
    whole, head = (world.ask(method, path, token="firm") for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (whole.status, b"")
    for name in ("content-type", "link", "gs1-epcis-version"):
        assert head.headers.get(name) == whole.headers.get(name)


def test_an_event_is_sent_alone(world: Any, make: Any) -> None:
    event = {"@context": {"acme": "https://acme.example/"}, **make.event(330, **{"acme:dock": 7.5})}
    answer = world.ask("POST", f"{ROOT}/events", event, token=FIRM)
    assert answer.status == 201
    assert answer.json["acme:dock"] == 7.5
    assert answer.json["eventID"] == event["eventID"]
    assert "recordTime" in answer.json
    again = world.ask("POST", f"{ROOT}/events", event, token=FIRM)
    assert (again.status, again.headers["location"]) == (200, answer.headers["location"])
    read = world.ask("GET", answer.headers["location"], token=FIRM).json
    assert [one["eventID"] for one in read["epcisBody"]["queryResults"]["resultsBody"]["eventList"]] == [
        event["eventID"]
    ]
    # What was given can be sent again: it is the same event.
    back = {name: value for name, value in answer.json.items() if name != "recordTime"}
    assert world.ask("POST", f"{ROOT}/events", back, token=FIRM).status == 200


def test_an_event_without_eventID_has_an_address(world: Any, make: Any) -> None:
    answer = world.ask("POST", f"{ROOT}/events", make.event(331, eventID=None, bizStep="loading"), token=FIRM)
    assert answer.status == 201
    where = answer.headers["location"]
    assert (
        world.ask("GET", where, token=FIRM).json["epcisBody"]["queryResults"]["resultsBody"]["eventList"][0]["bizStep"]
        == "loading"
    )
    assert world.ask("GET", where, token="other").status == 404


def test_an_event_that_is_refused(world: Any, make: Any) -> None:
    answer = world.ask(
        "POST", f"{ROOT}/events", make.event(332, action="MAYBE"), token=FIRM, headers={"Accept-Language": "zh"}
    )
    assert answer.status == 400
    assert answer.json["type"].endswith("event-refused")
    assert answer.json["errors"][0]["pointer"] == "/action"
    assert any("\u4e00" <= one <= "\u9fff" for one in answer.json["errors"][0]["detail"])
    for body in (make.document(make.event(333)), b"[]", b"{", b"null"):
        assert world.ask("POST", f"{ROOT}/events", body, token=FIRM).status == 400
    assert world.ask("POST", f"{ROOT}/events", make.event(334), token="reader").status == 403


def test_limits_are_told_with_the_refusal(world: Any) -> None:
    for path in ("events", "capture"):
        told = world.ask("OPTIONS", f"{ROOT}/{path}").headers
        limit = told["gs1-epcis-capture-file-size-limit"]
        answer = world.ask("POST", f"{ROOT}/{path}", b" " * (int(limit) + 1), token=FIRM)
        assert (answer.status, answer.headers["gs1-epcis-capture-file-size-limit"]) == (413, limit)
        assert told["gs1-epcis-capture-limit"] == "*"


def test_a_job_tells_how_it_was_asked(world: Any, make: Any) -> None:
    headers = {"GS1-Capture-Error-Behaviour": "proceed"}
    answer = world.ask("POST", f"{ROOT}/capture", make.document(make.event(335)), token=FIRM, headers=headers)
    job = world.ask("GET", answer.headers["location"], token=FIRM)
    assert job.headers["gs1-capture-error-behaviour"] == "proceed"
    assert world.ask("OPTIONS", answer.headers["location"]).headers["allow"] == "GET, OPTIONS"


def test_an_address_that_is_too_long(world: Any) -> None:
    answer = world.ask("GET", f"{ROOT}/events?EQ_bizStep={'x' * 40_000}", token="firm")
    assert (answer.status, answer.json["type"].rpartition(":")[2]) == (414, "uri-too-long")


def test_the_next_page_of_an_address_that_holds_one(world: Any, make: Any) -> None:
    link = "https://example.com/01/09520001000016/10/A%2F1?17=271231#x"
    sent = [make.event(340 + n, epcList=[link]) for n in range(3)]
    assert world.ask("POST", f"{ROOT}/capture", make.document(*sent), token=FIRM).json["success"]
    path: str | None = f"{ROOT}/epcs/{quote(link, safe='')}/events?perPage=2"
    found: list[str] = []
    while path:
        answer = world.ask("GET", path, token=FIRM)
        found += [one["eventID"] for one in answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]
        following = answer.headers.get("link")
        path = following.split(">")[0].removeprefix("<") if following else None
    assert found == [one["eventID"] for one in sent]


def test_a_client_that_hangs_up_leaves_the_server_well(world: Any) -> None:
    host = world.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request(
        "GET", f"{ROOT}/events?perPage=1000", headers={"Authorization": f"Bearer {world.tokens['firm']}"}
    )
    connection.close()
    assert world.ask("GET", "/healthz").status == 200
