"""Signing in: one answer for whatever was not right, at one speed, and slower with every attempt.

service.md (lockout, rate limits); docs/decisions/0770. The account waits in the database, an address in this process.
"""

import time
from collections import OrderedDict, deque
from datetime import UTC, datetime
from threading import Lock
from typing import ClassVar, Final

from sudonglian.api.errors import DoorError
from sudonglian.records import accounts, passwords
from sudonglian.records.accounts import Account
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

ANSWERS_AFTER_S: Final = 0.5
"""A refusal comes no sooner: whether a name is known must not be heard from how long it takes."""

FAILURES: Final = 30
"""Attempts that were not right from one address within `WITHIN_S`: an office behind one address has clumsy mornings."""

WITHIN_S: Final = 600

ADDRESSES: Final = 10_000
"""Addresses remembered at once."""


class SignInRefused(DoorError):
    """A name, a password or a code that is not right, or an account that waits: it is not told which."""

    slug: ClassVar[str] = "sign-in"


class TooManyAttempts(DoorError):
    """An address from which too much was tried."""

    slug: ClassVar[str] = "too-many-attempts"


class Attempts:
    """What was tried from each address of late."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def check(self, address: str, now_s: float) -> None:
        """Refuse an address from which too much was tried.

        Raises
        ------
        TooManyAttempts
            It has to wait.
        """
        with self._lock:
            failed = self._failed.get(address, deque())
            while failed and failed[0] <= now_s - WITHIN_S:
                failed.popleft()
            if len(failed) >= FAILURES:
                raise TooManyAttempts(f"too many attempts from this address; wait {WITHIN_S // 60} minutes")

    def failed(self, address: str, now_s: float) -> None:
        """Note an attempt that was not right."""
        with self._lock:
            kept = self._failed.pop(address, deque(maxlen=FAILURES))
            kept.append(now_s)
            self._failed[address] = kept
            while len(self._failed) > ADDRESSES:
                self._failed.popitem(last=False)


def authenticate(
    store: Store, keys: Keys, attempts: Attempts, address: str, name: str, password: str, code: str
) -> Account:
    """Return the account of whoever shows its name, password and code; what is tried is counted.

    Raises
    ------
    SignInRefused, TooManyAttempts
        Something is not right, or it was tried too often.
    """
    began_s = time.monotonic()
    attempts.check(address, began_s)
    with store.read() as connection:
        kept = accounts.password_hash(connection, name)
    right = passwords.fits(password, kept)
    with store.write() as connection:
        found = accounts.settle(connection, keys, name, kept, code, datetime.now(UTC), right=right)
    if found is None:
        attempts.failed(address, began_s)
        time.sleep(max(0.0, began_s + ANSWERS_AFTER_S - time.monotonic()))
        raise SignInRefused(
            "the name, the password or the code is not right, or it was tried too often; wait and try again"
        )
    return found
