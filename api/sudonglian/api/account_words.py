"""An account as commands and the API tell of it: never with what it proves itself with.

service.md (operator).
"""

from datetime import datetime
from typing import Any

from sudonglian.api.scopes import needs_second_factor, scopes_of
from sudonglian.records import derive
from sudonglian.records.accounts import Account


def state_of(account: Account, now: datetime) -> str:
    """Return how an account stands: live, waiting for its person, locked, ended or disabled."""
    at_us = derive.micros(now)
    if account.disabled_us is not None:
        return "disabled"
    if account.ends_us is not None:
        return "trial" if at_us < account.ends_us else "ended"
    if account.locked_until_us is not None and at_us < account.locked_until_us:
        return "locked"
    if not account.has_password:
        return "invited"
    if needs_second_factor(account.roles) and not account.has_second_factor:
        return "second-factor-missing"
    return "live"


def shown(account: Account, now: datetime) -> dict[str, Any]:
    """Return the document of an account."""
    return {
        "name": account.name,
        "display_name": account.display_name,
        "roles": sorted(account.roles),
        "scopes": sorted(scopes_of(account.roles)),
        "submitter": account.submitter,
        "state": state_of(account, now),
        "has_second_factor": account.has_second_factor,
        "failed": account.failed,
        "locked_until": _time(account.locked_until_us),
        "invite_until": _time(account.invite_until_us),
        "created": _time(account.created_us),
        "principal": f"account:{account.id}",
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else derive.moment(at_us).isoformat(timespec="seconds")
