"""The words of a case's report in Chinese and English.

docs/glossary.md. "Exposed", never "infected"; a report also says what it does not show.
"""

from collections.abc import Mapping
from typing import Final

from sudonglian.trace.casework.exports.stamp import Lang

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("案件报告", "Case report"),
    "made": ("{at}(UTC)由 {by} 生成", "Made {at} UTC by {by}"),
    "page": ("案件 {case} · 第 {n} 页", "case {case} · page {n}"),
    "exposed": (
        "受波及不等于感染:包装上的核酸阳性只说明那里有病毒核酸。本报告只列汇总数,少于 {k} 人的数目及可由其推出它们的数目均隐去(·)。",
        "Exposed is not infected: a positive swab of a package shows nucleic acid there, and no more. This report has totals alone; counts of fewer than {k} persons, and those from which they could be computed, are hidden (·).",
    ),
    "head": ("案件", "The case"),
    "purpose": ("目的", "purpose"),
    "basis": ("法律依据", "legal basis"),
    "responsible": ("负责人", "responsible"),
    "opened": ("立案", "opened"),
    "state": ("状态", "state"),
    "persons": ("线列表人数", "persons on the line list"),
    "few": ("少于 {k}", "fewer than {k}"),
    "clock-first_list": ("首份名单(2 小时内)", "first line list (within 2 h)"),
    "clock-all_reached": ("高风险者全部联系到(24 小时内)", "all of the high tiers reached (within 24 h)"),
    "done": ("{at} 完成", "done {at}"),
    "due": ("应于 {at} 前", "due {at}"),
    "late": (",逾期", ", late"),
    "seeds": ("起点", "What it began from"),
    "subject": ("对象", "subject"),
    "sampled": ("采样时间(UTC+8)", "sampled (UTC+8)"),
    "result": ("结果", "result"),
    "sample": ("样本", "sample"),
    "people-seeds": ("作为起点的人员:{count}", "Persons that it began from: {count}"),
    "method": ("方法", "Method"),
    "method-text": (
        "由已封存的日志推导出停留、接触与包装内外等事实,再沿时间方向计算受波及者:来源在场期间与其后(按假设的存留时间)同处者受波及,封闭的箱内外互不波及,到每个成员各取一条跳数最少与一条最早到达的路径。时间不确定时放宽与收紧各算一次:两次都到达为“确定”,只在放宽时到达为“可能”。判定由规则表给出。",
        "Stays, contacts and packing are derived from the sealed log, and exposure is followed along time: whoever shares a place with a source, or comes while it lasts there by what is assumed, is exposed; a closed unit keeps inside and outside apart; for each member there is a walk of fewest hops and one of earliest arrival. Where times are uncertain it is computed twice, with wide and with narrow times: who is reached both times is certain, who only with wide ones is possible. Tiers come of a table of rules.",
    ),
    "sources": ("依据", "Sources"),
    "runs": ("追溯", "Traces"),
    "trace": ("追溯编号", "trace"),
    "size": ("日志条数", "log size"),
    "policy": ("假设", "policy"),
    "tiers": ("判定规则", "rules of tiers"),
    "direction": ("方向", "direction"),
    "seed": ("起点", "seed"),
    "assumptions": ("假设与参数", "Assumptions and parameters"),
    "parameters": ("追溯 {trace} 的参数", "Parameters of trace {trace}"),
    "figures": ("图", "Figures"),
    "timeline": ("图 1 各场所涉疫时段(代次;UTC+8)", "Figure 1. When each place counts as exposed (generation; UTC+8)"),
    "days": ("图 2 按首次受波及日期的人数", "Figure 2. Persons by the day of their earliest exposure"),
    "generations": ("图 3 按代次的人数", "Figure 3. Persons by generation"),
    "more": ("另有 {count} 处未画出", "{count} more places are not drawn"),
    "withheld": ("人数太少,整表不予显示", "withheld: too few to be counted without telling who"),
    "tables": ("表", "Tables"),
    "tier": ("判定", "tier"),
    "by-tier": ("按判定的人数", "Persons by tier"),
    "count": ("数目", "count"),
    "attack": ("按场所的罹患率", "Attack rate by place"),
    "attack-note": (
        "分母为在该处首次受波及的人数;仅当该处全部人员都有检测结果、且人数足够时才给出。",
        "The denominator is everybody whose earliest exposure was there; a rate is given where all of them have a result and the counts are not hidden.",
    ),
    "place": ("场所", "place"),
    "reached": ("首次受波及人数", "first exposed there"),
    "positive": ("阳性", "positive"),
    "rate": ("罹患率", "attack rate"),
    "unknown": ("未知", "unknown"),
    "goods": ("按地点与处置的货物", "Goods by place and state"),
    "done-about": ("任务与结果", "tasks and outcomes"),
    "none": ("无任务", "no task"),
    "places": ("场所的先后", "Route of the places"),
    "from": ("由何处传来", "reached from"),
    "since": ("自(UTC+8)", "from (UTC+8)"),
    "until": ("至(UTC+8)", "until (UTC+8)"),
    "generation": ("代次", "generation"),
    "open": ("无记录的结束", "no end recorded"),
    "limits": ("本报告不说明什么", "What this does not show"),
    "limit-1": ("谁被感染:只说明按记录与假设谁可能受波及。", "Who is infected: it says who may have been exposed, by the records and the assumptions."),
    "limit-2": ("未被记录的停留与接触;企业未交、迟交或错记的事不在其中。", "Stays and contacts that nobody recorded; what firms did not submit, submitted late or wrong is not in it."),
    "limit-3": ("包装污染是否就是起因:也可能由人传到物。", "Whether the package was the cause: a person may have contaminated it."),
    "limit-4": ("先后次序与“风险次序”不是概率。", "Probabilities: orders and ranks are no probabilities."),
    "limit-5": ("记录内容属实:证明说明的是记录未被更改、何时封存,而不是其内容为真。", "That what was recorded is true: proofs show that records are unchanged and when they were sealed, not that they are right."),
    "limit-6": ("名称由企业自报,未经证明。", "Names of places and goods are what firms call them, and are not proven."),
    "proof": ("附录:证明", "Appendix: proof"),
    "proof-text": (
        "每次追溯的结果文档以其摘要载入私有树,其根在每次封存之内,由检查点签名并锚定。证明文件附于本 PDF(附件),也可由二维码所指处取得。",
        "The document of each trace is entered by its hash into the private tree, whose root is in every seal, under a signed checkpoint that is anchored. The proofs are attached to this PDF, and stand where the codes point.",
    ),
    "document": ("文档摘要", "document hash"),
    "log": ("日志", "log"),
    "entry": ("私有树条目", "entry of the private tree"),
    "checkpoint": ("检查点", "checkpoint"),
    "anchor": ("锚定", "anchor"),
    "chain": ("链 {chain},合约 {contract},{size} 条", "chain {chain}, contract {contract}, at {size} entries"),
    "not-anchored": ("尚无最终确认的锚定", "not anchored finally yet"),
    "not-sealed": ("等待下次封存;封存后可取得证明", "waits for the next seal; its proof can be had then"),
    "offline": ("离线核对", "To check it offline"),
    "again": ("由日志重算", "To compute it again from the log"),
}  # fmt: skip


def word(lang: Lang, name: str, **values: object) -> str:
    """Return a text in a language, with its values filled in.

    >>> word("en", "few", k=5), word("zh", "few", k=5)
    ('fewer than 5', '少于 5')
    """
    found = WORDS[name][0 if lang == "zh" else 1]
    return found.format(**values) if values else found
