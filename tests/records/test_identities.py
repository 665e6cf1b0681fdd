from datetime import date
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sudonglian.records.identities import (
    Identity,
    cn_id_fault,
    identity,
    mentions_identity,
    phone_fault,
    reads_as_identity,
)

KINDS: Final = ["phone", "cn-id", "passport", "badge"]
TYPED: Final = "0123456789+-()#. ×xXeEhHtTAB转－０１９　\u200e\u202d张"


@pytest.mark.parametrize(
    ("kind", "written", "normal"),
    [
        ("phone", "19900000001", "19900000001"),
        ("phone", "+86 199 0000 0001", "19900000001"),
        ("phone", "0086-199-0000-0001", "19900000001"),
        ("phone", "8619900000001", "19900000001"),
        ("phone", "１９９０００００００１", "19900000001"),
        ("phone", "(010) 6552-9988", "01065529988"),
        ("phone", "00 1 202 555 0123", "+12025550123"),
        ("phone", "+1 202 555 0123", "+12025550123"),
        ("cn-id", " 11010519491231002x ", "11010519491231002X"),
        ("cn-id", "110105 19491231 002Ｘ", "11010519491231002X"),
        ("passport", "e 1234 5678", "E12345678"),
    ],
)
def test_one_identity_however_it_is_written(kind: str, written: str, normal: str) -> None:
    assert identity(kind, written, "urn:x:1") == Identity(kind, normal)


def test_a_badge_is_one_firms_and_as_written() -> None:
    assert identity("badge", "d-77", "urn:x:1") != identity("badge", "D-77", "urn:x:1")
    assert identity("badge", "D-77", "urn:x:1") != identity("badge", "D-77", "urn:x:2")
    assert identity("phone", "1", "urn:x:1") == identity("phone", "1", "urn:x:2")


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014", "11010519491231002x"])
def test_identity_numbers_that_can_be(number: str) -> None:
    assert cn_id_fault(number) is None


@pytest.mark.parametrize("number", ["", "1", "X" * 18, "1101051949123100٣X", "11010519491231002X1"])
def test_identity_numbers_of_no_shape(number: str) -> None:
    assert cn_id_fault(number) == "shape"


@pytest.mark.parametrize("place", range(17))
def test_every_other_digit_is_seen(place: int) -> None:
    good = "11010519491231002X"
    for digit in "0123456789":
        if digit != good[place]:
            assert cn_id_fault(good[:place] + digit + good[place + 1 :]) == "check"


@given(st.text(), st.sampled_from(["phone", "cn-id", "passport", "badge"]))
def test_spaces_around_any_text_are_another_way_to_write_it(value: str, kind: str) -> None:
    assert identity(kind, f" {value}\u3000", "urn:x:1") == identity(kind, value, "urn:x:1")
    assert cn_id_fault(value) == cn_id_fault(f"\t{value} ")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("phone", "0571-88051234-8012", "0571 8805 1234 转 8012"),
        ("phone", "0571-88051234-8012", "+86 571 88051234 ext. 8012"),
        ("phone", "0571-88051234", "+86 (0)571 8805-1234"),
        ("phone", "0571-88051234", "0086-571-88051234"),
        ("phone", "010-65529988", "86 10 6552 9988"),
        ("phone", "13800000000", "013800000000"),
        ("phone", "13800000000", "\u202d+86 138\u00a00000\u20110000\u202c"),
        ("phone", "13800000000", "tel:+86-138-0000-0000"),
        ("phone", "13800000000", "８６－１３８－００００－００００"),
        ("phone", "13800000000", "138 0000—0000"),
        ("phone", "400-800-8820", "+86 400 800 8820"),
        ("phone", "+442079460958", "0044 (0)20 7946 0958"),
        ("phone", "+390612345678", "+39 (0)6 1234 5678"),
        ("phone", "+85291234567", "00852-9123 4567"),
        ("phone", "+886912345678", "+886 (0)912-345-678"),
        ("cn-id", "11010519491231002X", "110105491231002"),
        ("cn-id", "440524188001010014", "44052418800101001 4"),
        ("cn-id", "11010519491231002X", "11010519491231002×"),
        ("cn-id", "11010519491231002X", "11010519491231002Х"),
        ("cn-id", "11010519491231002X", "11010519491231002ⅹ"),
        ("cn-id", "11010519491231002X", "\u200b110105-19491231-002x"),
        ("passport", "H12345678", "h1234567800"),
        ("passport", "M12345678", "M 1234 5678 02"),
        ("passport", "00123456", "0012345601(B)"),
        ("passport", "00123456", "00123456 01 b"),
        ("passport", "E12345678", "ｅ１２３４５６７８"),
        ("passport", "A123456(7)", "a 123456（7）"),
    ],
)
def test_two_ways_to_write_one_number(kind: str, one: str, other: str) -> None:
    assert identity(kind, one, "urn:x:1") == identity(kind, other, "urn:x:2")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("phone", "13800000001", "13800000010"),
        ("phone", "0571-88051234", "0571-88051234-1"),
        ("phone", "0571-88051234-802", "0571-88051234-803"),
        ("phone", "0571-88051234-802", "0571-88051234-0802"),
        ("phone", "0571-8805-1234", "0571-88051234-1234"),
        ("phone", "010-65529988", "021-65529988"),
        ("phone", "+1 380 000 0000", "13800000000"),
        ("phone", "+852 9123 4567", "9123 4567"),
        ("phone", "+44 20 7946 0958", "020-79460958"),
        ("phone", "call Wang", "call Wong"),
        ("phone", "138x0000", "138y0000"),
        ("cn-id", "11010519491231002X", "110105194912310021"),
        ("cn-id", "110105491231002", "110105491231020"),
        ("cn-id", "110105001231996", "110105001231995"),
        ("passport", "E12345678", "E12345687"),
        ("passport", "A1234567", "A123456(7)"),
        ("passport", "4504123456", "4504123499"),
        ("passport", "SWE:12345678", "NOR:12345678"),
        ("badge", "D-77", "D-78"),
        ("badge", "张伟 1", "张玮 1"),
    ],
)
def test_look_alikes_are_two(kind: str, one: str, other: str) -> None:
    assert identity(kind, one, "urn:x:1") != identity(kind, other, "urn:x:1")


