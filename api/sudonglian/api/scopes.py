"""Scopes and roles: what whoever comes in may do, in one table.

service.md (who comes in, and what they may do); docs/decisions/0710 and 0771.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from sudonglian.api.errors import UsageRefused


class Scope(StrEnum):
    """What a caller may do. `public` needs none; `own-account` is everybody's who has signed in."""

    public = "public"
    own_account = "own-account"
    capture = "capture"
    read_own = "read-own"
    read_record = "read-record"
    trace = "trace"
    case = "case"
    reveal_approve = "reveal-approve"
    follow_up = "follow-up"
    audit = "audit"
    access_log = "access-log"
    accounts = "accounts"
    operate = "operate"


MEANING: Final = {
    Scope.public: "scanned labels, checkpoints, entries, proofs, verification, health: no key",
    Scope.own_account: "one's own password, second factor and sessions: whoever has signed in",
    Scope.capture: "submit events for the caller's own firm and see what became of them, send signatures in",
    Scope.read_own: "read the events that the caller's own firm submitted, and disclose their withheld members; read"
    " what a direct partner recorded of a handoff with the firm",
    Scope.read_record: "read records by their hash, each caller those that are its to read; comes with read-own, trace"
    " and audit",
    Scope.trace: "run traces for a case or a purpose, read their answers, read an item's history",
    Scope.case: "open and work cases: their traces, line lists, tasks; ask for identities to be revealed",
    Scope.reveal_approve: "approve or refuse what somebody else has asked to be revealed",
    Scope.follow_up: "see and close the follow-up tasks assigned to the caller",
    Scope.audit: "read what any record says in the clear, and bundles of any lot",
    Scope.access_log: "read who looked at whose data, when and what for, with proofs",
    Scope.accounts: "make, change and end accounts",
    Scope.operate: "read the metrics, erase a person who asks for it, read the receipts of erasures, set up webhooks",
}


class Role(StrEnum):
    """Who somebody is."""

    firm = "firm"
    partner = "partner"
    epidemiologist = "epidemiologist"
    approver = "approver"
    follow_up = "follow-up"
    auditor = "auditor"
    operator = "operator"


ROLES: Final = {
    Role.firm: frozenset({Scope.capture, Scope.read_own}),
    Role.partner: frozenset({Scope.read_own}),
    Role.epidemiologist: frozenset({Scope.trace, Scope.case}),
    Role.approver: frozenset({Scope.reveal_approve}),
    Role.follow_up: frozenset({Scope.follow_up}),
    Role.auditor: frozenset({Scope.audit, Scope.access_log}),
    Role.operator: frozenset({Scope.accounts, Scope.operate}),
}
"""What each role may do. A partner reads like a firm and sends nothing."""

ROLE_MEANING: Final = {
    Role.firm: "a logistics firm's own people",
    Role.partner: "people of a firm that reads what its partners recorded, and sends nothing",
    Role.epidemiologist: "works cases",
    Role.approver: "is the second person of a reveal",
    Role.follow_up: "a community worker with tasks",
    Role.auditor: "checks from outside",
    Role.operator: "runs the server and its accounts; reads nobody's data",
}

CARRIED: Final = {
    Scope.read_own: frozenset({Scope.read_record}),
    Scope.trace: frozenset({Scope.read_record}),
    Scope.audit: frozenset({Scope.read_record}),
}
"""Scopes that come with others, and cannot be granted."""

OF_A_FIRM: Final = frozenset({Scope.capture, Scope.read_own})
"""Scopes of whoever speaks for a submitter."""

OF_A_PERSON: Final = frozenset({Scope.case, Scope.reveal_approve, Scope.follow_up})
"""Scopes that a key has only if it is some person's: two keys of nobody would pass for two people."""

GRANTED: Final = tuple(scope for scope in Scope if scope not in (Scope.public, Scope.own_account, Scope.read_record))
"""What a key may be given."""

FIRM_ROLES: Final = frozenset({Role.firm, Role.partner})
"""Roles of somebody who acts for a firm."""

WITHOUT_SECOND_FACTOR: Final = FIRM_ROLES
"""Roles that a password alone opens: a warehouse's clerks share no telephone. Any other needs a second factor."""

APART: Final = frozenset({Role.firm, Role.partner, Role.epidemiologist, Role.approver, Role.follow_up})
"""What an operator is not as well: service.md, an operator reads no personal data and runs no trace."""


def with_carried(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """Return scopes with those that come along.

    >>> sorted(with_carried([Scope.read_own]))
    [<Scope.read_own: 'read-own'>, <Scope.read_record: 'read-record'>]
    """
    given = frozenset(scopes)
    return given.union(*(CARRIED.get(one, frozenset()) for one in given))


def scopes_of(roles: Iterable[str]) -> frozenset[Scope]:
    """Return what the roles may do together; a word that is no role may nothing."""
    known = [Role(one) for one in roles if one in set(Role)]
    return with_carried(scope for role in known for scope in ROLES[role])


def check_roles(roles: Iterable[str], submitter: str | None) -> tuple[Role, ...]:
    """Return roles that one account may have together.

    Raises
    ------
    UsageRefused
        No such role; an operator who would read; a firm's role without a firm, or a firm without such a role.
    """
    given = sorted(set(roles))
    if unknown := [one for one in given if one not in set(Role)]:
        raise UsageRefused(f"{unknown[0][:40]!r} is no role; there are: {', '.join(Role)}", place="role")
    if not given:
        raise UsageRefused("an account has at least one role", place="role")
    found = tuple(map(Role, given))
    if Role.operator in found and APART & set(found):
        raise UsageRefused("an operator has no role that reads people's or firms' data", place="role")
    if bool(FIRM_ROLES & set(found)) != (submitter is not None):
        raise UsageRefused("firm and partner need it, other roles must not have it", place="submitter")
    return found


def needs_second_factor(roles: Iterable[str]) -> bool:
    """Whether somebody with these roles must show more than a password."""
    return not set(roles) <= set(WITHOUT_SECOND_FACTOR)
