"""The words of exports in Chinese and English: headings, kinds, and what a file does not show.

docs/glossary.md. "Exposed", never "infected".
"""

from collections.abc import Mapping
from typing import Final

from sudonglian.trace.casework.exports.stamp import Lang

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "members": ("线列表", "line list"),
    "about": ("说明", "about"),
    "names": ("名称", "names"),
    "member": ("化名或标识", "pseudonym or identifier"),
    "kind": ("类别", "kind"),
    "lot": ("批次", "lot"),
    "portion": ("批次所在", "portion of the lot"),
    "tier": ("判定", "tier"),
    "tier_zh": ("判定(中文)", "tier (Chinese)"),
    "rule": ("规则", "rule"),
    "possible_tier": ("可能判定", "possible tier"),
    "evidence": ("确定性", "evidence"),
    "risk_rank": ("风险次序(非概率)", "rank by risk (no probability)"),
    "generation": ("代次", "generation"),
    "through_objects": ("经物", "through objects"),
    "through_persons": ("经人", "through persons"),
    "earliest": ("首次受波及(UTC+8)", "earliest exposure (UTC+8)"),
    "latest": ("末次受波及(UTC+8)", "latest departure (UTC+8)"),
    "handling_s": ("接触秒数", "seconds of handling"),
    "presence_s": ("同处秒数", "seconds in the same place"),
    "place": ("首次受波及地点", "place of the earliest exposure"),
    "status": ("状态", "status"),
    "tasks": ("任务与结果", "tasks and outcomes"),
    "run": ("追溯编号", "trace"),
    "origin": ("来自案件", "from case"),
    "rule_records": ("判定所据记录", "records behind the tier"),
    "records": ("路径所据记录", "records of the walk"),
    "reason": ("原因", "reason"),
    "walk": ("路径", "walk in words"),
    "identity": ("身份", "identity"),
    "identifier": ("标识", "identifier"),
    "called": ("企业所称名称(未经证明)", "name that firms use (not proven)"),
    "key": ("项目", "item"),
    "value": ("内容", "value"),
    "note-exposed": (
        "受波及不等于感染;风险次序只用于排序,不是概率。",
        "Exposed is not infected; the rank by risk is an order in which to look, no probability.",
    ),
    "note-pseudonyms": (
        "人员以化名列出:同一案件的各份导出中相同,其他案件中不同。凭化名无法得知其人。",
        "Persons stand by pseudonym: the same in all exports of this case, another in other cases'.",
    ),
    "note-check": (
        "核对:sudonglian case check-export 文件;由日志重算:sudonglian retrace 追溯编号。",
        "To check it: sudonglian case check-export FILE; to compute a trace again: sudonglian retrace NUMBER.",
    ),
    "kind-person": ("人员", "person"),
    "kind-item": ("货物", "goods"),
    "kind-place": ("场所", "place"),
}


def word(lang: Lang, name: str, **values: object) -> str:
    """Return a text in a language, with its values filled in; a name without a text is told as it is.

    >>> word("en", "run"), word("zh", "note-exposed")[:7], word("en", "query seed")
    ('trace', '受波及不等于感', 'query seed')
    """
    text = WORDS.get(name, (name, name))[0 if lang == "zh" else 1]
    return text.format(**values) if values else text
