"""Goods, places and parties as clerks write them: plain numbers with check digits, labels, URNs, Digital Links.

GS1 General Specifications §7.9; EPCIS 2.0 §7.3.3 (an instance stands in epcList, a class in quantityList); GB 32100.
"""

import re
from dataclasses import dataclass
from typing import Final

from sudonglian.chain.identifiers import epc
from sudonglian.chain.identifiers.digital_link import NO_URI, DigitalLink
from sudonglian.chain.identifiers.digital_link import parse as parse_link
from sudonglian.chain.identifiers.gs1 import KEYS, QUALIFIERS, wrong_check_digit
from sudonglian.chain.identifiers.normal import SCHEME, IdentifierRefused
from sudonglian.records.identifiers import credit_code, label
from sudonglian.records.sheets.faults import CellRefused

CREDIT_CODE: Final = "urn:sudonglian:uscc:"
"""What a firm without a GLN is called by: its 统一社会信用代码."""

SSCC_DIGITS: Final = 18
GTIN_DIGITS: Final = (8, 12, 13, 14)
GLN_DIGITS: Final = 13


@dataclass(frozen=True, slots=True)
class Goods:
    """What a row names: one thing, or some of a lot."""

    uri: str
    is_class: bool
    is_traceable: bool = True
    """Whether it says which: a GTIN alone is a kind of goods and names all that were ever made."""


def goods(item: str, lot: str, serial: str) -> Goods:
    """Return what a row's code, lot and serial number name.

    >>> goods("9520001002014", "BJ241018", "").uri
    'https://id.gs1.org/01/09520001002014/10/BJ241018'
    >>> goods("395200010000000028", "", "").uri
    'https://id.gs1.org/00/395200010000000028'
    """
    link, written = _read(item)
    if link is None:
        if lot or serial:
            raise CellRefused(
                "lot-of-what", "批号、序列号只能与 GTIN 同填", "a lot or serial number goes with a GTIN alone"
            )
        return Goods(written, is_class=False)
    wanted = {**dict(link.qualifiers)}
    for ai, text, slug in (("10", lot, "lot"), ("21", serial, "serial")):
        if not text:
            continue
        if link.ai != "01":
            raise CellRefused(
                "lot-of-what", "批号、序列号只能与 GTIN 同填", "a lot or serial number goes with a GTIN alone"
            )
        if wanted.get(ai, text) != text:
            raise CellRefused(
                f"{slug}-differs", f"与货物编码中的不同:{wanted[ai]}", f"differs from the one in the code: {wanted[ai]}"
            )
        if not QUALIFIERS[ai].fullmatch(text):
            raise CellRefused(
                slug,
                "最多 20 个字母、数字或半角符号,不含空格和汉字",
                "at most 20 letters, digits or signs, without spaces",
            )
        wanted[ai] = text
    whole = DigitalLink(link.ai, link.value, tuple((ai, wanted[ai]) for ai in KEYS[link.ai].qualifiers if ai in wanted))
    uri = written if whole == link and written else str(whole)
    is_class = link.ai == "01" and not {"21", "235"} & wanted.keys()
    return Goods(uri, is_class, not is_class or "10" in wanted)


def place(text: str) -> str:
    """Return the identifier of a place.

    >>> place("9520001001017+A1")
    'https://id.gs1.org/414/9520001001017/254/A1'
    """
    number, plus, extension = text.partition("+")
    if plus and _digits(number):
        if not QUALIFIERS["254"].fullmatch(extension.strip()):
            raise CellRefused("place", "GLN 后的扩展号不合 GS1 规则", "what follows the GLN is no extension")
        return str(DigitalLink("414", _gln(_digits(number)), (("254", extension.strip()),)))
    return _named(text, "414")


def party(text: str) -> str:
    """Return the identifier of a firm.

    >>> party("91350100M000100Y43")
    'urn:sudonglian:uscc:91350100M000100Y43'
    """
    return _named(text, "417")


def _named(text: str, ai: str) -> str:
    if digits := _digits(text):
        if len(digits) == GLN_DIGITS:
            return str(DigitalLink(ai, _gln(digits)))
        if len(digits) != len("91350100M000100Y43"):
            raise CellRefused(
                "gln", f"GLN 为 13 位,这里有 {len(digits)} 位", f"a GLN has 13 digits, here are {len(digits)}"
            )
    if re.fullmatch(r"[0-9A-Z]{18}", text.upper()):
        try:
            return CREDIT_CODE + credit_code.parse(text.upper())
        except IdentifierRefused as refusal:
            raise CellRefused("credit-code", "统一社会信用代码的位数或校验码不对", refusal.reason) from None
    if link := label.link_of(text):
        return str(link)
    return _uri(text)


def _read(item: str) -> tuple[DigitalLink | None, str]:
    """Return the key that a code names, if it is one of GS1's, and its URI as it was written, if it was one."""
    if digits := _digits(item):
        if len(digits) == SSCC_DIGITS:
            return _checked(DigitalLink("00", digits)), ""
        if len(digits) in GTIN_DIGITS:
            return _checked(DigitalLink("01", digits.zfill(14))), ""
        raise CellRefused(
            "item-digits",
            f"有 {len(digits)} 位:GTIN 为 8、12、13、14 位,SSCC 为 18 位(以 0 开头的要设为文本)",
            f"{len(digits)} digits: a GTIN has 8, 12, 13 or 14, an SSCC 18 (format the column as text to keep leading zeros)",
        )
    if item.startswith("("):
        if link := label.link_of(item):
            return _checked(link), ""
        raise CellRefused("item", "不是 GS1 标签上的写法,如 (01)…(10)…", "not as GS1 labels write it: (01)…(10)…")
    if epc.is_epc(item):
        return _known(epc.parse(item), item)
    uri = _uri(item)
    return parse_link(uri), uri


def _known(link: DigitalLink | None, item: str) -> tuple[DigitalLink, str]:
    if link is None:
        raise CellRefused("item", "EPC URN 写法有误", "not a well-formed EPC URN")
    return link, item


def _uri(text: str) -> str:
    if not SCHEME.fullmatch(text) or NO_URI.search(text):
        raise CellRefused(
            "identifier",
            "应为 GS1 编码、标签上的写法、URN 或网址",
            "must be a GS1 number, what stands on a label, a URN or a web address",
        )
    return text


def _digits(text: str) -> str:
    bare = re.sub(r"[\s-]", "", text)
    return bare if bare.isascii() and bare.isdigit() else ""


def _gln(digits: str) -> str:
    if len(digits) != GLN_DIGITS:
        raise CellRefused(
            "gln", f"GLN 为 13 位,这里有 {len(digits)} 位", f"a GLN has 13 digits, here are {len(digits)}"
        )
    return _checked(DigitalLink("414", digits)).value


def _checked(link: DigitalLink) -> DigitalLink:
    if due := wrong_check_digit(KEYS[link.ai], link.value):
        raise CellRefused("check-digit", f"校验位应为 {due}", f"the check digit must be {due}")
    return link
