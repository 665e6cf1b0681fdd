"""Cases over HTTP: the whole way, the two-person rule by keys, and that no identity stays in jobs, logs or answers."""

import io
import zipfile
from typing import Any

import pytest

from sudonglian.api.commands import sample
from sudonglian.chain import canonical

STORY = sample.stories()["frozen-fish"]
OPENING = {"name": "H-1", "purpose": "a positive pallet", "basis": "law", "responsible": "Ana"}
PHONE = "19900000503"


@pytest.fixture(scope="module")
def outbreak(served: Any, make: Any) -> Any:
    """A server with the sample outbreak, and a case with its line list."""
    for name, raw in sample.documents("frozen-fish").items():
        job = served.ask("POST", "/epcis/v2/capture", raw, token=name).json
        assert job["success"], job["errors"]
    assert served.ask("POST", "/cases", OPENING, token="epidemiologist").status == 201
    seed = {"subject": STORY["seed"], "at": STORY["at"], "result": "positive", "ct": "31.5", "sample": "packaging"}
    assert served.ask("POST", "/cases/H-1/seeds", seed, token="epidemiologist").status == 201
    asked = served.ask("POST", "/traces", {**asking(), "case": "H-1"}, token="epidemiologist")
    assert asked.status == 202, asked
    served.wait_for(asked.headers["location"], lambda one: one["state"] == "success", "epidemiologist")
    return served


def asking() -> dict[str, Any]:
    return {"seed": STORY["seed"], "at": STORY["at"]}


def code(answer: Any) -> str:
    return str(answer.json["type"]).rpartition(":")[2]


def test_a_case_has_its_run_and_line_list(outbreak: Any) -> None:
    case = outbreak.ask("GET", "/cases/H-1", token="investigator").json
    assert (case["members"], len(case["runs"]), case["runs"][0]["by"][:8]) == (26, 1, "account:")
    rows = outbreak.ask("GET", "/cases/H-1/members", token="investigator").json["members"]
    assert len(rows) == 26
    counts = outbreak.ask("GET", "/cases/H-1/counts", token="investigator").json
    assert counts["counts"]["tier"]["cells"] == {"close": None, "general": None}
    assert PHONE not in str(rows) + str(case)


def test_who_may_not_work_in_cases_traces_for_none(outbreak: Any) -> None:
    refused = outbreak.ask("POST", "/traces", {**asking(), "case": "H-1"}, token="tracer")
    assert (refused.status, code(refused)) == (403, "forbidden")
    unknown = outbreak.ask("POST", "/traces", {**asking(), "case": "H-9"}, token="epidemiologist")
    assert (unknown.status, code(unknown)) == (404, "case-unknown")


def test_identities_take_another_person(outbreak: Any) -> None:
    asked = outbreak.ask("POST", "/cases/H-1/reveals", {"why": "call"}, token="both")
    number, where = asked.json["reveal"], asked.headers["location"]
    own = outbreak.ask("POST", f"/reveals/{number}/approve", token="both")
    assert (own.status, code(own)) == (403, "reveal-own")
    early = outbreak.ask("POST", f"{where}/release", token="both")
    assert (early.status, code(early)) == (409, "reveal-over")
    told = outbreak.ask("GET", f"/reveals/{number}", token="approver").json
    assert (told["count"], told["why"], "persons" in told) == (26, "call", False)
    assert outbreak.ask("POST", f"/reveals/{number}/approve", token="approver").json["state"] == "approved"
    other = outbreak.ask("POST", f"{where}/release", token="investigator")
    assert (other.status, code(other)) == (403, "reveal-own")
    shown = outbreak.ask("POST", f"{where}/release", token="both")
    assert shown.status == 200
    assert PHONE.encode() in shown.body
    assert shown.headers["cache-control"] == "no-store"
    again = outbreak.ask("POST", f"{where}/release", token="both")
    assert (again.status, code(again)) == (409, "reveal-over")
    assert PHONE not in "".join(outbreak.lines)
    for path in ("/cases/H-1", "/cases/H-1/timeline", where):
        assert PHONE.encode() not in outbreak.ask("GET", path, token="both").body
    person = shown.json["identities"][0]["person"]
    looks = outbreak.ask("GET", f"/access/persons/{person}", token="auditor").json["looks"]
    assert [one["what"] for one in looks] == ["trace", "reveal"]
    assert looks[1]["approved_by"] != looks[1]["by"]
    proof = outbreak.wait_for(f"/access/entries/{looks[1]['entry']}/proof", lambda one: "entry" in one, "auditor")
    assert canonical.parse_stored(proof["entry"].encode())["person"] == person  # type: ignore[index, call-overload]


