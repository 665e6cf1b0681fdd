"""The kernels compiled ahead: what a machine's first large trace would else wait for.

docs/decisions/0354; tracing.md §4. Compiled code is kept beside the program, or in the folder of `NUMBA_CACHE_DIR`.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from sudonglian.trace.engine.stays.index import StayIndex

TIMES: Final = (np.int32, np.int64)
"""Tables of days have small numbers, records have microseconds."""


def warm(told: Callable[[int, int], None] = lambda _done, _all: None) -> None:
    """Run every kernel once on some stays, for both widths of times; `told` hears how many of how many are done."""
    for number, kind in enumerate(TIMES):
        told(number, len(TIMES))
        party, place = np.array([0, 1, 1, 2], np.int32), np.array([0, 0, 1, 1], np.int32)
        index = StayIndex(party, place, np.array([0, 5, 20, 25], kind), np.array([10, 15, 30, 40], kind), linger=[0, 1])
        index.append(party[:1], place[:1], np.array([50], kind), np.array([60], kind))
        index.close(4, 55)
        for strict in (False, True):
            found = index.spread([(0, 0)], strict=strict)
            for one in range(len(found.labels.hops)):
                found.walk(one)
            index.turned().spread([(0, 0)], strict=strict, max_hops=2)
        index.seal()
        index.spread([(0, 0)], strict=False)
    told(len(TIMES), len(TIMES))
