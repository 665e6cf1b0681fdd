"""Who does something, as the private tree names it: an account, a key, or a login of this machine.

docs/spec/access-log.md rule 7; docs/decisions/0802 (why a login approves nothing).
"""

import os
import pwd
import re
from datetime import UTC, datetime
from typing import Final

from sudonglian.api import caller as callers
from sudonglian.api.caller import Caller
from sudonglian.api.scopes import Scope
from sudonglian.api.wiring import House
from sudonglian.records.cases import Act

MAX_LOGIN: Final = 60


def login() -> str:
    """Return who runs this program; not what somebody says who it is."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return f"cli:{re.sub(r'[^A-Za-z0-9._-]', '_', name)[:MAX_LOGIN]}"


def act_of(caller: Caller) -> Act:
    """Return the act of whoever comes through a door, now."""
    return Act(caller.principal, datetime.now(UTC))


def here(house: House, token: str, needed: Scope) -> Act:
    """Return the act of who gives a command: with a token its key's, which must have the scope; else the login's.

    Raises
    ------
    Unauthenticated, Forbidden
        The token opens nothing, or not this.
    """
    if not token:
        return Act(login(), datetime.now(UTC))
    # With the HTTP door's libraries, which commands without a key do not wait for.
    from sudonglian.api.http.auth import Unauthenticated, admitted

    with house.store.read() as connection:
        found = callers.of_token(connection, token.strip(), datetime.now(UTC))
    if found is None:
        raise Unauthenticated("the key is unknown, revoked or at its end", place="--key-file")
    admitted(found[0], needed)
    return act_of(found[0])
