"""`retrace`: a kept answer is made again to the same bytes, and one that was altered is told."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sudonglian.api.commands import sample

STORY = sample.stories()["frozen-fish"]


def test_a_kept_answer_is_made_again_and_an_altered_one_is_told(run: Callable[..., Any], tmp_path: Path) -> None:
    assert run("sample", "load", "frozen-fish").code == 0
    ask = ("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "a drill", "--json")
    asked = run(*ask, "--persistence", "location=6h").json
    done = run("retrace", str(asked["trace"]), "--json")
    assert done.code == 0
    assert done.json["same"] is True
    assert done.json["document_hash"] == done.json["made_hash"] == asked["document_hash"]
    [database] = tmp_path.rglob("*.db")
    with sqlite3.connect(database) as connection:
        connection.execute(
            "UPDATE traces SET document = CAST(REPLACE(CAST(document AS TEXT), 'certain', 'curtain') AS BLOB)"
        )
    altered = run("retrace", str(asked["trace"]), "--json")
    assert (altered.code, altered.json["same"]) == (1, False)
    assert run("retrace", "99").code == 1
