"""Which records a caller may read: whoever traces or audits all, a firm its own and one step up and down.

service.md (who comes in, and what they may do); docs/decisions/0772. Scopes say which doors open, this says on what.
"""

from collections.abc import Callable, Iterable

from sqlalchemy import Connection

from sudonglian.api.caller import Caller
from sudonglian.api.http.auth import Forbidden
from sudonglian.api.scopes import Scope
from sudonglian.records import reader
from sudonglian.records.reader import StoredRecord
from sudonglian.records.sight import Sight


def sees_all(caller: Caller | None) -> bool:
    """Whether a caller may read what any record says in the clear."""
    return caller is not None and (caller.may(Scope.trace) or caller.may(Scope.audit))


def sight_of(connection: Connection, caller: Caller) -> Callable[[StoredRecord], bool]:
    """Return whether a caller may read a record, as a question."""
    if sees_all(caller):
        return lambda _record: True
    if caller.submitter is None or not caller.may(Scope.read_own):
        return lambda _record: False
    return Sight(connection, caller.submitter).may_read


def record_for(connection: Connection, caller: Caller, record_hash: bytes) -> StoredRecord:
    """Return a record that a caller may read.

    Raises
    ------
    UnknownRecord, Forbidden
        There is none, or it is between others.
    """
    found = reader.record(connection, record_hash)
    if not sight_of(connection, caller)(found):
        raise Forbidden("this record is between others; an auditor may read it", place="record_hash")
    return found


def check_disclosure(connection: Connection, caller: Caller, found: StoredRecord, names: Iterable[str]) -> None:
    """Refuse to disclose withheld members to anybody but the firm itself, and its partner those that are for partners.

    Raises
    ------
    Forbidden
        It is another firm's record, or a member that is for its own firm alone.
    """
    firm = caller.submitter if caller.may(Scope.read_own) else None
    if firm is None or not Sight(connection, firm).may_disclose(found, names):
        raise Forbidden("only the firm that submitted the record may disclose this of it", place="disclose")


def may_see_sensors(connection: Connection, caller: Caller, found: StoredRecord) -> bool:
    """Whether a caller may read a record's sensors: whoever traces, its firm, and the firm's partner in it."""
    if caller.may(Scope.trace):
        return True
    firm = caller.submitter if caller.may(Scope.read_own) else None
    return firm is not None and Sight(connection, firm).may_disclose(found, ["sensorElementList"])
