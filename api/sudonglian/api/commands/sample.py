"""Commands for newcomers: the worked outbreaks that come with the program, invented or public incidents.

service.md (a fresh server offers to load the sample outbreak).
"""

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any

import typer

from sudonglian.api.capturing import Capturing, capture_all
from sudonglian.api.console import DONE, REFUSED, Console
from sudonglian.api.errors import UsageRefused
from sudonglian.api.wiring import open_house
from sudonglian.api.working import working

app = typer.Typer(
    help="Worked outbreaks to try things on: invented, or rebuilt from public reports.",
    rich_markup_mode=None,
    no_args_is_help=False,
)


def stories() -> dict[str, dict[str, Any]]:
    """Return every sample by name: title, seed, time of the sample, documents."""
    found = {}
    for folder in sorted(_folder().iterdir(), key=lambda one: one.name):
        if folder.is_dir() and (story := folder.joinpath("story.json")).is_file():
            found[folder.name] = json.loads(story.read_text(encoding="utf-8"))
    return found


def documents(name: str) -> dict[str, bytes]:
    """Return the EPCIS documents of a sample by file name, in their order."""
    story = stories().get(name)
    if story is None:
        raise UsageRefused(f"no sample is called {name!r}; there are: {', '.join(stories())}", place="NAME")
    return {one: _folder().joinpath(name, one).read_bytes() for one in story["documents"]}


@app.command("list")
def list_(context: typer.Context) -> int:
    """List the samples with the seed and time to trace from."""
    console: Console = context.obj
    listed = [
        {
            "name": name,
            **{key: story[key] for key in ("title", "story", "seed", "at", "lot", "names", "spared")},
            **{key: story.get(key, []) for key in ("published", "assumed")},
        }
        for name, story in stories().items()
    ]
    lines = []
    for one in listed:
        lines += [f"{one['name']} — {one['title'][console.lang]}", f"  {one['story'][console.lang]}"]
        if one["published"]:
            lines += [console.text("  rebuilt from public reports; what was published and what is assumed: --json")]
        lines += [f"  trace {one['seed']} --at {one['at']}"]
    console.emit({"samples": listed}, lines)
    return DONE


@app.command()
def load(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which sample.")] = "frozen-fish",
) -> int:
    """Capture a sample's documents; loading it again changes nothing."""
    console: Console = context.obj
    given = documents(name)
    with open_house(console) as house, working(console, "taking documents") as work:
        # Each document of a sample names its sender, who is its submitter.
        total = Capturing()
        for number, (file, raw) in enumerate(given.items(), 1):
            total.add(file, capture_all(house, raw, json.loads(raw)["sender"]))
            work.at(number, len(given))
    console.emit(total.document(), total.lines(console))
    return REFUSED if total.refused else DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.add_typer(app, name="sample")


def _folder() -> Traversable:
    return files("sudonglian.api").joinpath("samples")
