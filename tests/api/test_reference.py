"""docs/cli.md is what the commands say of themselves."""

from pathlib import Path

from sudonglian.api import cli, profile_reference, query_reference, reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_what_help_says() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == reference.render(), "run: python -m sudonglian.api.reference > docs/cli.md"


def test_the_query_parameters_are_what_the_tables_say() -> None:
    written = (ROOT / "docs" / "query-parameters.md").read_text(encoding="utf-8")
    assert written == query_reference.render(), (
        "run: python -m sudonglian.api.query_reference > docs/query-parameters.md"
    )


def test_the_profiles_are_what_the_tables_say() -> None:
    written = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    assert written == profile_reference.render(), "run: python -m sudonglian.api.profile_reference > docs/profiles.md"


def test_every_command_and_option_has_a_help() -> None:
    def walk(command: object, path: str) -> None:
        assert getattr(command, "help", None), path
        for parameter in getattr(command, "params", []):
            assert parameter.help, f"{path} {parameter.name}"
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{path} {name}")

    walk(cli.build("en"), "sudonglian")
