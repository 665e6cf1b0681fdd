"""Interviews on the page of a case: recorded, flagged, withdrawn; a positive person becomes a seed."""

from pathlib import Path
from typing import Any, Final

from tests.pages.test_cases_page import STORY, someone

TOLD: Final = ("--purpose", "a positive pallet", "--basis", "law", "--responsible", "Ana")
KITCHEN: Final = "https://id.gs1.org/414/9520001001062/254/kitchen"
FRIEND: Final = "13812345678"


def test_a_statement_is_recorded_flagged_and_withdrawn_on_the_page(serve: Any, tmp_path: Path) -> None:
    with serve(tmp_path / "data", SUDONGLIAN_SUBMITTER="urn:sudonglian:submitter:cdc") as site:
        site.run("sample", "load")
        site.run("case", "open", "I-1", *TOLD)
        site.run("case", "seed", "I-1", STORY["seed"], "--at", STORY["at"], "--result", "positive")
        site.run("case", "run", "I-1")
        person = site.run("case", "members", "I-1")["members"][0]["person"]
        ana = someone(site, "case", "trace")
        said = {"person": f"person:{person}", "with": f"phone:{FRIEND}=李四", "by": "self", "certainty": "remembered"}
        said |= {
            "place": KITCHEN,
            "goods": "",
            "contact": "",
            "begin": "2024-11-11T19:00",
            "begin_to": "2024-11-11T19:30",
        }
        said |= {"end": "2024-11-11T21:00", "end_to": "", "told": "2024-11-13T09:00"}
        wrong = ana.post("/board/1/interview", {**said, "told": "2024-11-10T09:00"}, on="/board")
        assert wrong.status == 422
        assert FRIEND not in wrong.text
        assert ana.post("/board/1/interview", dict(said), on="/board").status == 303
        again = {**said, "place": "https://id.gs1.org/414/9520001001079", "with": "", "end": "2024-11-11T22:00"}
        assert ana.post("/board/1/interview", again, on="/board").status == 303
        for lang, words in (("zh", "两次陈述称此人同时在两处"), ("en", "two statements have the person in two places")):
            shown = ana.get(f"/board/1?lang={lang}").text
            assert words in shown
            assert KITCHEN in shown
            assert FRIEND not in shown
            assert "李四" not in shown
        (first, _) = ana.get("/board/1.json").json["said"]
        taken_back = {"record": first["record_hash"], "why": "another evening"}
        assert ana.post("/board/1/withdraw", taken_back, on="/board").status == 303
        told = ana.get("/board/1.json").json
        assert [bool(one["withdrawn"]) for one in told["said"]] == [True, False]
        test = {"person": str(person), "at": "2024-11-12T09:00", "ct": "24.1", "sample": "咽拭子"}
        for _ in range(2):
            assert ana.post("/board/1/positive", dict(test), on="/board").status == 303
        assert [one["subject"] for one in ana.get("/board/1.json").json["seeds"]] == [STORY["seed"], str(person)]
        assert someone(site, "trace").get("/board/1").status == 403
