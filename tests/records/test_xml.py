"""XML: the same event as in JSON, whatever wrappers and prefixes it comes with, and every oddity refused by name."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.chain import canonical
from sudonglian.chain.errors import RecordRefused
from sudonglian.records.epcis import document, markup
from sudonglian.records.epcis.check import check_event
from sudonglian.records.epcis.document import line_of, read_document
from sudonglian.records.epcis.event_hash import event_hash_id
from sudonglian.records.epcis.findings import refuses
from sudonglian.records.epcis.plain import plain_event
from sudonglian.records.epcis.refusals import TooLarge
from sudonglian.records.epcis.schema import EVENT_TYPES, members_of
from sudonglian.records.epcis.xml_document import translate
from sudonglian.records.epcis.xml_event import number
from sudonglian.records.intake import rehearse

NOW = datetime(2026, 1, 6, tzinfo=UTC)
EPCIS2 = "urn:epcglobal:epcis:xsd:2"
HEAD = f'<e:EPCISDocument xmlns:e="{EPCIS2}" xmlns:x="urn:x:" schemaVersion="2.0" creationDate="2026-01-05T01:00:00Z">'
TIME = "<eventTime>2026-01-05T08:30:00+08:00</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"


def raw(events: str, head: str = HEAD) -> bytes:
    return f"{head}<EPCISBody><EventList>{events}</EventList></EPCISBody></e:EPCISDocument>".encode()


def plain(given: bytes) -> list[dict[str, Any]]:
    read = read_document(given)
    assert read.is_xml
    return [plain_event(event.value, read.context) for event in read.events]


def one(inner: str, kind: str = "ObjectEvent", head: str = HEAD) -> dict[str, Any]:
    return plain(raw(f"<{kind}>{inner}</{kind}>", head))[0]


FULL = """
<ObjectEvent xmlns:ex="https://ex.example/" xmlns:gs1="https://gs1.org/voc/" xmlns:cbv="https://ref.gs1.org/cbv/">
  <eventTime>2026-01-05T08:30:00+08:00</eventTime>
  <recordTime>2026-01-05T08:31:00Z</recordTime>
  <eventTimeZoneOffset>+08:00</eventTimeZoneOffset>
  <eventID>urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8</eventID>
  <errorDeclaration>
    <declarationTime>2026-01-05T09:00:00Z</declarationTime>
    <reason>urn:epcglobal:cbv:er:incorrect_data</reason>
    <correctiveEventIDs>
      <correctiveEventID>urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8</correctiveEventID>
    </correctiveEventIDs>
    <ex:who>Li</ex:who>
  </errorDeclaration>
  <certificationInfo>https://cert.example/1</certificationInfo>
  <certificationInfo>https://cert.example/2</certificationInfo>
  <epcList>
    <epc>urn:epc:id:sgtin:0614141.107346.2018</epc>
    <epc> https://id.gs1.org/01/10614141073464/21/2019
    </epc>
  </epcList>
  <action>ADD</action>
  <bizStep>cbv:BizStep-commissioning</bizStep>
  <disposition>https://ref.gs1.org/cbv/Disp-active</disposition>
  <readPoint><id>urn:epc:id:sgln:6901234.00001.0</id><ex:door>3</ex:door></readPoint>
  <bizLocation><id>urn:epc:id:sgln:6901234.00002.0</id></bizLocation>
  <bizTransactionList>
    <bizTransaction type="urn:epcglobal:cbv:btt:po">urn:epcglobal:cbv:bt:6901234000009:1</bizTransaction>
    <bizTransaction>https://po.example/2</bizTransaction>
  </bizTransactionList>
  <quantityList>
    <quantityElement>
      <epcClass>urn:epc:class:lgtin:6901234.000001.L1</epcClass>
      <quantity>0123456789012345678.90</quantity><uom>KGM</uom>
    </quantityElement>
    <quantityElement><epcClass>urn:epc:class:lgtin:6901234.000001.L2</epcClass></quantityElement>
  </quantityList>
  <sourceList>
    <source type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:6901234.00000</source>
  </sourceList>
  <destinationList>
    <destination type="urn:x:own">urn:epc:id:sgln:6901234.00003.0</destination>
  </destinationList>
  <sensorElementList>
    <sensorElement>
      <sensorMetadata time="2026-01-05T08:00:00Z" deviceID="urn:epc:id:giai:6901234.7" ex:firmware="2"/>
      <sensorReport type="gs1:Temperature" value="-18.50" minValue="-2.0E1" maxValue="+18" meanValue=".5" sDev="0"
        percRank="50.0" percValue="-19" component="cbv:Comp-x" stringValue="007" booleanValue="1" hexBinaryValue="f0"
        uriValue="https://a.example/" uom="CEL" time="2026-01-05T08:00:00Z" microorganism="https://m.example/1"
        chemicalSubstance="https://c.example/1" coordinateReferenceSystem="https://crs.example/" ex:cv="1"/>
      <sensorReport exception="gs1:ALARM_CONDITION" booleanValue="false"/>
      <ex:more>1</ex:more>
    </sensorElement>
  </sensorElementList>
  <persistentDisposition>
    <set>urn:epcglobal:cbv:disp:completeness_verified</set>
    <set>urn:epcglobal:cbv:disp:damaged</set>
    <unset>urn:epcglobal:cbv:disp:completeness_inferred</unset>
  </persistentDisposition>
  <ilmd><ex:farm><ex:name>海</ex:name></ex:farm></ilmd>
  <ex:list>1</ex:list><ex:list>002</ex:list><ex:empty/><ex:mixed ex:a="1" b="2">text<ex:in/>tail</ex:mixed>
  <ex:outer><bare>1.0</bare></ex:outer>
