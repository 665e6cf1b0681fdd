"""A case as files: persons by pseudonym unless a second person approved it, and nothing of an identity stays here."""

import io
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.api.test_cases import PHONE, STORY, TOLD, key

Run = Callable[..., Any]
PSEUDONYM = re.compile(r"p-[a-z2-7]{24}")


@pytest.fixture
def case(run: Run) -> Run:
    """The command line with the sample, a case named like a formula, and its line list."""
    assert run("sample", "load").code == 0
    opened(run, "=1+1")
    return run


def opened(run: Run, name: str) -> None:
    assert run("case", "open", name, *TOLD).code == 0
    assert run("case", "seed", name, STORY["seed"], "--at", STORY["at"], "--result", "positive").code == 0
    assert run("case", "run", name).code == 0


def written(run: Run, file: Path, *more: str, case: str = "1") -> dict[str, Any]:
    done = run("case", "export", case, "--format", "line-list", "-o", str(file), "--json", *more)
    assert done.code == 0, done.err
    return dict(done.json)


def sheets(body: bytes) -> list[list[list[Any]]]:
    book = openpyxl.load_workbook(io.BytesIO(body))
    assert not [cell for sheet in book for row in sheet for cell in row if cell.data_type == "f"]
    return [[["" if one is None else one for one in row] for row in sheet.values] for sheet in book]


