"""After `sudonglian warm` nothing is left to compile: not for a trace by the compiled kernel, nor for a table of stays."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

USE = """
import numpy as np
from tests.trace.questions import answered, question
from tests.trace.worlds import crowd
from sudonglian.trace.engine import compiled
from sudonglian.trace.engine.stays.index import StayIndex
compiled.LARGE = 0
for number in range(6):
    asked = question(crowd(number), number)
    if asked is not None:
        answered(crowd(number), asked)
party, place = np.int32([0, 1, 1, 2]), np.int32([0, 0, 1, 1])
for kind in (np.int32, np.int64):
    index = StayIndex(party, place, kind([0, 5, 20, 25]), kind([10, 15, 30, 40]), linger=3)
    index.spread([(0, 0)], strict=True)
    index.turned().spread([(2, 0)], max_hops=1, until=40)
"""


def test_nothing_is_compiled_afterwards(tmp_path: Path) -> None:
    own = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    program = Path(sys.executable).parent / "sudonglian"
    subprocess.run([program, "warm"], env=own, check=True, capture_output=True)
    made = {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*.nbc")}
    assert len(made) > 10
    subprocess.run([sys.executable, "-c", USE], env=own, check=True, cwd=ROOT)
    assert {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*.nbc")} == made
