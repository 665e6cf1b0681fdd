"""docs/cli.md is what the commands say of themselves."""

from pathlib import Path

from sudonglian.api import cli, reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_what_help_says() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == reference.render(), "run: python -m sudonglian.api.reference > docs/cli.md"


def test_every_command_and_option_has_a_help() -> None:
    def walk(command: object, path: str) -> None:
        assert getattr(command, "help", None), path
        for parameter in getattr(command, "params", []):
            assert parameter.help, f"{path} {parameter.name}"
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{path} {name}")

    walk(cli.build("en"), "sudonglian")
