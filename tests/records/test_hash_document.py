"""Event Hash IDs of whole documents: by plans exactly what reading in full gives, and the same refusals."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sudonglian.chain.errors import SudonglianError
from sudonglian.records.epcis import document, hash_book, hash_document, markup
from sudonglian.records.epcis.document import read_document
from sudonglian.records.epcis.event_hash import event_hash_id
from sudonglian.records.epcis.hash_book import book_of
from sudonglian.records.epcis.hash_document import event_hash_ids
from sudonglian.records.epcis.hash_memo import Unplanned
from sudonglian.records.epcis.hash_trie import MAX_PLANS
from sudonglian.records.epcis.xml_shape import shape_of

HEAD = (
    '<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" xmlns:x="urn:x:" xmlns:gs1="https://gs1.org/voc/" '
    'xmlns:cbv="https://ref.gs1.org/cbv/" xmlns:m="urn:epcglobal:cbv:mda:" xmlns:sdl="urn:sudonglian:ns:1:" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{} '
    'schemaVersion="2.0" creationDate="2026-01-05T01:00:00Z"><EPCISBody><EventList>'
)
TAIL = "</EventList></EPCISBody></e:EPCISDocument>"

TEXTS = [
    "urn:epc:id:sgtin:6901234.000001.17",
    "urn:epc:id:sgtin:6901234.000001.a%2F1",
    "urn:epc:id:sgtin:6901234.000001.123456789012345678901",
    "urn:epc:id:sgtin:690123.000001.17",
    "urn:epc:id:sscc:6901234.0000000018",
    "urn:epc:class:lgtin:6901234.000001.L1",
    "urn:epc:id:sgln:6901234.00001.0",
    "urn:epc:id:giai:6901234.77",
    "https://shop.example/01/10614141073464/21/7",
    "https://shop.example/01/10614141073464/10/L/21/7?x=1&amp;y=2",
    "https://id.gs1.org/01/10614141073464/10/A",
    "urn:epcglobal:cbv:bizstep:shipping",
    "https://ref.gs1.org/cbv/BizStep-packing",
    "cbv:Disp-in_transit",
    "gs1:Temperature",
    "urn:epcglobal:cbv:er:incorrect_data",
    "urn:epcglobal:cbv:btt:po",
    "2026-01-05T08:30:00+08:00",
    "2026-01-05T08:30:59.9996+08:00",
    "2026-13-05T08:30:00Z",
    "0001-01-01T00:00:00+08:00",
    "OBSERVE",
    "007",
    "-18.50",
    "1e400",
    "true",
    "",
    "  ",
    " \n\t in words \n",
    "\u3000",
    "A &amp; B &lt;C&gt;",
    "<!-- c -->y",
    "a<!---->b",
    "{0}{",
    "x\r\ny",
    "z" * 300,
]

ODD = [
    "&nope;",
    "]]>",
    "<x:in>1</x:in>",
    "t<x:in/>u",
    "\x01",
    "1" * 60,
    "<![CDATA[x]]>",
    "&#65;",
    "EventList",
    "a > b",
    "\ue0000\ue000",
    "海 & 天",
]
"""Texts with which a document is refused, or no plan covers an event."""

# Rarely odd, or no document of many values would be read.
values = st.integers(0, 400).flatmap(lambda at: st.sampled_from(TEXTS if at else ODD)) | st.text(
    "ab1. :/%é", min_size=1, max_size=6
)
space = st.sampled_from([*["", " ", "\n  ", "\r\n", "<!-- c -->"] * 20, "text"])


DEEP = "<x:deep>" + "<d>" * 70 + "</d>" * 70 + "</x:deep>"


@pytest.fixture(autouse=True, scope="module")
def _plans_for_short_documents() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hash_book, "ENOUGH", 0)
        yield


def tag(name: str, body: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{body}</{name}>"


def first_name(member: str) -> str:
    return member[1 : min(member.find(each) for each in " />" if each in member)]


def leaf(names: list[str]) -> st.SearchStrategy[str]:
    return st.builds(tag, st.sampled_from(names), values)


def attributes(names: list[str]) -> st.SearchStrategy[str]:
    """Some attributes, whose quotes are of both kinds."""
    one = st.tuples(st.sampled_from(names), values.filter(lambda value: "<" not in value), st.sampled_from("\"'"))
    several = st.lists(one, max_size=3, unique_by=lambda each: each[0])
    return several.map(lambda found: "".join(f" {name}={quote}{value}{quote}" for name, value, quote in found))


def listed(names: list[str], items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda name, gap, body: tag(name, gap + gap.join(body) + gap),
        st.sampled_from(names),
        space,
        st.lists(items, max_size=4),
    )


sensor_reports = st.builds(
    lambda said: f"<sensorReport{said}/>",
    attributes(["type", "value", "minValue", "uom", "booleanValue", "component", "x:cv", "time", "odd"]),
)
members = st.one_of(
    leaf(["eventTime", "eventTime", "eventTimeZoneOffset", "action", "bizStep", "disposition", "eventID", "parentID"]),
    leaf(
        [
            "certificationInfo",
            "transformationID",
            "x:note",
            "x:note",
            "m:lot",
            "odd",
            "sdl:traceCode",
            "e:action",
            "type",
        ]
    ),
    listed(["epcList", "childEPCs", "inputEPCList"], leaf([*["epc"] * 20, "e:epc", "x:epc"])),
    listed(
        ["quantityList", "childQuantityList"],
        st.lists(leaf(["epcClass", "quantity", "uom"]), max_size=3, unique_by=first_name).map(
            lambda said: tag("quantityElement", "".join(said))
        ),
    ),
    listed(["bizTransactionList"], st.builds(tag, st.just("bizTransaction"), values, attributes(["type", "x:a"]))),
    listed(["sourceList"], st.builds(tag, st.just("source"), values, attributes(["type"]))),
    listed(
        ["sensorElementList"],
        st.builds(
            lambda gap, said, reports: tag("sensorElement", gap + f"<sensorMetadata{said}/>" + gap + gap.join(reports)),
            space,
            attributes(["time", "deviceID", "x:v", "xsi:type"]),
            st.lists(sensor_reports, max_size=3),
        ),
    ),
    st.builds(tag, st.sampled_from(["readPoint", "bizLocation", "ilmd"]), leaf(["id", "x:farm", "odd"])),
    st.builds(
        tag,
        st.just("persistentDisposition"),
        st.lists(leaf(["set", "unset"]), max_size=3).map("".join),
    ),
    st.builds(
        tag,
        st.just("errorDeclaration"),
        st.lists(leaf(["declarationTime", "reason", "x:who"]), max_size=2).map("".join),
    ),
    st.builds(
        tag,
        st.sampled_from(["x:dock", "x:slot", "m:more"]),
        st.one_of(values, leaf(["x:no", "bare"])),
        attributes(["x:a", "b"]),
    ),
    st.builds(lambda said: f"<x:bound xmlns:y='urn:y:'><y:z>{said}</y:z></x:bound>", values),
    st.integers(0, 60).flatmap(
        lambda at: st.sampled_from(["<bizStep/>", "<epcList/>", "<x:e/>", "<x:e ></x:e >"] if at else ["<?pi?>", DEEP])
    ),
)
inner = members | st.builds(
    tag, st.sampled_from(["extension", "baseExtension"]), st.lists(members, max_size=2).map("".join)
)
events = st.builds(
    lambda name, bound, gap, said: tag(name, gap + gap.join(said) + gap, bound),
    st.sampled_from(["ObjectEvent", "AggregationEvent", "e:ObjectEvent", "x:Event"]),
    st.sampled_from(["", "", "", "", " xmlns:q='urn:q:'", ' xmlns:x="urn:other:"', " x:a='1'"]),
    space,
    st.lists(inner, max_size=5, unique_by=first_name) | st.lists(inner, max_size=3),
)


def repeated(event: str, count: int, wrapped: bool) -> str:
    return (f"<extension>{event}</extension>" if wrapped else event) * count


bodies = st.lists(
    st.builds(repeated, events, st.integers(1, 8), st.sampled_from([False, False, False, True])), max_size=4
)
heads = st.sampled_from(
    [
        *[""] * 8,
        *[' xmlns:x2="urn:x:"', ' xmlns="urn:epcglobal:epcis:xsd:2"', ' xmlns:rdfs="urn:r:"'] * 2,
        ' xmlns="urn:other:"',
    ]
).map(HEAD.format)
documents = st.builds(lambda head, gap, body: head + gap + gap.join(body) + TAIL, heads, space, bodies)


def in_full(raw: bytes) -> list[str]:
    read = read_document(raw)
    return [event_hash_id(one.value, read.context) for one in read.events]


def outcome(given_bytes: bytes, *, full: bool) -> object:
    try:
        return in_full(given_bytes) if full else event_hash_ids(given_bytes)
    except SudonglianError as refusal:
        return type(refusal), refusal.reason, refusal.place


@given(documents)
@example(HEAD.format("") + "<ObjectEvent><epcList><epc>1</epc></epcList></ObjectEvent>" * 9 + TAIL)
@example(HEAD.format("") + "<ObjectEvent><x:a><ObjectEvent></ObjectEvent></x:a></ObjectEvent>" * 9 + TAIL)
@example("<!-- <EventList><ObjectEvent/><ObjectEvent/></EventList> -->" + HEAD.format("") + "<ObjectEvent/>" + TAIL)
def test_what_plans_give_is_what_reading_in_full_gives(text: str) -> None:
    raw = text.encode()
    expected = outcome(raw, full=True)
    for _ in range(2):  # also with the plans that the first time made
        assert outcome(raw, full=False) == expected


@given(
    documents,
    st.integers(0, 10_000),
    st.sampled_from(["", "<", ">", "&", "\x00", "</epc>", "<!--", "<!DOCTYPE x>", "<x>"]),
)
def test_broken_documents_are_refused_as_ever(text: str, at: int, inserted: str) -> None:
    at %= len(text)
    for broken in (text[:at], text[:at] + inserted + text[at:], text[:at] + text[at + 1 :]):
        raw = broken.encode()
        assert outcome(raw, full=False) == outcome(raw, full=True)


ORDINARY = (
    "<ObjectEvent>\n  <eventTime>2026-01-05T08:30:{0:02}+08:00</eventTime>\n  <epcList>\n    "
    "<epc>urn:epc:id:sgtin:6901234.000001.{0}</epc>\n    <epc>urn:epc:id:sgtin:6901234.000001.1{0}</epc>\n  </epcList>\n"
    '  <sensorElementList><sensorElement><sensorReport type="gs1:Temperature" value="-18.{0}" uom="CEL"/></sensorElement>'
    "</sensorElementList>\n  <x:note side='{0}'>{0}</x:note><!-- {0} -->\n  <x:list>{0}</x:list><x:list>0{0}</x:list>\n</ObjectEvent>\n"
)


def test_only_what_is_new_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD.format(" xmlns:only='urn:only:here:'") + "".join(ORDINARY.format(number) for number in range(60)) + TAIL
    expected = in_full(text.encode())
    parsed: list[int] = []
    parse = markup.parse_text

    def counted(said: str) -> markup.Element:
        parsed.append(len(said))
        return parse(said)

    monkeypatch.setattr(markup, "parse_text", counted)
    monkeypatch.setattr(hash_document, "read_document", None)  # reading in full
    assert event_hash_ids(text.encode()) == expected
    assert sum(parsed) < len(text) / 2
    parsed.clear()
    assert event_hash_ids(text.encode()) == expected
    assert len(parsed) == 1
    assert parsed[0] < len(HEAD) + 400
    assert len(set(expected)) == 60


def of(*members: str, head: str = "") -> str:
    """Return a document of nine events for each, so that plans are made."""
    return HEAD.format(head) + "".join(f"<ObjectEvent>{each}</ObjectEvent>" * 9 for each in members) + TAIL


@pytest.mark.parametrize(
    "text",
    [
        # What another member binds decides how this one is named.
        of("<m:lot>2</m:lot>", "<x:b xmlns:cbvmda='urn:o:'>1</x:b><m:lot>2</m:lot>"),
        # One member under two names, and one namespace with two prefixes, of which the first counts.
        of("<action>ADD</action>", "<e:action>ADD</e:action>", "<action>ADD</action><e:action>ADD</e:action>"),
        of(
            "<r:other>1</r:other>",
            "<rdfs:comment>2</rdfs:comment>",
            "<r:other>1</r:other><rdfs:comment>2</rdfs:comment>",
            head=" xmlns:r='urn:r:' xmlns:rdfs='urn:r:'",
        ),
        # What no text may hold, and what is no number.
        *(of("<x:a>1</x:a>", f"<x:a>{text}</x:a>") for text in ("]]>", "\x01", "\ufffe", "&amp;lt;", "&#x41;")),
        of(
            *(
                f"<quantityList><quantityElement><quantity>{text}</quantity></quantityElement></quantityList>"
                for text in ("1", "1.50", "+2", "x", "1" * 60)
            )
        ),
        of("<x:a>1</x:a>") + "<!-- \x01 -->",
        of("<x:a>1</x:a>") + "<!-- - - -->",
        of("<x:a>1</x:a>") + "<!-- -- -->",
        of("<epcList><epc>a</epc><epc>b</epc></epcList>", "<epcList><epc>a</epc>c<epc>b</epc></epcList>"),
        of("<x:a>1</x:a>", "<x:a>1</x:a>", "<extension>t<x:a>1</x:a></extension>"),
        of("<sensorElementList><sensorElement><sensorReport odd='1'/></sensorElement></sensorElementList>"),
        of("<type>1</type>", "<eventType>1</eventType>", "<x:a type='1'>EventList</x:a>"),
        of("<x:a>1</x:a>").replace("<ObjectEvent>", "<e:ObjectEvent>").replace("</ObjectEvent>", "</e:ObjectEvent>"),
        of("<x:a>1</x:a>").replace("<ObjectEvent>", "<ObjectEvent x:b='1'>"),
        of("<x:a>1</x:a>").replace("</ObjectEvent>", "</ObjectEvent >"),
        of("<x:a>1</x:a>", "<x:a>2</x:a>").replace("<EventList>", "<x:EventList/><EventList>"),
    ],
)
def test_where_plans_might_mislead(text: str) -> None:
    for _ in range(2):
        assert outcome(text.encode(), full=False) == outcome(text.encode(), full=True)


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "utf-8-sig"])
def test_other_encodings(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    text = HEAD.format("") + "".join(ORDINARY.format(number) for number in range(9)).replace("side", "边") + TAIL
    raw = (declared + text).encode(encoding)
    assert event_hash_ids(raw) == in_full(raw) == in_full(text.encode())


@pytest.mark.parametrize(("limit", "value"), [("MAX_ELEMENTS", 300), ("MAX_NAMESPACES", 5), ("MAX_DEPTH", 9)])
def test_limits_hold_for_what_is_not_read(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    event = "<ObjectEvent xmlns:q='urn:q:'><x:a><x:b><x:c><x:d><x:e><x:f>1</x:f></x:e></x:d></x:c></x:b></x:a></ObjectEvent>"
    raw = (HEAD.format("") + event * 60 + TAIL).encode()
    assert len(event_hash_ids(raw)) == 60
    monkeypatch.setattr(markup, limit, value)
    refused = outcome(raw, full=True)
    assert isinstance(refused, tuple)
    assert outcome(raw, full=False) == refused


def test_more_events_than_one_document_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = (HEAD.format("") + "<ObjectEvent><x:a>1</x:a></ObjectEvent>" * 20 + TAIL).encode()
    assert len(event_hash_ids(raw)) == 20
    for module in (document, hash_document):
        monkeypatch.setattr(module, "MAX_EVENTS", 19)
    refused = outcome(raw, full=True)
    assert isinstance(refused, tuple)
    assert outcome(raw, full=False) == refused


def test_what_plans_hold_is_bounded() -> None:
    """A sender of ever other markup, or ever other values, gets no more of our memory."""
    several = "".join(f"<ObjectEvent><x:a><x:b{number}>1</x:b{number}></x:a></ObjectEvent>" for number in range(200))
    raw = (HEAD.format(" xmlns:many='urn:many:'") + several + TAIL).encode()
    assert event_hash_ids(raw) == in_full(raw)
    book = book_of(tuple(hash_document._frame(raw).scope.items()))
    assert book.names["x:a"]._trie._plans == MAX_PLANS
    others = "".join(f"<ObjectEvent><x:c>value {number}</x:c></ObjectEvent>" for number in range(9_000))
    raw = (HEAD.format(" xmlns:many='urn:many:'") + others + TAIL).encode()
    assert event_hash_ids(raw)[:20] == in_full(raw)[:20]
    assert sum(map(len, book.names.values())) == 0


def test_json_is_read_as_ever() -> None:
    raw = b'[{"type": "ObjectEvent", "action": "ADD"}, {"type": "ObjectEvent"}]'
    assert event_hash_ids(raw) == in_full(raw)


@pytest.mark.parametrize(
    "text", ["<a>t<b/></a>", "<a><![CDATA[x]]></a>", "<a><b></a>", "<a", "<a><?p?></a>", "<a b=1/>"]
)
def test_markup_without_a_shape(text: str) -> None:
    with pytest.raises(Unplanned):
        shape_of(text)


def test_short_documents_make_no_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD.format(" xmlns:short='urn:short:'") + ORDINARY.format(1) + TAIL
    book = book_of(tuple(hash_document._frame(text.encode()).scope.items()))
    monkeypatch.setattr(hash_book, "ENOUGH", 3 * len(ORDINARY))
    members = []
    for _ in range(5):
        assert event_hash_ids(text.encode()) == in_full(text.encode())
        members.append(bool(book.names))
    assert members[0] is False
    assert members[-1] is True


@pytest.mark.shared
def test_every_published_xml_document_and_many_of_each(shared_data: Path) -> None:
    compared = 0
    for file in sorted([*(shared_data / "epcis" / "xml").glob("*.xml"), *(shared_data / "event-hash").glob("*.xml")]):
        text = file.read_bytes().decode("utf-8-sig")
        begin = re.search(r"<[^<>]*EventList>", text)
        assert begin
        end = text.rfind("</", 0, text.rindex("EventList"))
        many = text[: begin.end()] + text[begin.end() : end] * 12 + text[end:]
        for raw in (text.encode(), many.encode()):
            expected = in_full(raw)
            assert event_hash_ids(raw) == expected, file.name
            compared += len(expected)
    assert compared > 400
