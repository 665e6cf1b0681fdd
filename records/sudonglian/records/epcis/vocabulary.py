"""The standard vocabularies' words: bare in JSON, URIs in XML, and the same word in both.

CBV 2.0 §7 (elements and their two kinds of URI); EPCIS 2.0 §9 (which spelling which binding uses).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from sudonglian.records.epcis.schema import words_of

PREFIXES: Final[Mapping[str, str]] = {"cbv": "https://ref.gs1.org/cbv/", "gs1": "https://gs1.org/voc/"}
"""What GS1's own prefixes mean where a document does not bind them."""

CBV: Final = re.compile(r"https?://(?:ref|ns)\.gs1\.org/cbv/")
VOC: Final = re.compile(r"https?://(?:www\.)?gs1\.org/voc/")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One vocabulary: its list in the schema, how URNs of 1.x name it, and how the words of its web URIs begin."""

    schema: str
    urn: str = ""
    web: str = ""

    @property
    def namespace(self) -> re.Pattern[str]:
        """Return the namespaces of its web URIs."""
        return CBV if self.web else VOC


BIZ_STEP: Final = Vocabulary("bizStep", "bizstep", "BizStep-")
DISPOSITION: Final = Vocabulary("disposition", "disp", "Disp-")
BIZ_TRANSACTION: Final = Vocabulary("bizTransactionType", "btt", "BTT-")
SOURCE: Final = Vocabulary("sourceType", "sdt", "SDT-")
DESTINATION: Final = Vocabulary("destinationType", "sdt", "SDT-")
ERROR_REASON: Final = Vocabulary("errorDeclaration/reason", "er", "ER-")
SENSOR_TYPE: Final = Vocabulary("sensorReport/type")
SENSOR_EXCEPTION: Final = Vocabulary("sensorReport/exception")
SENSOR_COMPONENT: Final = Vocabulary("sensorReport/component", "comp", "Comp-")


def bare(text: str, vocabulary: Vocabulary, scope: Mapping[str, str]) -> str:
    """Return the bare word that a URI or compact URI of the vocabulary stands for; anything else as it is.

    `scope` binds prefixes. A URI in the vocabulary's namespace that is none of its words stays too: judging names it.

    >>> bare("urn:epcglobal:cbv:bizstep:shipping", BIZ_STEP, {}), bare("gs1:Temperature", SENSOR_TYPE, {})
    ('shipping', 'Temperature')
    >>> bare("urn:epcglobal:cbv:bizstep:flying", BIZ_STEP, {})
    'urn:epcglobal:cbv:bizstep:flying'
    """
    word = _word(text, vocabulary, scope)
    return word if word in _known(vocabulary.schema) else text


def _word(text: str, vocabulary: Vocabulary, scope: Mapping[str, str]) -> str:
    urn = f"urn:epcglobal:cbv:{vocabulary.urn}:"
    if vocabulary.urn and text.startswith(urn):
        return text.removeprefix(urn)
    prefix, colon, local = text.partition(":")
    namespace = scope.get(prefix) or PREFIXES.get(prefix)
    if colon and namespace:
        text = namespace + local
    match = vocabulary.namespace.match(text)
    rest = text[match.end() :] if match else ""
    return rest.removeprefix(vocabulary.web) if rest.startswith(vocabulary.web) else ""


@cache
def _known(schema: str) -> frozenset[str]:
    return frozenset(words_of(schema))
