"""What the doors refuse, as a branch of the project's error tree.

interfaces.md (exit codes): wrong usage and unreadable files are 64, everything else that is refused is 1.
"""

from typing import ClassVar, Literal

from sudonglian.chain.errors import SudonglianError


def sentence(error: SudonglianError, lang: Literal["zh", "en"]) -> str:
    """Return why something is refused in a person's language, as far as the refusal knows it in that one."""
    zh = getattr(error, "zh", "")
    return zh if lang == "zh" and isinstance(zh, str) and zh else error.reason


class DoorError(SudonglianError):
    """Something that a door refuses."""

    slug: ClassVar[str] = "door"

    def __init__(self, reason: str, *, place: str = "", zh: str = "") -> None:
        super().__init__(reason, place=place)
        self.zh = zh


class UsageRefused(DoorError):
    """A command that was called in a way that it does not know."""

    slug = "usage"


class SettingRefused(UsageRefused):
    """A setting with a value that it cannot have; `place` names the variable."""

    slug = "setting"


class FileUnreadable(UsageRefused):
    """A file that cannot be read or written; `place` names it."""

    slug = "file"


class NothingHere(DoorError):
    """A data folder that holds no deployment, asked by a command that would not create one."""

    slug = "no-deployment"
