"""The garbage collector of a process that stays: it looks through what comes and goes, not through what was loaded.

docs/capture-speed.md (what it saves).
"""

import gc
from typing import Final

COLLECTED_AFTER: Final = (10_000, 20, 50)
"""Objects more than before, and rounds: a document of a hundred events makes some thousands and leaves no cycles."""


def spare() -> None:
    """Let it leave alone what was loaded to stay; looking through that took a tenth of a capture, and of a seal."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
