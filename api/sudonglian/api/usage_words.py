"""What the parser of the command line says, in Chinese: its sentences are another library's, and known by their form.

service.md (zh/en for people). A sentence of no known form stays as it is.
"""

import re
from typing import Final

_FORMS: Final = tuple(
    (re.compile(form, re.DOTALL), zh)
    for form, zh in (
        (r"No such command (?P<name>.+?)\. Did you mean (?P<meant>.+)\?", "没有 {name} 这个命令;是否指 {meant}?"),
        (r"No such command (?P<name>.+)\.", "没有 {name} 这个命令"),
        (r"Missing command\.", "缺少下一级命令"),
        (r"Missing argument (?P<name>.+)\.", "缺少参数 {name}"),
        (r"Missing option (?P<name>.+)\.", "缺少选项 {name}"),
        (r"No such option: (?P<name>\S+) \(Possible options: (?P<meant>.+)\)", "没有 {name} 这个选项;是否指 {meant}?"),
        (r"No such option: (?P<name>\S+) Did you mean (?P<meant>.+)\?", "没有 {name} 这个选项;是否指 {meant}?"),
        (r"No such option: (?P<name>.+)", "没有 {name} 这个选项"),
        (r"Option (?P<name>.+) requires an argument\.", "选项 {name} 后缺少值"),
        (r"Option (?P<name>.+) requires (?P<count>\d+) arguments\.", "选项 {name} 后应有 {count} 个值"),
        (r"Option (?P<name>.+) does not take a value\.", "选项 {name} 不带值"),
        (r"Got unexpected extra arguments?(?:\(s\))? \((?P<name>.+)\)", "多余的参数:{name}"),
        (r"Invalid value for (?P<name>.+?): (?P<inner>.+)", "{name} 的值不对:{inner}"),
        (r"(?P<name>.+) is not one of (?P<known>.+?)\.?", "{name} 不在可选值之中:{known}"),
        (r"Input should be a valid integer.*", "应为整数"),
        (r"Input should be a valid number.*", "应为数"),
        (r"Input should be a valid boolean.*", "应为 true 或 false"),
        (r"Input should be a valid (?P<name>datetime|date)\b.*", "应为日期或时间"),
        (r"Input should be less than or equal to (?P<most>\S+)", "不得大于 {most}"),
        (r"Input should be less than (?P<most>\S+)", "应小于 {most}"),
        (r"Input should be greater than or equal to (?P<least>\S+)", "不得小于 {least}"),
        (r"Input should be greater than (?P<least>\S+)", "应大于 {least}"),
    )
)


def chinese(sentence: str) -> str:
    """Return the parser's sentence in Chinese.

    >>> chinese("Missing argument 'FILE'."), chinese("Invalid value for '--port': Input should be greater than 0")
    ("缺少参数 'FILE'", "'--port' 的值不对:应大于 0")
    """
    for form, zh in _FORMS:
        if found := form.fullmatch(sentence):
            told = found.groupdict()
            if "inner" in told:
                told["inner"] = chinese(told["inner"])
            return zh.format(**told)
    return sentence
