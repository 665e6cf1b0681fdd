"""Tasks over HTTP: a worker does its own, sees nobody else's, and no telephone stays in logs or other answers."""

from typing import Any

import pytest
from tests.api.http.test_cases import PHONE, STORY, asking, code

from sudonglian.api.commands import sample

OPENING = {"name": "T-1", "purpose": "a positive pallet", "basis": "law", "responsible": "Ana"}


@pytest.fixture(scope="module")
def outbreak(served: Any, make: Any) -> Any:
    """A server with the sample outbreak, and a case with its line list and a task for everybody."""
    for name, raw in sample.documents("frozen-fish").items():
        assert served.ask("POST", "/epcis/v2/capture", raw, token=name).status < 300
    ask = {"token": "epidemiologist"}
    assert served.ask("POST", "/cases", OPENING, **ask).status == 201
    seed = {"subject": STORY["seed"], "at": STORY["at"], "result": "positive"}
    assert served.ask("POST", "/cases/T-1/seeds", seed, **ask).status == 201
    asked = served.ask("POST", "/traces", {**asking(), "case": "T-1"}, **ask)
    served.wait_for(asked.headers["location"], lambda one: one["state"] == "success", "epidemiologist")
    made = served.ask("POST", "/cases/T-1/tasks", {"area": "A", "advice": "stay"}, **ask)
    # The sample's, and whoever other documents of this server brought to its places.
    assert (made.status, len(made.json["tasks"])) == (201, served.ask("GET", "/cases/T-1", **ask).json["members"])
    assert len(made.json["tasks"]) >= 26
    return served


def mine(outbreak: Any, token: str = "worker") -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = outbreak.ask("GET", "/tasks", token=token).json["tasks"]
    return told


def test_a_worker_does_its_own_and_sees_nobody_elses(outbreak: Any) -> None:
    assert mine(outbreak) == []
    first = outbreak.ask("GET", "/cases/T-1/tasks", token="investigator").json["tasks"][0]["task"]
    unseen = outbreak.ask("GET", f"/tasks/{first}", token="worker")
    assert (unseen.status, code(unseen)) == (404, "task-unknown")
    given = outbreak.ask("POST", "/cases/T-1/tasks/assign", {"to": "worker", "area": "A"}, token="investigator")
    assert (given.status, len(given.json["tasks"])) == (
        200,
        len(outbreak.ask("GET", "/cases/T-1/tasks", token="investigator").json["tasks"]),
    )
    own = mine(outbreak)
    assert [one["order"] for one in own][:2] == [1, 2]
    assert {"case", "assignee", "closed_by"} & set(own[0]) == set()
    assert mine(outbreak, "neighbour") == []
    for path, body in (("", None), ("/reach", {}), ("/close", {"outcome": "reached"}), ("/hand-back", {"why": "x"})):
        method = "GET" if body is None else "POST"
        refused = outbreak.ask(method, f"/tasks/{own[0]['task']}{path}", body, token="neighbour")
        assert (refused.status, code(refused)) == (404, "task-unknown"), path


def test_a_telephone_takes_an_approval_for_tasks(outbreak: Any) -> None:
    outbreak.ask("POST", "/cases/T-1/tasks/assign", {"to": "worker", "area": "A"}, token="investigator")
    number = mine(outbreak)[0]["task"]
    early = outbreak.ask("POST", f"/tasks/{number}/reach", {}, token="worker")
    assert (early.status, code(early)) == (409, "task-not-revealed")
    body = {"why": "calls", "for_tasks": True}
    reveal = outbreak.ask("POST", "/cases/T-1/reveals", body, token="investigator").json["reveal"]
    assert outbreak.ask("GET", f"/reveals/{reveal}", token="approver").json["for_tasks"] is True
    assert outbreak.ask("POST", f"/reveals/{reveal}/approve", token="approver").status == 200
    shown = {}
    for one in mine(outbreak):
        answer = outbreak.ask("POST", f"/tasks/{one['task']}/reach", {}, token="worker")
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
        shown[one["subject"]] = answer.json["reach"]
    assert PHONE in str(shown)
    assert {len(one) for one in shown.values()} == {1}
    assert PHONE not in "".join(outbreak.lines)
    for path, token in (("/tasks", "worker"), ("/cases/T-1/tasks", "investigator"), ("/cases/T-1/timeline", "both")):
        assert PHONE.encode() not in outbreak.ask("GET", path, token=token).body
    (person,) = (one for one, reach in shown.items() if PHONE in str(reach))
    looks = outbreak.ask("GET", f"/access/persons/{person}", token="auditor").json["looks"]
    assert (looks[-1]["what"], looks[-1]["reveal"]) == ("reveal", reveal)
    closed = outbreak.ask("POST", f"/tasks/{number}/close", {"outcome": "reached"}, token="worker")
    assert (closed.status, closed.json["outcome"]) == (200, "reached")
    again = outbreak.ask("POST", f"/tasks/{number}/reach", {}, token="worker")
    assert (again.status, code(again)) == (409, "task-over")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/cases/T-9/tasks", {}, 404),
        ("/cases/T-1/tasks", {"kind": "seal"}, 422),
        ("/cases/T-1/tasks", {"tiers": ["worst"]}, 422),
        ("/cases/T-1/tasks", {"persons": [5]}, 422),
        ("/cases/T-1/tasks", {"due": "soon"}, 400),
        ("/cases/T-1/tasks", {"place": "nowhere"}, 400),
        ("/cases/T-1/tasks", {"more": 1}, 422),
        ("/cases/T-1/tasks/assign", {"to": "worker"}, 422),
        ("/cases/T-1/tasks/assign", {"to": "nobody", "area": "A"}, 422),
        ("/cases/T-1/tasks/99999/close", {"outcome": "reached"}, 404),
    ],
)
def test_what_cannot_be_is_a_problem(outbreak: Any, path: str, body: Any, status: int) -> None:
    answer = outbreak.ask("POST", path, body, token="investigator")
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