</ObjectEvent>"""

FULL_JSON = """
{ "@context": {"ex": "https://ex.example/"},
  "type": "ObjectEvent",
  "eventTime": "2026-01-05T08:30:00+08:00",
  "eventTimeZoneOffset": "+08:00",
  "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
  "errorDeclaration": {"declarationTime": "2026-01-05T09:00:00Z", "reason": "incorrect_data",
    "correctiveEventIDs": ["urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8"], "ex:who": "Li"},
  "certificationInfo": ["https://cert.example/1", "https://cert.example/2"],
  "epcList": ["urn:epc:id:sgtin:0614141.107346.2018", "https://id.gs1.org/01/10614141073464/21/2019"],
  "action": "ADD", "bizStep": "commissioning", "disposition": "active",
  "readPoint": {"id": "urn:epc:id:sgln:6901234.00001.0", "ex:door": "3"},
  "bizLocation": {"id": "urn:epc:id:sgln:6901234.00002.0"},
  "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:6901234000009:1"},
    {"bizTransaction": "https://po.example/2"}],
  "quantityList": [
    {"epcClass": "urn:epc:class:lgtin:6901234.000001.L1", "quantity": 123456789012345678.9, "uom": "KGM"},
    {"epcClass": "urn:epc:class:lgtin:6901234.000001.L2"}],
  "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:6901234.00000"}],
  "destinationList": [{"type": "urn:x:own", "destination": "urn:epc:id:sgln:6901234.00003.0"}],
  "sensorElementList": [{
    "sensorMetadata": {"time": "2026-01-05T08:00:00Z", "deviceID": "urn:epc:id:giai:6901234.7", "ex:firmware": "2"},
    "sensorReport": [
      {"type": "Temperature", "value": -18.5, "minValue": -20, "maxValue": 18, "meanValue": 0.5, "sDev": 0,
       "percRank": 50, "percValue": -19, "component": "x", "stringValue": "007", "booleanValue": true,
       "hexBinaryValue": "f0", "uriValue": "https://a.example/", "uom": "CEL", "time": "2026-01-05T08:00:00Z",
       "microorganism": "https://m.example/1", "chemicalSubstance": "https://c.example/1",
       "coordinateReferenceSystem": "https://crs.example/", "ex:cv": "1"},
      {"exception": "ALARM_CONDITION", "booleanValue": false}],
    "ex:more": "1"}],
  "persistentDisposition": {"set": ["completeness_verified", "damaged"], "unset": ["completeness_inferred"]},
  "ilmd": {"ex:farm": {"ex:name": "海"}},
  "ex:list": ["1", "002"], "ex:empty": "",
  "ex:mixed": {"ex:a": "1", "b": "2", "ex:in": "", "#text": ["text", "tail"]},
  "ex:outer": {"bare": "1.0"} }"""


def test_every_field_of_an_event() -> None:
    expected = canonical.parse(FULL_JSON.encode())
    assert isinstance(expected, dict)
    assert plain(raw(FULL)) == [expected]
    assert not refuses(check_event(expected, NOW))


OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "AggregationEvent": (
        (
            "<parentID>urn:epc:id:sscc:6901234.0000000018</parentID><childEPCs><epc>urn:x:1</epc></childEPCs>"
            "<action>ADD</action><extension><childQuantityList><quantityElement><epcClass>urn:x:c</epcClass>"
            "<quantity>3</quantity></quantityElement></childQuantityList></extension>"
        ),
        {
            "parentID": "urn:epc:id:sscc:6901234.0000000018",
            "childEPCs": ["urn:x:1"],
            "action": "ADD",
            "childQuantityList": [{"epcClass": "urn:x:c", "quantity": 3}],
        },
    ),
    "TransactionEvent": (
        (
            "<bizTransactionList><bizTransaction>urn:x:t</bizTransaction></bizTransactionList><epcList/>"
            "<action>DELETE</action>"
        ),
        {"bizTransactionList": [{"bizTransaction": "urn:x:t"}], "epcList": [], "action": "DELETE"},
    ),
    "TransformationEvent": (
        (
            "<inputQuantityList/><inputEPCList><epc>urn:x:1</epc></inputEPCList><outputEPCList><epc>urn:x:2</epc>"
            "</outputEPCList><outputQuantityList><quantityElement><epcClass>urn:x:c</epcClass></quantityElement>"
            "</outputQuantityList><transformationID>urn:x:id</transformationID><ilmd/>"
        ),
        {
            "inputQuantityList": [],
            "inputEPCList": ["urn:x:1"],
            "outputEPCList": ["urn:x:2"],
            "outputQuantityList": [{"epcClass": "urn:x:c"}],
            "transformationID": "urn:x:id",
            "ilmd": {},
        },
    ),
    "AssociationEvent": (
        "<parentID>urn:x:p</parentID><childEPCs><epc>urn:x:1</epc></childEPCs><action>OBSERVE</action>",
        {"parentID": "urn:x:p", "childEPCs": ["urn:x:1"], "action": "OBSERVE"},
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_the_other_events(kind: str) -> None:
    inner, expected = OTHERS[kind]
    found = one(TIME + inner, kind)
    assert found == {
        "type": kind,
        "eventTime": "2026-01-05T08:30:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        **expected,
    }
    assert not refuses(check_event(found, NOW))


def test_a_document_of_1_2_with_its_wrappers() -> None:
    head = HEAD.replace(EPCIS2, "urn:epcglobal:epcis:xsd:1").replace("2.0", "1.2")
    inner = (
        "<eventTime>2026-01-05T08:30:00+08:00</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"
        "<baseExtension><eventID>urn:x:e</eventID></baseExtension><epcList/><action>ADD</action>"
        "<readPoint><id>urn:x:r</id><extension/></readPoint><extension><quantityList><quantityElement>"
        "<epcClass>urn:x:c</epcClass></quantityElement></quantityList>"
        "<extension><ilmd><x:a>1</x:a></ilmd></extension></extension>"
    )
    events = (
        f"<ObjectEvent>{inner}</ObjectEvent><extension><TransformationEvent>{TIME}</TransformationEvent>"
        f"<extension><AssociationEvent>{TIME}</AssociationEvent></extension></extension>"
    )
    read = read_document(raw(events, head))
    assert [event.value["type"] for event in read.events] == ["ObjectEvent", "TransformationEvent", "AssociationEvent"]
    assert read.envelope["schemaVersion"] == "2.0"
    first = plain_event(read.events[0].value, read.context)
    assert first["ilmd"] == {"x:a": "1"}
    assert first["quantityList"] == [{"epcClass": "urn:x:c"}]
    assert (first["eventID"], first["readPoint"]) == ("urn:x:e", {"id": "urn:x:r"})


def test_elements_qualified_and_a_bare_event() -> None:
    qualified = f'<e:ObjectEvent xmlns:e="{EPCIS2}"><e:epcList><e:epc>urn:x:1</e:epc></e:epcList></e:ObjectEvent>'
    assert plain(qualified.encode()) == [{"type": "ObjectEvent", "epcList": ["urn:x:1"]}]
    default = f'<ObjectEvent xmlns="{EPCIS2}"><action>ADD</action></ObjectEvent>'
    assert plain(default.encode("utf-16")) == [{"type": "ObjectEvent", "action": "ADD"}]


def test_a_query_document() -> None:
    given = (
        '<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2" schemaVersion="2.0" '
        'creationDate="2026-01-05T01:00:00Z"><EPCISBody><q:QueryResults><queryName>SimpleEventQuery</queryName>'
        "<resultsBody><EventList><ObjectEvent/></EventList></resultsBody></q:QueryResults></EPCISBody>"
        "</q:EPCISQueryDocument>"
    )
    read = read_document(given.encode())
    assert read.kind == "EPCISQueryDocument"
    assert [event.pointer for event in read.events] == ["/epcisBody/queryResults/resultsBody/eventList/0"]


VOCABULARIES = (
    "<VocabularyList><Vocabulary type='urn:epcglobal:epcis:vtype:BusinessLocation'><VocabularyElementList>"
    "<VocabularyElement id='urn:epc:id:sgln:6901234.00002.0'>"
    "<attribute id='urn:epcglobal:cbv:mda:name'>一号冷库</attribute><attribute id='urn:x:old' value='v'/>"
    "<attribute id='urn:x:address'><x:street>1</x:street></attribute>"
    "<children><id>urn:epc:id:sgln:6901234.00002.1</id></children></VocabularyElement>"
    "</VocabularyElementList></Vocabulary></VocabularyList>"
)
MASTER_DATA = [
    {
        "type": "urn:epcglobal:epcis:vtype:BusinessLocation",
        "vocabularyElementList": [
            {
                "id": "urn:epc:id:sgln:6901234.00002.0",
                "attributes": [
                    {"id": "urn:epcglobal:cbv:mda:name", "attribute": "一号冷库"},
                    {"id": "urn:x:old", "attribute": "v"},
                    {"id": "urn:x:address", "attribute": {"x:street": "1"}},
                ],
                "children": ["urn:epc:id:sgln:6901234.00002.1"],
            }
        ],
    }
]


def test_master_data_in_a_header_and_alone() -> None:
    header = (
        '<EPCISHeader><s:StandardBusinessDocumentHeader xmlns:s="urn:s"><s:Sender/></s:StandardBusinessDocumentHeader>'
        f"<extension><EPCISMasterData>{VOCABULARIES}</EPCISMasterData></extension></EPCISHeader>"
    )
    given = raw("<ObjectEvent/>").replace(b"<EPCISBody>", header.encode() + b"<EPCISBody>")
    assert read_document(given).header == {"epcisMasterData": {"vocabularyList": MASTER_DATA}}
    head = HEAD.replace(EPCIS2, "urn:epcglobal:epcis-masterdata:xsd:2").replace(
        "EPCISDocument", "EPCISMasterDataDocument"
    )
    alone = read_document(f"{head}<EPCISBody>{VOCABULARIES}</EPCISBody></e:EPCISMasterDataDocument>".encode())
    assert alone.events == ()
    assert alone.header == {"epcisMasterData": {"vocabularyList": MASTER_DATA}}


def test_prefixes_that_mean_two_things() -> None:
    found = one(
        '<x:a>1</x:a><x:a xmlns:x="urn:other:">2</x:a><a xmlns="urn:third:">3</a><y:a xmlns:y="urn:x:">4</y:a>'
        '<x:b xmlns:z="urn:deep:">z:word</x:b>'
    )
    assert found == {
        "@context": {"x": "urn:x:", "ns1": "urn:other:", "ns2": "urn:third:", "z": "urn:deep:"},
        "type": "ObjectEvent",
        "x:a": ["1", "4"],
        "ns1:a": "2",
        "ns2:a": "3",
        "x:b": "z:word",
    }


def test_one_event_has_one_hash_whatever_its_prefixes() -> None:
    first = one("<x:a><x:b>1</x:b></x:a>")
    second = one('<o:a xmlns:o="urn:x:"><o:b>1</o:b></o:a>')
    assert event_hash_id(first) == event_hash_id(second)
    assert event_hash_id(first) != event_hash_id(one('<o:a xmlns:o="urn:y:"><o:b>1</o:b></o:a>'))


def test_our_extensions_whatever_their_prefix() -> None:
    found = one(
        '<own:participants xmlns:own="urn:sudonglian:ns:1:"><own:personRef><own:kind>badge</own:kind>'
        "<value>D-77</value></own:personRef><role>driver</role></own:participants>"
        '<own:sealNo xmlns:own="urn:sudonglian:ns:1:">S1</own:sealNo>'
    )
    assert found == {
        "@context": {"sdl": "urn:sudonglian:ns:1:"},
        "type": "ObjectEvent",
        "sdl:participants": [{"personRef": {"kind": "badge", "value": "D-77"}, "role": "driver"}],
        "sdl:sealNo": "S1",
    }
    stolen = one('<sdl:a xmlns:sdl="urn:other:">1</sdl:a><q:sealNo xmlns:q="urn:sudonglian:ns:1:">S1</q:sealNo>')
    assert stolen["@context"] == {"ns1": "urn:other:", "sdl": "urn:sudonglian:ns:1:"}
    assert (stolen["ns1:a"], stolen["sdl:sealNo"]) == ("1", "S1")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("26.0", 26),
        ("-0", 0),
        ("+020.50", {"$dec": "20.5"}),
        (".5", {"$dec": "0.5"}),
        ("5.", 5),
        ("1e3", 1000),
        ("0.1234567890123456789", {"$dec": "0.1234567890123456789"}),
        ("", ""),
        (".", "."),
        ("INF", "INF"),
        ("1,5", "1,5"),
        ("１", "１"),
    ],
)
def test_numbers_are_exact(written: str, read: Any) -> None:
    assert number(written) == read


BILLION = (
    '<!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10))
    + "]><ObjectEvent><action>&lol9;</action></ObjectEvent>"
).replace("&lol0;", "&lol;")


@pytest.mark.parametrize(
    ("given", "slug", "place"),
    [
        (BILLION.encode(), "xml-doctype", ""),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "xml-doctype", ""),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/">]><a>&x;</a>', "xml-doctype", ""),
        (b'<!DOCTYPE a PUBLIC "p" "q"><a/>', "xml-doctype", ""),
        (b"<ObjectEvent><action>&undefined;</action></ObjectEvent>", "not-xml", ""),
        (b"<ObjectEvent>", "not-xml", ""),
        (b"<ObjectEvent></Object>", "not-xml", ""),
        (b"<a:ObjectEvent/>", "not-xml", ""),
        (b'<ObjectEvent a="1" a="2"/>', "not-xml", ""),
        (b"<ObjectEvent>\x00</ObjectEvent>", "not-xml", ""),
        (b"<ObjectEvent/><ObjectEvent/>", "not-xml", ""),
        (b'<?xml version="1.0" encoding="big5"?><ObjectEvent/>', "xml-encoding", ""),
        (b'<?xml version="1.0" encoding="utf-16"?><ObjectEvent/>', "xml-encoding", ""),
        ("<ObjectEvent>货</ObjectEvent>".encode("gbk"), "xml-encoding", ""),
        (b"<ObjectEvent>" + b"<a>" * 100, "too-deep", ""),
        (b"<ObjectEvent>" + b"<a/>" * markup.MAX_ELEMENTS + b"</ObjectEvent>", "too-large", ""),
        (b"<a" + b"".join(b' xmlns:p%d="u"' % n for n in range(markup.MAX_NAMESPACES + 1)) + b"/>", "too-large", ""),
        (b"<a" + b"".join(b' a%d="u"' % n for n in range(markup.MAX_ATTRIBUTES + 1)) + b"/>", "too-large", ""),
        (b"<a>" + b"".join(b'<b xmlns:p%d="u"/>' % n for n in range(markup.MAX_SCOPES + 1)) + b"</a>", "too-large", ""),
        (b"<" + b" " * document.MAX_DOCUMENT_BYTES, "too-large", ""),
        (b"<html/>", "not-epcis", ""),
        (b"<EPCISDocument/>", "not-epcis", ""),
        (b'<EPCISDocument xmlns="urn:epcglobal:epcis:xsd:3"/>', "not-epcis", ""),
        (b'<Order xmlns="urn:epcglobal:epcis:xsd:2"/>', "not-epcis", ""),
        (raw(""), "no-events", "/epcisBody/eventList"),
        (f"{HEAD}</e:EPCISDocument>".encode(), "no-events", "/epcisBody/eventList"),
        (f"{HEAD}<EPCISBody/><EPCISBody/></e:EPCISDocument>".encode(), "xml-structure", ""),
        (raw("text"), "xml-structure", ""),
        (raw("<ObjectEvent>text</ObjectEvent>"), "xml-structure", "/epcisBody/eventList/0"),
        (raw("<ObjectEvent><action><b/></action></ObjectEvent>"), "xml-structure", "/epcisBody/eventList/0/action"),
        (raw('<ObjectEvent><action a="1"/></ObjectEvent>'), "xml-structure", "/epcisBody/eventList/0/action"),
        (
            raw("<ObjectEvent><epcList><x:a/></epcList></ObjectEvent>"),
            "xml-structure",
            "/epcisBody/eventList/0/epcList",
        ),
        (
            raw("<ObjectEvent><action>ADD</action><action>ADD</action></ObjectEvent>"),
            "duplicate-key",
            "/epcisBody/eventList/0/action",
        ),
        (
            raw("<ObjectEvent><epcList/><extension><epcList/></extension></ObjectEvent>"),
            "duplicate-key",
            "/epcisBody/eventList/0/epcList",
        ),
        (raw("<ObjectEvent><_sd>1</_sd></ObjectEvent>"), "reserved-key", ""),
        (
            raw(
                "<ObjectEvent><quantityList><quantityElement><quantity>" + "1" * 40 + "</quantity></quantityElement>"
                "</quantityList></ObjectEvent>"
            ),
            "number",
            "/epcisBody/eventList/0/quantityList/0/quantity",
        ),
    ],
)
def test_refused_by_name(given: bytes, slug: str, place: str) -> None:
    with pytest.raises(RecordRefused) as caught:
        read_document(given)
    assert (caught.value.slug, caught.value.place) == (slug, place)


def test_encodings_that_are_read() -> None:
    text = "<ObjectEvent><readPoint><id>货</id></readPoint></ObjectEvent>"
    for name, encoding in (("gb2312", "gb2312"), ("GBK", "gbk"), ("gb18030", "gb18030"), ("utf-16", "utf-16")):
        given = f'<?xml version="1.0" encoding="{name}"?>{text}'.encode(encoding)
        assert plain(given)[0]["readPoint"] == {"id": "货"}
    assert plain(b"\xef\xbb\xbf" + text.encode())[0]["readPoint"] == {"id": "货"}


BAD = [
    ("<bizstep>urn:epcglobal:cbv:bizstep:shipping</bizstep>", "member-misspelt", "/bizstep"),
    ("<bizStep>urn:epcglobal:cbv:bizstep:flying</bizStep>", "biz-step", "/bizStep"),
    ("<disposition>urn:epcglobal:cbv:disp:flying</disposition>", "disposition", "/disposition"),
    ("<inputEPCList/>", "member-not-allowed", "/inputEPCList"),
    (
        (
            "<quantityList><quantityElement><epcClass>urn:x:c</epcClass><quantity>many</quantity></quantityElement>"
            "</quantityList>"
        ),
        "quantity",
        "/quantityList/0/quantity",
    ),
    (
        (
            '<sensorElementList><sensorElement><sensorReport type="gs1:Temperature" booleanValue="yes"/></sensorElement>'
            "</sensorElementList>"
        ),
        "sensor-boolean",
        "/sensorElementList/0/sensorReport/0/booleanValue",
    ),
    ("<sensorElementList><sensorElement/></sensorElementList>", "member-missing", "/sensorElementList/0/sensorReport"),
    ("<sourceList><source>urn:x:s</source></sourceList>", "member-missing", "/sourceList/0/type"),
]


@pytest.mark.parametrize(("inner", "code", "place"), BAD)
def test_findings_are_those_of_the_json(inner: str, code: str, place: str) -> None:
    given = raw(f"<ObjectEvent>{TIME}<epcList><epc>urn:x:1</epc></epcList><action>ADD</action>{inner}</ObjectEvent>")
    read = read_document(given)
    found = check_event(read.events[0].value, NOW, read.context)
    assert (code, place) in {(one.code, one.pointer) for one in found if one.level == "error"}


names = st.sampled_from(
    [
        *sorted(set().union(*map(members_of, EVENT_TYPES))),
        "extension",
        "epc",
        "quantityElement",
        "sensorElement",
        "sensorReport",
        "x:a",
        "x:b",
        "a",
        "id",
    ]
)
trees = st.recursive(
    st.text(alphabet="ab 1.-:<&é货", max_size=5).map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;")),
    lambda inner: (
        st.tuples(names, st.dictionaries(names, st.sampled_from(["", "1", "gs1:a"]), max_size=2), inner).map(
            lambda one: (
                f"<{one[0]} {' '.join(f'{name}={value!r}' for name, value in one[1].items())}>{one[2]}</{one[0]}>"
            )
        )
        | st.lists(inner, max_size=4).map("".join)
    ),
    max_leaves=12,
)


@given(trees)
def test_any_tree_gives_an_event_or_the_rooms_own_error(inner: str) -> None:
    try:
        found = one(inner)
    except RecordRefused:
        return
    canonical.check(found)
    check_event(found, NOW)
    assert event_hash_id(found).startswith("ni:///sha-256;")


@given(st.data())
def test_broken_bytes_give_the_rooms_own_error(data: st.DataObject) -> None:
    given = bytearray(raw(FULL))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(given) - 1))
        cut = data.draw(st.integers(0, 12))
        given[at : at + cut] = data.draw(st.binary(max_size=4))
    try:
        read = read_document(bytes(given))
    except RecordRefused:
        return
    for event in read.events:
        check_event(event.value, NOW, read.context)


def test_the_line_of_a_place() -> None:
    given = raw(FULL)
    places = [
        "/epcisBody/eventList/0/action",
        "/epcisBody/eventList/0/epcList/1",
        "/epcisBody/eventList/0/ex:outer/bare",
    ]
    lines = line_of(given, [*places, "/nowhere"])
    text = given.decode().splitlines()
    assert [text[lines[place] - 1].strip().partition(">")[0] for place in places] == ["<action", "<epc", "<ex:outer"]
    assert "/nowhere" not in lines


def test_a_finding_tells_the_line_of_the_xml() -> None:
    given = raw(FULL.replace("Disp-active", "Disp-flying"))
    _, told = rehearse(given, submitter="urn:x:1", now=NOW)
    line = 1 + given.decode()[: given.decode().index("Disp-flying")].count("\n")
    assert [(one.code, one.pointer) for one in told.refused] == [("disposition", "/epcisBody/eventList/0/disposition")]
    assert told.refused[0].message["en"].endswith(f"(line {line} of the XML)")
    assert told.refused[0].message["zh"].endswith(f"(XML 第 {line} 行)")


WRITTEN = {"bizStep": "bizstep", "disposition": "disp", "set": "disp", "unset": "disp", "reason": "er"}
"""What the XML binding writes as a URN."""

ITEMS = {
    "quantityList": "quantityElement",
    "childQuantityList": "quantityElement",
    "inputQuantityList": "quantityElement",
}
ITEMS |= {"outputQuantityList": "quantityElement", "sensorElementList": "sensorElement", "epcList": "epc"}
ITEMS |= {"childEPCs": "epc", "inputEPCList": "epc", "outputEPCList": "epc", "correctiveEventIDs": "correctiveEventID"}
TYPES = {"bizTransaction": "btt", "source": "sdt", "destination": "sdt"}


def as_xml(name: str, value: Any) -> str:
    """Return a member in XML, by the standard's rules and none of the reader's code."""
    if name in ITEMS:
        return f"<{name}>{''.join(as_xml(ITEMS[name], one) for one in value)}</{name}>"
    if name in ("bizTransactionList", "sourceList", "destinationList"):
        inner = name.removesuffix("List")
        rows = []
        for one in value:
            kind = f' type="urn:epcglobal:cbv:{TYPES[inner]}:{one["type"]}"' if "type" in one else ""
            rows.append(f"<{inner}{kind}>{escape(one[inner])}</{inner}>")
        return f"<{name}>{''.join(rows)}</{name}>"
    if isinstance(value, list):
        return "".join(as_xml(name, one) for one in value)
    if name in ("sensorMetadata", "sensorReport"):
        told = {key: _text(one) for key, one in value.items()}
        told |= {key: f"gs1:{told[key]}" for key in ("type", "exception") if key in told}
        told |= {key: f"cbv:Comp-{told[key]}" for key in ("component",) if key in told}
        return f"<{name} {' '.join(f'{key}={quoteattr(one)}' for key, one in told.items())}/>"
    if isinstance(value, dict) and "$dec" not in value:
        return f"<{name}>{''.join(as_xml(key, one) for key, one in value.items())}</{name}>"
    text = f"urn:epcglobal:cbv:{WRITTEN[name]}:{value}" if name in WRITTEN else _text(value)
    return f"<{name}>{escape(text)}</{name}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value["$dec"] if isinstance(value, dict) else value)


plain_texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Cn", "Co")), min_size=1, max_size=8
)
uris = st.sampled_from(["urn:epc:id:sscc:6901234.0000000018", "https://id.gs1.org/01/10614141073464/21/7", "urn:x:a&b"])
amounts = st.integers(-(2**53) + 1, 2**53 - 1) | st.decimals(-1000, 1000, places=3).map(
    lambda number: canonical.parse(str(number).encode())
)
extensions = st.recursive(
    plain_texts,
    lambda inner: (
        st.dictionaries(st.sampled_from(["x:a", "x:b", "y:a"]), inner, min_size=1, max_size=3)
        | st.lists(plain_texts, min_size=2, max_size=3)
    ),
    max_leaves=6,
)
reports = st.fixed_dictionaries(
    {"type": st.sampled_from(["Temperature", "RelativeHumidity"])},
    optional={
        "value": amounts,
        "uom": st.just("CEL"),
        "booleanValue": st.booleans(),
        "stringValue": plain_texts,
        "exception": st.just("ALARM_CONDITION"),
        "component": st.sampled_from(["x", "latitude"]),
        "x:more": plain_texts,
    },
)
quantities = st.lists(
    st.fixed_dictionaries({"epcClass": uris}, optional={"quantity": amounts, "uom": st.just("KGM"), "x:a": extensions}),
    max_size=3,
)
events = st.fixed_dictionaries(
    {"type": st.sampled_from(EVENT_TYPES)},
    optional={
        "eventID": uris,
        "action": st.sampled_from(["ADD", "OBSERVE"]),
        "bizStep": st.sampled_from(["shipping", "storing"]),
        "disposition": st.sampled_from(["active", "in_transit"]),
        "persistentDisposition": st.fixed_dictionaries({"set": st.lists(st.just("damaged"), min_size=1, max_size=2)}),
        "parentID": uris,
        "epcList": st.lists(uris, max_size=3),
        "childEPCs": st.lists(uris, max_size=3),
        "quantityList": quantities,
        "outputQuantityList": quantities,
        "certificationInfo": uris | st.lists(uris, min_size=2, max_size=3),
        "readPoint": st.fixed_dictionaries({"id": uris}, optional={"x:a": extensions}),
        "bizTransactionList": st.lists(
            st.fixed_dictionaries({"bizTransaction": uris}, optional={"type": st.sampled_from(["po", "bol"])}),
            max_size=3,
        ),
        "sourceList": st.lists(st.fixed_dictionaries({"type": st.just("location"), "source": uris}), max_size=2),
        "errorDeclaration": st.fixed_dictionaries(
            {"declarationTime": st.just("2026-01-05T08:30:00Z")},
            optional={"reason": st.just("incorrect_data"), "correctiveEventIDs": st.lists(uris, max_size=2)},
        ),
        "sensorElementList": st.lists(
            st.fixed_dictionaries(
                {"sensorReport": st.lists(reports, min_size=1, max_size=2)},
                optional={"sensorMetadata": st.fixed_dictionaries({"deviceID": uris}), "x:a": extensions},
            ),
            max_size=2,
        ),
        "ilmd": st.dictionaries(st.sampled_from(["x:a", "y:a"]), extensions, max_size=2),
        "x:a": extensions,
        "y:b": extensions,
    },
)


@given(events)
def test_any_event_has_one_plain_form_in_both(event: dict[str, Any]) -> None:
    """An event is written in XML by hand and read back: the plain event of its JSON, and one Event Hash ID."""
    context: dict[str, Any] = {"x": "urn:x:", "y": "urn:y:"}
    inner = "".join(as_xml(name, value) for name, value in event.items() if name != "type")
    bound = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in context.items())
    written = f"<{event['type']} {bound}>{inner}</{event['type']}>"
    expected = plain_event(event, [context])
    assert plain(raw(written)) == [expected]
    assert event_hash_id(plain(raw(written))[0]) == event_hash_id(event, [context])


@pytest.mark.shared
def test_every_published_xml_document(shared_data: Path) -> None:
    counted = 0
    for file in sorted((shared_data / "epcis" / "xml").glob("*.xml")):
        read = read_document(file.read_bytes())
        for event in read.events:
            assert not refuses(check_event(event.value, NOW.replace(year=2030), read.context)), file.name
        counted += len(read.events)
    assert counted == 20


@pytest.mark.shared
def test_published_pairs_of_xml_and_json(shared_data: Path) -> None:
    pairs = 0
    for file in sorted([*(shared_data / "epcis" / "xml").glob("*.xml"), *(shared_data / "event-hash").glob("*.xml")]):
        for other in (
            shared_data / "epcis" / "documents" / f"{file.stem}.json",
            shared_data / "event-hash" / f"{file.stem}.jsonld",
        ):
            if other.exists():
                xml, twin = read_document(file.read_bytes()), read_document(other.read_bytes())
                hashes = [event_hash_id(event.value, xml.context) for event in xml.events]
                assert hashes == [event_hash_id(event.value, twin.context) for event in twin.events], file.name
                pairs += 1
    assert pairs == 14


def test_translation_is_json() -> None:
    assert json.loads(canonical.encode(translate(raw(FULL))))


def test_what_every_event_declares_for_itself_is_one_scope() -> None:
    declared = "".join(f' xmlns:p{number}="urn:p:{number}"' for number in range(markup.MAX_NAMESPACES // 2))
    root = markup.parse(f"<a>{f'<b{declared}><c/></b>' * 3_000}</a>".encode())
    scopes = [one.children[0].scope for one in root.children]
    assert len(scopes[0]) == markup.MAX_NAMESPACES // 2
    assert all(one is scopes[0] for one in scopes)


@pytest.mark.parametrize(("written", "most"), [(b' a%d="x"', 0), (b' xmlns:a%d="u"', markup.MAX_NAMESPACES + 1)])
def test_what_one_element_has_too_much_of_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, written: bytes, most: int
) -> None:
    looked: list[str] = []

    class Counting(markup._Reader):
        def _split(self, name: str) -> tuple[str, str, str]:
            looked.append(name)
            return super()._split(name)

        def _namespace(self, prefix: str | None, uri: str | None) -> None:
            looked.append(prefix or "")
            super()._namespace(prefix, uri)

    monkeypatch.setattr(markup, "_Reader", Counting)
    named = b"".join(written % number for number in range(20_000))
    with pytest.raises(TooLarge):
        markup.parse(b"<EPCISDocument" + named + b"><EPCISBody/></EPCISDocument>")
    assert len(looked) == most


def test_as_many_attributes_as_may_be_are_read() -> None:
    named = "".join(f' a{number}="x"' for number in range(markup.MAX_ATTRIBUTES))
    assert len(markup.parse(f"<a{named}/>".encode()).attributes) == markup.MAX_ATTRIBUTES
