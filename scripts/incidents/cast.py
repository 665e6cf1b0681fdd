"""What the worked incidents share: Beijing time, and invented people who stand for those whom reports do not name.

docs/incidents.md; nobody real is named: phones begin with 1990000, which no operator gives out.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from scripts.handoffs import person

BEIJING: Final = timezone(timedelta(hours=8))


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Return a time of 2020 in Beijing."""
    return datetime(2020, month, day, hour, minute, tzinfo=BEIJING)


def fact(zh: str, en: str, source: str) -> dict[str, Any]:
    """Return a published statement with who published it; it was found there again."""
    return {"zh": zh, "en": en, "source": source, "checked": True}


def called(names: Mapping[str, Mapping[str, str]], *places: str) -> dict[str, str]:
    """Return what some places are called in the documents."""
    return {place: names[place]["zh"] for place in places}


class Cast:
    """The people of an incident: each has an invented phone and a role for a name."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.phones: dict[str, str] = {}

    def take(
        self, name: str, role: str, contact: str, start: datetime | None = None, minutes: int = 0
    ) -> dict[str, Any]:
        """Return somebody as a participant; the same name is the same person."""
        phone = self.phones.setdefault(name, f"1990000{self._number * 100 + len(self.phones):04d}")
        end = start + timedelta(minutes=minutes) if start is not None else None
        return person(phone, f"示例·{name}", role, contact, start, end)
