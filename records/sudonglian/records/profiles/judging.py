"""The judgement on a whole document: its events against each other, and against a profile.

docs/profiles.md; records.md (layers 2 and 3).
"""

from collections.abc import Iterable, Mapping, Sequence

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.master_data import Element
from sudonglian.records.meaning.document import check_document
from sudonglian.records.profiles.check import Found, check_profile
from sudonglian.records.profiles.goods import told_of
from sudonglian.records.profiles.table import Profile


def by_document(
    events: Iterable[tuple[int, str, Mapping[str, Json]]], described: Sequence[Element], profile: Profile | None
) -> list[Found]:
    """Return what events that each passed their own judgement lack together.

    `events` are the index, the pointer and the plain event of each; those that were declared to be in error are left
    out, with their declarations.
    """
    listed = list(events)
    wrong = {event.get("eventID") for _, _, event in listed if "errorDeclaration" in event} - {None}
    told = [
        one
        for index, place, event in listed
        if event.get("eventID") not in wrong and (one := told_of(index, place, event)) is not None
    ]
    found: list[Found] = list(check_document(told))
    # Master data alone, or corrections alone, are about no goods that a profile could ask for.
    if profile is not None and told:
        found += check_profile(profile, told, frozenset(one.normal for one in described if one.name))
    return found
