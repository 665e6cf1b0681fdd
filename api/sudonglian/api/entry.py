"""The entry of `sudonglian`: a plain sentence where the base install alone is there, else the command line.

house.md (packaging): the base install is what a verifier needs; the service is the extra `server`.
"""

import json
import sys
from typing import Final

USAGE: Final = 64
"""console.USAGE, whose module cannot be imported here."""

SENTENCE: Final = (
    'sudonglian needs its server packages ({name} is missing): pip install "sudonglian[server]"'
    "(缺少服务端组件,请先安装;只验证凭证包请用 sudonglian-verify)"
)


def main() -> int:
    """Run the command line, or say what to install."""
    try:
        if sys.argv[1:2] == ["hash"] or sys.argv[1:3] == ["--json", "hash"]:
            from sudonglian.api import (
                hashing,  # without the database, which takes longer to load than a document to hash
            )

            if (code := hashing.at_once(sys.argv[1:])) is not None:
                return code
        from sudonglian.api import cli
    except ModuleNotFoundError as error:
        name = error.name or ""
        if name.startswith("sudonglian"):
            raise
        message = SENTENCE.format(name=name)
        sys.stderr.write(message + "\n")
        if "--json" in sys.argv[1:]:
            told = {"error": {"code": "not-installed", "place": name, "message": message}}
            sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return USAGE
    return cli.main()
