"""An exported list is what the trace says: made again as of its event, whatever was done since, and no cell passes changed."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from tests.api.test_cases import TOLD
from tests.api.test_exports import approved, case, written

from sudonglian.chain.errors import SudonglianError
from sudonglian.records import traces
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import TRACES
from sudonglian.trace.casework.exports import checking

__all__ = ["case"]

Run = Callable[..., Any]


@pytest.fixture
def exported(case: Run, tmp_path: Path) -> tuple[Run, Path]:
    """The command line, and a line list that it wrote."""
    written(case, tmp_path / "l.xlsx", "--lang", "en")
    return case, tmp_path / "l.xlsx"


def changed(file: Path, change: Callable[[Any], None]) -> Path:
    book = openpyxl.load_workbook(file)
    change(book)
    book.save(file.with_name("changed.xlsx"))
    return file.with_name("changed.xlsx")


def test_a_list_holds_whatever_was_done_in_the_case_since(exported: tuple[Run, Path], tmp_path: Path) -> None:
    run, file = exported
    told = run("case", "check-export", str(file), "--json").json
    assert told == {"ok": True, "case": 1, "format": "line-list", "rows": 58, "differences": [],
                    "traces": [{"trace": 1, "same": True}]}  # fmt: skip
    person = str(run("case", "members", "1", "--json").json["members"][0]["person"])
    assert run("case", "status", "1", person, "contacted").code == 0
    assert run("case", "tasks", "make", "1").code == 0
    assert run("case", "open", "C-2", *TOLD).code == 0
    assert run("case", "split", "1", "C-2", "--person", person, "--reason", "elsewhere").code == 0
    assert run("case", "run", "1", "--lookback", "1d").code == 0
    assert run("case", "check-export", str(file)).code == 0
    written(run, tmp_path / "later.xlsx", "--lang", "zh")
    later = run("case", "check-export", str(tmp_path / "later.xlsx"), "--json").json
    assert (later["ok"], len(later["traces"])) == (True, 2)


def test_contacts_for_sormas_and_lists_with_identities(case: Run, tmp_path: Path) -> None:
    assert case("case", "export", "1", "--format", "sormas", "-o", str(tmp_path / "c.csv")).code == 0
    assert case("case", "check-export", str(tmp_path / "c.csv")).code == 0
    wrong = (tmp_path / "c.csv").read_text("utf-8").replace("tier close", "tier general", 1)
    (tmp_path / "w.csv").write_text(wrong, "utf-8", newline="")
    told = case("case", "check-export", str(tmp_path / "w.csv"), "--json")
    assert (told.code, [one["column"] for one in told.json["differences"]]) == (1, ["description"])
    for form, name in (("line-list", "s.xlsx"), ("sormas", "s.csv")):
        reveal = approved(case, tmp_path)
        named = ("--identities", "--reveal", reveal)
        assert case("case", "export", "1", "--format", form, "-o", str(tmp_path / name), *named).code == 0
        checked = case("case", "check-export", str(tmp_path / name), "--json")
        assert checked.json["ok"], checked.json["differences"][:3]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda book: book.worksheets[0].__setitem__("E2", "general"), "tier"),
        (lambda book: book.worksheets[0].__setitem__("N3", "2024-11-10 14:00:01"), "earliest"),
        (lambda book: book.worksheets[0].delete_rows(10), "member"),
        (lambda book: book.worksheets[0].append(["p-" + "a" * 24, "person"]), "member"),
        (lambda book: book.worksheets[1].__setitem__("B15", "0" * 64), "trace 1 document_hash"),
    ],
)
def test_what_was_changed_is_named(exported: tuple[Run, Path], change: Callable[[Any], None], column: str) -> None:
    run, file = exported
    told = run("case", "check-export", str(changed(file, change)), "--json")
    assert told.code == 1
    assert column in {one["column"] for one in told.json["differences"]}
    assert "should be" in run("case", "check-export", str(changed(file, change)), "--lang", "en").out


def test_a_log_that_gives_another_document_is_told(exported: tuple[Run, Path], tmp_path: Path) -> None:
    run, file = exported
    store = Store(f"sqlite:///{tmp_path / 'data' / 'sudonglian.db'}")
    with store.write() as connection:
        kept = traces.kept(connection, 1).document or b""
        altered = kept.replace(b'"tier":"general"', b'"tier":"close"', 1)
        assert altered != kept
        connection.execute(update(TRACES).values(document=altered))
    store.close()
    told = run("case", "check-export", str(file), "--json")
    assert (told.code, told.json["traces"]) == (1, [{"trace": 1, "same": False}])


def test_what_is_no_list_is_refused_and_nothing_else_happens(exported: tuple[Run, Path], tmp_path: Path) -> None:
    run, file = exported
    assert run("case", "export", "1", "--format", "graphml", "-o", str(tmp_path / "n.graphml")).code == 0
    assert run("case", "check-export", str(tmp_path / "n.graphml"), "--json").json["error"]["code"] == "case-export"
    assert run("case", "check-export", str(tmp_path / "none"), "--json").json["error"]["code"] == "file"
    store, keys = Store(f"sqlite:///{tmp_path / 'data' / 'sudonglian.db'}"), Keys.open(tmp_path / "data" / "keys")
    whole = file.read_bytes()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.binary(max_size=200), st.tuples(st.integers(0, len(whole) - 1), st.binary(max_size=8))))
    def garbage(given: bytes | tuple[int, bytes]) -> None:
        data = given if isinstance(given, bytes) else whole[: given[0]] + given[1] + whole[given[0] + len(given[1]) :]
        # Whatever it is, it is checked or refused: no other error leaves.
        with suppress(SudonglianError):
            checking.check(store, keys, data)

    garbage()
    store.close()
