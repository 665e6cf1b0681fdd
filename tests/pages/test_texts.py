"""Every text that a page uses exists in both languages, and every text that exists is used."""

import re
import string
from pathlib import Path

from sudonglian.api.pages.language import preferred, texts, word

PAGES = Path(__file__).resolve().parents[2] / "api" / "sudonglian" / "api" / "pages"

FROM_DATA = (
    "state.",
    "bizstep.",
    "role.",
    "account.role.",
    "tier.",
    "note.",
    "contact.",
    "fact.",
    "step.",
    "evidence.",
    "next.",
    "stage.",
    "name.",
    "confirmation.",
    "side.",
    "signature.",
    "temperature.calibration.",
    "temperature.excursion.",
    "temperature.measured.",
    "item.fact.",
    "paper.",
    "case_state.",
    "case_status.",
    "case_reveal.",
    "case_kind.",
    "case_do.",
    "case_form.",
    "case_said.",
    "case_place.",
    "case_asked.",
    "case_signed.",
    "case_certainty.",
    "case_contact.",
    "case_by.",
    "case.first_list",
    "case.all_reached",
    "country.",
    *("audit_kind.", "audit.fact.", "verdict."),
    *("task_kind.", "task_outcome.", "task_state.", "task_count.", "task_tier.", "task_missing."),
    *("once.", "once_how.", "team_state.", "team_do.", "team_key."),
    *("hook_count.", "hook_state.", "hook_do.", "hook_message.", "hook_type."),
    *("nav.todo", "nav.team", "nav.hooks"),
    *("views.", "kind.", "list.", "sort.", "places.", "filter."),
)
"""Texts whose key ends with what data say."""

KINDS = {f"answer.{kind}" for kind in ("person", "place", "item")}


def used() -> set[str]:
    found: set[str] = set()
    for file in PAGES.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for call in re.findall(r"\bt\(([^)]*)\)", text):
            found |= set(re.findall(r"'([a-z_]+\.[A-Za-z_.]+)'", call))
        found |= set(re.findall(r"\('/[a-z]*', '(nav\.[a-z_]+)'\)", text))
    for file in PAGES.glob("*.py"):
        found |= set(re.findall(r"word\(\s*[a-z_.]+,\s*\"([a-z_]+\.[a-z_.]+)\"", file.read_text(encoding="utf-8")))
    return found


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_every_text_is_there_and_used() -> None:
    needed = used()
    assert len(needed) > 100
    assert needed - set(texts()) == set()
    assert {key for key in set(texts()) - needed - KINDS if not key.startswith(FROM_DATA)} == set()


def test_both_languages_say_the_same_values() -> None:
    for key, both in texts().items():
        assert set(both) == {"zh", "en"}, key
        assert fields(both["zh"]) == fields(both["en"]), key
        assert bool(both["zh"]) == bool(both["en"]), key


def test_chinese_is_chinese() -> None:
    same = {key for key, both in texts().items() if both["zh"] == both["en"]}
    assert same == {"verify.files", "contact.", "tier."}


def test_the_browsers_language() -> None:
    assert preferred("") == "zh"
    assert preferred("en") == "en"
    assert preferred("en;q=0.2, zh-TW;q=0.3") == "zh"
    assert preferred("en;q=x, zh;q=9999") == "zh"
    assert preferred("," * 10_000) == "zh"
    assert (word("zh", "name.nth", n=3), word("en", "name.nth", n=3)) == ("人员3", "person 3")
