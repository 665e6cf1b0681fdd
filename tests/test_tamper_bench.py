"""The tamper bench: its table is the one in the documents, and says what the project promises."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def bench(*arguments: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "tamper_bench"), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def test_the_table_in_the_documents_is_what_the_bench_prints() -> None:
    assert bench() in (ROOT / "docs" / "tamper.md").read_text(encoding="utf-8"), (
        "run scripts/tamper_bench and put its table into docs/tamper.md"
    )


def test_what_each_way_catches() -> None:
    rows = {row["id"]: row for row in json.loads(bench("--json"))["rows"]}
    assert {name for name, row in rows.items() if not row["bundle"]} == {"less-said", "false-from-the-start"}
    # What the Event Hash ID is known not to see (CBV 2.0 §8.9 as its reference implementation reads it).
    for name in ("declaration-digit", "lot-zeros", "list-order", "event-id", "error-declaration", "event-dropped"):
        assert not rows[name]["event_hash_id"], name
    for name in ("event-dropped", "event-denied", "back-dated", "history-rewritten", "signature-swapped"):
        assert not rows[name]["batch_root"], name
    assert rows["event-dropped"]["by"] == "lots"
    assert rows["history-rewritten"]["by"] == "contract: Inconsistent"
    assert rows["forked"]["by"] == "monitor: fork"
    assert rows["map-lies"]["by"] == "monitor: lot-map"
