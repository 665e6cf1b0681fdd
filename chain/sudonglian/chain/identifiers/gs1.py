"""GS1 keys: their digits, check digits and qualifiers, as application identifiers know them.

GS1 General Specifications §3 and §7.9; GS1 Digital Link 1.4 §4 (which qualifiers a key may have, in which order).
"""

import re
from dataclasses import dataclass
from typing import Final

X: Final = r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]"
"""The 82 characters of GS1 General Specifications figure 7.11-1."""

Y: Final = r"[#\-/0-9A-Z]"
"""The 39 characters that a component/part identifier may use (figure 7.11-2)."""


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key: its shape, how many leading digits end with a check digit, and its qualifiers in order."""

    ai: str
    name: str
    shape: re.Pattern[str]
    checked: int = 0
    qualifiers: tuple[str, ...] = ()


def _key(ai: str, name: str, shape: str, checked: int = 0, *qualifiers: str) -> Key:
    return Key(ai, name, re.compile(shape, re.ASCII), checked, qualifiers)


KEYS: Final = {
    key.ai: key
    for key in (
        _key("00", "sscc", r"\d{18}", 18),
        _key("01", "gtin", r"\d{14}|\d{13}|\d{12}|\d{8}", 14, "22", "10", "21", "235"),
        _key("253", "gdti", rf"\d{{13}}{X}{{0,17}}", 13),
        _key("255", "gcn", r"\d{13}\d{0,12}", 13),
        _key("401", "ginc", rf"\d{{4}}{X}{{0,26}}"),
        _key("402", "gsin", r"\d{17}", 17),
        _key("414", "gln", r"\d{13}", 13, "254", "7040"),
        _key("417", "party", r"\d{13}", 13, "7040"),
        _key("8003", "grai", rf"0\d{{13}}{X}{{0,16}}", 14),
        _key("8004", "giai", rf"\d{{4}}{X}{{0,26}}", 0, "7040"),
        _key("8006", "itip", r"\d{18}", 14, "22", "10", "21"),
        _key("8010", "cpid", rf"\d{{4}}{Y}{{0,26}}", 0, "8011"),
        _key("8013", "gmn", rf"\d{{4}}{X}{{0,21}}"),
        _key("8017", "gsrnp", r"\d{18}", 18, "8019"),
        _key("8018", "gsrn", r"\d{18}", 18, "8019"),
    )
}

QUALIFIERS: Final = {
    ai: re.compile(shape, re.ASCII)
    for ai, shape in {
        "10": rf"{X}{{1,20}}",
        "21": rf"{X}{{1,20}}",
        "22": rf"{X}{{1,20}}",
        "235": rf"{X}{{1,28}}",
        "254": rf"{X}{{1,20}}",
        "7040": rf"\d{X}{{3}}",
        "8011": r"\d{1,12}",
        "8019": r"\d{1,10}",
    }.items()
}

NAMES: Final = {key.name: ai for ai, key in KEYS.items()} | {
    "cpi": "8010",
    "pgln": "417",
    "lot": "10",
    "ser": "21",
    "cpv": "22",
    "tpx": "235",
    "glnx": "254",
    "uic4": "7040",
    "cpsn": "8011",
    "cpidsn": "8011",
    "srin": "8019",
}
"""The short names that Digital Links of version 1.1 and EPCIS documents still use in place of numbers."""


_ZERO: Final = ord("0")


def check_digit(digits: str) -> str:
    """Return the check digit that follows the given digits (GS1 General Specifications §7.9.1).

    >>> check_digit("1061414107346")
    '4'
    """
    codes = digits.encode()  # sums of bytes are several times as fast as those of digits made numbers
    return str((_ZERO * (len(codes) + 2 * ((len(codes) + 1) // 2)) - 3 * sum(codes[::-2]) - sum(codes[-2::-2])) % 10)


def wrong_check_digit(key: Key, value: str) -> str | None:
    """Return the check digit that is due, if the one in the value is another.

    >>> wrong_check_digit(KEYS["01"], "10614141073461")
    '4'
    """
    if not key.checked:
        return None
    digits = value[: key.checked] if key.ai != "01" else value
    due = check_digit(digits[:-1])
    return None if digits[-1] == due else due
