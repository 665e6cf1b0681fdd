"""People with accounts and second factors, as their browsers would make them: for tests, and for documents that are run.

`python tests/people.py NAME` gives a second factor to an account of the data folder.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from sudonglian.records import accounts, second_factor, totp
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

BROWSER = r"# in the browser: (\w+) .*"
"""A line of a document where a person does something that no command does."""


def enrol(store: Store, keys: Keys, name: str, *roles: str) -> int:
    """Give an account a second factor, making it if there is none; return its number."""
    now = datetime.now(UTC)
    with store.write() as connection:
        known = {one.name: one.id for one in accounts.listed(connection)}
        number = known[name] if name in known else accounts.invite(connection, name, roles, now)[0].id
        secret = second_factor.begin(connection, keys, number, now)
    with store.write() as connection:
        second_factor.confirm(connection, keys, number, totp.hotp(secret, totp.step_at(now)), now)
    return number


def main() -> None:
    """Give the named account its second factor."""
    data = Path(os.environ["SUDONGLIAN_DATA"])
    store = Store(f"sqlite:///{data / 'sudonglian.db'}")
    enrol(store, Keys.open(data / "keys"), sys.argv[1])
    store.close()


if __name__ == "__main__":
    main()