def unpacked(body: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def approved(run: Run, tmp_path: Path, *persons: str) -> str:
    """Ask for the identities of the line list, have another person approve it, and return the reveal's number."""
    asked = run("case", "reveal", "ask", "1", "--reason", "call & quarantine", *persons, "--json").json
    approver = key(tmp_path, "reveal-approve")
    assert run("case", "reveal", "approve", str(asked["reveal"]), "--key-file", approver).code == 0
    return str(asked["reveal"])


def test_a_line_list_has_everybody_by_pseudonym_and_says_what_it_rests_on(case: Run, tmp_path: Path) -> None:
    people = case("case", "members", "1", "--json").json["members"]
    told = written(case, tmp_path / "l.xlsx", "--lang", "en")
    body = (tmp_path / "l.xlsx").read_bytes()
    members, about, names = sheets(body)
    head, rows = members[0], [dict(zip(members[0], row, strict=True)) for row in members[1:]]
    assert head[:2] == ["pseudonym or identifier", "kind"]
    persons = [row for row in rows if row["kind"] == "person"]
    assert (len(persons), len(rows), told["members"]) == (26, 58, 58)
    assert {row["kind"] for row in rows} == {"person", "goods", "place"}
    assert all(PSEUDONYM.fullmatch(row["pseudonym or identifier"]) for row in persons)
    # In the line list's own order, with what the list itself says.
    assert [(row["tier"], row["rule"], row["status"]) for row in persons] == [
        (one["tier"], one["reason"], one["status"]) for one in people
    ]
    assert all(re.fullmatch(r"[0-9a-f]{64}( [0-9a-f]{64})*", row["records of the walk"]) for row in rows)
    assert persons[0]["walk in words"].startswith(f"1. person {persons[0]['pseudonym or identifier']} shared")
    said = {row[0]: row[1] for row in about}
    assert (said["name"], said["case"], said["persons"], said["made_by"][:4]) == ("=1+1", "1", "26", "cli:")
    assert [said["trace 1 document_hash"]] == told["documents"]
    assert (said["trace 1 versions policy"], said["trace 1 query seed"]) == ("policy/1", STORY["seed"])
    assert len(said["trace 1 log root"]) == 64
    assert ["https://id.gs1.org/414/9520001001031/254/dock", "监管冷库 拆箱月台"] in names
    plain = unpacked(body)
    assert PHONE not in plain
    assert not [one for one in people if str(one["person"]) in plain]


def test_chinese_headings_and_sentences(case: Run, tmp_path: Path) -> None:
    written(case, tmp_path / "l.xlsx", "--lang", "zh")
    members, about, _ = sheets((tmp_path / "l.xlsx").read_bytes())
    assert members[0][:5] == ["化名或标识", "类别", "批次", "批次所在", "判定"]
    assert members[1][members[0].index("路径")].startswith("1. 人员 p-")
    assert about[0] == ["项目", "内容"]


def test_pseudonyms_join_the_exports_of_one_case_and_of_no_other(case: Run, tmp_path: Path) -> None:
    opened(case, "C-2")
    found = []
    for number, name in enumerate(("1", "1", "C-2")):
        file = tmp_path / f"{number}.xlsx"
        written(case, file, case=name)
        found.append(set(PSEUDONYM.findall(unpacked(file.read_bytes()))))
    assert len(found[0]) == 26
    assert found[0] == found[1]
    assert not found[0] & found[2]


def test_a_person_who_is_a_seed_has_a_pseudonym_too(case: Run, tmp_path: Path) -> None:
    person = str(case("case", "members", "1", "--json").json["members"][0]["person"])
    assert case("case", "seed", "1", f"person:{person}", "--at", STORY["at"], "--result", "positive").code == 0
    assert case("case", "run", "1", "--seed", "1").code == 0
    written(case, tmp_path / "l.xlsx")
    about = sheets((tmp_path / "l.xlsx").read_bytes())[1]
    assert PSEUDONYM.fullmatch({row[0]: row[1] for row in about}["trace 2 query seed"])
    assert person not in unpacked((tmp_path / "l.xlsx").read_bytes())


def test_tasks_and_what_came_of_them(case: Run, tmp_path: Path) -> None:
    assert case("case", "tasks", "make", "1", "--tier", "close").code == 0
    assert case("case", "tasks", "close", "1", "reached").code == 0
    assert case("case", "tasks", "goods", "1", "--kind", "seal").code == 0
    written(case, tmp_path / "l.xlsx", "--lang", "en")
    members = sheets((tmp_path / "l.xlsx").read_bytes())[0]
    column = members[0].index("tasks and outcomes")
    assert members[1][column] == "contact: reached"
    assert members[1][members[0].index("status")] == "contacted"
    assert members[2][column] == "contact: open"
    assert {row[column] for row in members[1:] if row[1] == "goods"} == {"seal: open"}


def test_identities_take_an_approved_reveal_and_are_marked(
    case: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret.xlsx"
    told = ("case", "export", "1", "--format", "line-list", "-o", str(file), "--identities", "--json")
    assert case(*told).code == 64
    assert case(*told, "--reveal", "1").json["error"]["code"] == "reveal-unknown"
    assert case("case", "reveal", "ask", "1", "--reason", "call").code == 0
    assert case(*told, "--reveal", "1").json["error"]["code"] == "reveal-over"  # not approved
    assert not file.exists()
    number = approved(case, tmp_path)
    # No library may put a part of it into a file of its own.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    made = case(*told, "--reveal", number, "--lang", "en")
    assert (made.code, made.json["reveal"]) == (0, int(number)), made.err
    monkeypatch.undo()
    monkeypatch.setenv("SUDONGLIAN_DATA", str(tmp_path / "data"))
    members, about, _ = sheets(file.read_bytes())
    assert members[0][0].startswith("Personal data, for cli:")
    assert "for: call & quarantine" in members[0][0]
    assert PHONE in {part for row in members for part in row[2].split()}
    said = {row[0]: row[1] for row in about[1:]}
    assert (said["why"], said["approved_by"][:8], said["asked_by"][:4]) == ("call & quarantine", "account:", "cli:")
    looks = case("access", "case", "1", "--json").json["looks"]
    assert len([one for one in looks if one["what"] == "reveal" and one["reveal"] == int(number)]) == 26
    assert case(*told, "--reveal", number).json["error"]["code"] == "reveal-over"  # once
    for one in (tmp_path / "data").rglob("*"):
        if one.is_file():
            assert PHONE.encode() not in one.read_bytes(), one
    # Whoever has the list with names cannot say who is who in the list without.
    written(case, tmp_path / "l.xlsx")
    known = set(PSEUDONYM.findall(unpacked(file.read_bytes())))
    assert not known & set(PSEUDONYM.findall(unpacked((tmp_path / "l.xlsx").read_bytes())))


def test_a_reveal_of_some_or_of_an_older_list_exports_nothing_and_is_not_used_up(case: Run, tmp_path: Path) -> None:
    people = [str(one["person"]) for one in case("case", "members", "1", "--json").json["members"]]
    number = approved(case, tmp_path, "--person", people[0])
    told = ("case", "export", "1", "--format", "line-list", "-o", str(tmp_path / "s.xlsx"), "--identities", "--json")
    assert case(*told, "--reveal", number).json["error"]["code"] == "reveal"
    whole = approved(case, tmp_path)
    assert case("case", "open", "C-2", *TOLD).code == 0
    assert case("case", "split", "1", "C-2", "--person", people[0], "--reason", "elsewhere").code == 0
    assert case(*told, "--reveal", whole).json["error"]["code"] == "reveal"
    assert not (tmp_path / "s.xlsx").exists()
    assert [one["state"] for one in case("case", "show", "1", "--json").json["reveals"]] == ["approved", "approved"]


def test_who_asked_alone_gets_it_and_who_may_not_work_in_cases_gets_nothing(case: Run, tmp_path: Path) -> None:
    number = approved(case, tmp_path)
    told = ("case", "export", "1", "--format", "line-list", "-o", str(tmp_path / "s.xlsx"), "--json")
    other = key(tmp_path, "case", name="eve")
    refused = case(*told, "--identities", "--reveal", number, "--key-file", other)
    assert refused.json["error"]["code"] == "reveal-own"
    assert case(*told, "--key-file", other).code == 0
    for scope in ("reveal-approve", "access-log", "trace"):
        assert case(*told, "--key-file", key(tmp_path, scope)).json["error"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--format", "doc"), "case-export"),
        (("--format", "line-list", "--reveal", "1"), "usage"),
        (("--format", "line-list", "-o", "/nowhere/l.xlsx"), "file"),
    ],
)
def test_what_cannot_be_exported(case: Run, tmp_path: Path, more: tuple[str, ...], code: str) -> None:
    done = case("case", "export", "1", "-o", str(tmp_path / "l.xlsx"), *more, "--json")
    assert done.json["error"]["code"] == code
    assert case("case", "export", "9", "--format", "line-list", "-o", str(tmp_path / "l.xlsx")).code == 1
