"""Identities: one form for each number by which a person is known, however people write it.

docs/spec/plain-event.md rule 11; docs/decisions/0504 (what is one person, and what only looks like it). Pure.
"""

import re
import unicodedata
from datetime import date
from typing import Final, NamedTuple

CN_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CN_ID_CHECKS: Final = "10X98765432"
"""GB 11643-1999 §6.1 (ISO 7064 MOD 11-2)."""

CN_ID_LENGTH: Final = 18

CENTENARIANS: Final = frozenset({"996", "997", "998", "999"})
"""Sequence codes that GB 11643 kept for people who were a hundred years old: born in the century before."""

CHECK_LOOKALIKES: Final = frozenset("X×✕✖ХΧ")
"""What stands for the X at the end of an identity number where a keyboard has another alphabet; nothing else can."""

EXTENSION: Final = ";ext="
"""RFC 3966 §5.3."""

KEEP_TRUNK_ZERO: Final = ("+39", "+378", "+379")
"""Countries in which the zero in brackets is dialled from abroad as well (ITU-T E.164, national numbering plans)."""

_OLD_ID = re.compile(r"[0-9]{15}", re.ASCII)
BY_NUMBER: Final = "urn:sudonglian:person:"
"""Before a person's number where a record of the authority names somebody whom the vault knows."""

_NUMBERED = re.compile(rf"{BY_NUMBER}([0-9]{{16}})")
_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_TRUNK_MOBILE = re.compile(r"01[3-9][0-9]{9}", re.ASCII)
_LANDLINE_ABROAD = re.compile(r"(?:10|2[0-9])[0-9]{8}|[3-9][0-9]{9,10}", re.ASCII)
_SERVICE = re.compile(r"[48]00[0-9]{7}", re.ASCII)
_PHONE = re.compile(r"\+?[0-9]{7,15}(?:;ext=[0-9]{1,7})?", re.ASCII)
"""ITU-T E.164 §6: at most 15 digits; local numbers with their area code have seven at least."""

_WITH_EXTENSION = re.compile(
    r"(?P<main>.*[0-9)])\s*(?:;ext=|extension|ext\.?|x|#|转|轉|分机|分機|内线)\s*[:.]?\s*(?P<ext>[0-9]{1,7})",
    re.IGNORECASE,
)
_DASHED_EXTENSION = re.compile(
    r"(?P<main>(?:\(?(?:(?:\+|00)86[\s-]*(?:\(0\))?)?\(?0?[1-9][0-9]{1,2}\)?[\s-]*)[2-9][0-9]{6,7})-(?P<ext>[0-9]{1,6})"
)
"""A landline with area code, its number written in one piece, and more digits behind a dash: 0571-88051234-802."""

_MOBILE_IN_TEXT = re.compile(r"(?<![0-9])((?:86[ -]?)?1[3-9](?:[ -]?[0-9]){9})(?![0-9])", re.ASCII)
_CN_ID_IN_TEXT = re.compile(r"(?<![0-9])([0-9]{17}[0-9Xx])(?![0-9])", re.ASCII)

_HOME_PERMIT = re.compile(r"([HM][0-9]{8})[0-9]{2}", re.ASCII)
_TAIWAN_PERMIT = re.compile(r"([0-9]{8})[0-9]{2}(?:\([A-Z]\)|[A-Z])", re.ASCII)


class Identity(NamedTuple):
    """Who a `personRef` means: its kind, and its value in one form however people write it."""

    kind: str
    normal: str


def identity(kind: str, value: str, submitter: str) -> Identity:
    """Return the identity that a reference means; where it may be one of two people it stays as it is written.

    A badge is as the firm wrote it, and another firm's is another badge.

    >>> identity("phone", "0086 199-0000-0001", "urn:x:1").normal
    '19900000001'
    >>> identity("cn-id", "110105 491231 002", "").normal
    '11010519491231002X'
    """
    plain = unicodedata.normalize("NFKC", value).strip()
    match kind:
        case "phone":
            return Identity(kind, phone(plain))
        case "cn-id":
            return Identity(kind, cn_id(plain))
        case "passport":
            number = travel_document(plain)
            # Residence permits for people of Hong Kong, Macao and Taiwan bear such a number, and firms call them both.
            is_resident = len(number) == CN_ID_LENGTH and cn_id_fault(number) is None
            return Identity("cn-id" if is_resident else kind, number)
        case _:
            return Identity(kind, f"{submitter}\x00{plain}")


def cn_id(written: str) -> str:
    """Return a resident identity number with its 18 characters, if it can be one.

    A number of 15 digits (GB 11643-1989) gets the century and the check character that GB 11643-1999 added: 19, or 18
    for the sequence codes of centenarians. Nobody born after 1999 ever had one.
    """
    number = _squeezed(written).upper()
    if _OLD_ID.fullmatch(number):
        century = "18" if number[12:] in CENTENARIANS else "19"
        body = number[:6] + century + number[6:]
        return body + _check(body) if _is_date(body[6:14]) else number
    if len(number) == CN_ID_LENGTH and number[17] in CHECK_LOOKALIKES:
        return number[:17] + "X"
    return number


