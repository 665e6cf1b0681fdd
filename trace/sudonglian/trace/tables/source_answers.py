"""The question where it could have come from, put to a file of deliveries, and the answer in the file's names.

interfaces.md (sources); docs/decisions/0331 and 0346.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sudonglian.trace.engine.sources.score import MOST_LISTED, Scored
from sudonglian.trace.engine.sources.score import sources as sources_of
from sudonglian.trace.tables import fcl


def sources(raw: bytes, *, cross_contamination: bool = False, most: int = MOST_LISTED) -> dict[str, Any]:
    """Return the score of every station and delivery of a file, and whom each reaches and is reached by.

    With `cross_contamination` every station mixes, not only those that the file says. Lists of more than `most`
    identifiers are left out: then they are null, and `notes` says so, as it does of dates that cannot be read.
    `likelihood` is each one's share among its kind of being the one source; of too many it is null too.

    Raises
    ------
    FclRefused
        The file cannot be read.
    """
    file = fcl.read(raw, all_mix=cross_contamination)
    found = sources_of(file.network, file.weights, most)
    answer: dict[str, Any] = {
        "stations": _rows(file.stations, found.stations),
        "deliveries": _rows(file.deliveries, found.deliveries),
        "sums": {"station_score": _sum(found.stations), "delivery_score": _sum(found.deliveries)},
    }
    if notes := [*_notes(file, found.stations, "stations"), *_notes(file, found.deliveries, "deliveries")]:
        answer["notes"] = notes
    return answer


def _rows(names: Sequence[str], scored: Scored) -> list[dict[str, Any]]:
    told = np.array(names, object)
    return [
        {
            "id": name,
            "score": total / scored.whole,  # of whole numbers: rounded once
            "common_link": total == scored.whole,
            "likelihood": None if scored.likely is None else scored.likely.shares[number],
            "likelihood_rank": None if scored.likely is None else scored.likely.ranks[number],
            "forward": None if scored.forward is None else told[scored.forward.of(number)].tolist(),
            "backward": None if scored.backward is None else told[scored.backward.of(number)].tolist(),
        }
        for number, (name, total) in enumerate(zip(names, scored.totals, strict=True))
    ]


def _sum(scored: Scored) -> float:
    return sum(scored.totals) / scored.whole


def _notes(file: fcl.FclFile, scored: Scored, kind: str) -> list[dict[str, str]]:
    notes = []
    if kind == "deliveries":
        notes += [{"place": place, "note": "unreadable-date", "value": text} for place, text in file.unread]
    if scored.forward is None:
        notes.append({"place": kind, "note": "lists-too-long"})
    if scored.likely is None:
        notes.append({"place": kind, "note": "likelihood-too-long"})
    return notes
