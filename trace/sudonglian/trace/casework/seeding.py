"""What sort of thing a case begins from, told from its identifier.

docs/spec/identifiers.md; GS1 General Specifications §3 (application identifiers).
"""

import re
from typing import Final

from sudonglian.records.cases import CaseRefused
from sudonglian.trace.casework.run import PERSON

_PLACE: Final = re.compile(r"/(?:414|254)/|:(?:sgln|pgln):|^geo:")
_LOT: Final = re.compile(r"/10/(?!.*/21/)|:(?:lgtin|idpat):|:class:")


def kind_of(subject: str) -> str:
    """Return `person`, `place`, `lot` or `item`.

    >>> kind_of("person:42"), kind_of("https://id.gs1.org/414/9520001001048")
    ('person', 'place')
    >>> kind_of("https://id.gs1.org/01/09520001002014/10/BJ241018"), kind_of("https://id.gs1.org/00/395200010000000028")
    ('lot', 'item')
    """
    if subject.startswith(PERSON):
        return "person"
    if _PLACE.search(subject):
        return "place"
    return "lot" if _LOT.search(subject) else "item"


def sort_of(subject: str, kind: str) -> str:
    """Return the kind that somebody says, or the one told from the identifier if nobody does.

    Raises
    ------
    CaseRefused
        A person who is called a thing would be traced, and not be kept for the case; a thing called a person is nobody.
    """
    if not kind:
        return kind_of(subject)
    if (kind == "person") != subject.startswith(PERSON):
        raise CaseRefused("a person is person:NUMBER, and nothing else is one", place="kind")
    return kind
