"""Every sentence that a person may read has a Chinese form, and the table holds no other."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from sudonglian.api.cli import app
from sudonglian.api.words import chinese, translate
from sudonglian.chain.errors import SudonglianError

API = Path(__file__).resolve().parents[2] / "api" / "sudonglian" / "api"


def said() -> Iterator[str]:
    """Yield every sentence that the code says: the first argument of say and text, the words of a Step, what is being worked on."""
    for file in API.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = {"say": 0, "text": 0, "Step": 1, "working": 1}.get(name)
            if at is None or len(node.args) <= at:
                continue
            given = node.args[at]
            options = [given.body, given.orelse] if isinstance(given, ast.IfExp) else [given]
            yield from (str(one.value) for one in options if isinstance(one, ast.Constant))


def helped(command: Any) -> Iterator[str]:
    """Yield the help of a command, its options and its own commands."""
    for name in ("help", "epilog"):
        if text := getattr(command, name, None):
            yield text.strip()
    yield from (parameter.help for parameter in command.params if getattr(parameter, "help", None))
    for inner in getattr(command, "commands", {}).values():
        yield from helped(inner)


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def errors(kind: type[SudonglianError] = SudonglianError) -> Iterator[type[SudonglianError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from errors(one)


def test_every_sentence_is_translated_and_every_translation_is_used() -> None:
    needed = {*said(), *helped(typer.main.get_command(app))} - {"Show this message and exit.", "{error}"}
    table = {english for english in chinese() if not english.startswith("error:")}
    assert needed - table == set()
    assert table - needed == set()


def test_a_translation_has_the_same_values() -> None:
    for english, zh in chinese().items():
        assert fields(english) == fields(zh), english


def test_every_error_has_a_chinese_name() -> None:
    slugs = {one.slug for one in errors() if one.__module__.startswith("sudonglian.")}
    assert {slug for slug in slugs if f"error:{slug}" not in chinese()} == set()


def test_a_sentence_without_translation_stays_as_it_is() -> None:
    assert translate("zh", "no such sentence {n}", n=1) == "no such sentence 1"