def test_what_is_withdrawn_is_over(outbreak: Any) -> None:
    where = outbreak.ask("POST", "/cases/H-1/reveals", {"why": "call"}, token="both").headers["location"]
    other = outbreak.ask("POST", f"{where}/withdraw", {"why": "x"}, token="investigator")
    assert (other.status, code(other)) == (403, "reveal-own")
    assert outbreak.ask("POST", f"{where}/withdraw", {"why": "x"}, token="both").json["state"] == "refused"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/cases", {**OPENING}, 409),
        ("/cases", {**OPENING, "name": "77"}, 422),
        ("/cases", {**OPENING, "name": "H-3", "basis": " "}, 422),
        ("/cases", {"name": "H-3"}, 422),
        ("/cases/H-1/seeds", {"subject": "nothing", "at": STORY["at"]}, 400),
        ("/cases/H-1/seeds", {"subject": STORY["seed"], "at": "today"}, 400),
        ("/cases/H-1/seeds", {"subject": "person:1234567890123456", "at": STORY["at"], "kind": "lot"}, 422),
        ("/cases/H-1/results", {"subject": "person:5", "result": "negative", "at": STORY["at"]}, 422),
        ("/cases/H-1/statuses", {"person": 5, "status": "contacted"}, 422),
        ("/cases/H-1/merge", {"other": "H-1", "why": "x"}, 422),
        ("/cases/H-1/merge", {"other": "H-9", "why": "x"}, 404),
        ("/cases/H-1/split", {"other": "H-1", "why": "x", "persons": [5]}, 422),
        ("/cases/H-1/part", {"other": "H-1", "why": "x"}, 422),
        ("/cases/H-1/reopen", {"why": "x"}, 422),
        ("/cases/H-1/reveals", {"why": "x", "persons": [5]}, 409),
        ("/cases/H-1/reveals/99/release", None, 404),
    ],
)
def test_what_cannot_be_is_a_problem(outbreak: Any, path: str, body: Any, status: int) -> None:
    answer = outbreak.ask("POST", path, body, token="investigator")
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"


def test_exports_by_pseudonym_for_who_works_in_cases_and_with_identities_once(outbreak: Any) -> None:
    path = "/cases/H-1/exports/line-list"
    got = outbreak.ask("GET", path, token="investigator", headers={"Accept-Language": "zh"})
    assert (got.status, got.body[:2]) == (200, b"PK")
    assert got.headers["content-disposition"] == 'attachment; filename="case-1-line-list.xlsx"'
    assert got.headers["cache-control"] == "no-store"
    assert "化名或标识" in text_of(got.body)
    assert PHONE not in text_of(got.body)
    for other in ("tracer", "approver", "auditor", "worker", "firm", "operator"):
        assert outbreak.ask("GET", path, token=other).status == 403
        assert outbreak.ask("POST", path, {"reveal": 1}, token=other).status == 403
    assert outbreak.ask("GET", path).status == 401
    unknown = outbreak.ask("GET", "/cases/H-1/exports/doc", token="investigator")
    assert (unknown.status, code(unknown)) == (422, "case-export")
    number = outbreak.ask("POST", "/cases/H-1/reveals", {"why": "call"}, token="investigator").json["reveal"]
    early = outbreak.ask("POST", path, {"reveal": number}, token="investigator")
    assert (early.status, code(early)) == (409, "reveal-over")
    assert outbreak.ask("POST", f"/reveals/{number}/approve", token="approver").status == 200
    own = outbreak.ask("POST", path, {"reveal": number}, token="both")
    assert (own.status, code(own)) == (403, "reveal-own")
    shown = outbreak.ask("POST", path, {"reveal": number}, token="investigator", headers={"Idempotency-Key": "e-1"})
    assert (shown.status, PHONE in text_of(shown.body)) == (200, True)
    again = outbreak.ask("POST", path, {"reveal": number}, token="investigator", headers={"Idempotency-Key": "e-1"})
    assert (again.status, code(again)) == (409, "reveal-over")
    assert PHONE not in "".join(outbreak.lines)


def text_of(body: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return archive.read("xl/sharedStrings.xml").decode()