def travel_document(written: str) -> str:
    """Return the number of a passport or permit in capitals without separators; brackets are part of it.

    Of a permit whose last digits count its renewals (港澳居民来往内地通行证, 台湾居民来往大陆通行证) the number that its
    holder keeps for life is left.

    >>> travel_document("h1234567800"), travel_document("00123456 01 (B)"), travel_document("e 1234-5678")
    ('H12345678', '00123456', 'E12345678')
    """
    number = _squeezed(written).upper()
    permit = _HOME_PERMIT.fullmatch(number) or _TAIWAN_PERMIT.fullmatch(number)
    return permit[1] if permit else number


def phone(written: str) -> str:
    """Return a telephone number: national in China, else with + and the country, and with its extension if it has one.

    >>> phone("+86 (0)571 8805 1234"), phone("0571-88051234-802"), phone("+44 (0)20 7946 0958")
    ('057188051234', '057188051234;ext=802', '+442079460958')
    """
    text = _visible(written)
    if text[:4].lower() == "tel:":
        text = text[4:]
    found = _WITH_EXTENSION.fullmatch(text) or _DASHED_EXTENSION.fullmatch(_dashes(text))
    main, extension = (found["main"], EXTENSION + found["ext"]) if found else (text, "")
    digits = _dialled(main)
    # What is no telephone number keeps its letters: two of them are not to become one.
    return digits + extension if digits.removeprefix("+").isdecimal() else _dialled(text)


def _dialled(text: str) -> str:
    digits = _squeezed(text, also="()./")
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("+") and "(0)" in text and not digits.startswith(KEEP_TRUNK_ZERO):
        before, _, after = text.partition("(0)")
        digits = "+" + _squeezed(before, also="()./+").removeprefix("00") + _squeezed(after, also="()./")
    if digits.startswith("+86"):
        return _national(digits[3:]) or digits
    if len(digits) in (12, 13) and digits.startswith("86"):
        return _national(digits[2:]) or digits
    return digits[1:] if _TRUNK_MOBILE.fullmatch(digits) else digits


def _national(number: str) -> str | None:
    """Return what follows China's country code as it is dialled in China, or None if it cannot be dialled there."""
    if number.startswith("00"):
        return None
    if number.startswith("0"):
        return number[1:] if _TRUNK_MOBILE.fullmatch(number) else number
    if _MOBILE.fullmatch(number) or _SERVICE.fullmatch(number):
        return number
    return "0" + number if _LANDLINE_ABROAD.fullmatch(number) else None


def cn_id_fault(value: str) -> str | None:
    """Return why this cannot be a resident identity number, or None.

    >>> cn_id_fault("11010519491231002X"), cn_id_fault("110105194912310021"), cn_id_fault("110105491231002")
    (None, 'check', None)
    """
    number = cn_id(unicodedata.normalize("NFKC", value).strip())
    body = number[:17]
    if len(number) != CN_ID_LENGTH or not (body.isascii() and body.isdigit()):
        return "shape"
    return None if _check(body) == number[17] else "check"


def phone_fault(value: str) -> str | None:
    """Return why this cannot be a telephone number, or None; who has such a number is found under it alone.

    >>> phone_fault("+49 30 901820"), phone_fault("0571-8805 1234"), phone_fault("hello")
    (None, None, 'shape')
    """
    return None if _PHONE.fullmatch(identity("phone", value, "").normal) else "shape"


def numbered(kind: str, value: str) -> int | None:
    """Return the number of a person whom a reference names by number, or None; only a record of our own making may.

    >>> numbered("badge", "urn:sudonglian:person:7113840018923441"), numbered("badge", "D-77")
    (7113840018923441, None)
    """
    found = _NUMBERED.fullmatch(value) if kind == "badge" else None
    return None if found is None else int(found[1])


def reads_as_identity(text: str) -> bool:
    """Return whether a text by itself reads as somebody's telephone or identity number, and not as a person's number.

    >>> reads_as_identity("+86 138-0000-0000"), reads_as_identity("7113840018923441"), reads_as_identity("lot 17")
    (True, False, False)
    """
    return cn_id_fault(text) is None or phone_fault(text) is None


def mentions_identity(text: str) -> bool:
    """Return whether a sentence holds a mobile or identity number of China: it would be kept for as long as the sentence.

    >>> mentions_identity("contacts of 138 0000 0000"), mentions_identity("case 2026-17, lot 20260105")
    (True, False)
    """
    visible = _dashes(_visible(unicodedata.normalize("NFKC", text)))
    mobiles = (found[1] for found in _MOBILE_IN_TEXT.finditer(visible))
    if any(_MOBILE.fullmatch("".join(filter(str.isdecimal, one)).removeprefix("86")) for one in mobiles):
        return True
    numbers = (found[1].upper() for found in _CN_ID_IN_TEXT.finditer(visible))
    return any(_is_date(one[6:14]) and cn_id_fault(one) is None for one in numbers)


def _check(body: str) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(CN_ID_WEIGHTS, body, strict=True))
    return CN_ID_CHECKS[total % 11]


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def _visible(text: str) -> str:
    # Address books put marks of writing direction around numbers, and web pages zero-width spaces into them.
    return "".join(one for one in text if unicodedata.category(one) not in ("Cf", "Cc") or one == "\t").strip()


def _dashes(text: str) -> str:
    return "".join("-" if _is_dash(one) else one for one in text)


def _is_dash(one: str) -> bool:
    return unicodedata.category(one) == "Pd" or one == "\u2212"


def _squeezed(text: str, also: str = "") -> str:
    return "".join(one for one in _visible(text) if not (one.isspace() or _is_dash(one) or one in "·." or one in also))
