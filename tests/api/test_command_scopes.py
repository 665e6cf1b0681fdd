"""Every command declares what it does in the words of the scopes, and no other one is declared."""

import pytest
import typer

from sudonglian.api import cli
from sudonglian.api.command_scopes import COMMANDS, names
from sudonglian.api.commands.accounts import Given
from sudonglian.api.commands.api_keys import Grant
from sudonglian.api.errors import UsageRefused
from sudonglian.api.scopes import (
    APART,
    CARRIED,
    GRANTED,
    MEANING,
    OF_A_PERSON,
    ROLE_MEANING,
    ROLES,
    Role,
    Scope,
    check_roles,
    scopes_of,
)


def test_every_command_declares_a_scope() -> None:
    found = list(names(cli.build("en")))
    assert len(found) == len(set(found)) > 50
    assert set(found) == set(COMMANDS)


def test_an_undeclared_command_is_found() -> None:
    app = typer.Typer()
    inner = typer.Typer()

    def undeclared() -> None:
        """Do something."""

    app.command()(undeclared)
    inner.command()(undeclared)
    app.add_typer(inner, name="group")
    found = set(names(typer.main.get_command(app)))
    assert found == {"undeclared", "group undeclared"}
    assert found - set(COMMANDS)


def test_the_tables_are_whole() -> None:
    assert set(MEANING) == set(Scope)
    assert set(ROLES) == set(ROLE_MEANING) == set(Role)
    assert {one.value for one in Given} == {one.value for one in Role}
    assert {one.value for one in Grant} == {one.value for one in GRANTED}
    carried = set().union(*CARRIED.values())
    assert set(Scope) == {Scope.public, Scope.own_account} | carried | set(GRANTED)
    assert set().union(*ROLES.values()) == set(GRANTED), "every scope is some role's"
    assert not set(COMMANDS.values()) & {Scope.own_account}


def test_an_operator_reads_nobodys_data_and_traces_nothing() -> None:
    may = scopes_of([Role.operator, Role.auditor])
    reading = {Scope.trace, Scope.case, Scope.reveal_approve, Scope.follow_up, Scope.read_own, Scope.capture}
    assert not may & reading
    for role in APART:
        firm = "urn:x:firm" if role in (Role.firm, Role.partner) else None
        with pytest.raises(UsageRefused):
            check_roles([Role.operator, role], firm)
    assert check_roles([Role.auditor, Role.operator], None) == (Role.auditor, Role.operator)


def test_roles_that_do_not_go_together() -> None:
    for roles, firm in (
        ([], None),
        (["firm"], None),
        (["auditor"], "urn:x:firm"),
        (["nobody"], None),
        (["public"], None),
        (["Operator"], None),
    ):
        with pytest.raises(UsageRefused):
            check_roles(roles, firm)
    assert scopes_of(["nobody"]) == frozenset()
    assert Scope.reveal_approve in OF_A_PERSON
