r"""What a scanner gives of a GS1 symbol: an element string without brackets, made into the text of its label.

GS1 General Specifications §5.4.3.7 (symbology identifiers), §7.8.5 (predefined lengths), §7.8.6 (FNC1 is sent as GS).
"""

import re
from typing import Final

GS: Final = "\x1d"
"""The separator behind an element without a predefined length."""

SYMBOLOGIES: Final = ("]C1", "]e0", "]d2", "]Q3", "]J1")
"""GS1-128, DataBar, DataMatrix, QR and DotCode with element strings."""

FIXED: Final = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2, "410": 13,
                "411": 13, "412": 13, "413": 13, "414": 13, "415": 13, "416": 13, "417": 13}  # fmt: skip
"""Of each application identifier with a predefined length, how many digits follow it."""

FREE: Final = frozenset({"10", "21", "22", "37", "240", "241", "250", "251", "254", "8003", "8004", "8006"})
"""Those that end with a separator, or with the symbol."""

_WEIGHT: Final = re.compile(r"3[1-6]\d\d")
_WEIGHT_DIGITS: Final = 6
_SSCC: Final = re.compile(r"00\d{18}", re.ASCII)


def label_text(code: str) -> str:
    r"""Return what stands on the label of a scanned symbol; anything else stays as it is.

    >>> label_text("]C100395200010000040017"), label_text("]d2010952000100201410BJ24\x1d17271017")
    ('(00)395200010000040017', '(01)09520001002014(10)BJ24(17)271017')
    >>> label_text("395200010000040017"), label_text("]C1zz")
    ('395200010000040017', ']C1zz')
    """
    code = code.strip(" \t\r\n")
    marked = next((code[len(one) :] for one in SYMBOLOGIES if code.startswith(one)), None)
    rest = code if marked is None else marked
    # Many scanners leave the mark out: then a separator, or the digits of an SSCC, tell.
    if marked is None and GS not in rest and not _SSCC.fullmatch(rest):
        return code
    found = ""
    rest = rest.removeprefix(GS)
    while rest:
        name = next((rest[:width] for width in (2, 3, 4) if rest[:width] in FIXED or rest[:width] in FREE), "")
        if not name and _WEIGHT.match(rest):
            name, length = rest[:4], _WEIGHT_DIGITS
        elif name in FIXED:
            length = FIXED[name]
        elif name:
            length = len(rest[len(name) :].partition(GS)[0])
        else:
            return code
        value = rest[len(name) : len(name) + length]
        if len(value) != length or not value or GS in value:
            return code
        found += f"({name}){value}"
        rest = rest[len(name) + length :].removeprefix(GS)
    return found or code
