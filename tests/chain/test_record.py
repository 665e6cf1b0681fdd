"""Records: what is sealed can be opened, in any part, and nothing else can."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sudonglian.chain import canonical, disclosure, record
from sudonglian.chain.errors import RecordRefused
from sudonglian.chain.record import PARTICIPANTS, open_record, seal_record

SUBMITTER = "https://id.gs1.org/417/6901234000009"
CLASSES = {"type": "clear", "action": "clear", "epcList": "clear", "货": "clear", "plate": "restricted"}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEY = TEXT.filter(lambda key: key[:1] != "$" and key not in canonical.RESERVED)
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), TEXT, st.just({"$dec": "-18.5"})),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEY, inner, max_size=3)),
    max_leaves=6,
)
EVENT = st.builds(
    lambda members, known: {**members, **known},
    st.dictionaries(KEY, VALUE, max_size=4),
    st.dictionaries(
        st.sampled_from([*CLASSES, PARTICIPANTS, "eventID"]), st.one_of(VALUE, st.lists(VALUE)), max_size=4
    ),
)


def visibility_of(name: str) -> str:
    return "vault" if name == PARTICIPANTS else CLASSES.get(name, "partner")


def seal(plain: dict[str, Any]) -> record.Sealed:
    return seal_record(plain, SUBMITTER, visibility_of)


PLAIN: dict[str, Any] = {
    "type": "ObjectEvent",
    "epcList": ["urn:epc:id:sscc:6901234.0000000018"],
    "eventID": "urn:uuid:1",
    "plate": "浙B·D1234",
    PARTICIPANTS: [{"name": "张三"}, {"name": "李四"}, {"name": "王五"}, {"name": "赵六"}, {"name": "钱七"}],
}
SEALED = seal(PLAIN)
TEXTS = [one.text for one in SEALED.disclosures]


@given(EVENT)
def test_what_is_sealed_is_opened(plain: dict[str, Any]) -> None:
    sealed = seal(plain)
    assert open_record(sealed.record, [one.text for one in sealed.disclosures]) == plain
    assert record.parse_record(sealed.record_bytes) == sealed.record
    assert sealed.record_hash == sha256(b"sudonglian/record/v1\0" + sealed.record_bytes).digest()


@given(EVENT, st.data())
def test_any_part_of_the_disclosures_gives_that_part(plain: dict[str, Any], data: st.DataObject) -> None:
    sealed = seal(plain)
    chosen = [one for one in sealed.disclosures if data.draw(st.booleans())]
    opened = open_record(sealed.record, [one.text for one in reversed(chosen)])
    shown = {name for name in plain if visibility_of(name) == "clear" and name != PARTICIPANTS}
    assert opened.keys() == shown | {one.name for one in chosen}
    for name, value in opened.items():
        places = [one.position for one in chosen if one.name == name and one.position is not None]
        assert value == ([plain[name][place] for place in places] if places else plain[name])


@given(EVENT)
def test_a_record_holds_no_withheld_value(plain: dict[str, Any]) -> None:
    sealed = seal(plain)
    event = sealed.record["event"]
    assert isinstance(event, dict)
    assert event.keys() - {"_sd", PARTICIPANTS} == {name for name in plain if visibility_of(name) == "clear"}
    assert not any(one.text.encode() in sealed.record_bytes for one in sealed.disclosures)


@given(st.integers(1, 13))
def test_participants_show_only_a_bound(count: int) -> None:
    sealed = seal({PARTICIPANTS: [{"n": n} for n in range(count)]})
    event = sealed.record["event"]
    assert isinstance(event, dict)
    elements = event[PARTICIPANTS]
    assert isinstance(elements, list)
    assert len(elements) == -(-count // 4) * 4
    assert {name for one in elements if isinstance(one, dict) for name in one} == {"..."}
    assert [one.position for one in sealed.disclosures] == list(range(count))


def test_two_seals_of_one_event_share_nothing() -> None:
    again = seal(PLAIN)
    assert again.record_hash != SEALED.record_hash
    assert not {one.digest for one in again.disclosures} & {one.digest for one in SEALED.disclosures}


def edited(change: Any) -> Any:
    copy = json.loads(SEALED.record_bytes)
    change(copy)
    return copy


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(v="sudonglian/record/2"),
        lambda r: r.update(visibility="01"),
        lambda r: r.update(visibility=1),
        lambda r: r.update(submitter="no uri"),
        lambda r: r.update(submitter="urn:" + "x" * 2_000),
        lambda r: r.update(_sd_alg="sha-512"),
        lambda r: r.update(x=1),
        lambda r: r.pop("visibility"),
        lambda r: r.update(event=[]),
        lambda r: r["event"].update(_sd=[]),
        lambda r: r["event"].update(_sd="x"),
        lambda r: r["event"].update(_sd=[1]),
        lambda r: r["event"]["_sd"].reverse(),
        lambda r: r["event"]["_sd"].append(r["event"]["_sd"][-1]),
        lambda r: r["event"]["_sd"].append("z" * 43),
        lambda r: r["event"]["_sd"].append("z" * 42),
        lambda r: r["event"].update({PARTICIPANTS: []}),
        lambda r: r["event"].update({PARTICIPANTS: "x"}),
        lambda r: r["event"][PARTICIPANTS].pop(),
        lambda r: r["event"][PARTICIPANTS].__setitem__(0, {"name": "x"}),
        lambda r: r["event"][PARTICIPANTS].__setitem__(0, {"...": 1}),
        lambda r: r["event"][PARTICIPANTS].__setitem__(0, r["event"][PARTICIPANTS][1]),
        lambda r: r["event"][PARTICIPANTS].__setitem__(0, {"...": r["event"]["_sd"][0]}),
        lambda r: r["event"].update({"$ref": 1}),
        lambda r: r["event"].update({"a": {"_sd": []}}),
        lambda r: r["event"].update({"a": [{"...": "A" * 43}]}),
        lambda r: r["event"].update({"a": {"$dec": "1.5", "b": 1}}),
    ],
)
def test_what_is_not_a_record_is_refused(change: Any) -> None:
    with pytest.raises(RecordRefused):
        record.check_record(edited(change))


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [SEALED.record]])
def test_another_value_is_no_record(value: Any) -> None:
    with pytest.raises(RecordRefused):
        record.check_record(value)


def with_digests(members: list[str], elements: list[str], clear: dict[str, Any]) -> Any:
    event: dict[str, Any] = dict(clear)
    if members:
        event["_sd"] = sorted(disclosure.digest_of(text) for text in members)
    if elements:
        event[PARTICIPANTS] = [{"...": disclosure.digest_of(text)} for text in elements]
    return {"v": record.VERSION, "visibility": "1", "submitter": SUBMITTER, "_sd_alg": "sha-256", "event": event}


SALT = bytes(16)


@pytest.mark.parametrize(
    ("members", "elements", "clear"),
    [
        (["type"], [], {"type": "ObjectEvent"}),
        (["_sd"], [], {}),
        (["..."], [], {}),
        (["$dec"], [], {}),
        (["_sd_alg"], [], {}),
    ],
)
def test_a_disclosed_name_cannot_shadow_or_be_reserved(members: list[str], elements: list[str], clear: Any) -> None:
    texts = [disclosure.make(SALT, 1, name).text for name in members]
    with pytest.raises(RecordRefused):
        open_record(with_digests(texts, elements, clear), texts)


def test_a_disclosure_stands_only_where_its_form_belongs() -> None:
    member = disclosure.make(SALT, 1, "eventID").text
    twin = disclosure.make(bytes([1]) * 16, 2, "eventID").text
    element = disclosure.make(SALT, {"n": 1}).text
    others = [disclosure.make(bytes([n]) * 16, n).text for n in range(3, 6)]
    participants = disclosure.make(SALT, [], PARTICIPANTS).text
    hidden = disclosure.make(SALT, {"_sd": []}, "a").text
    for r, texts in (
        (with_digests([element], [], {}), [element]),
        (with_digests([], [member, *others], {}), [member]),
        (with_digests([member, twin], [], {}), [member, twin]),
        (with_digests([participants], [element, *others], {}), [participants]),
        (with_digests([hidden], [], {}), [hidden]),
        (with_digests([member], [], {}), [member, member]),
        (with_digests([], [element, *others], {}), [element, element]),
        (with_digests([], [], {}), [member]),
    ):
        with pytest.raises(RecordRefused):
            open_record(r, texts)
    assert open_record(with_digests([participants], [], {}), [participants]) == {PARTICIPANTS: []}


@settings(max_examples=300)
@given(st.integers(0, len(SEALED.record_bytes) - 1), st.integers(1, 255))
def test_every_flipped_byte_changes_the_hash_or_is_refused(place: int, mask: int) -> None:
    changed = bytearray(SEALED.record_bytes)
    changed[place] ^= mask
    assert record.record_hash(bytes(changed)) != SEALED.record_hash
    try:
        parsed = record.parse_record(bytes(changed))
    except RecordRefused:
        return
    assert canonical.encode(parsed) == bytes(changed)


@given(st.integers(0, len(TEXTS) - 1), st.data())
def test_every_changed_disclosure_is_refused(which: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(TEXTS[which]) - 1))
    letter = data.draw(st.sampled_from("ABab01-_=+ \n\u9c7c").filter(lambda one: one != TEXTS[which][place]))
    changed = TEXTS[which][:place] + letter + TEXTS[which][place + 1 :]
    with pytest.raises(RecordRefused):
        open_record(SEALED.record, [changed])


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_our_own_words(raw: bytes) -> None:
    with pytest.raises(RecordRefused):
        record.parse_record(raw)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_what_could_not_be_read_back_is_not_sealed() -> None:
    seal({"type": nested(55)})
    seal({"other": nested(55)})
    many = [{"$dec": "1.5"}] * 300_000
    refused: list[dict[Any, Any]] = [
        {"type": nested(56)},
        {"other": nested(56)},
        {"type": many},
        {"other": many},
        {"type": 1.5},
        {"type": float("nan")},
        {"type": 2**53},
        {"type": ("a",)},
        {"type": "\ud800"},
        {"a": {1: 2}},
        {"_sd": []},
        {"a": {"$ref": 1}},
    ]
    for plain in refused:
        with pytest.raises(RecordRefused):
            seal(plain)
    with pytest.raises(RecordRefused):
        seal_record(PLAIN, "not a uri", visibility_of)


def test_the_vectors_of_the_specification() -> None:
    vectors = json.loads((Path(__file__).resolve().parents[1] / "vectors" / "record.json").read_text())
    for case in vectors["cases"]:
        sealed = record.parse_record(case["record"].encode())
        assert record.record_hash(case["record"].encode()).hex() == case["record_hash"]
        assert record.content_hash(canonical.encode(case["plain"])).hex() == case["content_hash"]
        assert open_record(sealed, [one["text"] for one in case["disclosures"]]) == case["plain"]
        partner = [one["text"] for one in case["disclosures"] if one["visibility"] == "partner"]
        assert open_record(sealed, partner) == case["opened_by_a_partner"]
