"""Whom a task can be given to: a living account that follows up.

docs/decisions/0820. Scopes are known to the doors alone, so the check stands here and not with the records.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection

from sudonglian.api import caller
from sudonglian.api.scopes import Scope, scopes_of
from sudonglian.records import accounts
from sudonglian.records.tasks import TaskRefused


def follower(connection: Connection, name: str) -> str:
    """Return the principal of a worker.

    Raises
    ------
    TaskRefused, AccountRefused
        There is no such account, or it does not follow up.
    """
    account = accounts.by_name(connection, name)
    if not account.is_live(datetime.now(UTC)) or Scope.follow_up not in scopes_of(account.roles):
        raise TaskRefused(f"{account.name} has not the role follow-up", place="to")
    return caller.of_account(account).principal
