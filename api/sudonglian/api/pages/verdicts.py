"""A verdict as a page shows it: its steps in words, and against which chain it was checked.

service.md (Pages, auditor): never a green tick without saying what was checked against which chain.
"""

from typing import Any

from sudonglian.api.pages.language import word
from sudonglian.api.settings import Lang
from sudonglian.chain.verify_report import LIMITS, STEPS, VERDICTS, WORDS
from sudonglian.chain.verify_steps import Verdict


def shown(verdict: Verdict, lang: Lang, *, own: bool = False) -> dict[str, Any]:
    """Return what templates say of a verdict: `steps` are (name, result, its word, detail); `own` if by the server's trust."""
    against = next((one.detail for one in verdict.steps if one.name == "chain" and one.result == "PASS"), "")
    return {
        "verdict": verdict.verdict,
        "verdict_text": word(lang, f"verdict.{verdict.verdict}") if own else VERDICTS[verdict.verdict][lang],
        "against": against,
        "steps": [
            (
                STEPS[one.name][lang],
                one.result,
                WORDS[one.result][lang],
                WORDS.get(one.detail, {}).get(lang, one.detail),
            )
            for one in verdict.steps
        ],
        "confirmation": WORDS[verdict.confirmation][lang],
        "completeness": WORDS[verdict.completeness][lang],
        "claims_completeness": verdict.completeness != "not claimed",
        "trusted": verdict.trusted,
        "limits": LIMITS[lang],
    }
