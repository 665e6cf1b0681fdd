"""Plain events: docs/spec/plain-event.md, rule by rule."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import canonical
from sudonglian.chain.errors import RecordRefused
from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.extensions import check_extensions
from sudonglian.records.epcis.plain import ContextRefused, SdlContextRefused, plain_event
from sudonglian.records.epcis.refusals import NotEpcis, TooDeep

SPEC = Path(__file__).resolve().parents[2] / "docs" / "spec" / "plain-event.md"
GS1 = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
NS = "urn:sudonglian:ns:1:"


def plain(raw: bytes) -> list[dict[str, Any]]:
    read = read_document(raw)
    return [plain_event(event.value, read.context) for event in read.events]


def test_the_example_of_the_spec() -> None:
    sent, expected = (block.partition("```")[0] for block in SPEC.read_text("utf-8").split("```json\n")[1:3])
    assert plain(sent.encode()) == [json.loads(expected)]


@pytest.mark.parametrize(
    ("contexts", "members", "expected"),
    [
        ([], {"a": 1}, None),
        ([GS1], {"ex:a": 1}, None),
        ([{"ex": "urn:e:"}], {"a": 1}, None),
        ([{"ex": "urn:e:"}], {"ex:a": 1}, {"ex": "urn:e:"}),
        ([{"ex": "urn:e:"}], {"a": "ex:b"}, {"ex": "urn:e:"}),
        ([{"ex": "urn:e:"}], {"a": [{"b": ["ex:c"]}]}, {"ex": "urn:e:"}),
        ([{"ex": "urn:e:"}], {"a": "ex://b"}, None),
        ([{"ex": "urn:e:"}], {"a": "ex"}, None),
        ([{"ex": "urn:e:"}], {"a": {"ex": 1}}, {"ex": "urn:e:"}),
        ([{"ex": "urn:e:"}], {"a": "exx:b"}, None),
        ([{"ex": "urn:e:"}, {"ex": "urn:f:"}], {"ex:a": 1}, {"ex": "urn:f:"}),
        ([{"ex": "urn:e:"}], {"ex:a": 1, "@context": {"ex": "urn:f:"}}, {"ex": "urn:f:"}),
        ([{"ex": "urn:e:"}], {"ex:a": 1, "@context": [{"ex": None}]}, None),
        ([{"ex": "urn:e:"}, "https://a.example/"], {"ex:a": 1, "@context": [None]}, None),
        ([{"ex": {"@id": "urn:e:"}}], {"ex:a": 1}, {"ex": {"@id": "urn:e:"}}),
        ([{"@vocab": "urn:v:"}], {"a": 1}, {"@vocab": "urn:v:"}),
        ([{"ex": "in:e:", "in": "urn:i:", "out": "urn:o:"}], {"ex:a": 1}, {"ex": "in:e:", "in": "urn:i:"}),
        (["https://a.example/"], {"a": 1}, ["https://a.example/"]),
        (["https://b.example/", GS1, "https://a.example/", "https://b.example/"], {"a": 1}, None),
        ([{"ex": "urn:e:"}, "https://a.example/"], {"ex:a": 1}, ["https://a.example/", {"ex": "urn:e:"}]),
        ([{"sdl": NS}], {"sdl:sealNo": "1"}, {"sdl": NS}),
        ([{"sdl": NS}], {"a": 1}, None),
    ],
)
def test_the_context_holds_what_is_needed_and_no_more(contexts: Any, members: Any, expected: Any) -> None:
    if expected is None and "https://b.example/" in contexts:
        expected = ["https://b.example/", "https://a.example/"]
    found = plain_event({"type": "ObjectEvent", **members}, contexts)
    assert found.get("@context") == expected
    assert ("@context" in found) == (expected is not None)
    assert {name: value for name, value in found.items() if name != "@context"} == {
        "type": "ObjectEvent",
        **{name: value for name, value in members.items() if name != "@context"},
    }


@pytest.mark.parametrize(
    "url",
    [
        GS1,
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld",
        "http://ref.gs1.org/standards/epcis",
        "https://gs1.github.io/EPCIS/epcis-context.jsonld",
    ],
)
def test_the_official_context_is_dropped(url: str) -> None:
    assert plain_event({"type": "ObjectEvent"}, [url]) == {"type": "ObjectEvent"}


@pytest.mark.parametrize(
    "url",
    ["https://ref.gs1.org.evil.example/standards/epcis/", "https://ref.gs1.org/standards/epcisx", "urn:a:b"],
)
def test_no_other_context_is_dropped(url: str) -> None:
    assert plain_event({"type": "ObjectEvent"}, [url])["@context"] == [url]


@pytest.mark.parametrize(
    ("contexts", "members"),
    [
        ([], {"sdl:sealNo": "1"}),
        ([], {"a": {"b": "sdl:x"}}),
        ([{"sdl": "urn:other:"}], {"sdl:sealNo": "1"}),
        ([{"sdl": "urn:other:"}], {"a": 1}),
        ([{"sdl": {"@id": NS}}], {"sdl:sealNo": "1"}),
        ([{"sdl": NS}], {"sdl:sealNo": "1", "@context": {"sdl": None}}),
        ([{"x": NS}], {"x:participants": []}),
        ([{"x": NS}], {"a": 1}),
        ([{"x": {"@id": NS}}], {"a": 1}),
        ([{"x": "URN:Sudonglian:ns:1:"}], {"a": 1}),
        ([{"x": "urn:sudonglian:"}], {"x:ns:1:participants": []}),
        ([{"x": "urn:"}], {"x:sudonglian:ns:1:participants": []}),
        ([{"people": NS + "participants"}], {"people": []}),
        ([{"people": "sdl:participants", "sdl": NS}], {"people": []}),
        ([{"@vocab": NS}], {"participants": []}),
        ([], {NS + "participants": []}),
        ([{"sdl": NS}], {"a": {"urn:sudonglian:ns:1:participants": []}}),
    ],
)
def test_our_namespace_has_one_name(contexts: Any, members: Any) -> None:
    with pytest.raises(SdlContextRefused) as caught:
        plain_event({"type": "ObjectEvent", **members}, contexts)
    assert caught.value.slug == "context-sdl"


def test_a_context_of_another_type_is_refused() -> None:
    with pytest.raises(ContextRefused):
        plain_event({"type": "ObjectEvent"}, [7])
    with pytest.raises(NotEpcis):
        plain_event({"type": "ObjectEvent", "@context": [True]})


def test_an_event_deeper_than_the_canonical_form_is_refused() -> None:
    def nested(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    deepest = {"type": "ObjectEvent", "a": nested(canonical.MAX_DEPTH - 1)}
    assert canonical.canonical_bytes(canonical.encode(plain_event(deepest)))
    with pytest.raises(TooDeep):
        plain_event({"type": "ObjectEvent", "a": nested(canonical.MAX_DEPTH)})


EVENT = {"type": "ObjectEvent", "eventTime": "2026-01-05T08:30:00+08:00", "ex:lot": "0012", "n": -18.50, "epcList": []}


def test_one_event_in_many_documents_is_one_plain_event() -> None:
    context: list[Any] = [GS1, {"ex": "urn:e:"}]
    inside = {**EVENT, "@context": {"ex": "urn:e:"}}
    body = {"eventList": [EVENT]}
    documents: list[Any] = [
        {"@context": context, "type": "EPCISDocument", "epcisBody": body},
        {"@context": [{"ex": "urn:e:", "other": "urn:o:"}, GS1], "type": "EPCISDocument", "epcisBody": body},
        {"@context": {"ex": "urn:wrong:"}, "type": "EPCISDocument", "epcisBody": {"eventList": [inside]}},
        {
            "@context": context,
            "type": "EPCISQueryDocument",
            "epcisBody": {"queryResults": {"resultsBody": {"eventList": [{**EVENT, "recordTime": "x"}]}}},
        },
        {**inside, "recordTime": "2026-01-05T08:31:00Z"},
        [inside],
        dict(reversed(list(inside.items()))),
    ]
    forms = {canonical.encode(plain(json.dumps(one).encode())[0]) for one in documents}
    assert len(forms) == 1
    other = {**inside, "@context": {"ex": "urn:f:"}}
    assert canonical.encode(plain(json.dumps(other).encode())[0]) not in forms


names = st.sampled_from(["ex", "sdl", "ex:a", "sdl:b", "a", "@vocab", "urn", "", "@context", "recordTime"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | names | st.sampled_from([NS, GS1, "urn:e:", "sdl:x", "ex://x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(names, values, max_size=5), st.lists(values, max_size=3))
def test_any_event_gives_a_plain_event_or_the_rooms_own_error(event: dict[str, Any], contexts: list[Any]) -> None:
    try:
        found = plain_event(event, contexts)
    except RecordRefused:
        return
    assert "recordTime" not in found
    assert plain_event(found) == found


PERSON = {
    "personRef": {"kind": "cn-id", "value": "11010519491231002X", "name": "王五"},
    "role": "loader",
    "ppe": ["mask", "gloves"],
    "contact": "opened",
    "start": "2026-01-05T08:10:00+08:00",
    "end": "2026-01-05T08:30:00+08:00",
}


def person(**changes: Any) -> dict[str, Any]:
    whole = {**PERSON, **changes}
    return {name: value for name, value in whole.items() if value is not None}


AT = "/sdl:participants/0"


@pytest.mark.parametrize(
    ("participants", "expected"),
    [
        ([person()], []),
        ([person(start=None, end=None, ppe=None, contact=None)], []),
        ([person(start="2026-01-05T00:30:00Z")], []),
        ([person(**{"acme:shift": 2})], []),
        ([], [("participants", "/sdl:participants")]),
        (person(), [("participants", "/sdl:participants")]),
        (["王五"], [("participant", AT)]),
        ([person(), person(role="")], [("participant-role", "/sdl:participants/1/role")]),
        ([person(role=None)], [("participant-role", AT + "/role")]),
        ([person(personRef=None)], [("participant-person", AT + "/personRef")]),
        ([person(personRef="D-77")], [("participant-person", AT + "/personRef")]),
        ([person(personRef={"value": "1"})], [("participant-kind", AT + "/personRef/kind")]),
        ([person(personRef={"kind": "wechat", "value": "1"})], [("participant-kind", AT + "/personRef/kind")]),
        ([person(personRef={"kind": ["badge"], "value": "1"})], [("participant-kind", AT + "/personRef/kind")]),
        ([person(personRef={"kind": "badge"})], [("participant-value", AT + "/personRef/value")]),
        ([person(personRef={"kind": "phone", "value": 13800000000})], [("participant-value", AT + "/personRef/value")]),
        ([person(personRef={"kind": "badge", "value": " "})], [("participant-value", AT + "/personRef/value")]),
        (
            [person(personRef={"kind": "badge", "value": "1", "name": ""})],
            [("participant-name", AT + "/personRef/name")],
        ),
        (
            [person(personRef={"kind": "badge", "value": "1", "tel": "2"})],
            [("participant-member", AT + "/personRef/tel")],
        ),
        ([person(contact="hand")], [("participant-contact", AT + "/contact")]),
        ([person(contcat="opened")], [("participant-member", AT + "/contcat")]),
        ([person(ppe=[])], [("participant-ppe", AT + "/ppe")]),
        ([person(ppe=True)], [("participant-ppe", AT + "/ppe")]),
        ([person(start="2026-01-05T08:10:00")], [("participant-time", AT + "/start")]),
        ([person(end="08:30")], [("participant-time", AT + "/end")]),
        ([person(end="2026-01-05T00:09:59Z")], [("participant-order", AT + "/end")]),
    ],
)
def test_participants(participants: Any, expected: list[Any]) -> None:
    found = check_extensions({"sdl:participants": participants})
    assert [(finding.code, finding.pointer) for finding in found] == expected
    assert all(finding.level == "error" for finding in found)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"ilmd": {"sdl:participants": [PERSON]}}, [("sdl-misplaced", "/ilmd/sdl:participants")]),
        ({"readPoint": {"sdl:vehiclePlate": "沪A"}}, [("sdl-misplaced", "/readPoint/sdl:vehiclePlate")]),
        ({"ilmd": {"@context": {"y": NS}, "y:participants": []}}, [("sdl-misplaced", "/ilmd/@context")]),
        ({"ilmd": {"@context": {"y": "urn:y:"}, "y:a": []}}, []),
        ({"a": [{"b": [{"sdl:participants": 1}]}]}, [("sdl-misplaced", "/a/0/b/0/sdl:participants")]),
        ({"sdl:traceCode": [{"issuer": "浙冷链", "code": "A1"}]}, []),
        ({"sdl:traceCode": {"issuer": "浙冷链", "code": "A1"}}, [("trace-code", "/sdl:traceCode")]),
        ({"sdl:traceCode": [{"issuer": "浙冷链"}]}, [("trace-code", "/sdl:traceCode/0")]),
        ({"sdl:traceCode": [{"issuer": "", "code": "1"}]}, [("trace-code", "/sdl:traceCode/0")]),
        ({"sdl:sealNo": ""}, [("sdl-text", "/sdl:sealNo")]),
        ({"sdl:vehiclePlate": 7}, [("sdl-text", "/sdl:vehiclePlate")]),
        ({"sdl:containerNo": "CSQU3054383"}, []),
        ({"sdl:containerNo": 5}, [("sdl-text", "/sdl:containerNo")]),
    ],
)
def test_our_other_members(event: Any, expected: list[Any]) -> None:
    assert [(finding.code, finding.pointer) for finding in check_extensions(event)] == expected
