"""What the verifier says to a person: what was checked, on what it rests, what it does not show.

docs/spec/bundle.md, rules 10-15 and its last section.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

from sudonglian.chain.verify_steps import Step, Verdict

Lang: TypeAlias = Literal["zh", "en"]

STEPS: Final[dict[str, dict[Lang, str]]] = {
    "parse": {"en": "form of the file", "zh": "文件格式"},
    "record": {"en": "record hash and disclosures", "zh": "记录摘要与披露字段"},
    "inclusion": {"en": "place in the log", "zh": "在日志中的位置"},
    "signatures": {"en": "signatures of the parties", "zh": "交接双方签名"},
    "checkpoint": {"en": "the log's signature", "zh": "日志检查点签名"},
    "consistency": {"en": "checkpoint is a prefix of the anchored log", "zh": "检查点与上链日志一致"},
    "storage": {"en": "anchored root in the contract", "zh": "合约中的上链根"},
    "finality": {"en": "finality of the block", "zh": "区块最终性"},
    "chain": {"en": "chain and contract", "zh": "链与合约身份"},
    "private": {"en": "access log (private tree)", "zh": "访问日志(私有树)"},
    "lots": {"en": "completeness of lots", "zh": "批次完整性"},
    "receipt": {"en": "receipt of an erasure in the private tree", "zh": "私有树中的删除回执"},
    "tombstone": {"en": "tombstone in the log", "zh": "日志中的墓碑"},
}

VERDICTS: Final[dict[str, dict[Lang, str]]] = {
    "VALID": {"en": "VALID", "zh": "有效 VALID"},
    "INVALID": {"en": "INVALID: a part is wrong or malformed", "zh": "无效 INVALID：有一部分错误或格式不符"},
    "INDETERMINATE": {
        "en": "INDETERMINATE: nothing is wrong, but your trust file lacks something",
        "zh": "无法判定 INDETERMINATE：未见错误，但信任文件缺少依据",
    },
}

WORDS: Final[dict[str, dict[Lang, str]]] = {
    "PASS": {"en": "PASS", "zh": "通过"},
    "FAIL": {"en": "FAIL", "zh": "失败"},
    "UNKNOWN": {"en": "UNKNOWN", "zh": "未知"},
    "confirmation": {"en": "Confirmed by", "zh": "确认方"},
    "unsigned": {"en": "nobody (unsigned)", "zh": "无（未签名）"},
    "consignor": {"en": "the consignor", "zh": "交货方"},
    "consignee": {"en": "the consignee", "zh": "收货方"},
    "both": {"en": "both parties", "zh": "双方"},
    "completeness": {"en": "Completeness", "zh": "完整性"},
    "complete": {"en": "complete for the lots named", "zh": "所列批次完整"},
    "incomplete": {"en": "incomplete", "zh": "不完整"},
    "not claimed": {"en": "not claimed", "zh": "未声明"},
    "trusted": {"en": "Rests on your trust in", "zh": "以您信任的下列各项为前提"},
    "nothing": {"en": "nothing of your trust file", "zh": "未用到信任文件的任何内容"},
    "limits": {"en": "It does not show", "zh": "本结果不能说明"},
    "bundles": {"en": "bundles", "zh": "个凭证包"},
    "unreadable": {"en": "unreadable", "zh": "无法读取"},
}

LIMITS: Final[dict[Lang, tuple[str, ...]]] = {
    "en": (
        "that what the record says is true, only that it was stated and has not been changed since;",
        "that the chain is honest beyond its finality rule: trusted headers are as honest as whoever gave them to you;",
        "that no record was withheld before it was submitted;",
        "that the log holds no correction or signature beside those in the bundle.",
    ),
    "zh": (
        "记录内容属实，只说明有人如此陈述且此后未被改动；",
        "链在其最终性规则之外是诚实的：受信区块头的可信程度等同于提供者；",
        "没有记录在提交之前被隐瞒；",
        "日志中除凭证包所含之外没有其他更正或签名。",
    ),
}


def shown(text: str) -> str:
    r"""Return text of the bundle as it may be printed: an identifier with a line break must not forge a line of ours.

    >>> print(shown("带鱼\n\x1b[2J"))
    带鱼\n\x1b[2J
    """
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def say(file: str, verdict: Verdict, lang: Lang) -> str:
    """Return the report on one file."""
    lines = [f"{shown(file)}: {VERDICTS[verdict.verdict][lang]}"]
    lines += [_step(step, lang) for step in verdict.steps]
    lines.append(f"  {WORDS['confirmation'][lang]}: {WORDS[verdict.confirmation][lang]}")
    lines.append(f"  {WORDS['completeness'][lang]}: {WORDS[verdict.completeness][lang]}")
    return "\n".join([*lines, *_rests_on(verdict.trusted, lang)])


def brief(file: str, verdict: Verdict, lang: Lang) -> str:
    """Return one file's lines among many: its verdict, and the steps that did not pass."""
    head = f"{shown(file)}: {_short(verdict.verdict, lang)}"
    for name, said in (("confirmation", verdict.confirmation), ("completeness", verdict.completeness)):
        head += f"; {WORDS[name][lang]}: {WORDS[said][lang]}"
    return "\n".join([head, *(_step(step, lang) for step in verdict.steps if step.result != "PASS")])


def summary(counts: Mapping[str, int], trusted: Sequence[str], lang: Lang) -> str:
    """Return what stands after many: how many of each verdict, and on what they rest."""
    told = [f"{_short(name, lang)} {number}" for name, number in counts.items()]
    return "\n".join([f"{sum(counts.values())} {WORDS['bundles'][lang]}: {', '.join(told)}", *_rests_on(trusted, lang)])


def _short(verdict: str, lang: Lang) -> str:
    return (VERDICTS.get(verdict) or WORDS[verdict])[lang].partition({"zh": "：", "en": ":"}[lang])[0]


def _step(step: Step, lang: Lang) -> str:
    return f"  {WORDS[step.result][lang]:<8}{STEPS[step.name][lang]}: {shown(step.detail)}"


def _rests_on(trusted: Sequence[str], lang: Lang) -> list[str]:
    lines = [f"  {WORDS['trusted'][lang]}:"]
    lines += [f"    - {one}" for one in trusted or (WORDS["nothing"][lang],)]
    lines.append(f"  {WORDS['limits'][lang]}:")
    return [*lines, *(f"    - {one}" for one in LIMITS[lang])]
