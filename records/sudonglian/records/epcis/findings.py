"""Findings: what is wrong with an event, where, by which rule, in both languages.

RFC 6901 (pointers); the codes are stable and documented by the rule they name.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: an error refuses the event, a warning travels with it."""

    level: Level
    code: str
    pointer: str
    rule: str
    message: dict[str, str] = field(hash=False)

    def under(self, prefix: str) -> "Finding":
        """Return the same finding as seen from further out, `prefix` being the pointer of its event."""
        return replace(self, pointer=prefix + self.pointer)

    def as_json(self) -> dict[str, object]:
        """Return the members that commands and problem documents print."""
        return {
            "level": self.level,
            "code": self.code,
            "pointer": self.pointer,
            "rule": self.rule,
            "message": dict(self.message),
        }


def error(code: str, pointer: str, rule: str, zh: str, en: str) -> Finding:
    """Return a finding that refuses the event."""
    return Finding("error", code, pointer, rule, {"zh": zh, "en": en})


def warning(code: str, pointer: str, rule: str, zh: str, en: str) -> Finding:
    """Return a finding that travels with the event."""
    return Finding("warning", code, pointer, rule, {"zh": zh, "en": en})


def refuses(findings: Iterable[Finding]) -> bool:
    """Return whether any of the findings is an error."""
    return any(finding.level == "error" for finding in findings)


def pointer(*tokens: str | int) -> str:
    """Return the JSON pointer of a path (RFC 6901 §3).

    >>> pointer("ilmd", "a/b~c", 0)
    '/ilmd/a~1b~0c/0'
    """
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)
