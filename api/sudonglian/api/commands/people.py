"""Commands about persons: erasure.

docs/spec/entry.md rule 5; service.md (person data).
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from sudonglian.api.console import DONE, Console
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.wiring import open_house
from sudonglian.records import vault
from sudonglian.records.errors import UnknownPerson
from sudonglian.records.identities import identity


class Kind(StrEnum):
    """What kind of identity a value is."""

    cn_id = "cn-id"
    phone = "phone"
    passport = "passport"
    badge = "badge"


def erase(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="cn-id, phone, passport or badge.")],
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="The identity; - asks for it, so that no shell keeps it.")
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept in the receipt.")],
    submitter: Annotated[str, typer.Option(metavar="URI", help="Whose badge it is; only for badges.")] = "",
) -> int:
    """Erase a person: keys and sealed data are gone, proofs still hold; a tombstone enters the log."""
    console: Console = context.obj
    who = typer.prompt("", prompt_suffix="", hide_input=True, err=True) if value == "-" else value
    whose = submitter_of(submitter, "--submitter") if submitter else console.settings.submitter
    with open_house(console, create=False) as house:
        with house.store.write() as connection:
            number = vault.find(connection, house.keys, identity(kind.value, who, whose))
            if number is None:
                raise UnknownPerson("nobody here has this identity")
            erasure = vault.erase(connection, house.keys, number, reason, datetime.now(UTC))
        house.store.forget_deleted()
    document = {
        "erased": True,
        "person_no": erasure.person_no,
        "records": [one.hex() for one in erasure.records],
        "tombstone": erasure.tombstone.hex(),
        "receipt": erasure.private_index,
    }
    lines = [
        console.text("erased; {count} records keep their proofs, nameless", count=len(erasure.records)),
        console.text(
            "tombstone {digest}, receipt {index}", digest=erasure.tombstone.hex(), index=erasure.private_index
        ),
    ]
    console.emit(document, lines)
    return DONE


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(erase)
