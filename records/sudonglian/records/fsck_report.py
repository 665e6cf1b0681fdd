"""What a check found: how much was looked at, and every fault with its place.

The JSON of `sudonglian fsck`.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sudonglian.chain.errors import SudonglianError

MAX_FAULTS: Final = 1_000
"""Whoever has more reads them no more; the rest is counted."""

DAY_US: Final = 86_400_000_000
"""How far two clocks of one deployment may differ, generously, before a time cannot be true."""


@dataclass
class Report:
    """One check's findings."""

    checked: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, str]] = field(default_factory=list)
    more: int = 0
    notices: list[dict[str, str]] = field(default_factory=list)
    """What is no fault of the data, and should be known."""

    def note(self, code: str, place: str, detail: str) -> None:
        """Say what is no fault."""
        self.notices.append({"code": code, "place": place, "detail": detail})

    def count(self, what: str, many: int = 1) -> None:
        """Say that so many of something were looked at."""
        self.checked[what] += many

    def add(self, code: str, place: str, detail: str) -> None:
        """Say that something is wrong."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append({"code": code, "place": place, "detail": detail})
        else:
            self.more += 1

    def same(self, code: str, place: str, held: object, due: object) -> None:
        """Say that something is wrong unless what is held is what is due."""
        if held != due or type(held) is not type(due):
            self.add(code, place, f"holds {_shown(held)}, must be {_shown(due)}")

    def rows(self, code: str, table: str, held: dict[Any, Any], due: dict[Any, Any]) -> None:
        """Compare a table's rows by key: none missing, none altered, none too many."""
        self.count(table, len(held))
        for key in held.keys() | due.keys():
            place = f"{table}/{'/'.join(_shown(part) for part in key)}"
            if key not in held:
                self.add(code, place, "the row is missing")
            elif key not in due:
                self.add(code, place, "nothing accounts for this row")
            else:
                self.same(code, place, held[key], due[key])

    def time(self, place: str, held: object, *, after_us: int = 0, before_us: int | None = None) -> None:
        """Say that something is wrong if a time cannot be true; by more than a day, as clocks differ."""
        if (
            not isinstance(held, int)
            or held < after_us - DAY_US
            or (before_us is not None and held > before_us + DAY_US)
        ):
            self.add("time", place, f"{held!r} cannot be the time of this")

    @contextmanager
    def watch(self, place: str) -> Iterator[None]:
        """Turn whatever goes wrong inside into a fault."""
        try:
            yield
        except SudonglianError as error:
            self.add(error.slug, error.place or place, error.reason)
        except Exception as error:  # noqa: BLE001  each is a fault of the data
            # Rows that anything may have altered can break any library in any way; each way is a fault of the data.
            self.add("unreadable", place, f"{type(error).__name__}: {error!s:.300}")

    def as_json(self) -> dict[str, Any]:
        """Return the document that the command prints."""
        faults = [dict(one) for one in self.faults]
        if self.more:
            faults.append({"code": "more", "place": "", "detail": f"{self.more} more faults"})
        return {"ok": not faults, "checked": dict(sorted(self.checked.items())), "faults": faults} | (
            {"notices": [dict(one) for one in self.notices]} if self.notices else {}
        )


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else f"{value!s:.200}"
