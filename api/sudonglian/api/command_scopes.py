"""What each command does to whose data, in the words of the scopes: whoever runs one does what its scope means.

service.md (operator); docs/decisions/0771. The command line works on the store itself, so its user holds the keys folder;
`public` commands open no store, or only what is everybody's. A test fails for a command that does not stand here.
"""

from collections.abc import Iterator
from typing import Any, Final

from sudonglian.api.scopes import Scope

COMMANDS: Final = {
    "validate": Scope.public,
    "profiles": Scope.public,
    "hash": Scope.public,
    "translate": Scope.public,
    "template": Scope.public,
    "verify": Scope.public,
    "monitor": Scope.public,
    "status": Scope.public,
    "trust add": Scope.public,
    "sign": Scope.public,
    "keys party create": Scope.public,
    "keys party show": Scope.public,
    "keys party list": Scope.public,
    "contract show": Scope.public,
    "contacts reach": Scope.public,
    "contacts stays": Scope.public,
    "contacts summary": Scope.public,
    "sources": Scope.public,
    "sample list": Scope.public,
    "sbom": Scope.public,
    "log entries": Scope.public,
    "log checkpoint": Scope.public,
    "log range": Scope.public,
    "capture": Scope.capture,
    "import": Scope.capture,
    "signature add": Scope.capture,
    "sample load": Scope.capture,
    "events": Scope.read_own,
    "fsma204": Scope.read_own,
    "labels": Scope.read_own,
    "describe": Scope.read_own,
    "show": Scope.read_record,
    "bundle": Scope.read_record,
    "signature list": Scope.read_record,
    "history": Scope.trace,
    "temperature": Scope.trace,
    "list": Scope.trace,
    "trace": Scope.trace,
    "retrace": Scope.trace,
    "anchor": Scope.operate,
    "worker": Scope.operate,
    "fsck": Scope.operate,
    "backup": Scope.operate,
    "restore": Scope.operate,
    "serve": Scope.operate,
    "erase": Scope.operate,
    "people erase": Scope.operate,
    "people retain": Scope.operate,
    "people receipt": Scope.operate,
    "people receipts": Scope.operate,
    "keys kek list": Scope.operate,
    "keys kek rotate": Scope.operate,
    "keys kek destroy": Scope.operate,
    "contract pause": Scope.operate,
    "contract unpause": Scope.operate,
    "contract succeed": Scope.operate,
    "contract follow": Scope.operate,
    "contract accept-reorg": Scope.operate,
    "keys party register": Scope.operate,
    "keys party rotate": Scope.operate,
    "keys party revoke": Scope.operate,
    "keys api create": Scope.accounts,
    "keys api list": Scope.accounts,
    "keys api profile": Scope.accounts,
    "keys api revoke": Scope.accounts,
    "accounts add": Scope.accounts,
    "accounts list": Scope.accounts,
    "accounts roles": Scope.accounts,
    "accounts disable": Scope.accounts,
    "accounts enable": Scope.accounts,
    "accounts unlock": Scope.accounts,
    "accounts reset": Scope.accounts,
}


def names(command: Any, before: str = "") -> Iterator[str]:
    """Yield the commands of a tree, as they are typed."""
    inner = getattr(command, "commands", {})
    if not inner:
        yield before
    for name, one in inner.items():
        yield from names(one, f"{before} {name}".strip())