def test_a_resident_number_is_one_however_its_document_is_called() -> None:
    assert identity("passport", "11010519491231002x", "") == Identity("cn-id", "11010519491231002X")
    assert identity("passport", "110105194912310021", "").kind == "passport"
    assert identity("passport", "110105491231002", "").kind == "passport"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("110105491231002", "11010519491231002X"),
        ("110105001231996", "11010518001231996"),
        ("110105491331002", "110105491331002"),
        ("110105000229001", "110105000229001"),
        ("110105720229001", "11010519720229001"),
    ],
)
def test_the_century_of_an_old_number(old: str, new: str) -> None:
    normal = identity("cn-id", old, "").normal
    assert normal.startswith(new)
    assert len(normal) == (15 if new == old else 18)
    assert cn_id_fault(normal) == ("shape" if new == old else None)


@given(st.text(), st.sampled_from(KINDS))
def test_any_text_has_a_form(value: str, kind: str) -> None:
    assert identity(kind, value, "").kind in (kind, "cn-id")


@given(st.text(TYPED, max_size=24), st.sampled_from(KINDS))
def test_a_normal_form_is_its_own(value: str, kind: str) -> None:
    whole = identity(kind, value, "")
    again = identity(whole.kind, whole.normal.removeprefix("\x00"), "")
    assert again == whole


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", "+86", "0086", "86", "0", "tel:+86"]),
    st.data(),
)
def test_a_mobile_number_is_one_in_every_dress(number: str, before: str, data: st.DataObject) -> None:
    gaps = st.sampled_from(["", " ", "-", "\u3000", "\u2013", "\u200e", "."])
    dressed = before + "".join(digit + data.draw(gaps) for digit in number)
    wide = data.draw(st.booleans())
    written = "".join(chr(ord(one) + 0xFEE0) if wide and one.isdigit() else one for one in dressed)
    assert identity("phone", written, "").normal == number
    assert phone_fault(written) is None


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.integers(0, 9))
def test_transposed_digits_are_somebody_else(number: str, place: int) -> None:
    other = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assume(other != number)
    assert identity("phone", number, "") != identity("phone", other, "")


@given(
    st.dates(min_value=date(1900, 1, 1), max_value=date(1999, 12, 31)), st.integers(110000, 659999), st.integers(0, 995)
)
def test_old_and_new_numbers_of_one_person_meet(born: date, area: int, code: int) -> None:
    old = f"{area}{born:%y%m%d}{code:03}"
    new = identity("cn-id", old, "").normal
    assert new[:17] == f"{area}{born:%Y%m%d}{code:03}"
    assert cn_id_fault(new) is None
    assert identity("cn-id", f" {new.lower()}", "") == identity("cn-id", old, "")
    for place in range(16):
        turned = new[:place] + new[place + 1] + new[place] + new[place + 2 :]
        # The check character finds whatever two neighbours have changed places.
        assert turned == new or cn_id_fault(turned) == "check"


@given(st.text(min_size=1), st.text(min_size=1))
def test_badges_meet_only_at_one_firm(one: str, other: str) -> None:
    assert identity("badge", one, "urn:x:1") != identity("badge", other, "urn:x:2")


@pytest.mark.parametrize(
    "text",
    ["13987654321", "+86 139-8765-4321", "0571-88051234", "+44 20 7946 0958", "110105491231002", "11010519491231002x"],
)
def test_what_reads_as_somebodys_number(text: str) -> None:
    assert reads_as_identity(text)


@pytest.mark.parametrize(
    "text", ["7113840018923441", "https://id.gs1.org/00/395200010000007775", "42", "urn:x:13987654321", "person", ""]
)
def test_what_reads_as_something_else(text: str) -> None:
    assert not reads_as_identity(text)


@pytest.mark.parametrize(
    "text",
    [
        "contacts of 13987654321",
        "打电话 139-8765-4321 的人",
        "8613987654321",
        "x 11010519491231002x y",
        "１３９８７６５４３２１",
    ],
)
def test_a_sentence_that_names_somebody_by_a_number(text: str) -> None:
    assert mentions_identity(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "case 2026-17",
        "lot 09520001002014 of 20260105",
        "395200010000007775",
        "139876543210",
        "213987654321",
        "110105194912310021",
    ],
)
def test_a_sentence_that_names_nobody(text: str) -> None:
    assert not mentions_identity(text)
