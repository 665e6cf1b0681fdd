"""The table of facts: what the page prints is what the engine reads, step by step (docs/spec/facts.md §3)."""

import json
import re
from importlib.resources import files
from pathlib import Path


def test_the_engine_s_table_is_the_one_of_the_page() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "spec" / "facts.md").read_text(encoding="utf-8")
    printed = {
        cells[0]: cells[1:]
        for line in page.splitlines()
        if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 8 and re.fullmatch(r"F\d\d", cells[0])
    }
    read = json.loads(files("sudonglian.trace.engine").joinpath("data", "facts.json").read_bytes())["rules"]
    assert [rule["id"] for rule in read] == list(printed)
    for rule in read:
        types, action, steps, stay, nest, lot, rank = printed[rule["id"]]
        named = [f"{name}Event" for name in types.split(" (")[0].split(", ")]
        assert rule["type"] == (["*"] if named == ["anyEvent"] else named)
        assert rule["action"] == (["*"] if action == "any" else [action])
        assert rule["step"] == (["*"] if steps == "any" else steps.split())
        assert (rule["stay"], rule["rank"]) == (stay, int(rank))
        assert rule["nest"] == {"–": "none"}.get(nest, nest)
        ships = rule["stay"] in ("leave", "sell")
        assert ("receive" if rule["receive"] else "ship" if ships else "show") == lot
