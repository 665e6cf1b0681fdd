"""The list for SORMAS against the table of docs/sormas.md: columns, types, what stands there and what stays blank."""

import csv
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.api.test_cases import PHONE, STORY, TOLD
from tests.api.test_exports import PSEUDONYM, approved, case

__all__ = ["case"]

Run = Callable[..., Any]
TABLE = Path(__file__).resolve().parents[2] / "docs" / "sormas.md"

ENUMS = {
    "Disease": {"CORONAVIRUS", "OTHER", "UNDEFINED"},
    "ContactIdentificationSource": {"CASE_PERSON", "CONTACT_PERSON", "TRACING_APP", "OTHER", "UNKNOWN"},
    "ContactClassification": {"UNCONFIRMED", "CONFIRMED", "NO_CONTACT"},
    "Sex": {"MALE", "FEMALE", "OTHER", "UNKNOWN"},
}
"""Values of SORMAS that a cell of such a type may have."""


def table() -> dict[str, str]:
    """Return the documented columns with their types, in order."""
    rows = re.findall(r"^\| `([A-Za-z.]+)` \| ([A-Za-z]+) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 20
    return dict(rows)


def contacts(body: bytes) -> tuple[list[str], list[list[str]], list[dict[str, str]]]:
    """Read a file as SORMAS does: comments skipped, a row of entities, a row of columns, trimmed cells."""
    lines = body.decode().split("\r\n")
    comments = [line for line in lines if line.startswith("##")]
    assert lines[: len(comments)] == comments
    head, columns, *rows = csv.reader(lines[len(comments) :])
    rows = [row for row in rows if row]
    assert all(len(row) == len(columns) == len(head) for row in rows)
    return comments, [head, columns], [dict(zip(columns, (one.strip() for one in row), strict=True)) for row in rows]


def holds(kind: str, value: str) -> bool:
    match kind:
        case "blank":
            return not value
        case "date":
            return not value or bool(datetime.strptime(value, "%m/%d/%Y"))
        case "boolean":
            return value in ("true", "false")
        case "text":
            return True
    return value in ENUMS[kind]


def test_contacts_by_pseudonym_are_what_the_table_says(case: Run, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    people = case("case", "members", "1", "--json").json["members"]
    assert case("case", "export", "1", "--format", "sormas", "-o", str(file)).code == 0
    comments, head, rows = contacts(file.read_bytes())
    assert head == [["Contact"] * len(table()), list(table())]
    assert len(rows) == len(people) == 26
    for row in rows:
        assert not [name for name, kind in table().items() if not holds(kind, row[name])]
        assert PSEUDONYM.fullmatch(row["externalID"])
        assert (row["person.firstName"], row["person.lastName"]) == ("pseudonym", row["externalID"])
        assert (row["person.phone"], row["person.sex"]) == ("", "UNKNOWN")
        assert row["lastContactDate"]
        assert row["reportDateTime"]
    # A formula that the case is called stays text on the way, and is the name again after trimming.
    assert rows[0]["caseIdExternalSystem"] == "=1+1"
    assert '" =1+1"' in file.read_text("utf-8")
    assert (rows[0]["firstContactDate"], rows[0]["lastContactDate"]) == ("", "11/10/2024")
    assert {row["highPriority"] for row in rows if "tier close" in row["description"]} == {"true"}
    assert {row["highPriority"] for row in rows if "tier general" in row["description"]} == {"false"}
    assert any(one.startswith("## trace 1 document_hash: ") for one in comments)
    assert PHONE not in file.read_text("utf-8")
    assert not [one for one in people if str(one["person"]) in file.read_text("utf-8")]


def test_the_policy_names_the_disease(case: Run, tmp_path: Path) -> None:
    found = {}
    for policy in ("sars-cov-2-central/1", "norovirus/1", "policy/1"):
        assert case("case", "open", policy, *TOLD).code == 0
        assert case("case", "seed", policy, STORY["seed"], "--at", STORY["at"]).code == 0
        assert case("case", "run", policy, "--policy", policy).code == 0
        file = tmp_path / "contacts.csv"
        assert case("case", "export", policy, "--format", "sormas", "-o", str(file)).code == 0
        found[policy] = {(row["disease"], row["diseaseDetails"]) for row in contacts(file.read_bytes())[2]}
    assert found == {
        "sars-cov-2-central/1": {("CORONAVIRUS", "")},
        "norovirus/1": {("OTHER", "norovirus")},
        "policy/1": {("UNDEFINED", "")},
    }


def test_contacts_with_identities_take_a_reveal(case: Run, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    told = ("case", "export", "1", "--format", "sormas", "-o", str(file), "--identities", "--json")
    assert case(*told, "--reveal", "1").json["error"]["code"] == "reveal-unknown"
    number = approved(case, tmp_path)
    assert case(*told, "--reveal", number).code == 0
    comments, head, rows = contacts(file.read_bytes())
    assert head[1] == list(table())
    assert PHONE in {row["person.phone"] for row in rows}
    assert comments[0].startswith("## Personal data, for cli:")
    assert case(*told, "--reveal", number).json["error"]["code"] == "reveal-over"
