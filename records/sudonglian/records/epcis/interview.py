"""The extension `sdl:interview`: what somebody said of where people were, with whom, and with which goods.

docs/spec/facts.md §17. Only its form is judged: what cannot be true is said by a trace, beside what it goes against.
"""

from collections.abc import Iterator
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.chain.identifiers.normal import SCHEME
from sudonglian.records.epcis.findings import Finding, error, pointer
from sudonglian.records.epcis.times import instant

INTERVIEW: Final = "sdl:interview"
RULE: Final = "docs/spec/facts.md §17"

BY: Final = ("self", "household", "colleague", "other")
"""Who said it: the first person named, somebody of the household, a colleague, somebody else."""

CERTAINTIES: Final = ("remembered", "documented")
"""From memory, or by something that the interviewer saw: a ticket, a payment, a picture."""

CONTACTS: Final = ("outer-packaging", "opened")

MEMBERS: Final = frozenset({"told", "by", "certainty", "begin", "end", "place", "contact", "items", "lots"})


def check_interview(value: Json) -> Iterator[Finding]:
    """Yield what is wrong with the form of an interview.

    >>> [f.code for f in check_interview({"told": "2024-11-12T09:00:00+08:00", "begin": ["yesterday"]})]
    ['interview-time', 'interview-word', 'interview-word']
    """
    if not isinstance(value, dict) or not value.keys() <= MEMBERS:
        zh = "应为对象,成员只能是 " + "、".join(sorted(MEMBERS))
        yield error("interview", pointer(INTERVIEW), RULE, zh, f"must be an object of {', '.join(sorted(MEMBERS))}")
        return
    times = [("told", [value.get("told")]), ("begin", value.get("begin"))]
    times += [("end", value["end"])] if "end" in value else []
    for name, listed in times:
        moments = [instant(one) for one in listed] if isinstance(listed, list) else []
        known = [one for one in moments if one is not None]
        if len(known) not in (1, 2) or len(known) != len(moments) or known != sorted(known):
            zh = "应为带时区的时间(begin 与 end 为一个时间,或最早与最晚两个)"
            en = "must be a time with an offset (begin and end: a list of one, or of the earliest and the latest)"
            yield error("interview-time", pointer(INTERVIEW, name), RULE, zh, en)
    for name, words, needed in (("by", BY, True), ("certainty", CERTAINTIES, True), ("contact", CONTACTS, False)):
        if (needed or name in value) and value.get(name) not in words:
            zh, en = "应为 " + "、".join(words) + " 之一", "must be one of " + ", ".join(words)
            yield error("interview-word", pointer(INTERVIEW, name), RULE, zh, en)
    for name in ("items", "lots"):
        named = value.get(name, [])
        if not isinstance(named, list) or not all(_is_uri(one) for one in named):
            yield error("interview-goods", pointer(INTERVIEW, name), RULE, "应为标识的数组", "must be a list of URIs")
    if "place" in value and not _is_uri(value["place"]):
        yield error("interview-place", pointer(INTERVIEW, "place"), RULE, "应为地点标识", "must be a place's URI")


def _is_uri(value: Json) -> bool:
    return isinstance(value, str) and SCHEME.fullmatch(value) is not None
